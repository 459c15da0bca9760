"""What `flask export` gives of the estate: units and stewards (contract "Exports")."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import Money
from models.billing import Invoice
from models.payments import Payment
from models.people import Occupancy, Owner, Staff, StaffRole, steward_building
from models.property import Area, Building, Unit
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


def balance_now() -> ColumnElement[Decimal]:
    """Σ balances − unused credit of a unit, each through the partial index made for it."""
    owed = (
        select(func.sum(Invoice.balance))
        .where(Invoice.unit_id == Unit.id, Invoice.balance > literal(0, literal_execute=True))
        .correlate(Unit)
        .scalar_subquery()
    )
    unused = (
        select(func.sum(Payment.credit))
        .where(Payment.unit_id == Unit.id, Payment.credit != literal(0, literal_execute=True))
        .correlate(Unit)
        .scalar_subquery()
    )
    zero = literal(Decimal(0), Money())
    balance = func.coalesce(owed, zero, type_=Money()) - func.coalesce(unused, zero, type_=Money())
    return type_coerce(balance, Money())  # a difference of two whole numbers would be a whole number


def units(session: Session) -> Table:
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
            balance_now().label("balance"),
            Unit.handed_over_on,
            of_payer_now(Occupancy.residents, today).label("residents"),
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
