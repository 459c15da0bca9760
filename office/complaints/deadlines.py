"""The clocks of a ticket: started, stopped, paused, replaced (T4, T6, T8).

Functions that only compute take and return rows as mappings; the others read and write the table. Every verb
on a ticket has what came due on its clocks written first (due_clocks.py), so that the rows do not depend on
when the minute tick ran.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.complaints import (
    FACTS,
    ClockPause,
    Escalation,
    Ticket,
    TicketClock,
    TicketEvent,
)
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.core.database import chunks
from rules.deadlines import (
    ClockRule,
    ClockState,
    Deadline,
    Moment,
    Pause,
    clock_state,
    clocks_starting,
    deadline,
    replaced_state,
)
from rules.reasons import Reason
from rules.severity import Facts

BATCH = 5000  # tickets or clocks worked on at once
FOLLOW_UP, ACKNOWLEDGE = "follow_up", "acknowledge"
Values = dict[str, Any]
Columns = Mapping[Any, Any]  # a row as read, or one to be written

CLOCK: Table = TicketClock.__table__  # type: ignore[assignment] # a mapped class has a table
TICKET: Table = Ticket.__table__  # type: ignore[assignment]
ESCALATION: Table = Escalation.__table__  # type: ignore[assignment]
EVENT: Table = TicketEvent.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class TicketProfile:
    """What the clock rules need to know of a ticket; `ticket_id` is 0 for one that is not stored yet."""

    ticket_id: int
    registered_at: datetime
    severity: str
    facts: Facts

    @classmethod
    def of(cls, ticket: Ticket) -> TicketProfile:
        facts = Facts.from_row({name: getattr(ticket, name) for name in FACTS})
        return cls(ticket.id, ticket.registered_at, ticket.severity, facts)


def new_clocks(
    policies: PolicyTimeline,
    profile: TicketProfile,
    moment: Moment,
    at: datetime,
    pauses: Sequence[Pause] = (),
) -> list[Values]:
    """The rows of the clocks that start for a ticket at a moment of its life (T4)."""
    in_force = policies.at(at)
    rules = clocks_starting(in_force.clocks, moment, profile.severity, profile.facts)
    return [clock_row(in_force, profile, rule, at, pauses) for rule in rules]


def confirmation_clocks(
    in_force: PoliciesInForce, profile: TicketProfile, rows: Sequence[Values], at: datetime
) -> list[Values]:
    """The clock in which a clerk looks at what a stranger says: to acknowledge, even if that is off (T4)."""
    if any(row["clock"] == ACKNOWLEDGE for row in rows):
        return []
    rules = [rule for rule in in_force.clocks if rule.clock == ACKNOWLEDGE]
    return [clock_row(in_force, profile, rule, at) for rule in rules[:1]]


def clocks_of_facts(
    policies: PolicyTimeline, profile: TicketProfile, known: Collection[str], at: datetime
) -> list[Values]:
    """The clocks that a ticket of these facts has from its registration on, but for those known."""
    return [row for row in new_clocks(policies, profile, Moment.REGISTERED, at) if row["clock"] not in known]


def clock_row(
    in_force: PoliciesInForce,
    profile: TicketProfile,
    rule: ClockRule,
    at: datetime,
    pauses: Sequence[Pause] = (),
) -> Values:
    """The row of one clock that starts at an instant, paused where its ticket waits (T4, T6)."""
    due = deadline(in_force.calendar, rule, at, pauses, registered_at=profile.registered_at)
    is_paused = rule.is_pausable and any(pause.until_at is None for pause in pauses)
    return {
        "ticket_id": profile.ticket_id,
        "clock": rule.clock,
        "started_at": at,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
        "stopped_at": None,
        "warned_at": None,
        "state": ClockState.PAUSED.value if is_paused else ClockState.RUNNING.value,
        "rule": due.reason.to_json(),
        "first_level": in_force.escalation.level_at_start(profile.severity),
        "last_level": 0,
        "next_at": None if is_paused else due.warn_at,
    }


def stopped_clock(clock: Columns, at: datetime, *, is_void: bool = False) -> Values:
    """The changed columns of a clock that stops: met, breached, or with `is_void` void if not late (T4)."""
    is_paused = clock["state"] == ClockState.PAUSED
    judged = ClockState.MET if is_paused else clock_state(at, clock["due_at"], stopped_at=at)
    if is_void and judged is ClockState.MET:
        judged = ClockState.VOID
    return {"id": clock["id"], "stopped_at": at, "state": judged.value, "next_at": None}


def open_clocks(session: Session, ticket_id: int) -> list[Columns]:
    """The clocks of a ticket that were not stopped, as rows."""
    rows = session.execute(
        select(CLOCK).where(CLOCK.c.ticket_id == ticket_id, CLOCK.c.stopped_at.is_(None)).order_by(CLOCK.c.id)
    )
    return list(rows.mappings())


def pauses_of(session: Session, ticket_ids: Collection[int]) -> dict[int, list[Pause]]:
    """The pauses of tickets, in order (T6)."""
    found: dict[int, list[Pause]] = defaultdict(list)
    for some in chunks(ticket_ids):
        rows = session.execute(
            select(ClockPause.ticket_id, ClockPause.from_at, ClockPause.to_at)
            .where(ClockPause.ticket_id.in_(some))
            .order_by(ClockPause.from_at, ClockPause.id)
        )
        for ticket_id, from_at, to_at in rows:
            found[ticket_id].append(Pause(from_at, to_at))
    return found


def start_clocks(
    session: Session, policies: PolicyTimeline, ticket: Ticket, moment: Moment, at: datetime
) -> int:
    """Start a ticket's clocks of a moment; returns how many."""
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    rows = new_clocks(policies, TicketProfile.of(ticket), moment, at, pauses)
    insert_clocks(session, rows)
    return len(rows)


