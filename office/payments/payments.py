"""Money in: payments with gapless receipts, what they pay, and their counter-entries (M1, M2, M6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.payments import METHODS, DayClose, Payment
from models.people import Occupancy
from models.property import Unit
from office.core import audit, bulk_insert, clock, numbering
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.receivables import allocation, late_fees
from office.receivables.allocation import ALLOCATION, INVOICE, PAYMENT, Bill, Move
from office.receivables.late_fees import Ledger
from rules.allocation import Pick, UnknownPickError
from rules.money import ZERO, MoneyError, money

WRITTEN = (
    "receipt_no", "running_no", "unit_id", "payer_id", "method", "amount", "allocated", "credit", "paid_at",
    "reference", "note", "cashier_id", "form_key",
)  # fmt: skip
RECEIPTS, VOIDS, REFUNDS = "R", "V", "F"  # the series of receipts, counter-entries and refunds
MONEY_REFUSALS = {
    "not_a_number": N_("This is no amount: write digits only, such as 120.50"),
    "not_finite": N_("This is no amount: write digits only, such as 120.50"),
    "finer_than_fen": N_("An amount has at most two decimal places"),
    "too_large": N_("This amount is too large"),
    "negative": N_("An amount must be above zero"),
    "zero": N_("An amount must be above zero"),
}


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


def record_payment(
    session: Session,
    *,
    unit_id: int,
    amount: Decimal,
    method: str,
    paid_at: datetime,
    now: datetime,
    payer_id: int | None = None,
    reference: str = "",
    note: str = "",
    cashier_id: int | None = None,
    picks: Sequence[Pick] = (),
    form_key: str | None = None,
) -> Payment:
    """Post one payment, lay it on the payer's open bills of the unit, keep what is over as credit (M1).

    The same form key again answers the first payment. Raises Refused.
    """
    given = NewPayment(
        unit_id, amount, method, paid_at, payer_id, reference, note, cashier_id, tuple(picks), form_key
    )
    (posted,) = record_payments(session, [given], now=now)
    payment = session.get_one(Payment, posted.payment_id)
    if posted.is_new:
        audit.record(
            session,
            now,
            cashier_id,
            "receive",
            payment,
            {"receipt_no": payment.receipt_no, "amount": amount, "method": method},
        )
    return payment


@dataclass(frozen=True)
class Posted:
    """Which payment a row became, and whether it was posted just now."""

    payment_id: int
    is_new: bool


def record_payments(session: Session, rows: Sequence[NewPayment], *, now: datetime) -> list[Posted]:
    """Post many payments at once, each as record_payment would, in their order. Raises Refused."""
    posted: list[Posted] = []
    for chunk in chunks(rows, 2000):
        posted += _record(session, [_checked(row) for row in chunk], now)
    return posted


def _checked(row: NewPayment) -> NewPayment:
    try:
        amount = money(row.amount, is_zero_allowed=False)
    except MoneyError as problem:
        raise Refused(MONEY_REFUSALS[problem.code]) from problem
    if row.method not in METHODS:
        raise Refused(N_("%(method)s is no way to pay"), method=row.method)
    return row if amount.same_quantum(row.amount) else replace(row, amount=amount)


@dataclass
class _Laid:
    """A payment laid out in memory before it is written."""

    row: NewPayment
    payer_id: int
    parts: list[tuple[Bill, Decimal, Decimal]] = field(default_factory=list)
    credit: Decimal = ZERO


def _record(session: Session, rows: Sequence[NewPayment], now: datetime) -> list[Posted]:
    known = _known_keys(session, rows)
    picked = {pick.number for row in rows for pick in row.picks}
    unit_ids = {row.unit_id for row in rows}
    if picked:
        unit_ids |= set(session.scalars(select(INVOICE.c.unit_id).where(INVOICE.c.number.in_(picked))))
    allocation.lock(session, unit_ids)
    known |= _known_keys(session, rows)
    today = clock.office_day(session, now)
    first_rows = _first_of_each_key(rows, known)
    refuse_closed(session, {row.cashier_id for row in first_rows}, today)
    laid = _lay_out_all(session, first_rows, picked, today)
    ids = _write_payments(session, laid, now, today)
    zone = clock.zone(session)
    moves = [
        Move(
            payment_id,
            bill,
            principal,
            fee,
            one.row.paid_at.astimezone(zone).date(),
            max(one.row.paid_at, now),
        )
        for payment_id, one in zip(ids, laid, strict=True)
        for bill, principal, fee in one.parts
    ]
    allocation.write(session, moves, now)
    made = {id(one.row): payment_id for payment_id, one in zip(ids, laid, strict=True)}
    by_key = known | {one.row.form_key: made[id(one.row)] for one in laid if one.row.form_key}
    return [
        Posted(made[id(row)], is_new=True) if id(row) in made else Posted(by_key[row.form_key], is_new=False)
        for row in rows
    ]


def _known_keys(session: Session, rows: Iterable[NewPayment]) -> dict[str | None, int]:
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


def _lay_out_all(
    session: Session, rows: Sequence[NewPayment], picked: Iterable[str], today: date
) -> list[_Laid]:
    zone = clock.zone(session)
    asked = [row for row in rows if row.payer_id is None]
    payers = iter(payers_on(session, [(row.unit_id, row.paid_at.astimezone(zone).date()) for row in asked]))
    bills = allocation.open_bills(session, {row.unit_id for row in rows}, picked)
    ledger = Ledger(session, late_fees.policy_on(session, today), bills)
    by_payer: dict[tuple[int, int], list[Bill]] = defaultdict(list)
    by_number = {bill.number: bill for bill in bills}
    for bill in bills:
        by_payer[bill.unit_id, bill.payer_id].append(bill)
    laid = []
    for row in rows:
        on = row.paid_at.astimezone(zone).date()
        payer_id = next(payers) if row.payer_id is None else row.payer_id
        if payer_id is None:
            raise Refused(N_("Nobody pays for unit %(unit)s"), unit=_code(session, row.unit_id))
        among = {bill.number: bill for bill in by_payer[row.unit_id, payer_id] if bill.balance > 0}
        for pick in row.picks:
            if pick.number not in by_number:
                raise Refused(N_("Invoice %(number)s owes nothing"), number=pick.number)
            among[pick.number] = by_number[pick.number]
        laid.append(_lay_out(row, payer_id, list(among.values()), ledger, on))
    for one in laid:
        for bill, _, _ in one.parts:
            ledger.accrue(bill, today)
    return laid


def _lay_out(row: NewPayment, payer_id: int, among: Sequence[Bill], ledger: Ledger, on: date) -> _Laid:
    before = {bill.id: bill.late_fee for bill in among}
    for bill in among:
        ledger.settle(bill, on)
    try:
        parts, credit = allocation.lay_out(row.amount, among, row.picks)
    except UnknownPickError as problem:
        raise Refused(N_("Invoice %(number)s owes nothing"), number=str(problem)) from problem
    except MoneyError as problem:
        raise Refused(MONEY_REFUSALS[problem.code]) from problem
    touched = {bill.id for bill, _, _ in parts}
    for bill in among:
        if bill.id not in touched:
            bill.late_fee = before[bill.id]
    for bill, principal, _ in parts:
        ledger.paid(bill, on, principal)
    return _Laid(row, payer_id, parts, credit)


def _code(session: Session, unit_id: int) -> str:
    return session.scalars(select(Unit.code).where(Unit.id == unit_id)).one()


def _write_payments(session: Session, laid: Sequence[_Laid], now: datetime, today: date) -> list[int]:
    if not laid:
        return []
    first = numbering.take(session, RECEIPTS, today.year, len(laid))
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
            for running, one in enumerate(laid, first)
        ),
        alike={
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
            PAYMENT.c.running_no.between(first, first + len(laid) - 1),
        )
    )
    ids = {running: payment_id for running, payment_id in made}  # noqa: C416 -- typed so
    return [ids[running] for running, _ in enumerate(laid, first)]  # a KeyError: one was not written


def payers_on(session: Session, wanted: Sequence[tuple[int, date]]) -> list[int | None]:
    """Who pays for each unit on each day; where nobody does, who was the last or will be the first."""
    occupancies: dict[int, list[tuple[date, date | None, int]]] = defaultdict(list)
    for chunk in chunks(sorted({unit_id for unit_id, _ in wanted})):
        for unit_id, from_on, to_on, owner_id in session.execute(
            select(Occupancy.unit_id, Occupancy.from_on, Occupancy.to_on, Occupancy.owner_id)
            .where(Occupancy.unit_id.in_(chunk), Occupancy.is_payer)
            .order_by(Occupancy.from_on)
        ):
            occupancies[unit_id].append((from_on, to_on, owner_id))
    return [_payer(occupancies[unit_id], on) for unit_id, on in wanted]


def _payer(occupancies: Sequence[tuple[date, date | None, int]], on: date) -> int | None:
    before = [one for one in occupancies if one[0] <= on]
    if before:
        return before[-1][2]
    return occupancies[0][2] if occupancies else None


def refuse_closed(session: Session, cashier_ids: Iterable[int | None], day: date) -> None:
    """Nothing is posted into a day that its cashier has closed (M3)."""
    wanted = {one for one in cashier_ids if one is not None}
    if wanted and session.scalar(
        select(DayClose.id).where(DayClose.day == day, DayClose.cashier_id.in_(wanted)).limit(1)
    ):
        raise Refused(N_("The day %(day)s is closed: nothing more can be posted into it"), day=day)


def void_payment(session: Session, payment_id: int, *, reason: str, staff_id: int, now: datetime) -> Payment:
    """Void a receipt; by another than its cashier, with a reason (M2). Answers the counter-entry."""
    payment = _posted(session, payment_id, reason)
    if payment.cashier_id == staff_id:
        raise Refused(N_("A receipt is voided by someone other than its cashier"))
    return _undo(session, payment, "void", reason, staff_id, now)


def reverse_payment(
    session: Session, payment_id: int, *, reason: str, now: datetime, staff_id: int | None = None
) -> Payment:
    """Undo a payment that the bank took back (M6). Answers the counter-entry."""
    return _undo(session, _posted(session, payment_id, reason), "reversed", reason, staff_id, now)


def _posted(session: Session, payment_id: int, reason: str) -> Payment:
    if not reason.strip():
        raise Refused(N_("Say why"))
    units = select(INVOICE.c.unit_id).join(ALLOCATION).where(ALLOCATION.c.payment_id == payment_id)
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise Refused(N_("There is no such payment"))
    allocation.lock(session, {payment.unit_id, *session.scalars(units)})
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
    refuse_closed(session, [staff_id], today)
    take_back(session, payment.id, payment.allocated, now)
    counter = _counter_entry(session, payment, "reversal", -payment.amount, reason, staff_id, now)
    payment.state, payment.reason = state, reason.strip()
    session.flush()
    audit.record(
        session, now, staff_id, "void" if state == "void" else "reverse", payment, {"reason": payment.reason}
    )
    return counter


def take_back(session: Session, payment_id: int, amount: Decimal, now: datetime) -> None:
    """Give so much of a payment back to its credit, from what it paid last."""
    if not amount:
        return
    today = clock.office_day(session, now)
    net = func.sum(ALLOCATION.c.amount)
    rows = session.execute(
        select(ALLOCATION.c.invoice_id, ALLOCATION.c.part, net)
        .where(ALLOCATION.c.payment_id == payment_id)
        .group_by(ALLOCATION.c.invoice_id, ALLOCATION.c.part)
        .having(net > 0)
        .order_by(func.max(ALLOCATION.c.id).desc())
    ).all()
    bills = {bill.id: bill for bill in allocation.bills(session, INVOICE.c.id.in_([row[0] for row in rows]))}
    release(session, [(payment_id, bills[row[0]], row[1], row[2]) for row in rows], amount, now, today)


def release(
    session: Session,
    laid: Sequence[tuple[int, Bill, str, Decimal]],
    amount: Decimal,
    now: datetime,
    today: date,
) -> None:
    """Take `amount` yuan of what lies on bills (payment, bill, part, yuan) back to the payments' credit."""
    ledger = Ledger(
        session, late_fees.policy_on(session, today), {bill.id: bill for _, bill, _, _ in laid}.values()
    )
    moves: list[Move] = []
    freed: dict[int, Decimal] = defaultdict(lambda: ZERO)
    left = amount
    for payment_id, bill, part, lies in laid:
        back = min(left, lies)
        if not back:
            break
        principal, fee = (back, ZERO) if part == "principal" else (ZERO, back)
        bill.pay(-principal, -fee)
        ledger.paid(bill, today, -principal)
        moves.append(Move(payment_id, bill, -principal, -fee, today, now))
        freed[payment_id] -= back
        left -= back
    for move in moves:
        if move.bill.late_fee or ledger.policy.is_on:
            ledger.accrue(move.bill, today)
    allocation.write(session, moves, now)
    allocation.move_credit(session, freed)


