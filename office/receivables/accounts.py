"""The account of a unit, of a payer, or of a payer at one unit, from the rows of the ledger (M11).

Payments and credit notes stand on the days from which they count, an undone payment on its day and on that of
its undoing. Late fees stand on the last day of each month and on the days of payments and credits, as they
were charged until then: the fee of a day is charged on the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models.billing import CreditNote, Deposit, FeeItem, Invoice, LateFeeWaiver
from models.payments import Allocation, Payment
from models.people import Occupancy, Owner
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.receivables import late_fees, ledger
from office.receivables.ledger import INVOICE
from rules import accounts
from rules.accounts import Account, Movement
from rules.late_fee import DAY
from rules.money import ZERO


@dataclass(frozen=True)
class Of:
    """Whose account: a unit's with all who pay or paid for it, a payer's at all units, a payer's at one."""

    unit_id: int | None = None
    payer_id: int | None = None

    def rows(self, table: Any) -> list[ColumnElement[bool]]:
        """The rows of bills, payments or deposits that are of this account."""
        return self.chosen(table.unit_id, table.payer_id)

    def chosen(self, unit: Any, payer: Any) -> list[ColumnElement[bool]]:
        wanted = ((unit, self.unit_id), (payer, self.payer_id))
        return [column == key for column, key in wanted if key is not None]

    def has(self, unit_id: int, payer_id: int) -> bool:
        return self.unit_id in {None, unit_id} and self.payer_id in {None, payer_id}


def account(session: Session, of: Of, from_on: date | None, to_on: date | None = None) -> Account:
    """The account between two days; without a first day from its beginning, without a last until today.

    Nothing is told of days to come: a last day after today is today. Raises Refused where the first day lies
    after the last.
    """
    today = clock.today(session)
    last_on = min(to_on or today, today)
    if from_on is not None and from_on > last_on:
        raise Refused(N_("The first day lies after the last, or in the future: choose other days"))
    moved = list(_without_late_fees(session, of, today))
    days = accounts.fee_days(moved, from_on, last_on)
    issued = {one.number: one.on for one in moved if one.kind == "bill"}
    moved += _late_fees(session, of, days, issued)
    return accounts.account(moved, from_on, last_on)


def _without_late_fees(session: Session, of: Of, today: date) -> Iterator[Movement]:
    yield from _payers(session, of, today)
    yield from _bills(session, of, today)
    yield from _credits(session, of)
    yield from _money(session, of, today)
    yield from _deposits(session, of)


def _payers(session: Session, of: Of, today: date) -> Iterator[Movement]:
    """Who pays for a unit from when: what moves bills from one account to another (P5)."""
    rows = session.execute(
        select(Occupancy.from_on, Occupancy.unit_id, Occupancy.owner_id, Owner.name)
        .join(Owner, Owner.id == Occupancy.owner_id)
        .where(
            Occupancy.is_payer,
            Occupancy.from_on <= today,
            *of.chosen(Occupancy.unit_id, Occupancy.owner_id),
        )
        .order_by(Occupancy.from_on, Occupancy.id)
    )
    for on, unit_id, payer_id, name in rows:
        yield Movement(on, "payer", unit_id, payer_id, detail=name)


def _bills(session: Session, of: Of, today: date) -> Iterator[Movement]:
    """Every bill on its day; one that is dated later, for a payer to come, is owed from today."""
    rows = session.execute(
        select(
            Invoice.issued_on,
            Invoice.unit_id,
            Invoice.payer_id,
            Invoice.number,
            Invoice.period,
            Invoice.amount,
        )
        .where(*of.rows(Invoice))
        .order_by(Invoice.issued_on, Invoice.id)
    )
    for on, unit_id, payer_id, number, period, amount in rows:
        yield Movement(min(on, today), "bill", unit_id, payer_id, number, detail=period, billed=amount)


def _credits(session: Session, of: Of) -> Iterator[Movement]:
    """Credit notes, and late fees waived."""
    notes = session.execute(
        select(CreditNote, Invoice.unit_id, Invoice.payer_id, Invoice.number)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(*of.rows(Invoice))
        .order_by(CreditNote.id)
    )
    for note, unit_id, payer_id, number in notes:
        yield Movement(
            note.issued_on,
            "credit",
            unit_id,
            payer_id,
            note.number,
            (number,),
            detail=note.kind,
            note=note.reason,
            credited=note.amount,
        )
    waivers = session.execute(
        select(LateFeeWaiver, Invoice.unit_id, Invoice.payer_id, Invoice.number)
        .join(Invoice, Invoice.id == LateFeeWaiver.invoice_id)
        .where(*of.rows(Invoice))
        .order_by(LateFeeWaiver.id)
    )
    for waiver, unit_id, payer_id, number in waivers:
        yield Movement(
            waiver.waived_on,
            "waiver",
            unit_id,
            payer_id,
            of=(number,),
            note=waiver.reason,
            late_fee=-waiver.amount,
        )


# --- payments -----------------------------------------------------------------------------------------------


@dataclass
class _Part:
    """What a payment did to the account on a day, in one way."""

    unit_id: int
    payer_id: int
    paid: Decimal = ZERO
    prepaid: Decimal = ZERO
    bills: dict[str, None] = field(default_factory=dict)


