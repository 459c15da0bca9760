"""One row of the roster, how it differs from the unit that is there, and writing such differences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Occupancy, Owner, OwnerPhone, Staff, steward_building
from models.property import Area, Building, Unit
from models.secrets import fingerprint, masked
from office.core.errors import N_
from office.estate.owners import pinyin_initials
from office.exchange.imports.taken import Difference, Update, shown
from office.policies.store import FIRST_DAY
from rules.text_keys import compared_key

_BETWEEN_PHONES = re.compile(r"[/、,;，；|\n]+")
Place = tuple[str, str]  # area, building: as a row names them


@dataclass(frozen=True)
class RosterRow:
    """One unit with its payer; an empty name means vacant."""

    line: int
    unit_code: str
    building: str
    area_name: str
    floor: int | None
    unit_kind: str
    area_m2: Decimal
    handed_over_on: date | None
    payer_name: str
    payer_phone: str
    payer_email: str
    occupancy_from: date | None
    steward: str
    residents: int | None

    @property
    def key(self) -> str:
        """The unit's code as it is compared."""
        return compared_key(self.unit_code)

    @property
    def phones(self) -> list[str]:
        """The payer's numbers, the first one first."""
        return [number for part in _BETWEEN_PHONES.split(self.payer_phone) if (number := part.strip())]

    @property
    def from_on(self) -> date:
        """The first day of the occupancy: from the hand-over when nothing is said, else from ever."""
        return self.occupancy_from or self.handed_over_on or FIRST_DAY


def place_of(row: RosterRow) -> Place:
    return row.area_name, row.building


@dataclass(frozen=True)
class Stored:
    """A unit as the office has it, with who pays for it today."""

    id: int
    building_id: int
    building: str
    area_name: str
    floor: int | None
    unit_kind: str
    area_m2: Decimal
    handed_over_on: date | None
    occupancy_id: int | None = None
    owner_id: int | None = None
    payer_name: str = ""
    payer_email: str = ""
    occupancy_from: date | None = None
    residents: int | None = None
    phones: Mapping[str, str] = field(default_factory=dict)  # fingerprint → number


OTHER_BUILDING = N_("Another building changes who answers for the unit: change it on the unit's own screen")
OTHER_PAYER = N_("Another payer is a change of ownership: enter it under “Change of owner”")


@dataclass(frozen=True)
class RosterDifference:
    """One column in which a row differs; `never` where it is no correction but, say, another owner."""

    row: RosterRow
    unit: Stored
    column: str
    there: str
    here: str
    never: str = ""

    @property
    def told(self) -> Difference:
        """The difference as a person is told it."""
        return Difference(self.row.line, self.column, self.there, self.here, self.never)


def compare(
    session: Session, unit_ids: Mapping[int, int], rows: Sequence[RosterRow], today: date
) -> list[RosterDifference]:
    """In what the rows {line: unit id} differ from the units that are there; an empty cell says nothing."""
    if not rows:
        return []
    units, stewards = _stored(session, today), _stewards(session)
    found: list[RosterDifference] = []
    for row in rows:
        unit = units[unit_ids[row.line]]
        found += _of_unit(row, unit)
        found += _of_payer(row, unit)
        names = stewards[unit.building_id]
        if row.steward and compared_key(row.steward) not in set(map(compared_key, names)):
            found.append(RosterDifference(row, unit, "steward", "、".join(names), row.steward))
    return found


def _of_unit(row: RosterRow, unit: Stored) -> Iterator[RosterDifference]:
    if compared_key(row.building) != compared_key(unit.building) or (
        row.area_name and compared_key(row.area_name) != compared_key(unit.area_name)
    ):
        there, here = f"{unit.area_name} {unit.building}", f"{row.area_name or unit.area_name} {row.building}"
        yield RosterDifference(row, unit, "building", there, here, OTHER_BUILDING)
    for column in ("floor", "unit_kind", "area_m2", "handed_over_on"):
        here, there = getattr(row, column), getattr(unit, column)
        if here is not None and here != there:
            yield RosterDifference(row, unit, column, shown(there), shown(here))


def _of_payer(row: RosterRow, unit: Stored) -> Iterator[RosterDifference]:
    if not row.payer_name:
        return
    marks = [fingerprint(number) for number in row.phones]
    is_same = compared_key(row.payer_name) == compared_key(unit.payer_name)
    if not is_same:
        is_renamed = any(mark in unit.phones for mark in marks)
        there, here = unit.payer_name, row.payer_name
        yield RosterDifference(row, unit, "payer_name", there, here, "" if is_renamed else OTHER_PAYER)
        if not is_renamed:
            return
    if not set(marks) <= unit.phones.keys():
        there = "/".join(map(masked, unit.phones.values()))
        yield RosterDifference(row, unit, "payer_phone", there, "/".join(map(masked, row.phones)))
    if row.payer_email and row.payer_email.casefold() != unit.payer_email.casefold():
        yield RosterDifference(row, unit, "payer_email", unit.payer_email, row.payer_email)
    for column in ("occupancy_from", "residents"):
        here, before = getattr(row, column), getattr(unit, column)
        if here is not None and here != before:
            yield RosterDifference(row, unit, column, shown(before), shown(here))


