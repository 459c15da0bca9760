"""What `flask export` gives of bills: invoices, tariffs, readings, slips (contract "Exports")."""

from __future__ import annotations

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session, aliased

from models.billing import FeeItem, Invoice, InvoiceLine, Meter, MeterReading, ServiceSlip, Tariff
from models.contracts import RentContract
from models.people import Owner, Staff
from models.pools import Pool, PoolShare
from models.property import Area, Building, Unit
from models.rates import ItemRate, UnitItemPayer
from models.vacancies import Vacancy
from office.core import clock
from office.core.exports import Table, rate, reason, stream


def invoices(session: Session) -> Table:
    is_overdue = and_(Invoice.balance > 0, Invoice.due_on < clock.today(session))
    query = (
        select(
            Invoice.number,
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            Invoice.period,
            Invoice.issued_on,
            Invoice.due_on,
            Invoice.amount,
            Invoice.paid,
            Invoice.credited,
            Invoice.late_fee,
            Invoice.balance,
            Invoice.state,
            Invoice.stage,
            is_overdue.label("is_overdue"),
            Invoice.kind,
        )
        .join(Invoice.unit)
        .join(Invoice.payer)
        .order_by(Invoice.id)
    )
    return stream(session, query)


def invoice_lines(session: Session) -> Table:
    query = (
        select(
            Invoice.number.label("invoice_number"),
            FeeItem.code.label("fee_item"),
            InvoiceLine.quantity,
            InvoiceLine.rate,
            InvoiceLine.amount,
            InvoiceLine.explanation,
            InvoiceLine.paid,
            InvoiceLine.credited,
            InvoiceLine.months,
            InvoiceLine.factor,
            InvoiceLine.raw_amount,
            InvoiceLine.service_from,
            InvoiceLine.service_to,
            InvoiceLine.bears_late_fee,
        )
        .join(InvoiceLine.invoice)
        .join(InvoiceLine.fee_item)
        .order_by(InvoiceLine.invoice_id, InvoiceLine.id)
    )
    return stream(session, query, rate=rate, explanation=reason)


def tariffs(session: Session) -> Table:
    query = (
        select(
            FeeItem.code.label("fee_item"),
            Tariff.unit_kind,
            Tariff.rate,
            Tariff.valid_from,
            Tariff.valid_to,
            Tariff.tiers,
            Tariff.tier_span,
            Tariff.tier_people,
        )
        .join(Tariff.fee_item)
        .order_by(FeeItem.position, FeeItem.id, Tariff.valid_from, Tariff.id)
    )
    return stream(session, query, rate=rate)


def fee_items(session: Session) -> Table:
    """What is charged for; a name is that of the estate's main script, else the first that is filled."""
    name = func.coalesce(
        func.nullif(FeeItem.name_zh_hans, ""),
        func.nullif(FeeItem.name_zh_hant, ""),
        func.nullif(FeeItem.name_en, ""),
        FeeItem.code,
    )
    query = select(
        FeeItem.code,
        name.label("name"),
        FeeItem.basis,
        FeeItem.cycle_months,
        FeeItem.anchor,
        FeeItem.rounding,
        FeeItem.rounding_mode,
        FeeItem.is_refundable,
        FeeItem.bears_late_fee,
        FeeItem.payer,
        FeeItem.season_from,
        FeeItem.season_to,
        FeeItem.timing,
        FeeItem.days_ahead,
        FeeItem.is_active,
        FeeItem.is_restrictable,
        FeeItem.position,
        FeeItem.vacancy_factor,
    ).order_by(FeeItem.position, FeeItem.id)
    return stream(session, query)


def rates(session: Session) -> Table:
    """What units are charged otherwise than the tariff of their kind says (B14)."""
    again = select(Building.name).group_by(Building.name).having(func.count() > 1)
    building = case((Building.name.in_(again), Area.name + " " + Building.name), else_=Building.name)
    query = (
        select(
            Unit.code.label("unit_code"),
            building.label("building"),
            ItemRate.floor_from,
            ItemRate.floor_to,
            ItemRate.tag,
            ItemRate.unit_kind,
            FeeItem.code.label("fee_item"),
            ItemRate.rate,
            ItemRate.amount,
            ItemRate.factor,
            ItemRate.is_exempt,
            ItemRate.valid_from,
            ItemRate.valid_to,
            ItemRate.reason,
        )
        .join(ItemRate.fee_item)
        .outerjoin(ItemRate.unit)
        .outerjoin(ItemRate.building)
        .outerjoin(Building.area)
        .order_by(FeeItem.position, FeeItem.id, ItemRate.valid_from, ItemRate.id)
    )
    return stream(session, query)


