"""Units, payers, tariffs, meters and slips to bill, and days in office time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine, Meter, MeterReading, ServiceSlip, Tariff
from models.office import JobRun
from models.payments import Payment
from models.people import Occupancy, Owner, Staff, StaffRole
from models.property import Area, Building, Estate, Unit
from office.billing import runs
from office.payments import payments
from office.policies import store
from office.receivables import late_fees
from office.rooms import findings

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = date(2020, 1, 1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str, hour: int = 10, minute: int = 0) -> datetime:
    return datetime.combine(day(text), time(hour, minute), SHANGHAI).astimezone(UTC)


NOW = at("2026-06-20")


def add_unit(
    session: Session,
    code: str = "1-101",
    *,
    kind: str = "residence",
    area: str = "100",
    payer: str = "王小明",
    since: date = LONG_AGO,
    **unit: Any,
) -> Unit:
    building = session.scalars(select(Building)).first() or Building(name="1", area=Area(name="东区"))
    row = Unit(code=code, building=building, kind=kind, area_m2=Decimal(area), **unit)
    session.add(row)
    session.flush()
    if payer:
        occupy(session, row, payer, since)
    return row


def occupy(session: Session, unit: Unit, name: str, from_on: date, to_on: date | None = None) -> Owner:
    owner = Owner(name=name)
    session.add(owner)
    session.flush()
    session.add(Occupancy(unit_id=unit.id, owner_id=owner.id, from_on=from_on, to_on=to_on))
    session.flush()
    return owner


def add_staff(session: Session, login: str, *roles: str) -> Staff:
    staff = Staff(login=login, name=login)
    staff.role_rows = [StaffRole(role=role) for role in roles]
    session.add(staff)
    session.flush()
    return staff


def item(session: Session, code: str) -> FeeItem:
    return session.scalars(select(FeeItem).where(FeeItem.code == code)).one()


def add_item(
    session: Session,
    code: str,
    basis: str,
    timing: str = "advance",
    rates: Mapping[str, str] | None = None,
    **more: Any,
) -> FeeItem:
    fee_item = FeeItem(code=code, basis=basis, timing=timing, position=9, **more)
    session.add(fee_item)
    for kind, rate in (rates or {}).items():
        session.add(Tariff(fee_item=fee_item, unit_kind=kind, rate=Decimal(rate), valid_from=LONG_AGO))
    session.flush()
    return fee_item


def add_meter(
    session: Session, unit: Unit, code: str = "water", *readings: tuple[str, ...], **traits: Any
) -> Meter:
    """A meter with readings: day, value, then kind and factor where they are said."""
    meter = Meter(unit_id=unit.id, fee_item_id=item(session, code).id, code=f"{code}-{unit.code}", **traits)
    session.add(meter)
    session.flush()
    for read_on, value, *more in readings:
        kind, factor = (*more, "", "")[:2]
        session.add(
            MeterReading(
                meter_id=meter.id,
                read_on=day(read_on),
                value=Decimal(value),
                kind=kind or "read",
                factor=Decimal(factor) if factor else None,
            )
        )
    session.flush()
    return meter


def add_slip(
    session: Session,
    unit: Unit,
    used_on: str,
    quantity: str = "1",
    code: str = "repair",
    slip_no: str | None = None,
    amount: str | None = None,
) -> ServiceSlip:
    slip = ServiceSlip(
        slip_no=slip_no or f"S{used_on}",
        unit_id=unit.id,
        fee_item_id=item(session, code).id,
        used_on=day(used_on),
        quantity=Decimal(quantity),
        amount=Decimal(amount) if amount else None,
    )
    session.add(slip)
    session.flush()
    return slip


def bill(session: Session, period: str = "2026-06", *, now: datetime = NOW, on: date | None = None) -> Any:
    issued = runs.issue_invoices(session, period, now=now, on=on)
    session.flush()
    return issued


def pay(
    session: Session,
    unit: Unit,
    amount: str,
    paid_on: str = "2026-06-10",
    *,
    now: datetime | None = None,
    **more: Any,
) -> Payment:
    return payments.record_payment(
        session,
        payments.NewPayment(
            unit_id=unit.id,
            amount=Decimal(amount),
            method=more.pop("method", "cash"),
            paid_at=at(paid_on),
            **more,
        ),
        now=now or at(paid_on),
    )


def invoices(session: Session, period: str | None = None) -> list[tuple[str, str, str, str, str]]:
    """Every invoice as (unit, payer, amount, balance, state), by unit, payer and period."""
    session.expire_all()
    statement = select(Invoice).join(Unit).order_by(Unit.code, Invoice.payer_id, Invoice.period)
    if period:
        statement = statement.where(Invoice.period == period)
    return [
        (one.unit.code, one.payer.name, str(one.amount), str(one.balance), one.state)
        for one in session.scalars(statement)
    ]


def lines(session: Session) -> list[tuple[str, str, str, str]]:
    """Every invoice line as (item, quantity, rate, amount)."""
    rows = session.execute(
        select(FeeItem.code, InvoiceLine.quantity, InvoiceLine.rate, InvoiceLine.amount)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .order_by(InvoiceLine.id)
    )
    return [
        (code, f"{quantity.normalize():f}", f"{rate.normalize():f}", str(amount))
        for code, quantity, rate, amount in rows
    ]


def paid(session: Session) -> list[tuple[str, str, str, str]]:
    """Every payment row as (amount, allocated, credit, state)."""
    session.expire_all()
    return [
        (str(one.amount), str(one.allocated), str(one.credit), one.state)
        for one in session.scalars(select(Payment).order_by(Payment.id))
    ]


def turn_on_late_fee(session: Session, *items: Mapping[str, Any], **row: Any) -> None:
    """The policy's row by these changes, and the items with terms of their own."""
    terms = {"is_on": True, "daily_rate": "0.0005", "grace_days": 0, "cap_rate": "1.00"} | row
    store.store(session, "late_fee", {"late_fee": terms, "item": list(items)}, valid_from=LONG_AGO, now=NOW)
    session.flush()


def accrue(session: Session, instant: datetime) -> None:
    """The daily job's run for an instant, with the clock's row of it; that is the present then."""
    late_fees.accrue_late_fees(session, instant)
    if not session.scalar(select(JobRun.id).where(JobRun.job == "late_fees", JobRun.due_for == instant)):
        session.add(JobRun(job="late_fees", due_for=instant, state="done", finished_at=instant))
    session.scalars(select(Estate)).one().present_at = instant
    session.flush()


def assert_books_hold(session: Session) -> None:
    session.flush()
    assert findings(session) == []