def insert_clocks(session: Session, rows: Sequence[Values]) -> None:
    """Store the rows of new clocks."""
    if rows:
        session.execute(insert(CLOCK), rows)


def apply_raised_severity(session: Session, policies: PolicyTimeline, ticket: Ticket, at: datetime) -> None:
    """Start the clocks of a severity that a person raised; they replace those of their kind that run (T3)."""
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    rows = new_clocks(policies, TicketProfile.of(ticket), Moment.MAJOR, at, pauses)
    update_clocks(session, replaced_clocks(open_clocks(session, ticket.id), rows, at))
    insert_clocks(session, rows)


def replaced_clocks(clocks: Iterable[Columns], rows: Sequence[Values], at: datetime) -> list[Values]:
    """The changed columns of clocks that new ones replace: void, but breached ones stay (T8)."""
    names = {row["clock"] for row in rows}
    over = []
    for clock in clocks:
        is_paused = clock["state"] == ClockState.PAUSED
        state = ClockState.PAUSED if is_paused else clock_state(at, clock["due_at"])
        if clock["clock"] in names and replaced_state(state) is ClockState.VOID:
            over.append(stopped_clock(clock, at, is_void=True))
    return over


def stop_clocks(
    session: Session, ticket_id: int, at: datetime, *, names: Collection[str] = (), is_void: bool = False
) -> list[str]:
    """Stop a ticket's clocks (all, or those named); returns the names of those stopped.

    With `is_void`, a clock that was not yet late counts neither as met nor as breached. One that is paused
    is due later by the pause so far, and is held against that (T6).
    """
    paused = [
        clock["clock"] for clock in open_clocks(session, ticket_id) if clock["state"] == ClockState.PAUSED
    ]
    if waiting := [name for name in paused if not names or name in names]:
        resume_clocks(session, PolicyTimeline(session), session.get_one(Ticket, ticket_id), at, names=waiting)
    stopped = [clock for clock in open_clocks(session, ticket_id) if not names or clock["clock"] in names]
    update_clocks(session, [stopped_clock(clock, at, is_void=is_void) for clock in stopped])
    return [clock["clock"] for clock in stopped]


def _named(session: Session, ticket_id: int, names: Collection[str]) -> list[Columns]:
    """A ticket's open clocks (all, or those named)."""
    return [clock for clock in open_clocks(session, ticket_id) if not names or clock["clock"] in names]


def update_clocks(session: Session, changes: Sequence[Values]) -> None:
    """Write changed columns of clocks by id; all changes name the same columns."""
    update_rows(session, CLOCK, changes)


