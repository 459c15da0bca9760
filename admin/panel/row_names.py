"""What a row of any table is called on screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from admin.panel import language, row_access, wording
from models.base import db
from models.people import Occupancy, Owner, OwnerPhone
from models.property import Unit
from office.core import clock

BETWEEN = " · "  # a person's name, unit and phone


def name_of(row: Any) -> str:
    """What a row is called in the reader's language."""
    if hasattr(row, "name_in"):
        return str(row.name_in(language.current()))
    return str(row) if is_named(row) else f"{wording.table(row.__tablename__)} {row.id}"


def is_named(row: Any) -> bool:
    """Whether a row says itself what it is called."""
    return hasattr(row, "name_in") or type(row).__str__ is not object.__str__  # type: ignore[comparison-overlap]


def told_apart(rows: Sequence[Any]) -> dict[int, str]:
    """What each row is called where one is picked; people also by their unit and the end of their phone."""
    marks = _marks([row.id for row in rows if isinstance(row, Owner)])
    return {row.id: BETWEEN.join((name_of(row), *marks.get(row.id, ()))) for row in rows}


def _marks(owner_ids: Sequence[int]) -> dict[int, list[str]]:
    """Of each owner the first unit of today within reach, and the last four digits of the first phone."""
    found: dict[int, list[str]] = {}
    if not owner_ids:
        return found
    session = db.session()
    today = clock.office_day(session, clock.now(session))
    units = (
        select(Occupancy.owner_id, Unit.code)
        .join(Unit, Unit.id == Occupancy.unit_id)
        .where(
            Occupancy.owner_id.in_(owner_ids),
            Occupancy.from_on <= today,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today),
            *row_access.visible_rows(Unit),
        )
        .order_by(Unit.code_sort)
    )
    phones = select(OwnerPhone.owner_id, OwnerPhone.number).where(OwnerPhone.owner_id.in_(owner_ids))
    first_units: dict[int, str] = {}
    for owner_id, code in session.execute(units):
        first_units.setdefault(owner_id, code)
    last_digits: dict[int, str] = {}
    for owner_id, number in session.execute(phones.order_by(OwnerPhone.position, OwnerPhone.id)):
        last_digits.setdefault(owner_id, f"…{number[-4:]}")
    for owner_id in owner_ids:
        found[owner_id] = [each[owner_id] for each in (first_units, last_digits) if owner_id in each]
    return found
