"""The demo estate's complaints of a year, each on a course of its own (S23)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from models.property import Unit
from models.visits import Visit
from office.complaints import clock_jobs, closures, pauses, severities, visits, work
from office.complaints.closures import ReviewMinutes
from office.complaints.registration import NewTicket, register_ticket
from office.core.errors import Refused
from rules.severity import Facts

# What happens to a complaint: hours after its registration, and the step.
BEGUN = ((1, "take_on"), (2, "first_word"))
BACK = (*BEGUN, (26, "resolve"), (74, "dissatisfied"))
COURSES: dict[str, tuple[tuple[float, str], ...]] = {
    "open": (),
    "taken": BEGUN,
    "waiting": (*BEGUN, (5, "wait")),
    "resolved": (*BEGUN, (8, "resolve")),
    "came_back": BACK,
    "solved": (*BEGUN, (3, "report"), (27, "resolve"), (75, "satisfied")),
    "on_spot": ((0.5, "on_spot"), (51, "satisfied")),
    "waited": (*BEGUN, (5, "wait"), (101, "go_on"), (125, "resolve"), (173, "satisfied")),
    "late": ((78, "take_on"), (79, "first_word"), (220, "resolve"), (268, "partly"), (290, "decide")),
    "again": (
        *BACK,
        (76, "take_on"),
        (77, "first_word"),
        (122, "resolve"),
        (148, "review"),
        (170, "satisfied"),
    ),
    "invalid": ((2, "take_on"), (4, "ask_invalid"), (28, "approve_invalid")),
}
SCORES = {"satisfied": 5, "partly": 3, "dissatisfied": 2}


class DemoComplaints:
    """The complaints of seed/demo.toml and what is still to happen to them, by instant."""

    def __init__(
        self,
        session: Session,
        demo: Mapping[str, Any],
        zone: ZoneInfo,
        today: date,
        staff: Mapping[str, int],
        first_on: date,
    ) -> None:
        self.session, self.words, self.staff = session, demo["year"], staff
        self.places = itertools.count()  # of two things at one instant the one that was planned first
        self.to_do: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        units = session.scalars(select(Unit.id).order_by(Unit.id)).all()
        for number, (days, hour, *complaint) in enumerate(demo["complaints"]):
            day, unit_id = today - timedelta(days=days), units[number * 97 % len(units)]
            if day < first_on:
                continue
            at = datetime.combine(day, time(hour, 12), zone)
            self._plan(at, lambda now, unit_id=unit_id, row=complaint: self._register(now, unit_id, *row))  # type: ignore[misc]

    def go_on(self, until: datetime) -> None:
        """Do what is planned until an instant, in its order; what the rules refuse is left out."""
        while self.to_do and (first := min(self.to_do))[0] <= until:
            self.to_do.remove(first)
            clock_jobs.sweep(self.session, first[0])
            with suppress(Refused), self.session.begin_nested():
                first[2](first[0])
        clock_jobs.sweep(self.session, until)

    def _plan(self, at: datetime, act: Callable[[datetime], object]) -> None:
        self.to_do.append((at, next(self.places), act))

    def _register(
        self, now: datetime, unit_id: int, channel: str, category: str, facts: Mapping[str, Any],
        course: str, statement: str, resolution: str = "",
    ) -> None:  # fmt: skip
        new = NewTicket(
            channel=channel,
            category=category,
            statement=statement,
            facts=Facts.from_row(facts),
            registered_at=now,
            unit_id=unit_id,
            clerk_id=self.staff["desk"],
        )
        ticket = register_ticket(self.session, new, now=now)
        for hours, step in COURSES[course]:
            self._plan(
                now + timedelta(hours=hours),
                lambda at, step=step: self._step(ticket.id, step, at, resolution),  # type: ignore[misc]
            )

    def _step(self, ticket_id: int, step: str, now: datetime, resolution: str) -> None:
        session, staff = self.session, self.staff
        ticket = session.get_one(Ticket, ticket_id)
        handlers = work.possible_handlers(session, ticket)
        handler_id = ticket.handler_id or (handlers[0].id if handlers else staff["head"])
        match step:
            case "take_on":
                work.take_on(session, ticket_id, now=now, staff_id=handler_id)
            case "first_word" | "report":
                for clock in (
                    ("first_word", "department_plan") if step == "first_word" else ("report_manager",)
                ):
                    with suppress(Refused), session.begin_nested():
                        work.meet_clock(session, ticket_id, clock, now=now, staff_id=handler_id)
            case "resolve":
                work.resolve_ticket(session, ticket_id, resolution=resolution, now=now, staff_id=handler_id)
            case "on_spot":
                work.resolve_on_spot(
                    session, ticket_id, resolution=resolution, now=now, staff_id=staff["desk"]
                )
            case "wait":
                pauses.pause(
                    session, ticket_id, waiting_for="resident", reason=self.words["waits"],
                    look_again_on=now.date() + timedelta(days=5), now=now, staff_id=handler_id,
                )  # fmt: skip
            case "go_on":
                pauses.resume(session, ticket_id, now=now, staff_id=handler_id)
            case "satisfied" | "partly" | "dissatisfied":
                self._visit(ticket_id, SCORES[step], now)
            case _:
                self._decide(ticket_id, step, now, resolution, handler_id)

    def _decide(self, ticket_id: int, step: str, now: datetime, resolution: str, handler_id: int) -> None:
        session, staff = self.session, self.staff
        match step:
            case "review":
                severities.change_severity(session, ticket_id, "major", now=now, staff_id=staff["head"])
                minutes = ReviewMinutes(**self.words["review"])
                closures.hold_review(
                    session, ticket_id, minutes, held_at=now, now=now, staff_id=staff["head"]
                )
            case "ask_invalid":
                closures.request_invalid(
                    session, ticket_id, ground="unfounded", reason=resolution, now=now, staff_id=handler_id
                )
            case "approve_invalid":
                closures.decide_invalid(
                    session, ticket_id, is_approved=True, now=now, staff_id=staff["manager"]
                )
            case "decide":
                closures.close_by_decision(
                    session, ticket_id, now=now, staff_id=staff["manager"], note=self.words["decision"]
                )

    def _visit(self, ticket_id: int, score: int, now: datetime) -> None:
        """The desk asks how satisfied the resident is; the complaint is closed if that is enough."""
        session = self.session
        visit_id = session.scalars(
            select(Visit.id).where(Visit.ticket_id == ticket_id, Visit.done_at.is_(None))
        ).one_or_none()
        if visit_id is None:
            raise Refused("nobody is to be visited")
        visitor = self.staff["desk"]
        visits.record_visit(
            session, visit_id, satisfaction=score, method="phone", words=self.words["visits"][str(score)],
            staff_id=visitor, now=now,
        )  # fmt: skip
        with suppress(Refused), session.begin_nested():
            closures.close(session, ticket_id, now=now, staff_id=visitor)