def _money(session: Session, of: Of, today: date) -> Iterator[Movement]:
    """Payments: what they pay of the account's bills, and what they leave as their payer's credit.

    A payment may pay a bill of another account; each account has its own side of it. What was paid before its
    bill was out is prepaid until then.
    """
    of_payment = and_(*of.rows(Payment))
    laid = session.execute(
        select(Allocation, Invoice.number, Invoice.unit_id, Invoice.payer_id, Invoice.issued_on)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(or_(of_payment, and_(*of.rows(Invoice))))
        .order_by(Allocation.id)
    ).all()
    entries = session.scalars(select(Payment).where(of_payment).order_by(Payment.id)).all()
    known = {one.id: one for one in entries}
    for ids in chunks(sorted({row[0].payment_id for row in laid} - known.keys())):
        known |= {one.id: one for one in session.scalars(select(Payment).where(Payment.id.in_(ids)))}
    undone = _undone(session, known)
    parts: dict[tuple[date, str, int], _Part] = {}

    def part_of(on: date, kind: str, payment_id: int, unit_id: int, payer_id: int) -> _Part:
        return parts.setdefault((on, kind, payment_id), _Part(unit_id, payer_id))

    for allocation, number, unit_id, payer_id, issued_on in laid:
        payment, is_bill = known[allocation.payment_id], of.has(unit_id, payer_id)
        whose = (unit_id, payer_id) if is_bill else (payment.unit_id, payment.payer_id)
        on = max(allocation.allocated_on, min(issued_on, today))
        kind = _kind_of(allocation, payment, undone.get(payment.id), on)
        part = part_of(on, kind, payment.id, *whose)
        if is_bill:
            part.paid += allocation.amount
        if of.has(payment.unit_id, payment.payer_id):
            part.prepaid -= allocation.amount
        part.bills[number] = None
    zone = clock.zone(session)
    for entry in entries:
        countered = known.get(entry.counters_id) if entry.counters_id is not None else None
        payment = countered if countered is not None and entry.kind == "reversal" else entry
        kind = entry.kind if payment is entry else payment.state
        on = entry.paid_at.astimezone(zone).date()
        part_of(on, kind, payment.id, entry.unit_id, entry.payer_id).prepaid += entry.amount
    for (on, kind, payment_id), part in parts.items():
        payment = known[payment_id]
        entry, about = payment, tuple(part.bills)
        if kind in {"void", "reversed"} and payment_id in undone:
            entry, about = undone[payment_id], (payment.receipt_no, *about)
        elif payment.counters_id is not None:
            about = (known[payment.counters_id].receipt_no,)  # what it refunds
        yield Movement(
            on,
            kind,
            part.unit_id,
            part.payer_id,
            entry.receipt_no,
            about,
            detail=payment.method,
            note=payment.reason if kind in {"void", "reversed", "refund"} else "",
            paid=part.paid,
            prepaid=part.prepaid,
        )


def _undone(session: Session, payments: Iterable[int]) -> dict[int, Payment]:
    """The counter-entry of each payment that was voided or reversed."""
    found: dict[int, Payment] = {}
    for ids in chunks(sorted(payments)):
        counters = select(Payment).where(Payment.counters_id.in_(ids), Payment.kind == "reversal")
        found |= {one.counters_id: one for one in session.scalars(counters) if one.counters_id is not None}
    return found


def _kind_of(allocation: Allocation, payment: Payment, undoing: Payment | None, on: date) -> str:
    """A payment lies on bills in the moment it is posted; what it pays later is prepaid credit (M1)."""
    if allocation.amount > 0:
        is_at_once = allocation.allocated_at == payment.posted_at and allocation.allocated_on == on
        return "payment" if is_at_once else "prepaid_used"
    is_undoing = undoing is not None and allocation.allocated_at == undoing.posted_at
    return payment.state if is_undoing else "freed"


# --- deposits, late fees ------------------------------------------------------------------------------------


def _deposits(session: Session, of: Of) -> Iterator[Movement]:
    """The book of deposits, which stands apart (B10)."""
    rows = session.execute(
        select(Deposit, FeeItem.code)
        .join(FeeItem, FeeItem.id == Deposit.fee_item_id)
        .where(*of.rows(Deposit))
        .order_by(Deposit.id)
    )
    for one, item in rows:
        yield Movement(
            one.posted_on,
            f"deposit_{one.entry}",
            one.unit_id,
            one.payer_id,
            one.number,
            detail=item,
            note=one.reason,
            deposit=one.amount if one.entry == "taken" else -one.amount,
        )


def _late_fees(
    session: Session, of: Of, days: Sequence[date], issued: Mapping[str, date]
) -> Iterator[Movement]:
    """The late fees of bills, by number and the day from which they stand in the account."""
    if not days:
        return
    bills = ledger.receivables(
        session, *of.rows(INVOICE.c), INVOICE.c.due_on < days[-1], is_history_read=True
    )
    policies = late_fees.policies_since(session, days[0], clock.today(session))
    for bill in bills:
        if bill.balance or bill.changed_on > bill.due_on:  # else it was paid in time
            since = max(issued[bill.number], bill.due_on + DAY)
            yield from accounts.late_fee_movements(bill, policies, [day for day in days if day >= since])