def pause_clocks(
    session: Session, policies: PolicyTimeline, ticket_id: int, at: datetime, look_at: datetime
) -> int:
    """Pause the running clocks that the policy lets pause; returns how many (T6).

    The tick reminds the handler at `look_at`.
    """
    paused = []
    for clock in open_clocks(session, ticket_id):
        rule = policies.at(at).clock_rule(rule_code(clock))
        if rule is not None and rule.is_pausable and clock_state(at, clock["due_at"]) is ClockState.RUNNING:
            paused.append({"id": clock["id"], "state": ClockState.PAUSED.value, "next_at": look_at})
    update_clocks(session, paused)
    return len(paused)


def resume_clocks(
    session: Session,
    policies: PolicyTimeline,
    ticket: Ticket,
    at: datetime,
    *,
    names: Collection[str] = (),
) -> int:
    """Let the paused clocks (all, or those named) run again, due later by the paused time (T6)."""
    paused = [clock for clock in _named(session, ticket.id, names) if clock["state"] == ClockState.PAUSED]
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    changes = []
    for clock in paused:
        due = _deadline(policies, ticket.registered_at, clock, pauses, at) or stored_deadline(clock)
        changes.append(rescheduled_clock(clock, due, at))
    update_clocks(session, changes)
    return len(changes)


def apply_lowered_severity(session: Session, policies: PolicyTimeline, ticket: Ticket, at: datetime) -> None:
    """Exchange a ticket's clocks after its severity was lowered (T3).

    A clock that the lower severity has too, by another rule, is counted anew from its old start, but never
    due before now; one that it does not have becomes void. Breached clocks stay.
    """
    in_force, profile = policies.at(at), TicketProfile.of(ticket)
    moments = (Moment.REGISTERED, Moment.REOPENED) if ticket.reopen_count else (Moment.REGISTERED,)
    wanted = {
        rule.clock: rule
        for moment in moments
        for rule in clocks_starting(in_force.clocks, moment, profile.severity, profile.facts)
    }
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    new = []
    for clock in open_clocks(session, ticket.id):
        rule = wanted.get(clock["clock"])
        is_same = rule is not None and rule.code == rule_code(clock)
        is_over = replaced_state(ClockState(clock["state"])).value == clock["state"]
        if is_same or is_over or clock["clock"] == FOLLOW_UP:
            continue
        update_clocks(session, [stopped_clock(clock, at, is_void=True)])
        if rule is not None:
            new.append(_not_before(clock_row(in_force, profile, rule, clock["started_at"], pauses), at))
    insert_clocks(session, new)


def rule_code(clock: Columns) -> str:
    return str(Reason.from_json(clock["rule"]).inputs.get("rule", ""))


def stored_deadline(clock: Columns) -> Deadline:
    return Deadline(clock["warn_at"], clock["due_at"], Reason.from_json(clock["rule"]))


def _deadline(
    policies: PolicyTimeline,
    registered_at: datetime,
    clock: Columns,
    pauses: Sequence[Pause],
    as_of: datetime,
) -> Deadline | None:
    """A clock's deadline by its rule of `as_of`, else of its start; None when both are gone."""
    in_force, code = policies.at(as_of), rule_code(clock)
    rule = in_force.clock_rule(code) or policies.at(clock["started_at"]).clock_rule(code)
    if rule is None:
        return None
    return deadline(
        in_force.calendar, rule, clock["started_at"], pauses, registered_at=registered_at, as_of=as_of
    )


def rescheduled_clock(clock: Columns, due: Deadline, at: datetime) -> Values:
    """The changed columns of a clock that runs with another deadline; it warns again if that lies ahead."""
    warned_at = clock["warned_at"] if due.warn_at <= at else None
    return {
        "id": clock["id"],
        "state": ClockState.RUNNING.value,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
        "warned_at": warned_at,
        "rule": due.reason.to_json(),
        "next_at": due.due_at if warned_at else due.warn_at,
    }


def _not_before(row: Values, at: datetime) -> Values:
    due_at = max(row["due_at"], at)
    return {**row, "due_at": due_at, "warn_at": min(row["warn_at"], due_at)}


def update_rows(session: Session, table: Table, changes: Sequence[Values]) -> None:
    """Write changed columns by id; all changes name the same columns."""
    if not changes:
        return
    names = [name for name in changes[0] if name != "id"]
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({table.c[name]: bindparam(f"to_{name}", type_=table.c[name].type) for name in names})
    )
    rows = [{"row_id": row["id"], **{f"to_{name}": row[name] for name in names}} for row in changes]
    session.connection().execute(statement, rows)
