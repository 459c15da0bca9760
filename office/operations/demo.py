"""Builds the demo estate of seed/demo.toml: every name and number in it is invented."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

import seed
from models.office import CollectionTarget
from models.people import Department, Occupancy, Owner, OwnerPhone, Staff, StaffRole
from models.property import Area, Building, Estate, Unit
from models.secrets import fingerprint
from office.estate import identity
from office.operations.demo_year import DemoYear

UNITS_PER_FLOOR = 4


def build(session: Session, *, password: str, now: datetime, months: int = 0) -> None:
    """Add the demo estate to a new office: property, people who pay, and staff of every role.

    The staff sign in with the administrator's first password. The estate has lived for some months until now:
    bills, payments, reminders, calls, complaints.
    """
    demo = seed.demo()
    dice = random.Random(943)  # noqa: S311 -- the same estate every time, nothing secret
    estate = session.execute(select(Estate)).scalar_one()
    identity.fill(session, demo["estate"])
    estate.contract_signed_on = demo["contract_signed_on"]
    buildings: list[Building] = []
    for position, row in enumerate(demo["area"]):
        area = Area(name=row["name"], position=position)
        session.add(area)
        buildings += (
            _residential(session, area, row) if "residences" in row else _commercial(session, area, row)
        )
    session.flush()
    _people(session, demo, dice, now)
    _staff(session, demo, buildings, password)
    session.flush()
    if months:
        years = {now.year, (now - timedelta(days=365)).year}
        session.add_all(
            CollectionTarget(year=year, percent=demo["target"], set_on=date(year, 1, 1))
            for year in sorted(years)
        )
        DemoYear(session, demo, now, months).live()


def _residential(session: Session, area: Area, row: Mapping[str, Any]) -> list[Building]:
    buildings = [
        Building(area=area, name=str(number), position=number) for number in range(1, row["buildings"] + 1)
    ]
    places = itertools.product(buildings, range(1, row["floors"] + 1), range(1, UNITS_PER_FLOOR + 1))
    for building, floor, door in itertools.islice(places, row["residences"]):
        area_m2 = Decimal("78.5") + Decimal(door * 11) + Decimal(building.position) / 4
        session.add(
            Unit(
                code=f"{building.name}-{floor}{door:02}",
                building=building,
                floor=floor,
                kind="residence",
                area_m2=area_m2,
                state="occupied",
            )
        )
    return buildings


def _commercial(session: Session, area: Area, row: Mapping[str, Any]) -> list[Building]:
    made: list[Building] = []
    for letter, kind, count, area_m2 in (
        ("S", "shop", row["shops"], "64.2"),
        ("B", "office", row["offices"], "132"),
        ("P", "parking", row["parking"], "12.5"),
        ("C", "storage", row["storage"], "6.4"),
    ):
        building = Building(area=area, name=letter, position=len(made))
        made.append(building)
        for number in range(1, count + 1):
            session.add(
                Unit(
                    code=f"{letter}-{number:03}",
                    building=building,
                    floor=1,
                    kind=kind,
                    area_m2=Decimal(area_m2),
                    state="occupied",
                )
            )
    return made


def _names(demo: Mapping[str, Any], dice: random.Random) -> Iterator[str]:
    while True:
        yield dice.choice(demo["surnames"]) + "".join(dice.sample(demo["given"], dice.choice((1, 2, 2))))


def _people(session: Session, demo: Mapping[str, Any], dice: random.Random, now: datetime) -> None:
    from office.estate.owners import pinyin_initials

    names = _names(demo, dice)
    since = (now - timedelta(days=730)).date().replace(month=1, day=1)
    for number, unit in enumerate(session.execute(select(Unit).order_by(Unit.id)).scalars()):
        name = next(names)
        owner = Owner(name=name, pinyin_initials=pinyin_initials(name))
        if number % 40:  # one payer in forty can't be reached (P6)
            phone = f"1380000{number:04}"
            owner.phones = [OwnerPhone(number=phone, number_mac=fingerprint(phone))]
        if number % 3 == 0:
            owner.email = f"resident{number}@example.invalid"
        session.add(Occupancy(unit=unit, owner=owner, from_on=since))


def _staff(session: Session, demo: Mapping[str, Any], buildings: list[Building], password: str) -> None:
    departments = {row.code: row for row in session.execute(select(Department)).scalars()}
    hashed = generate_password_hash(password)
    stewards = []
    for login, name, role, department in demo["staff"]:
        person = Staff(login=login, name=name, password_hash=hashed, department=departments.get(department))
        person.role_rows = [StaffRole(role=role)]
        session.add(person)
        if role == "steward":
            stewards.append(person)
    for number, building in enumerate(buildings):
        stewards[number % len(stewards)].buildings.append(building)
