"""What has come due on tickets and their clocks: warnings, breaches, escalations, turning major (T4, T6, T8).

The minute tick processes every ticket, a verb its own ticket. Rows are dated by the rules, not by when this
runs; running it twice adds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session

from models.complaints import FACTS
from office.complaints.alerts import ClockEvent, enqueue_alerts
from office.complaints.deadlines import (
    BATCH,
    CLOCK,
    ESCALATION,
    EVENT,
    TICKET,
    Columns,
    TicketProfile,
    Values,
    insert_clocks,
    new_clocks,
    pauses_of,
    replaced_clocks,
    stored_deadline,
    update_clocks,
    update_rows,
)
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.core.database import chunks
from rules.deadlines import ClockState, DueClock, Escalation, Moment, evaluate_clock
from rules.reasons import Reason
from rules.severity import Facts


@dataclass
class SweepResult:
    """How much came due, and the events of it that staff are alerted to."""

    majors: int = 0
    clocks: int = 0
    escalations: int = 0
    alerts: int = 0
    events: list[ClockEvent] = field(default_factory=list)


def process_due_clocks(
    session: Session,
    up_to: datetime,
    *,
    ticket_ids: Sequence[int] | None = None,
    policies: PolicyTimeline | None = None,
) -> SweepResult:
    """Write everything that came due up to an instant: turned major, warned, breached, escalated (T4, T8).

    Reads only tickets and clocks whose next instant has come; `ticket_ids` narrows to these tickets.
    """
    session.flush()
    policies = policies or PolicyTimeline(session)
    result = SweepResult()
    for batch in chunks(ticket_ids, BATCH) if ticket_ids is not None else [None]:
        for ids in chunks(_tickets_turning_major(session, up_to, batch), BATCH):
            _turn_major(session, policies, ids, up_to, result)
        for ids in chunks(_tickets_with_due_clocks(session, up_to, batch), BATCH):
            _process_clocks(session, policies, ids, up_to, result)
    return result


def process_and_alert(
    session: Session,
    now: datetime,
    *,
    ticket_ids: Sequence[int] | None = None,
    policies: PolicyTimeline | None = None,
) -> SweepResult:
    """Write what came due up to now on all tickets, or on these, and alert staff to it (T4, T6, T8)."""
    result = process_due_clocks(session, now, ticket_ids=ticket_ids, policies=policies)
    result.alerts = enqueue_alerts(session, result.events, now)
    return result


def _narrowed(query: Select[Any], column: Any, ticket_ids: Sequence[int] | None) -> Select[Any]:
    return query if ticket_ids is None else query.where(column.in_(ticket_ids))


def _tickets_turning_major(
    session: Session, up_to: datetime, ticket_ids: Sequence[int] | None
) -> Sequence[int]:
    due = select(TICKET.c.id).where(TICKET.c.turns_major_at <= up_to)  # in the order of ids, SQLite reads all
    return sorted(session.scalars(_narrowed(due, TICKET.c.id, ticket_ids)))


def _tickets_with_due_clocks(
    session: Session, up_to: datetime, ticket_ids: Sequence[int] | None
) -> Sequence[int]:
    due = select(CLOCK.c.ticket_id).where(CLOCK.c.next_at <= up_to)
    return sorted(set(session.scalars(_narrowed(due, CLOCK.c.ticket_id, ticket_ids))))


# --- turning major (T8) ----------------------------------------------------------------------------


def _turn_major(
    session: Session, policies: PolicyTimeline, ids: Sequence[int], up_to: datetime, result: SweepResult
) -> None:
    """Make tickets major that were unsolved for too long; new clocks replace the old ones of their kind."""
    tickets = _locked_tickets(session, ids, up_to)
    if not tickets:
        return
    clocks, pauses = _clocks_not_stopped(session, ids), pauses_of(session, ids)
    started: list[Values] = []
    replaced: list[Values] = []
    changed: list[Values] = []
    history: list[Values] = []
    for ticket in tickets:
        ticket_id, at = ticket["id"], ticket["turns_major_at"]
        columns = major_columns(policies.at(at), at, ticket["registered_at"], ticket["level"])
        profile = TicketProfile(
            ticket_id, ticket["registered_at"], columns["severity"], Facts.from_row(ticket)
        )
        rows = new_clocks(policies, profile, Moment.MAJOR, at, pauses[ticket_id])
        replaced += replaced_clocks(clocks[ticket_id], rows, at)
        started += rows
        changed.append({"id": ticket_id, **columns})
        history.append(_history_row(ticket_id, at, "turn_major", columns["severity_reason"]))
        result.events.append(ClockEvent("major", ticket_id, 0, "", at))
    insert_clocks(session, started)
    update_clocks(session, replaced)
    update_rows(session, TICKET, changed)
    session.execute(insert(EVENT), history)
    result.majors += len(tickets)


def _locked_tickets(session: Session, ids: Sequence[int], up_to: datetime) -> Sequence[Columns]:
    """The tickets that still turn major, locked so that nobody else changes them meanwhile."""
    facts = [TICKET.c[name] for name in FACTS]
    query = (
        select(TICKET.c.id, TICKET.c.registered_at, TICKET.c.level, TICKET.c.turns_major_at, *facts)
        .where(TICKET.c.id.in_(ids), TICKET.c.turns_major_at <= up_to)
        .order_by(TICKET.c.id)
        .with_for_update()
    )
    return session.execute(query).mappings().all()


def _clocks_not_stopped(session: Session, ids: Sequence[int]) -> Mapping[int, list[Columns]]:
    query = select(CLOCK).where(CLOCK.c.ticket_id.in_(ids), CLOCK.c.stopped_at.is_(None))
    clocks: dict[int, list[Columns]] = defaultdict(list)
    for clock in session.execute(query).mappings():
        clocks[clock["ticket_id"]].append(clock)
    return clocks


def major_columns(in_force: PoliciesInForce, at: datetime, registered_at: datetime, level: int) -> Values:
    """The changed columns of a ticket that turns major at an instant (T8)."""
    severity, months = in_force.most_severe, in_force.lifecycle.months_until_major
    reason = Reason("unsolved_for_months", {"months": months, "since": registered_at})
    return {
        "severity": severity,
        "severity_reason": reason.to_json(),
        "level": max(level, in_force.level_of(severity)),
        "became_major_at": at,
        "turns_major_at": None,
    }


def _history_row(ticket_id: int, at: datetime, verb: str, reason: str) -> Values:
    return {"ticket_id": ticket_id, "at": at, "staff_id": None, "verb": verb, "reason": reason, "note": ""}


# --- warnings, breaches, escalations (T4) ----------------------------------------------------------


def _process_clocks(
    session: Session, policies: PolicyTimeline, ids: Sequence[int], up_to: datetime, result: SweepResult
) -> None:
    """Lock tickets, evaluate those of their clocks whose next instant has come, and write what is new."""
    locked = select(TICKET.c.id, TICKET.c.level).where(TICKET.c.id.in_(ids)).order_by(TICKET.c.id)
    levels = dict(session.execute(locked.with_for_update()).all())
    due = select(CLOCK).where(CLOCK.c.next_at <= up_to, CLOCK.c.ticket_id.in_(ids)).order_by(CLOCK.c.id)
    changed: list[Values] = []
    escalated: list[Values] = []
    for clock in session.execute(due).mappings().all():
        columns, rows, events = _evaluated(policies, clock, up_to)
        changed.append(columns)
        escalated += rows
        result.events += events
    update_clocks(session, changed)
    if escalated:
        session.execute(insert(ESCALATION), escalated)
    raised: dict[int, int] = {}
    for row in escalated:
        if row["level"] > max(levels[row["ticket_id"]], raised.get(row["ticket_id"], 0)):
            raised[row["ticket_id"]] = row["level"]
    update_rows(session, TICKET, [{"id": key, "level": level} for key, level in raised.items()])
    result.clocks += len(changed)
    result.escalations += len(escalated)


def _evaluated(
    policies: PolicyTimeline, clock: Columns, up_to: datetime
) -> tuple[Values, list[Values], list[ClockEvent]]:
    """One clock at an instant: its changed columns, the rows of its new escalations, and their events."""
    about = (clock["ticket_id"], clock["id"], clock["clock"])
    columns = {name: clock[name] for name in ("id", "state", "warned_at", "last_level")}
    if clock["state"] == ClockState.PAUSED:
        return {**columns, "next_at": None}, [], [ClockEvent("look_again", *about, clock["next_at"])]
    stored = DueClock(
        clock["clock"],
        stored_deadline(clock),
        clock["first_level"],
        clock["last_level"],
        is_warned=clock["warned_at"] is not None,
    )
    in_force = policies.at(stored.due.due_at)
    update = evaluate_clock(in_force.calendar, in_force.escalation, stored, up_to)
    columns |= {"state": update.state.value, "next_at": update.next_at}
    events = []
    if update.is_warning_due:
        columns["warned_at"] = stored.due.warn_at
        events.append(ClockEvent("warning", *about, stored.due.warn_at))
    rows = []
    for step in update.escalations:
        columns["last_level"] = max(columns["last_level"], step.level)
        events.append(ClockEvent("escalation", *about, step.at, step.level, step.to_role))
        rows.append(_escalation_row(clock, step))
    return columns, rows, events


def _escalation_row(clock: Columns, step: Escalation) -> Values:
    return {
        "ticket_id": clock["ticket_id"],
        "ticket_clock_id": clock["id"],
        "clock": clock["clock"],
        "level": step.level,
        "at": step.at,
        "to_role": step.to_role,
        "reason": step.reason.to_json(),
    }
