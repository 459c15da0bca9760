"""The timeline of a ticket: what happened, why, and what the clocks will do next (T1, T4; U5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import ClockPause, Escalation, Ticket, TicketClock, TicketEvent
from models.office import Message
from models.people import Staff
from models.text_keys import called
from models.visits import Visit
from office.complaints.policies_in_force import PolicyTimeline
from office.core.errors import N_, Refused
from rules.deadlines import escalations
from rules.lifecycle import State, verbs_from
from rules.reasons import Reason


@dataclass(frozen=True)
class UpcomingEvent:
    """What a clock will do: warning, breach, escalation, turn_major, or look_again after a pause."""

    at: datetime
    what: str
    clock: str = ""
    level: int = 0
    to_role: str = ""


@dataclass(frozen=True)
class TimelineEntry:
    """One entry of a ticket's timeline; `code` says what happened, `reason` why where a rule decided."""

    at: datetime
    kind: str  # event, started, warned, stopped, breached, escalation, told
    code: str
    by: str = ""
    note: str = ""
    reason: Reason | None = None
    level: int = 0
    to_role: str = ""


def explain_ticket(session: Session, number: str, now: datetime) -> dict[str, Any]:
    """Explain a ticket: its severity, its clocks with their rules and escalations, and what comes next.

    Instants are office time with offset. Raises Refused when there is no such ticket.
    """
    ticket = session.scalars(called(select(Ticket), Ticket.number, number)).first()
    if ticket is None:
        raise Refused(N_("There is no complaint %(number)s"), number=number)
    policies = PolicyTimeline(session)

    def shown(at: datetime | None) -> str | None:
        return at.astimezone(policies.zone).isoformat() if at else None

    made = _escalations(session, ticket)
    upcoming = upcoming_events(session, ticket, policies)
    return {
        "number": ticket.number,
        "state": ticket.state,
        "severity": ticket.severity,
        "severity_reason": _reason_text(ticket.severity_reason),
        "level": ticket.level,
        "registered_at": shown(ticket.registered_at),
        "department": ticket.department.code,
        "clocks": [
            {
                "clock": clock.clock,
                "state": clock.state,
                "started_at": shown(clock.started_at),
                "warn_at": shown(clock.warn_at),
                "due_at": shown(clock.due_at),
                "stopped_at": shown(clock.stopped_at),
                "rule": _reason_text(clock.rule),
                "told": [
                    {"level": row.level, "at": shown(row.at), "to_role": row.to_role}
                    for row in made
                    if row.ticket_clock_id == clock.id
                ],
            }
            for clock in clocks(session, ticket)
        ],
        "turns_major_at": shown(ticket.turns_major_at),
        "visits": [
            {
                "number": visit.number,
                "planned_from": shown(visit.planned_from),
                "due_at": shown(visit.due_at),
                "assignee_role": visit.assignee_role,
                "outcome": visit.outcome,
            }
            for visit in visits(session, ticket)
        ],
        "possible": [verb.value for verb in verbs_from(State(ticket.state))],
        "next": [
            {
                "at": shown(event.at),
                "what": event.what,
                "clock": event.clock,
                "level": event.level,
                "to_role": event.to_role,
                "is_due": event.at <= now,
            }
            for event in upcoming
        ],
    }


def upcoming_events(
    session: Session, ticket: Ticket, policies: PolicyTimeline | None = None
) -> list[UpcomingEvent]:
    """What the clocks of a ticket will do if nobody works on it, soonest first."""
    policies = policies or PolicyTimeline(session)
    found = []
    for clock in clocks(session, ticket):
        if clock.next_at is None:
            continue
        if clock.state == "paused":
            found.append(UpcomingEvent(clock.next_at, "look_again", clock.clock))
            continue
        if clock.warned_at is None:
            found.append(UpcomingEvent(clock.warn_at, "warning", clock.clock))
        in_force = policies.at(clock.due_at)
        steps = escalations(
            in_force.calendar, in_force.escalation, clock.clock, clock.first_level, clock.due_at
        )
        found += [
            UpcomingEvent(step.at, "escalation", clock.clock, step.level, step.to_role)
            for step in steps
            if step.level > clock.last_level
        ]
        if clock.state == "running" and not any(step.at == clock.due_at for step in steps):
            found.append(UpcomingEvent(clock.due_at, "breach", clock.clock))
    if ticket.turns_major_at is not None:
        found.append(UpcomingEvent(ticket.turns_major_at, "turn_major"))
    return sorted(found, key=lambda event: (event.at, event.clock, event.level))


