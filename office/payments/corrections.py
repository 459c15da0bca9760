"""Counter-entries to posted payments: void, reversal by the bank, refund of unused credit (M2, M6).

Whoever entered a payment does none of them alone (F21).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from models.payments import Payment
from office.core import amounts, audit, clock, numbering
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.staff import refuse_same_person
from office.payments import earmarks
from office.payments.payments import next_open_day, refuse_closed
from office.payments.releases import release
from office.policies import large_sums
from office.receivables import late_fees, ledger
from office.receivables.ledger import ALLOCATION, ALLOCATION_LINE, INVOICE, PAYMENT, AllocationEntry
from rules.allocation import laid_on
from rules.late_fee import LateFeePolicy
from rules.money import ZERO
from rules.receivables import GivenBack, PaidEarlier, PaidPart, Receivable, give_back

TAKEN_BACK_BY_BANKS = frozenset({"direct_debit", "bank_transfer", "card", "wechat", "alipay", "cheque"})
VOIDS, REFUNDS = "V", "F"  # the series of counter-entries and of refunds


def void_payment(session: Session, payment_id: int, *, reason: str, staff_id: int, now: datetime) -> Payment:
    """Void a receipt; by another than its cashier, with a reason (M2). Answers the counter-entry."""
    payment = _posted(session, payment_id, reason)
    refuse_same_person([payment.cashier_id], staff_id)
    return _undo(session, payment, "void", reason, staff_id, now)


def reverse_payment(
    session: Session, payment_id: int, *, reason: str, now: datetime, staff_id: int | None = None
) -> Payment:
    """Undo a payment that the bank took back (M6). Answers the counter-entry.

    Raises Refused for a way to pay that no bank can take back, as cash.
    """
    payment = _posted(session, payment_id, reason)
    refuse_same_person([payment.cashier_id], staff_id)
    if payment.method not in TAKEN_BACK_BY_BANKS:
        raise Refused(N_("No bank can take this money back: void the receipt"))
    return _undo(session, payment, "reversed", reason, staff_id, now)


def _posted(session: Session, payment_id: int, reason: str) -> Payment:
    if not reason.strip():
        raise Refused(N_("Say why"))
    units = select(INVOICE.c.unit_id).join(ALLOCATION).where(ALLOCATION.c.payment_id == payment_id)
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise Refused(N_("There is no such payment"))
    ledger.lock_units(session, {payment.unit_id, *session.scalars(units)})
    session.refresh(payment)
    if payment.kind != "payment" or payment.state != "posted":
        raise Refused(N_("Receipt %(number)s is no longer in force"), number=payment.receipt_no)
    return payment


def _undo(
    session: Session, payment: Payment, state: str, reason: str, staff_id: int | None, now: datetime
) -> Payment:
    refunded = session.scalar(
        select(PAYMENT.c.id).where(PAYMENT.c.counters_id == payment.id, PAYMENT.c.kind == "refund").limit(1)
    )
    if refunded is not None:
        raise Refused(N_("Receipt %(number)s has been refunded in part"), number=payment.receipt_no)
    today = clock.office_day(session, now)
    give_back_allocated(session, payment, today, now)
    earmarks.end_all(session, payment.id, staff_id=staff_id, now=now)
    posted_on = next_open_day(session, payment.cashier_id, today)
    counter = _counter_entry(
        session, payment, "reversal", -payment.amount, reason, staff_id, now, posted_on=posted_on
    )
    payment.state, payment.reason, payment.credit = state, reason.strip(), ZERO
    session.flush()
    release(session, payment, is_bank_reversal=state == "reversed", staff_id=staff_id, now=now)
    audit.record(
        session, now, staff_id, "void" if state == "void" else "reverse", payment, {"reason": payment.reason}
    )
    return counter


def give_back_allocated(session: Session, payment: Payment, today: date, now: datetime) -> None:
    """Turn all that a payment has paid back into its credit, what it paid last first."""
    bills = select(ALLOCATION.c.invoice_id).where(ALLOCATION.c.payment_id == payment.id)
    policy = late_fees.policy_on(session, today)
    by_id = {one.id: one for one in ledger.receivables(session, INVOICE.c.id.in_(bills), policy=policy)}
    paid = _paid_earlier(session, by_id, ALLOCATION.c.payment_id == payment.id)
    if paid:
        _write_given_back(session, give_back(paid, payment.allocated, policy, today), today, now)


def free_late_fee(
    session: Session, bill: Receivable, amount: Decimal, policy: LateFeePolicy, now: datetime
) -> None:
    """Turn paid late fee of an invoice back into credit of the payments that paid it, the last one first."""
    today = clock.office_day(session, now)
    paid = [one for one in _paid_earlier(session, {bill.id: bill}) if one.part == "late_fee"]
    _write_given_back(session, give_back(paid, amount, policy, today), today, now)


def free_lines(
    session: Session,
    bill: Receivable,
    wanted: Mapping[int, Decimal],
    policy: LateFeePolicy,
    now: datetime,
) -> list[GivenBack]:
    """Turn paid principal of lines (yuan by line id) back into credit of the payments that paid it.

    The last one first; answers what went back to which payment.
    """
    today = clock.office_day(session, now)
    left, taken = dict(wanted), []
    for one in _paid_earlier(session, {bill.id: bill}):
        if one.line_id is not None and (back := min(left.get(one.line_id, ZERO), one.amount)):
            left[one.line_id] -= back
            taken.append(replace(one, amount=back))
    given = give_back(taken, sum((one.amount for one in taken), ZERO), policy, today)
    _write_given_back(session, given, today, now)
    return given


def lay_again(session: Session, given: Sequence[GivenBack], kept: Decimal, now: datetime) -> None:
    """Let money that went back from lines of a bill pay what is open of its other lines (B5, M8).

    The first `kept` yuan stay credit. What no line takes does too.
    """
    today, left = clock.office_day(session, now), kept
    entries = []
    for one in given:
        bill, back = one.part.receivable, -one.part.principal
        stays = min(left, back)
        left -= stays
        if lines := laid_on(back - stays, bill.lines):
            principal = sum((amount for _, amount in lines), ZERO)
            bill.pay(principal, ZERO, today, lines)
            part = PaidPart(bill, principal, ZERO, tuple(lines))
            entries.append(AllocationEntry(one.payment_id, part, today, now, one.earmark_id))
    ledger.write_allocations(session, entries, now)
    ledger.write_credit(session, _sums([(one.payment_id, one.part) for one in entries]))


def _paid_earlier(
    session: Session, bills: Mapping[int, Receivable], *conditions: ColumnElement[bool]
) -> list[PaidEarlier]:
    """What lies on lines and late fees of some bills, by payment and earmark, what was paid last first."""
    of = ALLOCATION.c
    whose = (of.payment_id, of.invoice_id, of.part, of.earmark_id)
    of_lines, of_fees = func.sum(ALLOCATION_LINE.c.amount), func.sum(ALLOCATION.c.amount)
    last = func.max(ALLOCATION.c.id).label("last")
    found: list[tuple[tuple[int, int], PaidEarlier]] = []
    for ids in chunks(bills):
        among = (ALLOCATION.c.invoice_id.in_(ids), *conditions)
        on_lines = (
            select(*whose, ALLOCATION_LINE.c.invoice_line_id, of_lines, last)
            .join(ALLOCATION_LINE, ALLOCATION_LINE.c.allocation_id == ALLOCATION.c.id)
            .where(*among)
            .group_by(*whose, ALLOCATION_LINE.c.invoice_line_id)
            .having(of_lines > 0)
        )
        on_fees = (
            select(*whose, literal(None, ALLOCATION_LINE.c.invoice_line_id.type), of_fees, last)
            .where(*among, ALLOCATION.c.part == "late_fee")
            .group_by(*whose)
            .having(of_fees > 0)
        )
        for query in (on_lines, on_fees):
            for payment_id, invoice_id, part, earmark_id, line_id, amount, last_id in session.execute(query):
                one = PaidEarlier(payment_id, bills[invoice_id], part, amount, line_id, earmark_id)
                found.append(((last_id, line_id or 0), one))
    return [one for _, one in sorted(found, key=itemgetter(0), reverse=True)]


def _write_given_back(session: Session, given: Sequence[GivenBack], today: date, now: datetime) -> None:
    entries = [AllocationEntry(one.payment_id, one.part, today, now, one.earmark_id) for one in given]
    ledger.write_allocations(session, entries, now)
    ledger.write_credit(session, _sums([(one.payment_id, one.part) for one in given]))


def _sums(parts: Iterable[tuple[int, PaidPart]]) -> dict[int, Decimal]:
    """What moves from credit to allocated of each payment, in yuan; below zero what comes back."""
    moved: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for payment_id, part in parts:
        moved[payment_id] += part.principal + part.late_fee
    return moved


def _counter_entry(
    session: Session,
    payment: Payment,
    kind: str,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
    *,
    posted_on: date | None = None,
    method: str | None = None,
    form_key: str | None = None,
) -> Payment:
    today = clock.office_day(session, now)
    series = VOIDS if kind == "reversal" else REFUNDS
    running = numbering.take(session, series, today.year)
    counter = Payment(
        receipt_no=numbering.written(f"{series}{today.year}", running),
        series=series,
        year=today.year,
        running_no=running,
        kind=kind,
        counters_id=payment.id,
        unit_id=payment.unit_id,
        payer_id=payment.payer_id,
        method=method or payment.method,
        amount=amount,
        allocated=ZERO,
        credit=ZERO if kind == "reversal" else amount,
        paid_at=now,
        posted_at=now,
        posted_on=posted_on or today,
        reference=payment.reference,
        reason=reason.strip(),
        cashier_id=staff_id,
        form_key=form_key,
    )
    session.add(counter)
    session.flush()
    return counter


def refund_payment(
    session: Session,
    payment_id: int,
    *,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
    method: str | None = None,
    form_key: str | None = None,
) -> Payment:
    """Give unused credit of a payment back; both entries stay (M6). Answers the refund.

    It goes back by the way it came; in cash only where somebody else is known to have entered the payment.
    The same form key again answers the first refund. Raises Refused, NotConfirmed for a large sum.
    """
    payment = _posted(session, payment_id, reason)
    refuse_same_person([payment.cashier_id], staff_id)
    if method not in {None, payment.method} and (method != "cash" or payment.cashier_id is None):
        raise Refused(N_("Money goes back by the way it came"))
    known = (
        session.scalars(select(Payment).where(Payment.form_key == form_key)).one_or_none()
        if form_key
        else None
    )
    if known is not None:
        return known
    amount = amounts.amount_of(amount)
    left = earmarks.free_credit(session, payment_id)
    if amount > left:
        raise Refused(
            N_("Only %(amount)s of receipt %(number)s is unused"), amount=left, number=payment.receipt_no
        )
    today = clock.office_day(session, now)
    large_sums.ask_again(session, "refund", amount, today)
    refuse_closed(session, [staff_id], today)
    refund = _counter_entry(
        session, payment, "refund", -amount, reason, staff_id, now, method=method, form_key=form_key
    )
    audit.record(session, now, staff_id, "refund", payment, {"amount": amount, "reason": reason})
    return refund
