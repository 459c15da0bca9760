"""Deposits held for a unit and payer, returned, or set off against what is owed (B10).

A deposit is charged by an invoice of its own and paid by a payment, so that every fen stays in the books:
giving it back credits that invoice, and the credit is refunded or pays the arrears.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.billing import Deposit, FeeItem, Invoice, InvoiceLine
from models.payments import Allocation, Payment
from office.billing import invoices
from office.billing.invoices import Charge
from office.core import amounts, audit, clock
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.staff import refuse_same_person
from office.payments import corrections, credit, payments
from office.payments.deposit_entries import DepositOf, add_entry, deposit_left
from office.payments.payments import NewPayment
from office.policies import large_sums
from office.receivables import ledger
from rules.allocation import Pick
from rules.money import ZERO


def held(session: Session, unit_id: int, payer_id: int | None = None) -> Decimal:
    """Yuan held for a unit (and payer); what an undone payment brought is not."""
    signed = case((Deposit.entry == "taken", Deposit.amount), else_=-Deposit.amount)
    statement = (
        select(func.coalesce(func.sum(signed), 0))
        .join(Payment, Payment.id == Deposit.payment_id)
        .where(Deposit.unit_id == unit_id, Payment.state == "posted")
    )
    if payer_id is not None:
        statement = statement.where(Deposit.payer_id == payer_id)
    return session.scalar(statement) or ZERO


def take_deposit(
    session: Session,
    *,
    unit_id: int,
    payer_id: int,
    fee_item: str,
    amount: Decimal,
    method: str,
    paid_at: datetime,
    now: datetime,
    cashier_id: int | None = None,
    form_key: str | None = None,
) -> Deposit:
    """Charge and take a deposit in one go (B10). The same form again answers the first. Raises Refused."""
    if form_key and (known := _of_form(session, form_key)):
        return known
    item = session.scalars(select(FeeItem).where(FeeItem.code == fee_item)).one_or_none()
    if item is None or item.basis != "deposit":
        raise Refused(N_("%(item)s is no deposit"), item=fee_item)
    amount = amounts.amount_of(amount)
    today = clock.office_day(session, now)
    invoice = invoices.charge(
        session,
        unit_id=unit_id,
        payer_id=payer_id,
        charges=[Charge(fee_item, Decimal(1), amount)],
        due_on=today,
        now=now,
        staff_id=cashier_id,
        is_credit_used=False,
    )  # which asks about a large sum
    new = NewPayment(
        unit_id=unit_id,
        payer_id=payer_id,
        amount=amount,
        method=method,
        paid_at=paid_at,
        cashier_id=cashier_id,
        picks=(Pick(invoice.number),),
        form_key=form_key,
    )
    with large_sums.confirmed(session, amount):
        payment = payments.record_payment(session, new, now=now)
    of = DepositOf(unit_id, payer_id, item.id, payment.id)
    return _entry(session, "taken", of, amount, "", cashier_id, now)


def enter_paid(
    session: Session, *, now: datetime, staff_id: int | None = None, unit_ids: Sequence[int] = ()
) -> list[Deposit]:
    """Enter the deposits that bills asked for and payments have brought in the meantime (B6, B10).

    A move-in bill's deposit is held from the moment its bill is paid. Run again it enters nothing twice.
    """
    brought = (
        select(
            Invoice.unit_id,
            Invoice.payer_id,
            InvoiceLine.fee_item_id,
            InvoiceLine.amount,
            func.max(Allocation.payment_id).label("payment_id"),
        )
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .join(Allocation, Allocation.invoice_id == Invoice.id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(
            FeeItem.basis == "deposit",
            Invoice.kind.in_(("move_in", "one_off")),
            Invoice.balance == 0,
            Invoice.credited == 0,
            Payment.state == "posted",
            *((Invoice.unit_id.in_(unit_ids),) if unit_ids else ()),
        )
        .group_by(Invoice.id, Invoice.unit_id, Invoice.payer_id, InvoiceLine.id)
        .order_by(Invoice.id, InvoiceLine.id)
    )
    known = set(
        session.execute(
            select(Deposit.unit_id, Deposit.fee_item_id, Deposit.payment_id).where(Deposit.entry == "taken")
        )
    )
    return [
        _entry(
            session, "taken", DepositOf(row[0], row[1], row[2], row.payment_id), row.amount, "", staff_id, now
        )
        for row in session.execute(brought).all()
        if (row[0], row[2], row.payment_id) not in known
    ]


def enter_all_paid(session: Session, due_for: datetime) -> JobResult:
    """Deposits that were paid in any way since the last look (job, B10)."""
    return JobResult(done=len(enter_paid(session, now=due_for)))


def _of_form(session: Session, form_key: str) -> Deposit | None:
    return session.scalars(
        select(Deposit).join(Payment, Payment.id == Deposit.payment_id).where(Payment.form_key == form_key)
    ).one_or_none()


def _entry(
    session: Session,
    entry: str,
    of: DepositOf,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Deposit:
    row = add_entry(session, entry, of, amount, reason, staff_id, now)
    audit.record(session, now, staff_id, entry, row, {"amount": amount, "reason": reason})
    return row


def return_deposit(
    session: Session,
    deposit_id: int,
    *,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
    method: str | None = None,
) -> Deposit:
    """Give a deposit back, or part of it (B10). Raises Refused, NotConfirmed for a large sum."""
    large_sums.ask_again(session, "refund", amount, clock.office_day(session, now))
    of, freed = _free(session, deposit_id, amount, reason, staff_id, now)
    with large_sums.confirmed(session, large_sums.ANY):  # the whole was asked about
        for payment_id, part in freed:
            corrections.refund_payment(
                session, payment_id, amount=part, reason=reason, staff_id=staff_id, now=now, method=method
            )
    return _entry(session, "returned", of, amount, reason, staff_id, now)


def set_off_deposit(
    session: Session,
    deposit_id: int,
    *,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Deposit:
    """Let a deposit pay what its payer owes for the unit; the rest is credit (B10). Raises Refused."""
    of, _ = _free(session, deposit_id, amount, reason, staff_id, now)
    owed = [bill for bill in ledger.open_receivables(session, [of.unit_id]) if bill.payer_id == of.payer_id]
    credit.use_credit(session, owed, issued_at=now, now=now)
    return _entry(session, "set_off", of, amount, reason, staff_id, now)


def _free(
    session: Session, deposit_id: int, amount: Decimal, reason: str, staff_id: int | None, now: datetime
) -> tuple[DepositOf, list[tuple[int, Decimal]]]:
    """Turn part of a held deposit into credit of the payments that brought it; answers how much of each.

    Raises Refused for who took it (F21).
    """
    taken = session.get(Deposit, deposit_id)
    if taken is None or taken.entry != "taken" or taken.payment_id is None:
        raise Refused(N_("There is no such deposit"))
    refuse_same_person([taken.staff_id], staff_id)
    ledger.lock_units(session, [taken.unit_id])
    payment = session.get_one(Payment, taken.payment_id)
    if payment.state != "posted":
        raise Refused(N_("Receipt %(number)s is no longer in force"), number=payment.receipt_no)
    held_now = deposit_left(session, taken)
    if not ZERO < amount <= held_now:
        raise Refused(N_("Only %(amount)s of this deposit is held"), amount=held_now)
    invoice_id = session.scalars(
        select(Invoice.id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(Allocation, Allocation.invoice_id == Invoice.id)
        .where(
            Allocation.payment_id == taken.payment_id,
            InvoiceLine.fee_item_id == taken.fee_item_id,
            Invoice.unit_id == taken.unit_id,
        )
        .order_by(Invoice.id.desc())
        .limit(1)
    ).one()
    before = _credits(session, invoice_id)
    note = invoices.NewCreditNote(invoice_id, amount, reason, staff_id, "goodwill", taken.fee_item_id)
    invoices.write_credit_note(session, note, now=now)
    freed = [
        (payment_id, credit - before.get(payment_id, ZERO))
        for payment_id, credit in _credits(session, invoice_id).items()
    ]
    of = DepositOf(taken.unit_id, taken.payer_id, taken.fee_item_id, taken.payment_id)
    return of, [(payment_id, part) for payment_id, part in freed if part > 0]


def _credits(session: Session, invoice_id: int) -> dict[int, Decimal]:
    """The credit of each payment that paid an invoice; yuan."""
    rows = session.execute(
        select(Payment.id, Payment.credit)
        .join(Allocation, Allocation.payment_id == Payment.id)
        .where(Allocation.invoice_id == invoice_id)
        .distinct()
    ).all()
    return {payment_id: credit for payment_id, credit in rows}  # noqa: C416 -- rows, not pairs
