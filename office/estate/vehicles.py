"""Vehicles and parking cards: checked before they are stored, renewed, listed by their cards (B25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, ServiceSlip
from models.people import Occupancy
from models.property import Unit
from models.vehicles import Vehicle
from office.core import audit
from office.core.errors import N_, Refused
from office.policies import store
from rules.billing import Basis, BillingDocument
from rules.parking_cards import MOST_MONTHS, plate, renewed

CHARGED_ONCE = (Basis.ONE_OFF, Basis.PER_JOB)  # what a renewal can be charged by


@dataclass(frozen=True)
class Renewal:
    """Cards that are renewed for so many months, and what each is charged: nothing without a fee item.

    `amount` is in yuan for the whole renewal; without one the item's tariff is taken once a month of it.
    """

    months: int
    fee_item_id: int | None = None
    amount: Decimal | None = None


def check(session: Session, row: Vehicle) -> None:
    """Write the plate in its one form. Raises Refused for a vehicle or card that can't be."""
    row.plate = plate(row.plate or "")
    if not row.plate:
        raise Refused(N_("Give the number plate"))
    if row.unit_id is None and row.owner_id is None:
        raise Refused(N_("Say which unit or which person the vehicle belongs to"))
    if row.card_from is None or row.card_to is None:
        raise Refused(N_("Give the first and the last day of the card"))
    if row.card_to < row.card_from:
        raise Refused(N_("The first day must not be after the last day"))
    with session.no_autoflush:
        _check_alone(session, row)
        if row.bay_id is not None:
            _check_bay(session, row)


def _check_alone(session: Session, row: Vehicle) -> None:
    same = Vehicle.plate_folded == row.plate.casefold()
    if session.scalar(select(Vehicle.id).where(same, Vehicle.id != (row.id or 0))) is not None:
        raise Refused(N_("%(plate)s is there already: change or renew its card"), plate=row.plate)


def _check_bay(session: Session, row: Vehicle) -> None:
    bay = session.get_one(Unit, row.bay_id)
    if bay.kind != "parking":
        raise Refused(N_("%(unit)s is no parking bay"), unit=bay.code)
    other = session.scalars(
        select(Vehicle)
        .where(
            Vehicle.bay_id == row.bay_id,
            Vehicle.id != (row.id or 0),
            Vehicle.card_from <= row.card_to,
            Vehicle.card_to >= row.card_from,
        )
        .limit(1)
    ).first()
    if other is not None:
        raise Refused(
            N_("%(plate)s has a card for bay %(unit)s from %(first)s to %(last)s"),
            plate=other.plate,
            unit=bay.code,
            first=other.card_from,
            last=other.card_to,
        )


def renew(
    session: Session, rows: Sequence[Vehicle], wanted: Renewal, *, now: datetime, today: date, staff_id: int
) -> None:
    """Renew cards, each from its last day or from today, and charge them where an item says so.

    A charge is an open service slip of the vehicle's unit, which its next bill takes up (B3). Raises Refused
    for one card that can't be renewed: then none is.
    """
    if not 1 <= wanted.months <= MOST_MONTHS:
        raise Refused(N_("A card is renewed for 1 to %(most)s months"), most=MOST_MONTHS)
    if wanted.amount is not None and (wanted.fee_item_id is None or wanted.amount <= 0):
        raise Refused(N_("A charge has a fee item and an amount above zero"))
    for row in rows:
        before = row.card_from, row.card_to
        row.card_from, row.card_to = renewed(*before, wanted.months, today)
        check(session, row)
        changes: dict[str, object] = {
            "card_from": (before[0], row.card_from),
            "card_to": (before[1], row.card_to),
        }
        session.flush()
        audit.record(session, now, staff_id, "edit", row, changes)
        if wanted.fee_item_id is not None:
            _charge(session, row, wanted, now=now, today=today, staff_id=staff_id)


def _charge(
    session: Session, row: Vehicle, wanted: Renewal, *, now: datetime, today: date, staff_id: int
) -> None:
    if row.unit_id is None:
        raise Refused(
            N_("%(plate)s belongs to no unit: renew it without a charge, or enter its unit first"),
            plate=row.plate,
        )
    item = session.get(FeeItem, wanted.fee_item_id)
    if item is None or not item.is_active or item.basis not in CHARGED_ONCE:
        raise Refused(N_("A renewal is charged by a fee item for single jobs or one-off charges"))
    slip = ServiceSlip(
        slip_no=f"CARD-{row.id}-{row.card_to:%Y%m%d}",
        unit_id=row.unit_id,
        fee_item_id=item.id,
        used_on=today,
        quantity=Decimal(wanted.months),
        amount=wanted.amount,
    )
    session.add(slip)
    session.flush()
    audit.record(session, now, staff_id, "create", slip, {"slip_no": slip.slip_no})


def charged_by(session: Session) -> Sequence[FeeItem]:
    """The fee items that a renewal can be charged by."""
    return session.scalars(
        select(FeeItem)
        .where(FeeItem.is_active, FeeItem.basis.in_(CHARGED_ONCE))
        .order_by(FeeItem.position, FeeItem.id)
    ).all()


def end_days(session: Session, today: date) -> int:
    """How many days before its last day a card is on the list of those that end (policy)."""
    return store.in_force(session, BillingDocument, today).contract_ends.third_days


def ends_within(today: date, days: int) -> list[ColumnElement[bool]]:
    """The cards whose last day is within so many days."""
    return [Vehicle.card_to.between(today, today + timedelta(days=days))]


def without_card(today: date) -> list[ColumnElement[bool]]:
    """The vehicles whose card has ended though whoever has them still lives here: who has none any more."""
    return [Vehicle.card_to < today, lives_here(today)]


def left(today: date) -> list[ColumnElement[bool]]:
    """The vehicles with a card that holds although whoever has them lives here no more."""
    return [Vehicle.card_to >= today, ~lives_here(today)]


def lives_here(today: date) -> ColumnElement[bool]:
    """Whether a vehicle's owner has a unit that day; where it only names a unit, whether anyone has it."""
    is_now = and_(Occupancy.from_on <= today, or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today))
    whose = func.coalesce(Occupancy.owner_id == Vehicle.owner_id, Occupancy.unit_id == Vehicle.unit_id)
    return exists().where(is_now, whose)


def of_unit(session: Session, unit_id: int) -> Sequence[Vehicle]:
    """The vehicles of a unit, and those with a card for it where it is a bay; what ends last comes first."""
    return session.scalars(
        select(Vehicle)
        .where(or_(Vehicle.unit_id == unit_id, Vehicle.bay_id == unit_id))
        .order_by(Vehicle.card_to.desc(), Vehicle.plate)
    ).all()
