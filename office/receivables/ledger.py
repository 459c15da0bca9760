"""Open invoices read under a lock, and what payments pay of them written (M1, M7).

Every change of `invoice.paid` and `payment.allocated` goes through here, together with its allocation row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from models.billing import CreditNote, CreditNoteLine, FeeItem, Invoice, InvoiceLine, LateFeeWaiver
from models.payments import Allocation, AllocationLine, Payment
from models.policies import PolicyVersion
from models.property import Unit
from office.core import bulk_insert
from office.core.database import chunks, is_postgresql
from office.policies import store as policies
from rules.allocation import AllocationPolicy, OpenLine
from rules.late_fee import LateFeePolicy, Reduction
from rules.money import ZERO
from rules.receivables import Apart, PaidPart, Receivable

BOOKS_LOCK = 0x6A7E  # which advisory lock of PostgreSQL keeps an issue of bills and payments apart

TOTALS = ("paid", "credited", "late_fee", "balance", "state")
INVOICE = cast("Table", Invoice.__table__)
PAYMENT = cast("Table", Payment.__table__)
ALLOCATION = cast("Table", Allocation.__table__)
ALLOCATION_LINE = cast("Table", AllocationLine.__table__)
LINE = cast("Table", InvoiceLine.__table__)


@dataclass(frozen=True)
class AllocationEntry:
    """A row of the allocation table to be written: a paid part, negative when it is given back.

    `earmark_id`: the earmark of the payment's credit from which it is paid (M10).
    """

    payment_id: int
    part: PaidPart
    allocated_on: date
    effective_at: datetime
    earmark_id: int | None = None


def lock_units(session: Session, unit_ids: Iterable[int]) -> None:
    """Keep others from posting for these units until the transaction ends.

    SQLite has one writer at a time; PostgreSQL locks the units in the order of their ids, and waits for a
    billing run, so that credit and new bills never pass each other by.
    """
    session.flush()
    if not is_postgresql(session):
        return
    session.execute(text(f"SELECT pg_advisory_xact_lock_shared({BOOKS_LOCK})"))
    for chunk in chunks(sorted(set(unit_ids))):
        session.execute(
            select(Unit.id).where(Unit.id.in_(chunk)).order_by(Unit.id).with_for_update(key_share=True)
        ).all()


def lock_postings(session: Session) -> None:
    """Keep all others from posting or billing until the transaction ends."""
    session.flush()
    if is_postgresql(session):
        session.execute(text(f"SELECT pg_advisory_xact_lock({BOOKS_LOCK})"))


def receivables(
    session: Session,
    *conditions: ColumnElement[bool],
    policy: LateFeePolicy | None = None,
    is_history_read: bool = False,
    is_by_item: bool = False,
) -> list[Receivable]:
    """Invoices that meet the conditions, with what has been paid of their late fee.

    With a late-fee policy that is on, or where it is asked for, also what lowered them, and when, and apart
    the lines that bear none, or (also where `is_by_item` asks for it) those of each item with its own terms.
    """
    paid_late_fee = (
        select(func.coalesce(func.sum(ALLOCATION.c.amount), 0))
        .where(ALLOCATION.c.invoice_id == INVOICE.c.id, ALLOCATION.c.part == "late_fee")
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            *INVOICE.c["id", "number", "unit_id", "payer_id", "due_on", "amount", "credited", "late_fee"],
            INVOICE.c.paid,
            paid_late_fee.label("paid_late_fee"),
            INVOICE.c.state,
        ).where(*conditions)
    )
    found = [
        Receivable(*row[:9], Decimal(row.paid_late_fee) if row.late_fee else ZERO, row.state) for row in rows
    ]
    if is_history_read or (policy is not None and policy.is_on):
        by_id = {one.id: one for one in found}
        _load_history(session, by_id)
        _load_apart(session, by_id, is_by_item=is_by_item or _are_terms_by_item(session))
    return found


def _are_terms_by_item(session: Session) -> bool:
    """Whether any version of the late fee's policy has terms for an item of its own (B22)."""
    named = select(PolicyVersion.id).where(
        PolicyVersion.policy == "late_fee", PolicyVersion.rows.contains('"fee_item"', autoescape=True)
    )
    return session.scalar(named.limit(1)) is not None


