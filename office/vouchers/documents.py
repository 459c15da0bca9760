"""The documents that wait for a voucher: bills, credit notes, payments and what they pay (M12).

A document belongs to the day on which it was issued or posted. Opening balances have no voucher: they stand
in the ledger's own opening. A late fee is booked when it is paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from models.billing import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from models.payments import Allocation, Payment
from models.property import Unit
from models.vouchers import VoucherSource
from office.core import clock
from office.core.database import chunks
from rules.money import ZERO
from rules.vouchers import Party, VoucherKind


@dataclass(frozen=True)
class LineOf:
    """A line of a bill: its amount, what earlier credit notes took off it, what this one takes."""

    id: int
    fee_item_id: int
    amount: Decimal
    service_from: date | None
    service_to: date | None
    credited_before: Decimal = ZERO
    credited: Decimal = ZERO


@dataclass(frozen=True)
class Document:
    """A row to be booked on a day; `of` is whose, `bill` whose bill an allocation pays."""

    source: str
    id: int
    on: date
    kind: VoucherKind
    of: Party
    amount: Decimal
    method: str = ""
    part: str = ""
    bill: Party | None = None
    fee_before: Decimal = ZERO  # late fee of the bill paid before
    lines: tuple[LineOf, ...] = ()


def waiting(session: Session, first: date, last: date) -> Iterator[Document]:
    """What is dated between two days, both included, and stands in no voucher."""
    yield from _bills(session, first, last)
    yield from _credits(session, first, last)
    yield from _payments(session, first, last)
    yield from _allocations(session, first, last)


def _free(source: str, row_id: Any) -> ColumnElement[bool]:
    return ~exists().where(
        VoucherSource.source == source, VoucherSource.source_id == row_id, VoucherSource.is_live
    )


def _bills(session: Session, first: date, last: date) -> Iterator[Document]:
    rows = session.execute(
        select(
            Invoice.id, Invoice.issued_on, Invoice.unit_id, Invoice.payer_id, Unit.building_id, Invoice.amount
        )
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(
            Invoice.issued_on.between(first, last),
            Invoice.kind != "opening",
            Invoice.amount > 0,
            _free("invoice", Invoice.id),
        )
        .order_by(Invoice.id)
    ).all()
    lines = lines_of(session, [row[0] for row in rows])
    for invoice_id, on, unit_id, payer_id, building_id, amount in rows:
        of = Party(unit_id, payer_id, building_id)
        kind = VoucherKind.BILLS
        yield Document("invoice", invoice_id, on, kind, of, amount, lines=tuple(lines[invoice_id]))


def lines_of(session: Session, invoice_ids: Iterable[int]) -> dict[int, list[LineOf]]:
    found: dict[int, list[LineOf]] = defaultdict(list)
    for ids in chunks(invoice_ids):
        for row in session.execute(
            select(
                InvoiceLine.invoice_id,
                InvoiceLine.id,
                InvoiceLine.fee_item_id,
                InvoiceLine.amount,
                InvoiceLine.service_from,
                InvoiceLine.service_to,
            )
            .where(InvoiceLine.invoice_id.in_(ids))
            .order_by(InvoiceLine.id)
        ):
            found[row[0]].append(LineOf(*row[1:]))
    return found


def _credits(session: Session, first: date, last: date) -> Iterator[Document]:
    rows = session.execute(
        select(
            CreditNote.id,
            CreditNote.issued_on,
            CreditNote.invoice_id,
            CreditNote.amount,
            Invoice.unit_id,
            Invoice.payer_id,
            Unit.building_id,
        )
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(CreditNote.issued_on.between(first, last), _free("credit_note", CreditNote.id))
        .order_by(CreditNote.id)
    ).all()
    lines = lines_of(session, sorted({row.invoice_id for row in rows}))
    taken = _taken_off(session, sorted({row.invoice_id for row in rows}))
    for note_id, on, invoice_id, amount, unit_id, payer_id, building_id in rows:
        yield Document(
            "credit_note",
            note_id,
            on,
            VoucherKind.CREDITS,
            Party(unit_id, payer_id, building_id),
            amount,
            lines=tuple(_credited(line, note_id, taken[line.id]) for line in lines[invoice_id]),
        )


def _taken_off(session: Session, invoice_ids: Sequence[int]) -> dict[int, list[tuple[int, Decimal]]]:
    """What each credit note took off the lines of some bills."""
    found: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for ids in chunks(invoice_ids):
        for line_id, note_id, amount in session.execute(
            select(CreditNoteLine.invoice_line_id, CreditNoteLine.credit_note_id, CreditNoteLine.amount)
            .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
            .where(CreditNote.invoice_id.in_(ids))
        ):
            found[line_id].append((note_id, amount))
    return found


def _credited(line: LineOf, note_id: int, taken: Sequence[tuple[int, Decimal]]) -> LineOf:
    return LineOf(
        line.id,
        line.fee_item_id,
        line.amount,
        line.service_from,
        line.service_to,
        sum((amount for one, amount in taken if one < note_id), ZERO),
        sum((amount for one, amount in taken if one == note_id), ZERO),
    )


def _payments(session: Session, first: date, last: date) -> Iterator[Document]:
    rows = session.execute(
        select(
            Payment.id,
            Payment.posted_on,
            Payment.amount,
            Payment.method,
            Payment.unit_id,
            Payment.payer_id,
            Unit.building_id,
        )
        .join(Unit, Unit.id == Payment.unit_id)
        .where(Payment.posted_on.between(first, last), _free("payment", Payment.id))
        .order_by(Payment.id)
    )
    for payment_id, on, amount, method, *of in rows:
        kind = VoucherKind.RECEIPTS if amount > 0 else VoucherKind.GIVEN_BACK
        yield Document("payment", payment_id, on, kind, Party(*of), amount, method)


def _allocations(session: Session, first: date, last: date) -> Iterator[Document]:
    zone = clock.zone(session)
    begins = datetime.combine(first, time(), zone)
    ends = datetime.combine(last + timedelta(days=1), time(), zone)
    earlier = aliased(Allocation)
    fee_before = (
        select(func.coalesce(func.sum(earlier.amount), 0))
        .where(
            earlier.invoice_id == Allocation.invoice_id,
            earlier.part == "late_fee",
            earlier.id < Allocation.id,
        )
        .scalar_subquery()
    )
    home = aliased(Unit)
    rows = session.execute(
        select(
            Allocation.id,
            Allocation.allocated_at,
            Allocation.amount,
            Allocation.part,
            fee_before,
            Payment.posted_at,
            Payment.unit_id,
            Payment.payer_id,
            Unit.building_id,
            Invoice.unit_id,
            Invoice.payer_id,
            home.building_id,
        )
        .join(Payment, Payment.id == Allocation.payment_id)
        .join(Unit, Unit.id == Payment.unit_id)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(home, home.id == Invoice.unit_id)
        .where(
            Allocation.allocated_at >= begins,
            Allocation.allocated_at < ends,
            _free("allocation", Allocation.id),
        )
        .order_by(Allocation.id)
    )
    for allocation_id, at, amount, part, before, posted_at, *whose in rows:
        if amount < 0:
            kind = VoucherKind.GIVEN_BACK
        else:
            kind = VoucherKind.RECEIPTS if at == posted_at else VoucherKind.OFFSETS
        yield Document(
            "allocation",
            allocation_id,
            at.astimezone(zone).date(),
            kind,
            Party(*whose[:3]),
            amount,
            part=part,
            bill=Party(*whose[3:]),
            fee_before=Decimal(before) if part == "late_fee" else ZERO,
        )
