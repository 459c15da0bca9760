"""Debtors to collect from: units, payers, bills, and the ladder judged day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder
from models.payments import Payment
from models.people import Occupancy, Owner
from models.property import Area, Building, Unit
from office.arrears import dunning
from office.payments import payments
from tests.factories.rows import line_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
Debtor = tuple[int, int]  # ids of the unit and of its payer


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)


def day_of(text: str) -> date:
    return date.fromisoformat(text)


def add_unit(session: Session, code: str = "1-101", name: str = "王小明", **owner: Any) -> Debtor:
    building = session.execute(select(Building)).scalars().first()
    if building is None:
        building = Building(name="1", area=Area(name="东区"))
    unit = Unit(code=code, building=building, kind="residence", area_m2=Decimal(100), state="occupied")
    payer = Owner(name=name, **owner)
    session.add_all([unit, payer])
    session.flush()
    session.add(Occupancy(unit_id=unit.id, owner_id=payer.id, from_on=date(2020, 1, 1)))
    session.flush()
    return unit.id, payer.id


def add_bill(
    session: Session,
    debtor: Debtor,
    due_on: date,
    amount: str = "100",
    number: str | None = None,
    issued_on: date | None = None,
) -> Invoice:
    unit_id, payer_id = debtor
    bill = Invoice(
        number=number or f"{unit_id}-{due_on:%Y%m}",
        kind="opening",
        part=number or str(due_on),
        unit_id=unit_id,
        payer_id=payer_id,
        period=f"{due_on:%Y-%m}",
        issued_on=issued_on or due_on.replace(day=1),
        due_on=due_on,
        amount=Decimal(amount),
        balance=Decimal(amount),
        lines=[line_of(session, amount)],
    )
    session.add(bill)
    session.flush()
    return bill


def pay(
    session: Session,
    debtor: Debtor,
    amount: str | Decimal,
    paid_at: datetime,
    known_at: datetime | None = None,
) -> Payment:
    unit_id, payer_id = debtor
    payment = payments.record_payment(
        session,
        payments.NewPayment(
            unit_id=unit_id, payer_id=payer_id, amount=Decimal(amount), method="cash", paid_at=paid_at
        ),
        now=known_at or paid_at,
    )
    session.flush()
    return payment


def judge(session: Session, first: date, last: date) -> None:
    """Each day's hour of judging, in order."""
    day = first
    while day <= last:
        dunning.judge_day(session, at(day))
        day += DAY


def reminders(session: Session, *, is_made: bool = True) -> list[Reminder]:
    rows = session.execute(select(Reminder).order_by(Reminder.planned_on, Reminder.id)).scalars()
    return [row for row in rows if (row.state != "not_made") == is_made]


def made(session: Session) -> list[tuple[str, str]]:
    return [(row.stage, row.planned_on.isoformat()) for row in reminders(session)]


def not_made(session: Session) -> list[tuple[str, str, str]]:
    return [
        (row.stage, row.planned_on.isoformat(), row.reason_code) for row in reminders(session, is_made=False)
    ]
