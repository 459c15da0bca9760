"""The household file: everything that ever happened at one unit, on one page (P8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Money
from models.billing import Invoice
from models.collection import Contact, Reminder
from models.complaints import Ticket
from models.office import Paper
from models.payments import Payment
from models.people import Occupancy, Owner
from models.property import Area, Building, Unit
from models.vehicles import Vehicle
from models.visits import Visit
from office.core import clock
from office.estate import vehicles
from office.receivables import sums
from office.receivables.sums import OwedInvoice
from rules.money import ZERO
from rules.receivables import Owed

NEWEST = 20  # of each kind; older ones are on the kind's own list


@dataclass(frozen=True)
class HouseholdEvent:
    """One thing that happened: its kind, instant, what it is called, a code and a sum to show."""

    kind: str
    at: datetime
    title: str
    code: str = ""
    amount: Decimal | None = None
    note: str = ""
    row_id: int | None = None


@dataclass(frozen=True)
class Household:
    """A unit with its payers over time, what each owes, and its newest events."""

    unit: Unit
    building: str
    area: str
    payers: Sequence[tuple[Occupancy, str, Decimal]]
    owed: Owed
    credits: Sequence[tuple[str, Decimal]]  # whose unused credit it is, and how much
    overdue: Decimal
    open_invoices: Sequence[OwedInvoice]
    events: Sequence[HouseholdEvent]
    vehicles: Sequence[Vehicle] = ()


def household(session: Session, unit_id: int, today: date) -> Household | None:
    """The file of a unit; nothing when there is no such unit. Money in yuan."""
    found = session.execute(
        select(Unit, Building.name, Area.name)
        .join(Building, Building.id == Unit.building_id)
        .join(Area, Area.id == Building.area_id)
        .where(Unit.id == unit_id)
    ).one_or_none()
    if found is None:
        return None
    unit, building, area = found
    open_now = sums.owed_at(session, [unit_id], today)
    owed: dict[int, Decimal] = {}
    for one in open_now:
        owed[one.payer_id] = owed.get(one.payer_id, ZERO) + one.total
    payers = session.execute(
        select(Occupancy, Owner.name)
        .join(Owner, Owner.id == Occupancy.owner_id)
        .where(Occupancy.unit_id == unit_id)
        .order_by(Occupancy.from_on.desc(), Occupancy.id.desc())
    ).all()
    unused = func.sum(Payment.credit, type_=Money())
    of_payers = session.execute(
        select(Owner.name, unused)
        .join(Owner, Owner.id == Payment.payer_id)
        .where(Payment.unit_id == unit_id, Payment.credit != 0)
        .group_by(Owner.id, Owner.name)
        .having(unused != 0)
        .order_by(Owner.id)
    ).all()
    return Household(
        unit=unit,
        building=building,
        area=area,
        payers=[(occupancy, name, owed.get(occupancy.owner_id, ZERO)) for occupancy, name in payers],
        owed=sums.together(open_now),
        credits=[(name, amount) for name, amount in of_payers],
        overdue=sums.together(one for one in open_now if one.due_on < today).total,
        open_invoices=open_now,
        events=_events(session, unit_id, clock.zone(session)),
        vehicles=vehicles.of_unit(session, unit_id),
    )


def _events(session: Session, unit_id: int, zone: ZoneInfo) -> list[HouseholdEvent]:
    def start(day: date) -> datetime:
        return datetime.combine(day, time(9), zone)

    events = [
        HouseholdEvent("invoice", start(row.issued_on), row.number, row.state, row.amount, row.period, row.id)
        for row in session.execute(
            select(Invoice)
            .where(Invoice.unit_id == unit_id)
            .order_by(Invoice.due_on.desc(), Invoice.id.desc())
            .limit(NEWEST)
        ).scalars()
    ]
    events += [
        HouseholdEvent("payment", row.paid_at, row.receipt_no, row.method, row.amount, row.state, row.id)
        for row in session.execute(
            select(Payment).where(Payment.unit_id == unit_id).order_by(Payment.paid_at.desc()).limit(NEWEST)
        ).scalars()
    ]
    events += [
        HouseholdEvent("reminder", start(row.planned_on), row.stage, row.state, row.debt, row.reason, row.id)
        for row in session.execute(
            select(Reminder)
            .where(Reminder.unit_id == unit_id)
            .order_by(Reminder.planned_on.desc(), Reminder.id.desc())
            .limit(NEWEST)
        ).scalars()
    ]
    events += [
        HouseholdEvent(
            "contact", row.at, row.method, row.promise_state, row.promised_amount, row.note, row.id
        )
        for row in session.execute(
            select(Contact).where(Contact.unit_id == unit_id).order_by(Contact.at.desc()).limit(NEWEST)
        ).scalars()
    ]
    events += [
        HouseholdEvent("ticket", row.registered_at, row.number, row.state, None, row.statement, row.id)
        for row in session.execute(
            select(Ticket)
            .where(Ticket.unit_id == unit_id)
            .order_by(Ticket.registered_at.desc())
            .limit(NEWEST)
        ).scalars()
    ]
    events += [
        HouseholdEvent(
            "visit", row.done_at or row.planned_from, row.number, row.outcome, None, row.words, row.id
        )
        for row in session.execute(
            select(Visit).where(Visit.unit_id == unit_id).order_by(Visit.due_at.desc()).limit(NEWEST)
        ).scalars()
    ]
    events += [
        HouseholdEvent("paper", row.issued_at, row.number, row.kind, row_id=row.id)
        for row in session.execute(
            select(Paper).where(Paper.unit_id == unit_id).order_by(Paper.issued_at.desc()).limit(NEWEST)
        ).scalars()
    ]
    return sorted(events, key=lambda event: event.at, reverse=True)
