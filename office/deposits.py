"""Deposits held for a unit and payer, returned, or set off against what is owed (B10).

A deposit is charged by an invoice of its own and paid by a payment, so that every fen stays in the books:
giving it back credits that invoice, and the credit is refunded or pays the arrears.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.billing import Deposit, FeeItem, Invoice, InvoiceLine
from models.payments import Allocation, Payment
from office import allocation, audit, clock, invoices, numbers, payments
from office.errors import N_, Refused
from office.invoices import Charge
from rules.allocation import Pick
from rules.money import ZERO

SERIES = "Y"


def held(session: Session, unit_id: int, payer_id: int | None = None) -> Decimal:
    """Yuan held for a unit (and payer)."""
    signed = case((Deposit.entry == "taken", Deposit.amount), else_=-Deposit.amount)
    statement = select(func.coalesce(func.sum(signed), 0)).where(Deposit.unit_id == unit_id)
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
    today = now.astimezone(clock.zone(session)).date()
    invoice = invoices.charge(
        session,
        unit_id=unit_id,
        payer_id=payer_id,
        charges=[Charge(fee_item, Decimal(1), amount)],
        due_on=today,
        now=now,
        staff_id=cashier_id,
        is_credit_used=False,
    )
    payment = payments.record_payment(
        session,
        unit_id=unit_id,
        payer_id=payer_id,
        amount=amount,
        method=method,
        paid_at=paid_at,
        now=now,
        cashier_id=cashier_id,
        picks=[Pick(invoice.number)],
        form_key=form_key,
    )
    return _entry(session, "taken", item.id, payment, amount, "", cashier_id, now)


def _of_form(session: Session, form_key: str) -> Deposit | None:
    return session.scalars(
        select(Deposit).join(Payment, Payment.id == Deposit.payment_id).where(Payment.form_key == form_key)
    ).one_or_none()


def _entry(
    session: Session,
    entry: str,
    fee_item_id: int,
    payment: Payment,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Deposit:
    today = now.astimezone(clock.zone(session)).date()
    row = Deposit(
        number=numbers.written(f"{SERIES}{today.year}", numbers.take(session, SERIES, today.year)),
        unit_id=payment.unit_id,
        payer_id=payment.payer_id,
        fee_item_id=fee_item_id,
        entry=entry,
        amount=amount,
        reason=reason.strip(),
        posted_on=today,
        payment_id=payment.id,
        staff_id=staff_id,
    )
    session.add(row)
    session.flush()
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
    """Give a deposit back, or part of it (B10). Raises Refused."""
    taken, payment = _free(session, deposit_id, amount, reason, staff_id, now)
    payments.refund_payment(
        session, payment.id, amount=amount, reason=reason, staff_id=staff_id, now=now, method=method
    )
    return _entry(session, "returned", taken.fee_item_id, payment, amount, reason, staff_id, now)


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
    taken, payment = _free(session, deposit_id, amount, reason, staff_id, now)
    owed = [
        bill
        for bill in allocation.open_bills(session, [payment.unit_id])
        if bill.payer_id == payment.payer_id
    ]
    payments.use_credit(session, owed, issued_at=now, now=now)
    return _entry(session, "set_off", taken.fee_item_id, payment, amount, reason, staff_id, now)


def _free(
    session: Session, deposit_id: int, amount: Decimal, reason: str, staff_id: int | None, now: datetime
) -> tuple[Deposit, Payment]:
    """Turn part of a held deposit into credit of the payment that brought it."""
    taken = session.get(Deposit, deposit_id)
    if taken is None or taken.entry != "taken" or taken.payment_id is None:
        raise Refused(N_("There is no such deposit"))
    allocation.lock(session, [taken.unit_id])
    gone = session.scalar(
        select(func.coalesce(func.sum(Deposit.amount), 0)).where(
            Deposit.payment_id == taken.payment_id, Deposit.entry != "taken"
        )
    )
    left = taken.amount - (gone or ZERO)
    if not ZERO < amount <= left:
        raise Refused(N_("Only %(amount)s of this deposit is held"), amount=left)
    invoice_id = session.scalars(
        select(Invoice.id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(Allocation, Allocation.invoice_id == Invoice.id)
        .where(Allocation.payment_id == taken.payment_id, InvoiceLine.fee_item_id == taken.fee_item_id)
        .order_by(Invoice.id.desc())
        .limit(1)
    ).one()
    invoices.credit_note(session, invoice_id, amount=amount, reason=reason, staff_id=staff_id, now=now)
    return taken, session.get_one(Payment, taken.payment_id)
