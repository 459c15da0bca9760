"""What payments pay: open bills read under a lock, parts laid out by rules/allocation, rows written (M1, M7).

Every change of `invoice.paid` and `payment.allocated` goes through here, together with its allocation row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

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
    update,
)
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Allocation, Payment
from models.property import Unit
from office.core import bulk_insert
from office.core.database import chunks, is_postgresql
from rules import allocation as rule
from rules.money import ZERO

BILLING_LOCK = 0x6A7E  # which advisory lock of PostgreSQL keeps an issue of bills and payments apart

CHANGING = ("paid", "credited", "late_fee", "balance", "state")
INVOICE = cast("Table", Invoice.__table__)
PAYMENT = cast("Table", Payment.__table__)
ALLOCATION = cast("Table", Allocation.__table__)


@dataclass
class Bill:
    """An invoice in the middle of a posting; amounts in yuan."""

    id: int
    number: str
    unit_id: int
    payer_id: int
    due_on: date
    amount: Decimal
    credited: Decimal
    late_fee: Decimal
    paid: Decimal
    paid_late_fee: Decimal
    state: str

    @property
    def principal(self) -> Decimal:
        """What is open of the amount."""
        return self.amount - self.credited - (self.paid - self.paid_late_fee)

    @property
    def balance(self) -> Decimal:
        return self.amount + self.late_fee - self.credited - self.paid

    def open_invoice(self) -> rule.OpenInvoice:
        return rule.OpenInvoice(
            self.number, self.due_on, self.principal, max(self.late_fee - self.paid_late_fee, ZERO)
        )

    def pay(self, principal: Decimal, late_fee: Decimal) -> None:
        """Take a part in, or give it back when negative."""
        self.paid += principal + late_fee
        self.paid_late_fee += late_fee

    def settled_state(self, *, is_credited: bool = False) -> str:
        """open, partly_paid, paid, or credited when a credit note cleared it."""
        if self.balance == 0:
            return "credited" if is_credited or (self.paid == 0 and self.credited) else "paid"
        return "partly_paid" if self.paid else "open"


@dataclass(frozen=True)
class Move:
    """A part of a payment laid on a bill, negative when it is taken back."""

    payment_id: int
    bill: Bill
    principal: Decimal
    late_fee: Decimal
    allocated_on: date
    effective_at: datetime


def lock(session: Session, unit_ids: Iterable[int]) -> None:
    """Keep others from posting for these units until the transaction ends.

    SQLite has one writer at a time; PostgreSQL locks the units in the order of their ids, and waits for a
    billing run, so that credit and new bills never pass each other by.
    """
    session.flush()
    if not is_postgresql(session):
        return
    session.execute(text(f"SELECT pg_advisory_xact_lock_shared({BILLING_LOCK})"))
    for chunk in chunks(sorted(set(unit_ids))):
        session.execute(
            select(Unit.id).where(Unit.id.in_(chunk)).order_by(Unit.id).with_for_update(key_share=True)
        ).all()


def lock_all(session: Session) -> None:
    """Keep all others from posting or billing until the transaction ends."""
    session.flush()
    if is_postgresql(session):
        session.execute(text(f"SELECT pg_advisory_xact_lock({BILLING_LOCK})"))


def bills(session: Session, *conditions: Any) -> list[Bill]:
    """Invoices that meet the conditions, with what has been paid of their late fee."""
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
    return [Bill(*row[:9], Decimal(row.paid_late_fee) if row.late_fee else ZERO, row.state) for row in rows]


def open_bills(session: Session, unit_ids: Iterable[int], numbers: Iterable[str] = ()) -> list[Bill]:
    """Every open invoice of the units, and those named by number."""
    found: dict[int, Bill] = {}
    for chunk in chunks(sorted(set(unit_ids))):
        for bill in bills(session, INVOICE.c.unit_id.in_(chunk), is_open()):
            found[bill.id] = bill
    for names in chunks(sorted(set(numbers))):
        for bill in bills(session, INVOICE.c.number.in_(names), is_open()):
            found.setdefault(bill.id, bill)
    return list(found.values())


def lay_out(
    amount: Decimal, among: Sequence[Bill], picks: Sequence[rule.Pick] = ()
) -> tuple[list[tuple[Bill, Decimal, Decimal]], Decimal]:
    """Lay an amount in yuan on open bills by the rule; the bills take it in, and what is over comes back."""
    by_number = {bill.number: bill for bill in among}
    laid = rule.allocate(amount, [bill.open_invoice() for bill in among if bill.balance > 0], picks)
    parts = []
    for part in laid.allocations:
        bill = by_number[part.number]
        bill.pay(part.principal, part.late_fee)
        parts.append((bill, part.principal, part.late_fee))
    return parts, laid.credit


def write(session: Session, moves: Sequence[Move], now: datetime) -> None:
    """Store the moves and the bills they changed."""
    bulk_insert.insert_rows(
        session,
        ALLOCATION,
        ("payment_id", "invoice_id", "amount", "part", "allocated_on", "effective_at"),
        (
            (move.payment_id, move.bill.id, amount, part, move.allocated_on, move.effective_at)
            for move in moves
            for part, amount in (("principal", move.principal), ("late_fee", move.late_fee))
            if amount
        ),
        alike={"allocated_at": now},
    )
    write_bills(session, {move.bill.id: move.bill for move in moves})


def write_bills(
    session: Session, changed: Mapping[int, Bill], *, states: Mapping[int, str] | None = None
) -> None:
    """Store the running totals and states of bills."""
    if not changed:
        return
    bulk_insert.update_rows(
        session,
        INVOICE,
        CHANGING,
        (
            (
                bill.id,
                bill.paid,
                bill.credited,
                bill.late_fee,
                bill.balance,
                (states or {}).get(bill.id) or bill.settled_state(),
            )
            for bill in changed.values()
        ),
    )
    forget(session)


def move_credit(session: Session, moved: Mapping[int, Decimal]) -> None:
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
    forget(session)


def is_open() -> ColumnElement[bool]:
    """Invoices that owe something; worded so that the partial indexes serve."""
    return literal_column("invoice.balance > 0", Boolean)


def has_credit() -> ColumnElement[bool]:
    """Payments that may still pay something; worded so that the partial index serves."""
    return and_(text("payment.credit <> 0"), PAYMENT.c.kind == "payment", PAYMENT.c.state == "posted")


@dataclass(frozen=True)
class Credit:
    """What is left to use of one payment, in yuan, and since when it is paid and known."""

    payment_id: int
    unit_id: int
    payer_id: int
    amount: Decimal
    known_at: datetime


def credits_left(session: Session, *conditions: Any) -> list[Credit]:
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
        Credit(row.id, row.unit_id, row.payer_id, row.credit + row.refunded, max(row.paid_at, row.posted_at))
        for row in rows
        if row.credit + row.refunded > 0
    ]


def forget(session: Session) -> None:
    """Let loaded invoices and payments be read again: they were changed behind the session's back."""
    for row in session.identity_map.values():
        if isinstance(row, Invoice | Payment):
            session.expire(row)
