"""The work board: every open complaint once, in the group of its next step (T4, K4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.complaints import Category, Ticket, TicketClock
from models.people import Staff
from models.property import Unit
from office.complaints import queries
from rules.work_board import GROUPS, OpenClock, board_group, board_order, first_deadline

MAX_ROWS = 300  # complaints on one board, the oldest first


@dataclass(frozen=True)
class BoardRow:
    """One complaint: what it is about, who handles it, and its first deadline."""

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
    clock: str
    due_at: datetime | None
    is_unconfirmed: bool = False  # what its sender says


@dataclass(frozen=True)
class Board:
    """The rows of each group, the first deadline first; `count` is the number of all open complaints.

    `due_soon_minutes` is how near a deadline of the group `soon` is at most.
    """

    groups: Mapping[str, Sequence[BoardRow]]
    count: int
    is_cut: bool
    due_soon_minutes: int


def board(
    session: Session, now: datetime, conditions: Sequence[ColumnElement[bool]], *, max_rows: int = MAX_ROWS
) -> Board:
    """The open complaints under these conditions in the groups of their next steps, at most `max_rows`."""
    wanted = (queries.is_open(), *conditions)
    found = session.execute(
        select(Ticket, Unit.code, Category, Staff.name)
        .join(Category, Category.id == Ticket.category_id)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(Staff, Staff.id == Ticket.handler_id)
        .where(*wanted)
        .order_by(Ticket.registered_at, Ticket.id)
        .limit(max_rows)
    ).all()
    count = len(found)
    if count == max_rows:
        count = session.execute(select(func.count(Ticket.id)).where(*wanted)).scalar_one()
    clocks = _open_clocks(session, [ticket.id for ticket, *_rest in found])
    minutes = queries.due_soon_minutes(session, now)
    soon = timedelta(minutes=minutes)
    groups: dict[str, list[BoardRow]] = {group: [] for group in GROUPS}
    for ticket, unit_code, category, handler in found:
        group = board_group(
            ticket.state, clocks[ticket.id], now, soon, is_unconfirmed=ticket.claimed_facts is not None
        )
        groups[group].append(_row(ticket, unit_code or "", category, handler or "", clocks[ticket.id]))
    for rows in groups.values():
        rows.sort(key=lambda row: board_order(row.due_at, row.id))
    return Board(groups, count, is_cut=count > max_rows, due_soon_minutes=minutes)


def _row(
    ticket: Ticket,
    unit_code: str,
    category: Category,
    handler: str,
    clocks: Sequence[OpenClock],
) -> BoardRow:
    first = first_deadline(clocks)
    return BoardRow(
        ticket.id,
        ticket.number,
        ticket.statement,
        ticket.severity,
        ticket.state,
        ticket.level,
        ticket.registered_at,
        unit_code,
        category,
        handler,
        first.clock if first else "",
        first.due_at if first else None,
        ticket.claimed_facts is not None,
    )


def _open_clocks(session: Session, ids: Sequence[int]) -> Mapping[int, list[OpenClock]]:
    """The clocks of tickets that were not stopped."""
    rows = session.execute(
        select(TicketClock.ticket_id, TicketClock.clock, TicketClock.state, TicketClock.due_at).where(
            TicketClock.ticket_id.in_(ids), TicketClock.stopped_at.is_(None)
        )
    )
    clocks: dict[int, list[OpenClock]] = defaultdict(list)
    for ticket_id, clock, state, due_at in rows:
        clocks[ticket_id].append(OpenClock(clock, state, due_at))
    return clocks
