"""What the cashier sees: every open bill of a unit and its payers, with what it costs today (M1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine
from models.people import Occupancy, Owner
from models.property import Unit
from office.receivables import ledger, sums
from office.receivables.ledger import INVOICE, PAYMENT
from office.receivables.sums import OwedInvoice
from rules.money import ZERO


@dataclass(frozen=True)
class OpenLine:
    """A line of an open bill with its item's name and what is open of it, in yuan (M8)."""

    id: int
    item: str
    open: Decimal


@dataclass(frozen=True)
class OpenBill:
    """An open bill; yuan, as it has to be paid today so that nothing is left."""

    id: int
    number: str
    kind: str
    unit_id: int
    unit_code: str
    payer_id: int
    payer_name: str
    period: str
    due_on: date
    principal: Decimal
    late_fee: Decimal
    lines: tuple[OpenLine, ...]

    @property
    def to_pay(self) -> Decimal:
        return self.principal + self.late_fee


@dataclass(frozen=True)
class Payer:
    """Someone who may pay here; `is_present` when they pay the unit's fees today. Credit in yuan."""

    id: int
    name: str
    is_present: bool
    credit: Decimal


@dataclass(frozen=True)
class Desk:
    """A unit's open bills, those of its payers' other units after them, oldest first."""

    unit: Unit
    payers: tuple[Payer, ...]
    bills: tuple[OpenBill, ...]

    @property
    def here(self) -> tuple[OpenBill, ...]:
        return tuple(bill for bill in self.bills if bill.unit_id == self.unit.id)

    @property
    def elsewhere(self) -> tuple[OpenBill, ...]:
        return tuple(bill for bill in self.bills if bill.unit_id != self.unit.id)

    def to_pay(self, payer_id: int) -> Decimal:
        """What a payer owes for the unit today."""
        return sum((bill.to_pay for bill in self.here if bill.payer_id == payer_id), ZERO)


def desk(session: Session, unit_id: int, on: date, language: str) -> Desk | None:
    """Everything that can be paid at a unit on a day; nothing when there is no such unit (M1)."""
    unit = session.get(Unit, unit_id)
    if unit is None:
        return None
    here = sums.owed_at(session, [unit_id], on)
    payers = _payers(session, unit_id, on, {bill.payer_id for bill in here})
    present = [payer.id for payer in payers if payer.is_present]
    others = sums.owed(session, on, INVOICE.c.payer_id.in_(present), INVOICE.c.unit_id != unit_id)
    return Desk(unit, tuple(payers), tuple(_shown(session, [*here, *others], unit_id, language)))


def _payers(session: Session, unit_id: int, on: date, also: set[int]) -> list[Payer]:
    present = session.scalars(
        select(Occupancy.owner_id).where(
            Occupancy.unit_id == unit_id,
            Occupancy.is_payer,
            Occupancy.from_on <= on,
            Occupancy.to_on.is_(None) | (Occupancy.to_on >= on),
        )
    ).all()
    credit: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for one in ledger.unused_credits(session, PAYMENT.c.unit_id == unit_id):
        credit[one.payer_id] += one.amount
    wanted = {*present, *also, *credit}
    names = session.execute(select(Owner.id, Owner.name).where(Owner.id.in_(wanted)).order_by(Owner.id))
    found = [Payer(owner_id, name, owner_id in present, credit[owner_id]) for owner_id, name in names]
    return sorted(found, key=lambda payer: not payer.is_present)


def _shown(
    session: Session, bills: Sequence[OwedInvoice], desk_unit_id: int, language: str
) -> list[OpenBill]:
    ids = [bill.id for bill in bills]
    invoices = {
        row.id: row
        for row in session.execute(
            select(Invoice.id, Unit.code, Owner.name)
            .join(Unit, Unit.id == Invoice.unit_id)
            .join(Owner, Owner.id == Invoice.payer_id)
            .where(Invoice.id.in_(ids))
        )
    }
    lines: dict[int, list[OpenLine]] = defaultdict(list)
    for line, item in session.execute(
        select(InvoiceLine, FeeItem)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(InvoiceLine.invoice_id.in_(ids))
        .order_by(InvoiceLine.id)
    ):
        still_open = line.amount - line.credited - line.paid
        lines[line.invoice_id].append(OpenLine(line.id, item.name_in(language), still_open))
    shown = [
        OpenBill(
            id=bill.id,
            number=bill.number,
            kind=bill.kind,
            unit_id=bill.unit_id,
            unit_code=invoices[bill.id].code,
            payer_id=bill.payer_id,
            payer_name=invoices[bill.id].name,
            period=bill.period,
            due_on=bill.due_on,
            principal=bill.principal,
            late_fee=bill.late_fee,
            lines=tuple(lines[bill.id]),
        )
        for bill in bills
    ]
    return sorted(
        shown, key=lambda bill: (bill.unit_id != desk_unit_id, bill.unit_code, bill.due_on, bill.id)
    )