def timeline(session: Session, ticket: Ticket) -> list[TimelineEntry]:
    """All that happened to a ticket, oldest first: verbs of people, clocks, escalations and alerts."""
    entries = [
        TimelineEntry(
            event.at,
            "event",
            event.verb,
            by=event.staff.name if event.staff else "",
            note=event.note,
            reason=Reason.from_json(event.reason) if event.reason else None,
        )
        for event in session.execute(
            select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
        ).scalars()
    ]
    for clock in clocks(session, ticket):
        entries += _clock_entries(clock)
    entries += [
        TimelineEntry(
            row.at,
            "escalation",
            row.clock,
            reason=Reason.from_json(row.reason),
            level=row.level,
            to_role=row.to_role,
        )
        for row in _escalations(session, ticket)
    ]
    entries += _alert_entries(session, ticket)
    return sorted(entries, key=lambda entry: (entry.at, _ORDER.index(entry.kind)))


_ORDER = ("event", "started", "warned", "stopped", "breached", "escalation", "told")


def _alert_entries(session: Session, ticket: Ticket) -> list[TimelineEntry]:
    """The alerts to staff about a ticket: to whom, when, and whether each was sent."""
    rows = session.execute(
        select(Message.made_at, Message.sent_at, Message.state, Message.subject, Staff.name)
        .join(Staff, Staff.id == Message.staff_id)
        .where(Message.ticket_id == ticket.id)
        .order_by(Message.id)
    )
    return [
        TimelineEntry(row.sent_at or row.made_at, "told", row.state, by=row.name, note=row.subject)
        for row in rows
    ]


def _clock_entries(clock: TicketClock) -> list[TimelineEntry]:
    entries = [TimelineEntry(clock.started_at, "started", clock.clock, reason=Reason.from_json(clock.rule))]
    if clock.warned_at is not None:
        entries.append(TimelineEntry(clock.warned_at, "warned", clock.clock))
    if clock.state == "breached":
        entries.append(TimelineEntry(clock.due_at, "breached", clock.clock))
    if clock.stopped_at is not None:
        entries.append(TimelineEntry(clock.stopped_at, "stopped", clock.clock, note=clock.state))
    return entries


def clocks(session: Session, ticket: Ticket) -> Sequence[TicketClock]:
    """A ticket's clocks in the order in which they started."""
    query = select(TicketClock).where(TicketClock.ticket_id == ticket.id).order_by(TicketClock.id)
    return session.execute(query).scalars().all()


def visits(session: Session, ticket: Ticket) -> Sequence[Visit]:
    """A ticket's visits in order."""
    query = select(Visit).where(Visit.ticket_id == ticket.id).order_by(Visit.id)
    return session.execute(query).scalars().all()


def pauses(session: Session, ticket: Ticket) -> Sequence[ClockPause]:
    """A ticket's times of waiting in order (T6)."""
    query = select(ClockPause).where(ClockPause.ticket_id == ticket.id).order_by(ClockPause.id)
    return session.execute(query).scalars().all()


def _escalations(session: Session, ticket: Ticket) -> Sequence[Escalation]:
    query = select(Escalation).where(Escalation.ticket_id == ticket.id).order_by(Escalation.at, Escalation.id)
    return session.execute(query).scalars().all()


def _reason_text(stored: str) -> str:
    return str(Reason.from_json(stored)) if stored else ""
