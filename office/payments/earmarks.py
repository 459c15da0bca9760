"""Prepaid credit put aside for an item, for service on certain days, or both (M10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.complaints import Ticket
from models.payments import Earmark, Payment
from office.core import amounts, audit
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.staff import refuse_same_person
from office.receivables import ledger
from office.receivables.ledger import ALLOCATION, INVOICE, PAYMENT
from rules.billing import Period
from rules.money import ZERO
from rules.receivables import Receivable


@dataclass(frozen=True)
class PutAside:
    """Yuan of a payment for an item, for service on days from–to (both included, either may be open)."""

    amount: Decimal
    fee_item_id: int | None = None
    from_on: date | None = None
    to_on: date | None = None

    def is_for(self, fee_item_id: int | None, period: str) -> bool:
        """Whether it may pay a line of an item on a bill of a month."""
        month = Period.parse(period)
        return (
            self.fee_item_id in {None, fee_item_id}
            and (self.from_on is None or self.from_on <= month.last_on)
            and (self.to_on is None or self.to_on >= month.first_on)
        )


@dataclass(frozen=True)
class LeftAside(PutAside):
    """An earmark with the yuan that are left of it."""

    earmark_id: int = 0
    payment_id: int = 0


def of_payments(session: Session, payment_ids: Iterable[int]) -> dict[int, list[LeftAside]]:
    """The earmarks in force of some payments of which something is left, the oldest first."""
    used = (
        select(func.coalesce(func.sum(ALLOCATION.c.amount), 0))
        .where(ALLOCATION.c.earmark_id == Earmark.id)
        .scalar_subquery()
    )
    found: dict[int, list[LeftAside]] = defaultdict(list)
    for ids in chunks(sorted(set(payment_ids))):
        rows = session.execute(
            select(
                Earmark.id, Earmark.payment_id, Earmark.amount, used,
                Earmark.fee_item_id, Earmark.from_on, Earmark.to_on,
            )
            .where(Earmark.payment_id.in_(ids), Earmark.ended_at.is_(None))
            .order_by(Earmark.id)
        )  # fmt: skip
        for earmark_id, payment_id, amount, gone, item_id, from_on, to_on in rows:
            if left := amount - Decimal(gone):
                found[payment_id].append(LeftAside(left, item_id, from_on, to_on, earmark_id, payment_id))
    return found


def left_of(session: Session, earmark_id: int) -> Decimal:
    """The yuan that are left of an earmark in force; nothing of one that ended."""
    row = session.get(Earmark, earmark_id)
    aside = of_payments(session, [row.payment_id])[row.payment_id] if row is not None else ()
    return sum((one.amount for one in aside if one.earmark_id == earmark_id), ZERO)


@dataclass(frozen=True)
class Named:
    """Credit that is put aside, for people to read: of which receipt, for which item and days, yuan left."""

    receipt_no: str
    fee_item: FeeItem | None
    from_on: date | None
    to_on: date | None
    left: Decimal


def named(session: Session, *conditions: ColumnElement[bool]) -> list[Named]:
    """What is put aside of the posted payments that meet the conditions, the oldest first."""
    found = session.execute(
        select(Payment.id, Payment.receipt_no)
        .where(
            exists().where(Earmark.payment_id == Payment.id, Earmark.ended_at.is_(None)),
            Payment.state == "posted",
            *conditions,
        )
        .order_by(Payment.id)
    ).all()
    aside = of_payments(session, [row.id for row in found])
    items = {one.id: one for one in session.scalars(select(FeeItem))} if found else {}
    return [
        Named(row.receipt_no, items.get(one.fee_item_id or 0), one.from_on, one.to_on, one.amount)
        for row in found
        for one in aside[row.id]
    ]


def free_credit(session: Session, payment_id: int) -> Decimal:
    """The yuan of a payment's unused credit that are put aside for nothing."""
    unused = sum((one.amount for one in ledger.unused_credits(session, PAYMENT.c.id == payment_id)), ZERO)
    aside = of_payments(session, [payment_id])[payment_id]
    return unused - sum((one.amount for one in aside), ZERO)


