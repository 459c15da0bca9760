"""Whom a household asks about a paper: the steward of its building, else the office (D6, P7)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Staff, steward_building
from models.property import Unit
from office.core.database import chunks


class ContactPerson(NamedTuple):
    """Empty where the office itself is asked."""

    name: str = ""
    phone: str = ""


OFFICE = ContactPerson()


def contact_persons(session: Session, unit_ids: Collection[int]) -> dict[int, ContactPerson]:
    """The contact of each unit; of several stewards of a building the one who was entered first."""
    found = dict.fromkeys(unit_ids, OFFICE)
    for portion in chunks(sorted(found)):
        rows = session.execute(
            select(Unit.id, Staff.name, Staff.phone)
            .join(steward_building, steward_building.c.building_id == Unit.building_id)
            .join(Staff, Staff.id == steward_building.c.staff_id)
            .where(Unit.id.in_(portion), Staff.is_active)
            .order_by(Staff.id.desc())
        )
        found |= {unit_id: ContactPerson(name, phone) for unit_id, name, phone in rows}
    return found
