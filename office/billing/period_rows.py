"""What a billing run reads: units, their payers, months paid ahead and slips of a period (B1–B6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session

from models.billing import InvoiceLine, ServiceSlip
from models.contracts import RentContract
from models.people import Occupancy
from models.property import Unit
from office.billing.working_tables import AHEAD, BILL, MONTH, NOTHING_DUE, PENDING
from office.core.database import chunks
from office.receivables.ledger import INVOICE
from rules import liability
from rules.billing import Period
from rules.rates import Place, tags_of
from rules.taking_back import MARK

UNIT = cast("Table", Unit.__table__)
OCCUPANCY = cast("Table", Occupancy.__table__)
LINE = cast("Table", InvoiceLine.__table__)
SLIP = cast("Table", ServiceSlip.__table__)
PLACE_COLUMNS = UNIT.c["kind", "building_id", "floor", "tags"]
OWN_DAY = func.coalesce(UNIT.c.anchor_on, UNIT.c.handed_over_on)  # where a unit's own cycles begin (B15)
UNIT_COLUMNS = (
    *UNIT.c["id", "code", "kind", "area_m2", "handed_over_on", "building_id", "floor", "tags"],
    OWN_DAY.label("own_day"),
)


@dataclass(frozen=True)
class UnitRow:
    """A unit as a bill needs it; area in m²."""

    id: int
    code: str
    kind: str
    area_m2: Decimal
    handed_over_on: date | None
    building_id: int
    floor: int | None
    tags: str
    anchor_on: date | None = None

    @property
    def place(self) -> Place:
        return place_of(self)


def place_of(row: Any) -> Place:
    """What rates know of the unit of a row with PLACE_COLUMNS (B14)."""
    return Place(row.kind, row.building_id, row.floor, tags_of(row.tags))


def handed_over_by(day: date) -> ColumnElement[bool]:
    """A unit is handed over on that day."""
    return or_(UNIT.c.handed_over_on.is_(None), UNIT.c.handed_over_on <= day)


def not_taken_back(invoice: FromClause = INVOICE) -> ColumnElement[bool]:
    """A bill that holds its place in its period (B21)."""
    return invoice.c.part.not_like(f"{MARK}%")


def issued_before(period: Period | None) -> list[ColumnElement[bool]]:
    """Bills but those of a period's runs and of later ones; months that were paid ahead stay (B21)."""
    if period is None:
        return []
    is_earlier = INVOICE.c.period < str(period)
    return [or_(INVOICE.c.kind != "regular", INVOICE.c.part == AHEAD, is_earlier)]


def covering(first_on: date, last_on: date) -> ColumnElement[bool]:
    """One payer of the unit for all of these days."""
    return and_(
        OCCUPANCY.c.unit_id == UNIT.c.id,
        OCCUPANCY.c.is_payer,
        OCCUPANCY.c.from_on <= first_on,
        or_(OCCUPANCY.c.to_on.is_(None), OCCUPANCY.c.to_on >= last_on),
    )


def units_to_bill(
    period: Period, *, is_again: bool = False, unit_ids: Collection[int] | None = None
) -> Select[Any]:
    """The ids of the period's units whose month is not billed; or, priced again, whose month is (B21).

    With `unit_ids` of these alone.
    """
    billed = exists().where(
        INVOICE.c.period == str(period),
        INVOICE.c.unit_id == UNIT.c.id,
        INVOICE.c.kind == "regular",
        INVOICE.c.part == MONTH,
    )
    some = [] if unit_ids is None else [UNIT.c.id.in_(unit_ids)]
    return select(UNIT.c.id).where(handed_over_by(period.last_on), billed if is_again else ~billed, *some)


def items_by_contract(session: Session) -> set[int]:
    """The ids of the fee items that rent contracts are lines of (B24)."""
    return set(session.scalars(select(RentContract.fee_item_id).distinct()))