def _load_apart(session: Session, by_id: Mapping[int, Receivable], *, is_by_item: bool) -> None:
    """Add to receivables their lines that bear no late fee, and those of each item, where asked for (B22)."""
    for ids in chunks(sorted(by_id)):
        groups: dict[int, Apart] = {}  # by line
        lines = select(LINE.c.id, LINE.c.invoice_id, LINE.c.amount, LINE.c.bears_late_fee, FeeItem.code)
        lines = lines.join(FeeItem, FeeItem.id == LINE.c.fee_item_id).where(LINE.c.invoice_id.in_(ids))
        if not is_by_item:
            lines = lines.where(~LINE.c.bears_late_fee)
        for line_id, invoice_id, amount, bears, code in session.execute(lines.order_by(LINE.c.id)):
            item, apart = code if bears else "", by_id[invoice_id].apart
            of_item = next((one for one in apart if one.item == item), None)
            if of_item is None:
                of_item = Apart(item)
                apart.append(of_item)
            of_item.amount += amount
            of_item.lines.add(line_id)
            groups[line_id] = of_item
        if not groups:
            continue
        some = sorted({one for one in ids if by_id[one].apart})
        paid = select(ALLOCATION_LINE.c.invoice_line_id, ALLOCATION_LINE.c.amount, ALLOCATION.c.allocated_on)
        paid = paid.join(ALLOCATION, ALLOCATION.c.id == ALLOCATION_LINE.c.allocation_id)
        for line_id, amount, on in session.execute(
            paid.where(ALLOCATION.c.invoice_id.in_(some)).order_by(ALLOCATION_LINE.c.id)
        ):
            if line_id in groups:
                groups[line_id].lower(on, {line_id: amount})
        credited = select(
            CreditNoteLine.invoice_line_id, CreditNoteLine.amount, CreditNote.issued_on, CreditNote.kind
        ).join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
        for line_id, amount, on, kind in session.execute(
            credited.where(CreditNote.invoice_id.in_(some)).order_by(CreditNoteLine.id)
        ):
            if line_id in groups:
                groups[line_id].lower(on, {line_id: amount}, is_error=kind == "error")


def _load_history(session: Session, by_id: Mapping[int, Receivable]) -> None:
    """Add to receivables what was paid and credited, and what was waived of their late fees, and when."""
    for ids in chunks(sorted(by_id)):
        paid = select(*ALLOCATION.c["invoice_id", "allocated_on", "amount", "part"])
        credited = select(CreditNote.invoice_id, CreditNote.issued_on, CreditNote.amount, CreditNote.kind)
        for invoice_id, on, amount, part in session.execute(paid.where(ALLOCATION.c.invoice_id.in_(ids))):
            one = by_id[invoice_id]
            (one.fees_paid if part == "late_fee" else one.reductions).append(Reduction(on, amount))
        for invoice_id, on, amount, kind in session.execute(credited.where(CreditNote.invoice_id.in_(ids))):
            one = by_id[invoice_id]
            (one.errors if kind == "error" else one.reductions).append(Reduction(on, amount))
        waived = select(LateFeeWaiver.invoice_id, LateFeeWaiver.waived_on, LateFeeWaiver.amount)
        for invoice_id, on, amount in session.execute(waived.where(LateFeeWaiver.invoice_id.in_(ids))):
            by_id[invoice_id].waivers.append(Reduction(on, amount))


def open_receivables(
    session: Session,
    unit_ids: Iterable[int],
    numbers: Iterable[str] = (),
    *,
    policy: LateFeePolicy | None = None,
) -> list[Receivable]:
    """Every open invoice of the units, and those named by number."""
    found: dict[int, Receivable] = {}
    for chunk in chunks(sorted(set(unit_ids))):
        for one in receivables(session, INVOICE.c.unit_id.in_(chunk), is_open(), policy=policy):
            found[one.id] = one
    for names in chunks(sorted(set(numbers))):
        for one in receivables(session, INVOICE.c.number.in_(names), is_open(), policy=policy):
            found.setdefault(one.id, one)
    return list(found.values())


def load_lines(session: Session, bills: Iterable[Receivable], on: date) -> None:
    """Add to receivables what is open of each of their lines, and when a payment of a day pays it (M8)."""
    by_id = {one.id: one for one in bills}
    if not by_id:
        return
    policy = policies.in_force(session, AllocationPolicy, on)
    items = {
        item_id: (code, basis == "deposit", code in policy.whole_items)
        for item_id, code, basis in session.execute(select(FeeItem.id, FeeItem.code, FeeItem.basis))
    }
    for one in by_id.values():
        one.lines = []
    still_open = type_coerce(LINE.c.amount - LINE.c.credited - LINE.c.paid, LINE.c.amount.type)
    for ids in chunks(by_id):
        rows = session.execute(
            select(LINE.c.id, LINE.c.invoice_id, LINE.c.fee_item_id, still_open)
            .where(LINE.c.invoice_id.in_(ids))
            .order_by(LINE.c.id)
        )
        for line_id, invoice_id, item_id, amount in rows:
            lines = by_id[invoice_id].lines
            code, is_deposit, is_whole = items[item_id]
            rank = policy.rank(code, len(lines), is_deposit=is_deposit)
            lines.append(OpenLine(line_id, amount, rank, is_whole, item_id))


