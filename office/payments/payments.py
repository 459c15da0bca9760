"""Money in: payments with gapless receipts and what they pay (M1).

A posting loads what it needs, lets rules/receivables decide who gets what, and writes the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from models.payments import METHODS, DayClose, DayReopening, Payment
from models.property import Unit
from office.core import amounts, audit, bulk_insert, clock, numbering
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.estate.owners import payers_on
from office.payments import cheques, credit, earmarks
from office.payments.cheques import NewCheque
from office.payments.earmarks import PutAside
from office.policies import large_sums
from office.receivables import late_fees, ledger
from office.receivables.ledger import INVOICE, PAYMENT, AllocationEntry
from rules.allocation import PaidWholeError, Pick, UnknownPickError
from rules.late_fee import LateFeePolicy
from rules.money import ZERO, MoneyError
from rules.receivables import PaidPart, Receivable, pay_receivables

WRITTEN = (
    "receipt_no", "running_no", "unit_id", "payer_id", "method", "amount", "allocated", "credit", "paid_at",
    "reference", "note", "cashier_id", "form_key",
)  # fmt: skip
RECEIPTS = "R"  # the series of receipt numbers
POSTED_TOGETHER = 2000


@dataclass(frozen=True)
class NewPayment:
    """Money to be posted; `amount` in yuan. Without a payer it is from whoever pays for the unit then.

    A `form_key` already known posts nothing: one form, or one line of a file, is one payment.
    """

    unit_id: int
    amount: Decimal
    method: str
    paid_at: datetime
    payer_id: int | None = None
    reference: str = ""
    note: str = ""
    cashier_id: int | None = None
    picks: tuple[Pick, ...] = ()
    form_key: str | None = None
    cheque: NewCheque | None = None  # of a payment posted alone by cheque (M13)
    aside: tuple[PutAside, ...] = ()  # pays only what it is for; of a payment posted alone (M10)

    @property
    def amount_aside(self) -> Decimal:
        return sum((one.amount for one in self.aside), ZERO)


@dataclass(frozen=True)
class PostedPayment:
    """Which payment a row became, and whether it was posted just now."""

    payment_id: int
    is_new: bool


@dataclass(frozen=True)
class Posting:
    """What a number of payments need to know, loaded once under a lock."""

    today: date
    paid_on: list[date]  # of each payment, in office time
    payer_ids: list[int]  # of each payment
    policy: LateFeePolicy
    receivables: list[Receivable]


@dataclass(frozen=True)
class Allocated:
    """A payment with what it pays and what is left as credit, decided and not yet written."""

    row: NewPayment
    payer_id: int
    paid_on: date
    parts: list[PaidPart]
    credit: Decimal


def record_payment(session: Session, new: NewPayment, *, now: datetime) -> Payment:
    """Post one payment, pay the payer's open bills of the unit, keep what is over as credit (M1).

    The same form key again answers the first payment. Raises Refused, NotConfirmed for a large sum.
    """
    large_sums.ask_again(session, "payment", new.amount, clock.office_day(session, now))
    if new.cheque is not None:
        checked = cheques.checked(session, new.cheque, clock.office_day(session, now))
        new = replace(new, cheque=checked)
    (posted,) = record_payments(session, [new], now=now)
    payment = session.get_one(Payment, posted.payment_id)
    if posted.is_new:
        if new.cheque is not None:
            cheques.take(session, payment, new.cheque)
        _put_aside(session, payment, new, now)
        details = {"receipt_no": payment.receipt_no, "amount": new.amount, "method": new.method}
        audit.record(session, now, new.cashier_id, "receive", payment, details)
    return payment


def _put_aside(session: Session, payment: Payment, new: NewPayment, now: datetime) -> None:
    """Keep parts of a payment for what they are for, and let them pay what of it is open (M10)."""
    for one in new.aside:
        earmarks.put_aside(session, payment.id, one, staff_id=new.cashier_id, now=now)
    if new.aside:
        theirs = (INVOICE.c.unit_id == payment.unit_id, INVOICE.c.payer_id == payment.payer_id)
        owed = ledger.receivables(session, ledger.is_open(), *theirs)
        credit.use_credit(session, owed, issued_at=now, now=now)


def record_payments(session: Session, rows: Sequence[NewPayment], *, now: datetime) -> list[PostedPayment]:
    """Post many payments at once, each as record_payment would, in their order. Raises Refused."""
    posted: list[PostedPayment] = []
    for chunk in chunks(rows, POSTED_TOGETHER):
        checked = [_checked(row) for row in chunk]
        known = _lock(session, checked)
        new = _first_of_each_key(checked, known)
        posting = _load(session, new, now)
        allocated = _allocate_all(new, posting)
        ids = _write(session, allocated, posting.today, now)
        posted += _answers(checked, new, ids, known)
    return posted


def _checked(row: NewPayment) -> NewPayment:
    amount = amounts.amount_of(row.amount)
    if row.amount_aside > amount:
        raise Refused(N_("More is put aside than is paid"))
    if row.method not in METHODS:
        raise Refused(N_("%(method)s is no way to pay"), method=row.method)
    if (row.method == cheques.METHOD) != (row.cheque is not None):
        raise Refused(N_("A cheque has its number, bank and day: take it under “Take a payment”"))
    return row if amount.same_quantum(row.amount) else replace(row, amount=amount)


def _lock(session: Session, rows: Sequence[NewPayment]) -> dict[str | None, int]:
    """Lock the units concerned; answers the payments whose form keys are known already."""
    known = known_keys(session, rows)
    unit_ids = {row.unit_id for row in rows}
    if picked := _picked(rows):
        unit_ids |= set(session.scalars(select(INVOICE.c.unit_id).where(INVOICE.c.number.in_(picked))))
    ledger.lock_units(session, unit_ids)
    return known | known_keys(session, rows)  # someone else may have posted them meanwhile


def _picked(rows: Iterable[NewPayment]) -> set[str]:
    return {pick.number for row in rows for pick in row.picks}


def known_keys(session: Session, rows: Iterable[NewPayment]) -> dict[str | None, int]:
    """Which payments these form keys made already."""
    keys = sorted({row.form_key for row in rows if row.form_key})
    known: dict[str | None, int] = {}
    for chunk in chunks(keys):
        found = select(PAYMENT.c.form_key, PAYMENT.c.id).where(PAYMENT.c.form_key.in_(chunk))
        known |= dict(session.execute(found).all())
    return known


def _first_of_each_key(rows: Iterable[NewPayment], known: Mapping[str | None, int]) -> list[NewPayment]:
    seen: set[str | None] = set(known)
    first = []
    for row in rows:
        if row.form_key is None or row.form_key not in seen:
            first.append(row)
            if row.form_key is not None:
                seen.add(row.form_key)
    return first


def _load(session: Session, rows: Sequence[NewPayment], now: datetime) -> Posting:
    """Everything that the payments of some rows depend on. Raises Refused where nobody pays for a unit."""
    zone = clock.zone(session)
    today = now.astimezone(zone).date()
    refuse_closed(session, {row.cashier_id for row in rows}, today)
    paid_on = [row.paid_at.astimezone(zone).date() for row in rows]
    usual = iter(
        payers_on(
            session,
            [(row.unit_id, on) for row, on in zip(rows, paid_on, strict=True) if row.payer_id is None],
        )
    )
    payer_ids = []
    for row in rows:
        payer_id = next(usual) if row.payer_id is None else row.payer_id
        if payer_id is None:
            code = session.scalars(select(Unit.code).where(Unit.id == row.unit_id)).one()
            raise Refused(N_("Nobody pays for unit %(unit)s"), unit=code)
        payer_ids.append(payer_id)
    policy = late_fees.policy_on(session, today)
    unit_ids = {row.unit_id for row in rows}
    receivables = ledger.open_receivables(session, unit_ids, _picked(rows), policy=policy)
    ledger.load_lines(session, receivables, today)
    return Posting(today, paid_on, payer_ids, policy, receivables)


def _allocate_all(rows: Sequence[NewPayment], posting: Posting) -> list[Allocated]:
    """What each payment pays, in their order; late fees stand at the end of today afterwards."""
    by_payer: dict[tuple[int, int], list[Receivable]] = defaultdict(list)
    by_number = {one.number: one for one in posting.receivables}
    for one in posting.receivables:
        by_payer[one.unit_id, one.payer_id].append(one)
    allocated = []
    for row, payer_id, paid_on in zip(rows, posting.payer_ids, posting.paid_on, strict=True):
        among = {one.number: one for one in by_payer[row.unit_id, payer_id] if one.balance > 0}
        for pick in row.picks:
            if pick.number not in by_number:
                raise Refused(N_("Invoice %(number)s owes nothing"), number=pick.number)
            among[pick.number] = by_number[pick.number]
        try:
            parts, left = pay_receivables(
                row.amount - row.amount_aside, list(among.values()), posting.policy, paid_on, row.picks
            )
        except UnknownPickError as problem:
            raise Refused(N_("Invoice %(number)s owes nothing"), number=str(problem)) from problem
        except PaidWholeError as problem:
            raise Refused(
                N_("This item of invoice %(number)s is paid in full or not at all: %(amount)s"),
                number=problem.number,
                amount=problem.whole,
            ) from problem
        except MoneyError as problem:
            raise amounts.refusal(problem) from problem
        allocated.append(Allocated(row, payer_id, paid_on, parts, left + row.amount_aside))
    for payment in allocated:
        for part in payment.parts:
            part.receivable.accrue(posting.policy, posting.today)
    return allocated


def _write(session: Session, allocated: Sequence[Allocated], today: date, now: datetime) -> list[int]:
    """Store payments with gapless numbers and what they pay; answers the payments' ids in order."""
    if not allocated:
        return []
    first = numbering.take(session, RECEIPTS, today.year, len(allocated))
    prefix = f"{RECEIPTS}{today.year}"
    bulk_insert.insert_rows(
        session,
        PAYMENT,
        WRITTEN,
        (
            (
                numbering.written(prefix, running),
                running,
                one.row.unit_id,
                one.payer_id,
                one.row.method,
                one.row.amount,
                one.row.amount - one.credit,
                one.credit,
                one.row.paid_at,
                one.row.reference,
                one.row.note,
                one.row.cashier_id,
                one.row.form_key,
            )
            for running, one in enumerate(allocated, first)
        ),
        constants={
            "series": RECEIPTS,
            "year": today.year,
            "kind": "payment",
            "posted_at": now,
            "posted_on": today,
            "state": "posted",
            "reason": "",
            "copies_printed": 0,
        },
    )
    made = session.execute(
        select(PAYMENT.c.running_no, PAYMENT.c.id).where(
            PAYMENT.c.series == RECEIPTS,
            PAYMENT.c.year == today.year,
            PAYMENT.c.running_no.between(first, first + len(allocated) - 1),
        )
    )
    by_number = {running: payment_id for running, payment_id in made}  # noqa: C416 -- typed so
    ids = [by_number[running] for running, _ in enumerate(allocated, first)]
    entries = [
        AllocationEntry(payment_id, part, one.paid_on, max(one.row.paid_at, now))
        for payment_id, one in zip(ids, allocated, strict=True)
        for part in one.parts
    ]
    ledger.write_allocations(session, entries, now)
    return ids


