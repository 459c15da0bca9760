"""Builds the demo estate of seed/demo.toml: every name and number in it is invented."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

import seed
from models.billing import Invoice
from models.office import CollectionTarget
from models.people import Department, Occupancy, Owner, OwnerPhone, Staff, StaffRole
from models.property import Area, Building, Estate, Unit
from models.secrets import fingerprint

UNITS_PER_FLOOR = 4
PAYING = ("wechat", "wechat", "alipay", "bank_transfer", "cash")


def build(session: Session, *, password: str, now: datetime, is_lived_in: bool = False) -> None:
    """Add the demo estate to a new office: property, people who pay, and staff of every role.

    The staff sign in with the administrator's first password. A lived-in one also has three months of bills
    and payments and some complaints; a sandbox has none of it, since its present may be moved anywhere.
    """
    demo = seed.demo()
    dice = random.Random(943)  # noqa: S311 -- the same estate every time, nothing secret
    estate = session.execute(select(Estate)).scalar_one()
    for name in ("name", "address", "phone", "payment_accounts", "ways_to_pay"):
        setattr(estate, name, demo[name])
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
    if is_lived_in:
        session.add(CollectionTarget(year=now.year, percent=demo["target"], set_on=now.date()))
        _bills(session, dice, now)
        _complaints(session, demo, now)


def _bills(session: Session, dice: random.Random, now: datetime) -> None:
    """Three months issued; in the oldest nearly all have paid, in this month 590 of 943 (K1)."""
    from office.billing import runs
    from office.core import clock
    from office.payments import payments
    from rules.billing import Period

    zone = clock.zone(session)
    month = Period.of(now.astimezone(zone).date())
    for back, share in ((2, 0.95), (1, 0.85), (0, 590 / 943)):
        period = month.plus(-back)
        runs.issue_invoices(session, str(period), now=now)
        owed = session.execute(
            select(Unit.kind, Invoice.unit_id, func.sum(Invoice.balance))
            .join(Unit, Unit.id == Invoice.unit_id)
            .where(Invoice.balance > 0)
            .group_by(Unit.kind, Invoice.unit_id)
            .order_by(Invoice.unit_id)
        ).all()
        homes, others = (
            [row for row in owed if (row[0] == "residence") == is_home] for is_home in (True, False)
        )
        paying = [row for rows in (homes, others) for row in dice.sample(rows, round(len(rows) * share))]
        opened = datetime.combine(period.first_on, time(10), zone)
        paid = [
            payments.NewPayment(
                unit_id=unit_id,
                amount=amount,
                method=dice.choice(PAYING),
                paid_at=min(opened + timedelta(hours=dice.randrange(300)), now),
            )
            for _, unit_id, amount in paying
        ]
        payments.record_payments(session, sorted(paid, key=lambda each: each.paid_at), now=now)


def _complaints(session: Session, demo: Mapping[str, Any], now: datetime) -> None:
    from office.complaints import work
    from office.complaints.registration import NewTicket, register_ticket
    from office.core import clock
    from rules.severity import Facts

    zone = clock.zone(session)
    units = session.execute(select(Unit.id).order_by(Unit.id)).scalars().all()
    clerk = session.execute(select(Staff.id).where(Staff.login == "desk")).scalar_one()
    for number, (days, hour, channel, category, facts, statement) in enumerate(demo["complaints"]):
        day = (now - timedelta(days=days)).astimezone(zone).date()
        ticket = register_ticket(
            session,
            NewTicket(
                channel=channel,
                category=category,
                statement=statement,
                facts=Facts.from_row(facts),
                registered_at=datetime.combine(day, time(hour, 12), zone),
                unit_id=units[number * 97 % len(units)],
                clerk_id=clerk,
            ),
            now=now,
        )
        if number % 2 == 0:
            work.assign(session, ticket.id, now=now, staff_id=clerk)


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