def accrue(session: Session, bills: Sequence[Bill], today: date) -> None:
    """Set the late fees of bills in memory to what they are at the end of today."""
    ledger = Ledger(session, late_fees.policy_on(session, today), bills)
    for bill in bills:
        ledger.accrue(bill, today)


def _counter_entry(
    session: Session,
    payment: Payment,
    kind: str,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
    *,
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
        credit=amount,
        paid_at=now,
        posted_at=now,
        posted_on=today,
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

    The same form key again answers the first refund. Raises Refused.
    """
    payment = _posted(session, payment_id, reason)
    known = (
        session.scalars(select(Payment).where(Payment.form_key == form_key)).one_or_none()
        if form_key
        else None
    )
    if known is not None:
        return known
    try:
        amount = money(amount, is_zero_allowed=False)
    except MoneyError as problem:
        raise Refused(MONEY_REFUSALS[problem.code]) from problem
    left = sum((one.amount for one in allocation.credits_left(session, PAYMENT.c.id == payment_id)), ZERO)
    if amount > left:
        raise Refused(
            N_("Only %(amount)s of receipt %(number)s is unused"), amount=left, number=payment.receipt_no
        )
    refuse_closed(session, [staff_id], clock.office_day(session, now))
    refund = _counter_entry(
        session, payment, "refund", -amount, reason, staff_id, now, method=method, form_key=form_key
    )
    audit.record(session, now, staff_id, "refund", payment, {"amount": amount, "reason": reason})
    return refund


def use_credit(session: Session, bills: Sequence[Bill], *, issued_at: datetime, now: datetime) -> Decimal:
    """Let prepaid credit pay just-issued bills, oldest debt first; answers the yuan moved (M1).

    It counts from the moment the bill went out, or the payment was known if that was later.
    """
    unit_ids = {bill.unit_id for bill in bills}
    zone = clock.zone(session)
    wanted = {(bill.unit_id, bill.payer_id) for bill in bills}
    credits_of: dict[tuple[int, int], list[allocation.Credit]] = defaultdict(list)
    for chunk in chunks(sorted(unit_ids)):
        for credit in allocation.credits_left(session, PAYMENT.c.unit_id.in_(chunk)):
            if (credit.unit_id, credit.payer_id) in wanted:
                credits_of[credit.unit_id, credit.payer_id].append(credit)
    if not credits_of:
        return ZERO
    open_now = allocation.open_bills(session, {unit_id for unit_id, _ in credits_of})
    ledger = Ledger(session, late_fees.policy_on(session, now.astimezone(zone).date()), open_now)
    moves, moved = [], {}
    for key, credits_here in credits_of.items():
        among = [bill for bill in open_now if (bill.unit_id, bill.payer_id) == key]
        for credit in credits_here:
            at = max(credit.known_at, min(now, issued_at))
            on = at.astimezone(zone).date()
            for bill in among:
                ledger.settle(bill, on)
            parts, left = allocation.lay_out(credit.amount, among)
            for bill, principal, fee in parts:
                ledger.paid(bill, on, principal)
                moves.append(Move(credit.payment_id, bill, principal, fee, on, at))
            moved[credit.payment_id] = credit.amount - left
    for move in moves:
        ledger.accrue(move.bill, now.astimezone(zone).date())
    allocation.write(session, moves, now)
    allocation.move_credit(session, moved)
    return sum(moved.values(), ZERO)
