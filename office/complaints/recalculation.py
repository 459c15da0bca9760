"""Deadlines of open complaints after a policy or a holiday changed (T5, T6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from office.complaints.deadlines import (
    BATCH,
    CLOCK,
    TICKET,
    Columns,
    pauses_of,
    rescheduled_clock,
    rule_code,
    stored_deadline,
    update_clocks,
)
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.core.database import chunks
from rules.deadlines import ClockState, Deadline, Pause, deadline, recalculated


@dataclass(frozen=True)
class MovedDeadline:
    """A running clock, as its row is stored, and the deadline that the changed policies give it."""

    row: Columns
    deadline: Deadline

    @property
    def is_earlier(self) -> bool:
        return bool(self.deadline.due_at < self.row["due_at"])


@dataclass
class MovedDeadlines:
    """How many deadlines of which complaints a change moves, and how many of them to an earlier instant."""

    clocks: int = 0
    earlier: int = 0
    tickets: set[int] = field(default_factory=set)

    def count(self, moved: Sequence[MovedDeadline]) -> None:
        self.clocks += len(moved)
        self.earlier += sum(move.is_earlier for move in moved)
        self.tickets.update(move.row["ticket_id"] for move in moved)


def recalculate_running(
    session: Session, now: datetime, *, is_provisional_only: bool = False
) -> MovedDeadlines:
    """Move the deadlines of running clocks to what the policies in force now give; returns what moved.

    Pauses count as before, breached clocks stay, and no deadline moves to before `now`; a paused clock gets
    its deadline when it resumes. `is_provisional_only` looks only at clocks whose deadline was computed
    before its year's holidays were published. The caller first writes what came due (clock_jobs.recalculate).
    """
    total = MovedDeadlines()
    policies = PolicyTimeline(session)
    for moved in _moved_deadlines(session, policies, now, is_provisional_only=is_provisional_only):
        total.count(moved)
        update_clocks(session, [rescheduled_clock(move.row, move.deadline, now) for move in moved])
    return total


def preview_recalculation(session: Session, policies: PolicyTimeline, now: datetime) -> MovedDeadlines:
    """What recalculation would move if the unsaved policies of `policies` were saved; writes nothing."""
    total = MovedDeadlines()
    for moved in _moved_deadlines(session, policies, now):
        total.count(moved)
    return total


def _moved_deadlines(
    session: Session, policies: PolicyTimeline, now: datetime, *, is_provisional_only: bool = False
) -> Iterator[list[MovedDeadline]]:
    """The running clocks, a batch at a time, whose deadline differs by the policies in force now."""
    wanted = [CLOCK.c.next_at.is_not(None), CLOCK.c.state == ClockState.RUNNING.value]
    if is_provisional_only:
        wanted.append(CLOCK.c.rule.contains("provisional_year"))
    ids = session.scalars(select(CLOCK.c.id).where(*wanted).order_by(CLOCK.c.id)).all()
    for batch in chunks(ids, BATCH):
        in_force = policies.at(now)
        rows = session.execute(
            select(CLOCK, TICKET.c.registered_at)
            .join(TICKET, TICKET.c.id == CLOCK.c.ticket_id)
            .where(CLOCK.c.id.in_(batch))
        )
        clocks = rows.mappings().all()
        pauses = pauses_of(session, {clock["ticket_id"] for clock in clocks})
        moved = (_moved_deadline(in_force, clock, pauses[clock["ticket_id"]], now) for clock in clocks)
        yield [move for move in moved if move is not None]


def _moved_deadline(
    in_force: PoliciesInForce, clock: Columns, pauses: Sequence[Pause], now: datetime
) -> MovedDeadline | None:
    """A clock's deadline by the policies in force; None when it stays or has no rule any more."""
    rule = in_force.clock_rule(rule_code(clock))
    if rule is None or now > clock["due_at"]:
        return None
    fresh = deadline(
        in_force.calendar, rule, clock["started_at"], pauses, registered_at=clock["registered_at"]
    )
    moved = recalculated(stored_deadline(clock), fresh, now)
    is_same = (moved.due_at, moved.warn_at) == (clock["due_at"], clock["warn_at"])
    return None if is_same else MovedDeadline(clock, moved)