def payers(session: Session) -> Table:
    """Who pays an item of a unit where it isn't the unit's payer (B20)."""
    query = (
        select(
            Unit.code.label("unit_code"),
            FeeItem.code.label("fee_item"),
            Owner.name.label("payer_name"),
            UnitItemPayer.valid_from,
            UnitItemPayer.valid_to,
        )
        .join(UnitItemPayer.unit)
        .join(UnitItemPayer.fee_item)
        .join(UnitItemPayer.owner)
        .order_by(Unit.code, FeeItem.position, FeeItem.id, UnitItemPayer.valid_from)
    )
    return stream(session, query)


def vacancies(session: Session) -> Table:
    """Units that are charged as empty, or for which that was asked; who approved it by login (B17)."""
    query = (
        select(
            Unit.code.label("unit_code"),
            Vacancy.valid_from,
            Vacancy.valid_to,
            Vacancy.factor,
            func.coalesce(FeeItem.code, "").label("fee_item"),
            Vacancy.proof,
            func.coalesce(Staff.login, "").label("approved_by"),
            Vacancy.state,
            Vacancy.checked_on,
        )
        .join(Vacancy.unit)
        .outerjoin(Vacancy.fee_item)
        .outerjoin(Staff, and_(Staff.id == Vacancy.decided_by_id, Vacancy.state == "approved"))
        .order_by(Unit.code, Vacancy.valid_from, Vacancy.id)
    )
    return stream(session, query)


def meters(session: Session) -> Table:
    query = (
        select(
            Unit.code.label("unit_code"),
            Meter.code.label("meter"),
            FeeItem.code.label("fee_item"),
            Meter.factor,
            Meter.counts_down,
            Meter.wraps_at,
            Meter.is_active,
            Meter.out_of_use_from,
        )
        .join(Meter.unit)
        .join(Meter.fee_item)
        .order_by(Meter.unit_id, Meter.id)
    )
    return stream(session, query)


def readings(session: Session) -> Table:
    query = (
        select(
            Unit.code.label("unit_code"),
            Meter.code.label("meter"),
            FeeItem.code.label("fee_item"),
            MeterReading.read_on,
            MeterReading.value,
            MeterReading.kind,
            MeterReading.factor,
        )
        .join(MeterReading.meter)
        .join(Meter.unit)
        .join(Meter.fee_item)
        .order_by(
            Meter.unit_id, Meter.id, MeterReading.read_on, MeterReading.kind == "exchange_start"
        )  # of one day the new meter's first value is the last
    )
    return stream(session, query)


def pools(session: Session) -> Table:
    item, metered = aliased(FeeItem), aliased(FeeItem)
    query = (
        select(
            Pool.period,
            item.code.label("fee_item"),
            Pool.scope,
            Pool.scope_value,
            Pool.key,
            Pool.amount,
            Pool.vacant,
            Pool.note,
            Pool.unsold,
            Pool.developer,
            func.coalesce(metered.code, "").label("metered_item"),
        )
        .join(item, item.id == Pool.fee_item_id)
        .outerjoin(metered, metered.id == Pool.metered_item_id)
        .where(Pool.state != "cancelled")
        .order_by(Pool.period, item.position, Pool.id)
    )
    return stream(session, query)


def pool_shares(session: Session) -> Table:
    query = (
        select(
            Pool.period,
            FeeItem.code.label("fee_item"),
            Unit.code.label("unit_code"),
            PoolShare.key_value,
            PoolShare.amount,
        )
        .join(PoolShare.pool)
        .join(FeeItem, FeeItem.id == Pool.fee_item_id)
        .join(PoolShare.unit)
        .where(Pool.state != "cancelled")
        .order_by(Pool.period, FeeItem.position, Pool.id, PoolShare.id)
    )
    return stream(session, query)


def slips(session: Session) -> Table:
    query = (
        select(
            ServiceSlip.slip_no,
            Unit.code.label("unit_code"),
            FeeItem.code.label("fee_item"),
            ServiceSlip.used_on,
            ServiceSlip.quantity,
            ServiceSlip.amount,
            ServiceSlip.state,
            func.coalesce(Invoice.number, "").label("invoice_number"),
        )
        .join(ServiceSlip.unit)
        .join(ServiceSlip.fee_item)
        .outerjoin(Invoice, Invoice.id == ServiceSlip.invoice_id)
        .order_by(ServiceSlip.id)
    )
    return stream(session, query)


def contracts(session: Session) -> Table:
    query = (
        select(
            RentContract.number,
            Unit.code.label("unit_code"),
            Owner.name.label("tenant_name"),
            RentContract.valid_from,
            RentContract.valid_to,
            RentContract.rent,
            RentContract.deposit,
            RentContract.step_every_months,
            RentContract.step_percent,
            RentContract.step_amount,
            RentContract.rent_free_from,
            RentContract.rent_free_to,
        )
        .join(RentContract.unit)
        .join(RentContract.owner)
        .order_by(RentContract.valid_from, RentContract.id)
    )
    return stream(session, query, step_percent=rate)
