"""What `flask export` gives of the estate: units, stewards, vehicles (contract "Exports")."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models.base import Money
from models.billing import Invoice
from models.payments import Payment
from models.people import Occupancy, Owner, Staff, StaffRole, steward_building
from models.property import Area, Building, Unit
from models.vehicles import Vehicle
from office.core import clock
from office.core.exports import Table, stream


def of_payer_now(column: InstrumentedAttribute[Any], today: date) -> ColumnElement[Any]:
    """A column of a unit's payer or of their occupancy: today's, else the one to come."""
    return (
        select(column)
        .select_from(Occupancy)
        .join(Owner, Owner.id == Occupancy.owner_id)
        .where(
            Occupancy.unit_id == Unit.id,
            Occupancy.is_payer,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today),
        )
        .order_by(Occupancy.from_on)
        .limit(1)
        .correlate(Unit)
        .scalar_subquery()
    )


def owed_now(today: date, *, is_former: bool = False) -> ColumnElement[Decimal]:
    """What a unit's payer of today owes, or all others whose bills are still open; in yuan.

    Each sum goes through the partial index made for it.
    """
    return _sum_of(Invoice.balance, Invoice.payer_id, Invoice.unit_id, today, is_former=is_former)


def credit_now(today: date, *, is_former: bool = False) -> ColumnElement[Decimal]:
    """The unused credit of a unit's payer of today, or of all others who paid for it; in yuan."""
    return _sum_of(Payment.credit, Payment.payer_id, Payment.unit_id, today, is_former=is_former)


def _sum_of(
    amount: InstrumentedAttribute[Decimal],
    payer: InstrumentedAttribute[int],
    unit: InstrumentedAttribute[int],
    today: date,
    *,
    is_former: bool,
) -> ColumnElement[Decimal]:
    nothing = literal(0, literal_execute=True)
    is_there = amount > nothing if amount is Invoice.balance else amount != nothing
    present = func.coalesce(of_payer_now(Occupancy.owner_id, today), 0)
    found = (
        select(func.sum(amount))
        .where(unit == Unit.id, is_there, payer != present if is_former else payer == present)
        .correlate(Unit)
        .scalar_subquery()
    )
    return func.coalesce(found, literal(Decimal(0), Money()), type_=Money())


def _difference(one: ColumnElement[Decimal], other: ColumnElement[Decimal]) -> ColumnElement[Decimal]:
    return type_coerce(one - other, Money())  # a difference of two whole numbers would be a whole number


def units(session: Session) -> Table:
    """Every unit; `balance` is its payer's, of others whose bills or credit lie there `former_balance`.

    `credit` is the payer's unused credit, which `balance` has taken off: nobody's credit pays another's debt.
    """
    today = clock.today(session)
    query = (
        select(
            Unit.code.label("unit_code"),
            Building.name.label("building"),
            Area.name.label("area_name"),
            Unit.kind.label("unit_kind"),
            Unit.area_m2,
            Unit.state,
            of_payer_now(Owner.name, today).label("payer_name"),
            _difference(owed_now(today), credit_now(today)).label("balance"),
            Unit.handed_over_on,
            of_payer_now(Occupancy.residents, today).label("residents"),
            _difference(owed_now(today, is_former=True), credit_now(today, is_former=True)).label(
                "former_balance"
            ),
            credit_now(today).label("credit"),
        )
        .join(Unit.building)
        .join(Building.area)
        .order_by(Unit.id)
    )
    return stream(session, query)


def stewards(session: Session) -> Table:
    """The buildings that each steward answers for; without any they answer for none (P7)."""
    query = (
        select(
            Staff.login,
            Staff.name,
            Area.name.label("area_name"),
            Building.name.label("building"),
        )
        .join(StaffRole, (StaffRole.staff_id == Staff.id) & (StaffRole.role == "steward"))
        .join(steward_building, steward_building.c.staff_id == Staff.id)
        .join(Building, Building.id == steward_building.c.building_id)
        .join(Building.area)
        .where(Staff.is_active)
        .order_by(Staff.id, Area.position, Area.name, Building.position, Building.name)
    )
    return stream(session, query)


def vehicles(session: Session) -> Table:
    """Vehicles with the days of their parking cards (B25)."""
    bay = aliased(Unit)
    query = (
        select(
            Vehicle.plate,
            func.coalesce(Unit.code, "").label("unit_code"),
            func.coalesce(Owner.name, "").label("owner_name"),
            func.coalesce(bay.code, "").label("bay_code"),
            Vehicle.card_from,
            Vehicle.card_to,
            Vehicle.note,
        )
        .outerjoin(Unit, Unit.id == Vehicle.unit_id)
        .outerjoin(bay, bay.id == Vehicle.bay_id)
        .outerjoin(Owner, Owner.id == Vehicle.owner_id)
        .order_by(Vehicle.plate)
    )
    return stream(session, query)