def let_and_billed(session: Session, period: Period) -> set[int]:
    """The ids of units with a contract that begins in a period, whose bill of it is out (B24)."""
    began = RentContract.valid_from.between(period.first_on, period.last_on)
    return set(
        session.scalars(
            select(RentContract.unit_id)
            .join(INVOICE, INVOICE.c.unit_id == RentContract.unit_id)
            .where(
                began,
                INVOICE.c.period == str(period),
                INVOICE.c.kind == "regular",
                INVOICE.c.part == MONTH,
            )
        )
    )


def units_without_bill() -> Select[Any]:
    """The pending units that the draft has no bill for yet, and something may be due for, as UnitRow."""
    return (
        select(*UNIT_COLUMNS)
        .join(PENDING, PENDING.c.unit_id == UNIT.c.id)
        .where(
            ~exists().where(BILL.c.unit_id == UNIT.c.id),
            ~exists().where(NOTHING_DUE.c.unit_id == UNIT.c.id),
        )
        .order_by(UNIT.c.id)
    )


def payers_of(session: Session, unit_ids: Iterable[int]) -> dict[int, list[liability.Occupancy]]:
    """The paying occupancies of units, by unit."""
    found: dict[int, list[liability.Occupancy]] = defaultdict(list)
    for some in chunks(sorted(set(unit_ids))):
        for unit_id, *occupancy in session.execute(
            select(*OCCUPANCY.c["unit_id", "owner_id", "from_on", "to_on", "residents"]).where(
                OCCUPANCY.c.unit_id.in_(some), OCCUPANCY.c.is_payer
            )
        ):
            found[unit_id].append(liability.Occupancy(*occupancy))
    return found


def items_paid_ahead(session: Session, period: Period) -> dict[int, set[int]]:
    """Units of which a bill charges this period ahead, and the ids of the items it charged (B6, B15).

    A move-in bill that runs to this period or further, or one of months that were paid ahead.
    """
    bills = dict(
        session.execute(
            select(INVOICE.c.id, INVOICE.c.unit_id).where(
                literal_column("invoice.kind = 'move_in'", Boolean),
                func.coalesce(INVOICE.c.period, "") <= str(period),  # by the index of move-in bills
                INVOICE.c.part >= str(period),
                INVOICE.c.state != "credited",
            )
        ).all()
    )
    found: dict[int, set[int]] = defaultdict(set)
    bills |= dict(
        session.execute(
            select(INVOICE.c.id, INVOICE.c.unit_id).where(
                INVOICE.c.period == str(period),
                INVOICE.c.kind == "regular",
                INVOICE.c.part == AHEAD,
                INVOICE.c.state != "credited",
            )
        ).all()
    )
    for some in chunks(sorted(bills)):
        charged = select(LINE.c.invoice_id, LINE.c.fee_item_id).where(LINE.c.invoice_id.in_(some))
        for invoice_id, item_id in session.execute(charged):
            found[bills[invoice_id]].add(item_id)
    return found


def slip_rows(cut_off_on: date) -> Select[Any]:
    """The open slips of pending units up to a day; `payer_id` is who paid on the day of use."""
    payer = (
        select(OCCUPANCY.c.owner_id)
        .where(
            OCCUPANCY.c.unit_id == SLIP.c.unit_id,
            OCCUPANCY.c.is_payer,
            OCCUPANCY.c.from_on <= SLIP.c.used_on,
            or_(OCCUPANCY.c.to_on.is_(None), OCCUPANCY.c.to_on >= SLIP.c.used_on),
        )
        .scalar_subquery()
    )
    return (
        select(
            *SLIP.c["id", "slip_no", "fee_item_id", "unit_id", "used_on", "quantity", "amount"],
            *UNIT.c["code", "handed_over_on"],
            *PLACE_COLUMNS,
            payer.label("payer_id"),
        )
        .join(UNIT, UNIT.c.id == SLIP.c.unit_id)
        .join(PENDING, PENDING.c.unit_id == SLIP.c.unit_id)
        .where(text("service_slip.state = 'open'"), SLIP.c.used_on <= cut_off_on)
        .order_by(SLIP.c.id)
    )