def _answers(
    rows: Sequence[NewPayment],
    new: Sequence[NewPayment],
    ids: Sequence[int],
    known: Mapping[str | None, int],
) -> list[PostedPayment]:
    """Which payment each row became: its own, or that of its form key."""
    made = {id(row): payment_id for row, payment_id in zip(new, ids, strict=True)}
    by_key = dict(known)
    by_key.update((row.form_key, made[id(row)]) for row in new if row.form_key)
    return [
        PostedPayment(made[id(row)], is_new=True)
        if id(row) in made
        else PostedPayment(by_key[row.form_key], is_new=False)
        for row in rows
    ]


def refuse_closed(session: Session, cashier_ids: Iterable[int | None], day: date) -> None:
    """Raises Refused, with the next open day, where a cashier has closed the day (M3)."""
    for cashier_id in {one for one in cashier_ids if one is not None}:
        if is_closed(session, cashier_id, day):
            raise Refused(
                N_("The day %(day)s is closed: it can be entered on %(open)s"),
                day=day,
                open=next_open_day(session, cashier_id, day),
            )


def is_closed(session: Session, cashier_id: int | None, day: date) -> bool:
    """Whether a cashier has closed a day and it was not opened again (M3)."""
    found = select(DayClose.id).where(DayClose.day == day, DayClose.cashier_id == cashier_id, in_force())
    return session.scalar(found.limit(1)) is not None


def in_force() -> ColumnElement[bool]:
    """Closed days that two people have not opened again (M3)."""
    opened = exists().where(DayReopening.day_close_id == DayClose.id, DayReopening.state == "approved")
    return ~opened


def next_open_day(session: Session, cashier_id: int | None, day: date) -> date:
    """The first day from a day on that a cashier has not closed; the day itself for no cashier (M3)."""
    while is_closed(session, cashier_id, day):
        day += timedelta(days=1)
    return day