def lines_for(
    one: PutAside, bills: Sequence[Receivable], periods: Mapping[int, str], disputed: frozenset[int]
) -> set[int]:
    """The lines of bills that it may pay, by line id; none of a disputed bill."""
    return {
        line.id
        for bill in bills
        if bill.id not in disputed
        for line in bill.lines
        if one.is_for(line.fee_item_id, periods[bill.id])
    }


def periods_of(session: Session, bills: Sequence[Receivable]) -> dict[int, str]:
    """The month of each bill."""
    found: dict[int, str] = {}
    for ids in chunks([one.id for one in bills]):
        rows = session.execute(select(INVOICE.c.id, INVOICE.c.period).where(INVOICE.c.id.in_(ids)))
        found |= {invoice_id: period for invoice_id, period in rows}  # noqa: C416 -- rows, not pairs
    return found


def disputed_among(session: Session, bills: Sequence[Receivable]) -> frozenset[int]:
    """The bills about which a complaint is open (C7, T12)."""
    found: set[int] = set()
    for ids in chunks([one.id for one in bills]):
        complained = exists().where(Ticket.invoice_id == INVOICE.c.id, Ticket.closed_at.is_(None))
        found |= set(session.scalars(select(INVOICE.c.id).where(INVOICE.c.id.in_(ids), complained)))
    return frozenset(found)


def put_aside(
    session: Session, payment_id: int, wanted: PutAside, *, staff_id: int | None, now: datetime
) -> Earmark:
    """Put free credit of a payment aside for an item or days (M10). Raises Refused."""
    payment = session.get(Payment, payment_id)
    if payment is None or payment.kind != "payment" or payment.state != "posted":
        raise Refused(N_("There is no such payment"))
    ledger.lock_units(session, [payment.unit_id])
    amount = amounts.amount_of(wanted.amount)
    if wanted.fee_item_id is None and wanted.from_on is None and wanted.to_on is None:
        raise Refused(N_("Say which item or which days the money is for"))
    if wanted.fee_item_id is not None and session.get(FeeItem, wanted.fee_item_id) is None:
        raise Refused(N_("There is no such fee item"))
    if wanted.from_on and wanted.to_on and wanted.from_on > wanted.to_on:
        raise Refused(N_("The first day is after the last"))
    if amount > (left := free_credit(session, payment_id)):
        raise Refused(
            N_("Only %(amount)s of receipt %(number)s is free credit"), amount=left, number=payment.receipt_no
        )
    row = Earmark(
        payment_id=payment_id,
        fee_item_id=wanted.fee_item_id,
        from_on=wanted.from_on,
        to_on=wanted.to_on,
        amount=amount,
        made_at=now,
        made_by_id=staff_id,
    )
    session.add(row)
    session.flush()
    audit.record(session, now, staff_id, "put_aside", row, {"amount": amount})
    return row


def set_free(session: Session, earmark_id: int, *, staff_id: int, now: datetime) -> Earmark:
    """Let what is left of an earmark be free credit; by another than who put it aside (M10, F21)."""
    row = session.get(Earmark, earmark_id)
    if row is None or row.ended_at is not None:
        raise Refused(N_("This money is free already"))
    refuse_same_person([row.made_by_id], staff_id)
    ledger.lock_units(session, [session.get_one(Payment, row.payment_id).unit_id])
    row.ended_at, row.ended_by_id = now, staff_id
    session.flush()
    audit.record(session, now, staff_id, "set_free", row, {"amount": row.amount})
    return row


def end_all(session: Session, payment_id: int, *, staff_id: int | None, now: datetime) -> None:
    """End the earmarks of a payment that is undone: nothing is left of its credit (M6)."""
    session.execute(
        update(Earmark)
        .where(Earmark.payment_id == payment_id, Earmark.ended_at.is_(None))
        .values(ended_at=now, ended_by_id=staff_id, row_version=Earmark.row_version + 1)
    )
