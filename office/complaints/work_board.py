"""The work board: every open complaint once, in the group that says what to do with it next (T4, K4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.complaints import Category, Ticket, TicketClock
from models.people import Staff
from models.property import Unit
from rules.lifecycle import State

MAX_ROWS = 300  # complaints on one board, the oldest first
SOON = timedelta(hours=2)
GROUPS = ("late", "soon", "take_up", "at_work", "waiting", "visit", "close")
NOT_TAKEN = frozenset({State.REGISTERED, State.ASSIGNED, State.REOPENED})


@dataclass(frozen=True)
class BoardRow:
    """One complaint: what it is about, who has it, and the deadline that comes first."""

    id: int
    number: str
    statement: str
    severity: str
    state: str
    level: int
    registered_at: datetime
    unit_code: str
    category: Category
    handler: str
    group: str
    clock: str
    due_at: datetime | None


@dataclass(frozen=True)
class Board:
    """The rows of each group, most urgent first, and how many open complaints there are in all."""

    groups: Mapping[str, Sequence[BoardRow]]
    count: int

    @property
    def is_cut(self) -> bool:
        return self.count > MAX_ROWS


def board(session: Session, now: datetime, conditions: Sequence[ColumnElement[bool]]) -> Board:
    """The open complaints under these conditions, grouped by what comes next."""
    wanted = (Ticket.closed_at.is_(None), *conditions)
    found = session.execute(
        select(Ticket, Unit.code, Category, Staff.name)
        .join(Category, Category.id == Ticket.category_id)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(Staff, Staff.id == Ticket.handler_id)
        .where(*wanted)
        .order_by(Ticket.registered_at, Ticket.id)
        .limit(MAX_ROWS)
    ).all()
    count = len(found)
    if count == MAX_ROWS:
        count = session.execute(select(func.count(Ticket.id)).where(*wanted)).scalar_one()
    clocks = _running(session, [ticket.id for ticket, *_rest in found])
    groups: dict[str, list[BoardRow]] = {group: [] for group in GROUPS}
    for ticket, unit_code, category, handler in found:
        first = min(clocks[ticket.id], key=lambda clock: clock.due_at, default=None)
        row = BoardRow(
            ticket.id,
            ticket.number,
            ticket.statement,
            ticket.severity,
            ticket.state,
            ticket.level,
            ticket.registered_at,
            unit_code or "",
            category,
            handler or "",
            group_of(ticket.state, clocks[ticket.id], now),
            first.clock if first else "",
            first.due_at if first else None,
        )
        groups[row.group].append(row)
    for rows in groups.values():
        rows.sort(key=lambda row: (row.due_at is None, row.due_at, row.id))
    return Board(groups, count)


def _running(session: Session, ids: Sequence[int]) -> Mapping[int, list[Any]]:
    rows = session.execute(
        select(TicketClock.ticket_id, TicketClock.clock, TicketClock.state, TicketClock.due_at).where(
            TicketClock.ticket_id.in_(ids), TicketClock.stopped_at.is_(None)
        )
    )
    clocks: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        clocks[row.ticket_id].append(row)
    return clocks


def group_of(state: str, clocks: Sequence[Any], now: datetime) -> str:
    """Where a complaint stands on the board; `clocks` are those that were not stopped."""
    if state == State.FOLLOWED_UP:
        return "close"
    if any(clock.due_at < now and clock.state != "paused" for clock in clocks):
        return "late"
    if any(clock.state == "running" and clock.due_at <= now + SOON for clock in clocks):
        return "soon"
    if state == State.RESOLVED:
        return "visit"
    if any(clock.state == "paused" for clock in clocks):
        return "waiting"
    return "take_up" if state in NOT_TAKEN else "at_work"
