"""Hints for the desk: what holds today for a unit and for its building (T26)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from models.hints import DeskHint
from models.property import Building, Unit
from office.core.errors import N_, Refused
from office.core.exports import Table, stream


def of_unit(
    session: Session, unit_id: int, on: date, readable: Iterable[ColumnElement[bool]] = ()
) -> Sequence[DeskHint]:
    """The hints that hold for a unit on a day, its own before those of its building.

    `readable` are the conditions of the rows that the reader may see.
    """
    building = select(Unit.building_id).where(Unit.id == unit_id).scalar_subquery()
    query = (
        select(DeskHint)
        .where(
            or_(DeskHint.unit_id == unit_id, DeskHint.building_id == building),
            DeskHint.from_on <= on,
            or_(DeskHint.to_on.is_(None), DeskHint.to_on >= on),
            *readable,
        )
        .order_by(DeskHint.unit_id.is_(None), DeskHint.kind, DeskHint.id)
    )
    return session.scalars(query).all()


def check(hint: DeskHint) -> None:
    """Check a hint before it is saved. Raises Refused."""
    if (hint.building is None) == (hint.unit is None):
        raise Refused(N_("Choose a building or a unit, one of them"))
    if not hint.words.strip():
        raise Refused(N_("Write down what the desk should know"))
    if hint.to_on is not None and hint.to_on < hint.from_on:
        raise Refused(N_("It can't end before it begins"))


def export(session: Session) -> Table:
    """All hints: of which building or unit, what, from when to when."""
    query = (
        select(
            Building.name.label("building"),
            Unit.code.label("unit_code"),
            DeskHint.kind,
            DeskHint.words,
            DeskHint.from_on,
            DeskHint.to_on,
        )
        .outerjoin(DeskHint.building)
        .outerjoin(DeskHint.unit)
        .order_by(DeskHint.id)
    )
    return stream(session, query)
