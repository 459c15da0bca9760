"""The unit grid: buildings × floors, each unit by what it owes, complains of, or waits for (P8, K4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session

from models.base import Money
from models.billing import Invoice
from models.complaints import Ticket, is_escalated
from models.people import Occupancy
from models.property import Area, Building, Unit
from models.visits import Visit
from rules.money import ZERO

Conditions = Sequence[ColumnElement[bool]]  # which units, and what of them the reader reaches
SHOWN = ("owed", "complaints", "visits")


@dataclass(frozen=True)
class Square:
    """One unit: its state, a figure that says it in words too, and what of it former payers owe."""

    id: int
    code: str
    state: str
    figure: Decimal | int | None
    former: Decimal = ZERO


@dataclass(frozen=True)
class Floor:
    number: int | None
    squares: tuple[Square, ...]


@dataclass(frozen=True)
class Block:
    """One building, the highest floor on top, with how many units are in which state."""

    building_id: int
    area: str
    name: str
    floors: tuple[Floor, ...]
    counts: Mapping[str, int]


def buildings(session: Session, within: Collection[int]) -> list[tuple[int, str, str]]:
    """The buildings to choose from: id, area, name; all of them when `within` is empty."""
    query = (
        select(Building.id, Area.name, Building.name)
        .join(Area, Area.id == Building.area_id)
        .order_by(Area.position, Area.name, Building.position, Building.name)
    )
    if within:
        query = query.where(Building.id.in_(within))
    return [(key, area, name) for key, area, name in session.execute(query)]


def grid(
    session: Session,
    chosen: Collection[tuple[int, str, str]],
    what: str,
    *,
    today: date,
    now: datetime,
    readable: Conditions = (),
) -> list[Block]:
    """The chosen buildings, in a number of queries that doesn't grow with them.

    `readable` are the conditions of the bills, complaints or visits that the reader reaches.
    """
    ids = [key for key, _area, _name in chosen]
    states = _STATES[what](session, [Unit.building_id.in_(ids), *readable], today, now)
    floors: dict[int, dict[int | None, list[Square]]] = {key: {} for key in ids}
    counts: dict[int, dict[str, int]] = {key: {} for key in ids}
    rows = session.execute(
        select(Unit.building_id, Unit.floor, Unit.id, Unit.code, Unit.state)
        .where(Unit.building_id.in_(ids))
        .order_by(Unit.building_id, Unit.floor, Unit.code)
    )
    for building_id, number, unit_id, code, unit_state in rows:
        state, *said = states.get(unit_id, ("unsold" if unit_state == "unsold" else "clear", None))
        floors[building_id].setdefault(number, []).append(Square(unit_id, code, state, *said))
        counts[building_id][state] = counts[building_id].get(state, 0) + 1
    return [
        Block(
            key,
            area,
            name,
            tuple(
                Floor(number, tuple(squares))
                for number, squares in sorted(
                    floors[key].items(), key=lambda item: -1000 if item[0] is None else item[0], reverse=True
                )
            ),
            counts[key],
        )
        for key, area, name in chosen
    ]


def _owed(session: Session, within: Conditions, today: date, _now: datetime) -> dict[int, tuple[Any, ...]]:
    """Overdue, or open and not due yet, with what is open in yuan and what of it former payers owe."""
    is_present = exists().where(
        Occupancy.unit_id == Invoice.unit_id,
        Occupancy.owner_id == Invoice.payer_id,
        Occupancy.is_payer,
        or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today),
    )
    of_former = case((is_present, 0), else_=Invoice.balance)
    rows = session.execute(
        select(
            Invoice.unit_id,
            func.min(Invoice.due_on),
            func.sum(Invoice.balance, type_=Money()),
            func.sum(of_former, type_=Money()),
        )
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(Invoice.balance > 0, *within)
        .group_by(Invoice.unit_id)
    )
    return {
        unit_id: ("overdue" if due_on < today else "open", amount, former)
        for unit_id, due_on, amount, former in rows
    }


def _complaints(
    session: Session, within: Conditions, _today: date, _now: datetime
) -> dict[int | None, tuple[str, Any]]:
    """With an open complaint, or an escalated one, and how many are open."""
    rows = session.execute(
        select(Ticket.unit_id, func.count().filter(is_escalated()), func.count())
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.closed_at.is_(None), *within)
        .group_by(Ticket.unit_id)
    )
    return {unit_id: ("escalated" if escalated else "complaint", count) for unit_id, escalated, count in rows}


def _visits(
    session: Session, within: Conditions, _today: date, now: datetime
) -> dict[int | None, tuple[str, Any]]:
    """To be visited, or already late, and how many visits."""
    rows = session.execute(
        select(Visit.unit_id, func.min(Visit.due_at), func.count())
        .join(Unit, Unit.id == Visit.unit_id)
        .where(Visit.done_at.is_(None), *within)
        .group_by(Visit.unit_id)
    )
    return {unit_id: ("visit_late" if due_at < now else "visit", count) for unit_id, due_at, count in rows}


_STATES: Mapping[str, Any] = {"owed": _owed, "complaints": _complaints, "visits": _visits}