def _stored(session: Session, today: date) -> dict[int, Stored]:
    phones: dict[int, dict[str, str]] = defaultdict(dict)
    query = select(OwnerPhone.owner_id, OwnerPhone.number_mac, OwnerPhone.number).order_by(
        OwnerPhone.position
    )
    for owner_id, mark, number in session.execute(query):
        phones[owner_id][mark] = number
    payers: dict[int, dict[str, Any]] = {}
    paying = (
        select(
            Occupancy.unit_id,
            Occupancy.id,
            Occupancy.from_on,
            Occupancy.residents,
            Owner.id,
            Owner.name,
            Owner.email,
        )
        .join(Occupancy.owner)
        .where(Occupancy.is_payer, (Occupancy.to_on.is_(None)) | (Occupancy.to_on >= today))
        .order_by(Occupancy.from_on.desc())
    )
    for unit_id, occupancy_id, from_on, residents, owner_id, name, email in session.execute(paying):
        if unit_id in payers and payers[unit_id]["occupancy_from"] <= today:
            continue  # who pays today, else who will pay first
        payers[unit_id] = {
            "occupancy_id": occupancy_id,
            "owner_id": owner_id,
            "payer_name": name,
            "payer_email": email,
            "occupancy_from": from_on,
            "residents": residents,
            "phones": phones[owner_id],
        }
    units = (
        select(
            Unit.id,
            Unit.building_id,
            Building.name,
            Area.name,
            Unit.floor,
            Unit.kind,
            Unit.area_m2,
            Unit.handed_over_on,
        )
        .join(Unit.building)
        .join(Building.area)
    )
    return {row[0]: Stored(*row, **payers.get(row[0], {})) for row in session.execute(units)}


def _stewards(session: Session) -> dict[int, list[str]]:
    """The names and logins of those who answer for each building."""
    query = (
        select(steward_building.c.building_id, Staff.name, Staff.login)
        .join(Staff, Staff.id == steward_building.c.staff_id)
        .order_by(Staff.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for building_id, name, login in session.execute(query):
        found[building_id] += dict.fromkeys((name, login))
    return found


def write(session: Session, differences: Sequence[RosterDifference], update: Update) -> None:
    """Write differences, each with its audit row; the caller assigns the stewards of all rows at once."""
    buildings: set[int] = set()
    for one in differences:
        if one.column != "steward":
            row, changes = _change(session, one)
            session.flush()
            update.record(session, row, changes)
        elif one.unit.building_id not in buildings:
            buildings.add(one.unit.building_id)
            building = session.get_one(Building, one.unit.building_id)
            update.record(session, building, {"steward": (one.there, one.here)})


def _change(session: Session, one: RosterDifference) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    """Change what a difference is about; the row that was changed and {column: (before, after)}."""
    row: Any
    match one.column:
        case "payer_name":
            row = session.get_one(Owner, one.unit.owner_id)
            row.name, row.pinyin_initials = one.row.payer_name, pinyin_initials(one.row.payer_name)
            return row, {"name": (one.there, one.here)}
        case "payer_email":
            row = session.get_one(Owner, one.unit.owner_id)
            row.email, row.is_email_bad = one.row.payer_email, False
            return row, {"email": (one.there, one.here)}
        case "payer_phone":
            return _change_phones(session, one)
        case "occupancy_from" | "residents":
            row = session.get_one(Occupancy, one.unit.occupancy_id)
            name = "from_on" if one.column == "occupancy_from" else "residents"
            setattr(row, name, getattr(one.row, one.column))
            return row, {name: (one.there, one.here)}
    name = "kind" if one.column == "unit_kind" else one.column
    row = session.get_one(Unit, one.unit.id)
    before = getattr(row, name)
    setattr(row, name, getattr(one.row, one.column))
    return row, {name: (before, getattr(one.row, one.column))}


def _change_phones(session: Session, one: RosterDifference) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    """One number in the place of one; else those that are new are added."""
    owner = session.get_one(Owner, one.unit.owner_id)
    known = {phone.number_mac for phone in owner.phones}
    fresh = [number for number in one.row.phones if fingerprint(number) not in known]
    if len(owner.phones) == len(one.row.phones) == len(fresh) == 1:
        phone = owner.phones[0]
        phone.number, phone.number_mac, phone.is_bad = fresh[0], fingerprint(fresh[0]), False
    else:
        for number in fresh:
            mark = fingerprint(number)
            owner.phones.append(OwnerPhone(number=number, number_mac=mark, position=len(owner.phones)))
    return owner, {"phones": (one.there, one.here)}
