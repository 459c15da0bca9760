"""Units, payers, tariffs, meters and slips to bill, and days in office time."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select

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


def day(text):
    return date.fromisoformat(text)


def at(text, hour=10, minute=0):
    return datetime.combine(day(text), time(hour, minute), SHANGHAI).astimezone(UTC)


NOW = at("2026-06-20")


def add_unit(session, code="1-101", *, kind="residence", area="100", payer="王小明", since=LONG_AGO, **unit):
    building = session.scalars(select(Building)).first() or Building(name="1", area=Area(name="东区"))
    row = Unit(code=code, building=building, kind=kind, area_m2=Decimal(area), **unit)
    session.add(row)
    session.flush()
    if payer:
        occupy(session, row, payer, since)
    return row


def occupy(session, unit, name, from_on, to_on=None):
    owner = Owner(name=name)
    session.add(owner)
    session.flush()
    session.add(Occupancy(unit_id=unit.id, owner_id=owner.id, from_on=from_on, to_on=to_on))
    session.flush()
    return owner


def add_staff(session, login, *roles):
    staff = Staff(login=login, name=login)
    staff.role_rows = [StaffRole(role=role) for role in roles]
    session.add(staff)
    session.flush()
    return staff


def item(session, code):
    return session.scalars(select(FeeItem).where(FeeItem.code == code)).one()


def add_item(session, code, basis, timing="advance", rates=None, **more):
    fee_item = FeeItem(code=code, basis=basis, timing=timing, position=9, **more)
    session.add(fee_item)
    for kind, rate in (rates or {}).items():
        session.add(Tariff(fee_item=fee_item, unit_kind=kind, rate=Decimal(rate), valid_from=LONG_AGO))
    session.flush()
    return fee_item


def add_meter(session, unit, code="water", *readings):
    meter = Meter(unit_id=unit.id, fee_item_id=item(session, code).id, code=f"{code}-{unit.code}")
    session.add(meter)
    session.flush()
    for read_on, value in readings:
        session.add(MeterReading(meter_id=meter.id, read_on=day(read_on), value=Decimal(value)))
    session.flush()
    return meter


def add_slip(session, unit, used_on, quantity="1", code="repair", slip_no=None, amount=None):
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


def bill(session, period="2026-06", *, now=NOW, on=None):
    issued = runs.issue_invoices(session, period, now=now, on=on)
    session.flush()
    return issued


def pay(session, unit, amount, paid_on="2026-06-10", *, now=None, **more):
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


def invoices(session, period=None):
    """Every invoice as (unit, payer, amount, balance, state), by unit, payer and period."""
    session.expire_all()
    statement = select(Invoice).join(Unit).order_by(Unit.code, Invoice.payer_id, Invoice.period)
    if period:
        statement = statement.where(Invoice.period == period)
    return [
        (one.unit.code, one.payer.name, str(one.amount), str(one.balance), one.state)
        for one in session.scalars(statement)
    ]


def lines(session):
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


def paid(session):
    """Every payment row as (amount, allocated, credit, state)."""
    session.expire_all()
    return [
        (str(one.amount), str(one.allocated), str(one.credit), one.state)
        for one in session.scalars(select(Payment).order_by(Payment.id))
    ]


def turn_on_late_fee(session, **row):
    terms = {"is_on": True, "daily_rate": "0.0005", "grace_days": 0, "cap_rate": "1.00"} | row
    store.store(session, "late_fee", {"late_fee": terms}, valid_from=LONG_AGO, now=NOW)
    session.flush()


def accrue(session, instant):
    """The daily job's run for an instant, with the clock's row of it; that is the present then."""
    late_fees.accrue_late_fees(session, instant)
    if not session.scalar(select(JobRun.id).where(JobRun.job == "late_fees", JobRun.due_for == instant)):
        session.add(JobRun(job="late_fees", due_for=instant, state="done", finished_at=instant))
    session.scalars(select(Estate)).one().present_at = instant
    session.flush()


def assert_books_hold(session):
    session.flush()
    assert findings(session) == []