def write_allocations(session: Session, entries: Sequence[AllocationEntry], now: datetime) -> None:
    """Store allocation entries with the lines they lie on, and the receivables they changed."""
    if not entries:
        return
    last_id = session.scalar(select(func.max(ALLOCATION.c.id))) or 0
    bulk_insert.insert_rows(
        session,
        ALLOCATION,
        ("payment_id", "invoice_id", "amount", "part", "allocated_on", "effective_at", "earmark_id"),
        (
            (
                entry.payment_id,
                entry.part.receivable.id,
                amount,
                part,
                entry.allocated_on,
                entry.effective_at,
                entry.earmark_id,
            )
            for entry in entries
            for part, amount in (("principal", entry.part.principal), ("late_fee", entry.part.late_fee))
            if amount
        ),
        constants={"allocated_at": now},
    )
    _write_lines(session, [entry for entry in entries if entry.part.principal], last_id)
    write_receivables(session, [entry.part.receivable for entry in entries])


def _write_lines(session: Session, entries: Sequence[AllocationEntry], last_id: int) -> None:
    """Store what of the allocations written after an id lies on which line."""
    written: dict[int, list[int]] = {}
    for payment_ids in chunks({entry.payment_id for entry in entries}):
        rows = session.execute(
            select(*ALLOCATION.c["payment_id", "id"])
            .where(
                ALLOCATION.c.id > last_id,
                ALLOCATION.c.payment_id.in_(payment_ids),
                ALLOCATION.c.part == "principal",
            )
            .order_by(ALLOCATION.c.id.desc())
        )
        for payment_id, allocation_id in rows:
            written.setdefault(payment_id, []).append(allocation_id)
    bulk_insert.insert_rows(
        session,
        ALLOCATION_LINE,
        ("allocation_id", "invoice_line_id", "amount"),
        (
            (allocation_id, line_id, amount)
            for allocation_id, lines in [
                (written[entry.payment_id].pop(), entry.part.lines) for entry in entries
            ]
            for line_id, amount in lines
            if amount
        ),
        constants={"is_estimated": False},
    )


def write_receivables(
    session: Session, changed: Iterable[Receivable], *, states: Mapping[int, str] | None = None
) -> None:
    """Store running totals and states; `states` are those that the totals alone do not tell, by id."""
    by_id = {one.id: one for one in changed}
    if not by_id:
        return
    bulk_insert.update_rows(
        session,
        INVOICE,
        TOTALS,
        (
            (
                one.id,
                one.paid,
                one.credited,
                one.late_fee,
                one.balance,
                (states or {}).get(one.id) or one.settled_state(),
            )
            for one in by_id.values()
        ),
    )
    expire_loaded(session)


def write_credit(session: Session, moved: Mapping[int, Decimal]) -> None:
    """Move yuan from credit to allocated of payments; negative amounts go back to credit."""
    rows = [{"of": payment_id, "by": amount} for payment_id, amount in moved.items() if amount]
    if not rows:
        return
    by = bindparam("by", type_=PAYMENT.c.credit.type)
    session.connection().execute(
        update(PAYMENT)
        .where(PAYMENT.c.id == bindparam("of"))
        .values(allocated=PAYMENT.c.allocated + by, credit=PAYMENT.c.credit - by),
        rows,
    )
    expire_loaded(session)


def is_open() -> ColumnElement[bool]:
    """Invoices that owe something; worded so that the partial indexes serve."""
    return literal_column("invoice.balance > 0", Boolean)


def has_credit() -> ColumnElement[bool]:
    """Payments that may still pay something; worded so that the partial index serves."""
    return and_(text("payment.credit <> 0"), PAYMENT.c.kind == "payment", PAYMENT.c.state == "posted")


@dataclass(frozen=True)
class UnusedCredit:
    """What is left to use of one payment, in yuan, and since when it is paid and known."""

    payment_id: int
    unit_id: int
    payer_id: int
    amount: Decimal
    known_at: datetime


def unused_credits(session: Session, *conditions: ColumnElement[bool]) -> list[UnusedCredit]:
    """Payments with unused credit, oldest first; what was refunded of them is no longer theirs."""
    refunds = PAYMENT.alias("refund")
    refunded = (
        select(func.coalesce(func.sum(refunds.c.credit), 0))
        .where(refunds.c.counters_id == PAYMENT.c.id, refunds.c.kind == "refund")
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            *PAYMENT.c["id", "unit_id", "payer_id", "credit"],
            refunded.label("refunded"),
            *PAYMENT.c["paid_at", "posted_at"],
        )
        .where(has_credit(), *conditions)
        .order_by(PAYMENT.c.paid_at, PAYMENT.c.id)
    )
    return [
        UnusedCredit(
            row.id, row.unit_id, row.payer_id, row.credit + row.refunded, max(row.paid_at, row.posted_at)
        )
        for row in rows
        if row.credit + row.refunded > 0
    ]


def expire_loaded(session: Session) -> None:
    """Let loaded invoices and payments be read again: they were changed without the session knowing."""
    for row in session.identity_map.values():
        if isinstance(row, Invoice | Payment):
            session.expire(row)
