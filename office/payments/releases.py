"""What a payment had consumed is free again once it is voided or taken back (M2, M6)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Deposit
from models.payments import DirectDebit, DirectDebitBatch, Payment, StatementRow
from office.payments import cheques, payer_accounts
from office.payments.deposit_entries import DepositOf, add_entry, deposit_left
from rules.reasons import Reason


def release(
    session: Session, payment: Payment, *, is_bank_reversal: bool, staff_id: int | None, now: datetime
) -> None:
    """Let the statement row of an undone payment wait again, and its direct debit await its answer.

    The account that a person had confirmed by posting that row is forgotten, and a deposit that the payment
    brought is no longer held. What is counted from payments alone follows by itself: instalments and promises
    (their jobs), rewards (the nightly job charges them again), restrictions (their gate asks again).

    A debit that the bank took back failed, with the reason of the reversal; one that only waited because the
    receipt had its money already was collected, and its answer can be taken in again.
    """
    reason = Reason("receipt_voided", {"receipt_no": payment.receipt_no})
    for row in session.scalars(select(StatementRow).where(StatementRow.payment_id == payment.id)):
        row.state, row.payment_id, row.reason = "waiting", None, reason.to_json()
        if not is_bank_reversal:
            payer_accounts.forget(session, row, payment.unit_id)
    for debit in session.scalars(select(DirectDebit).where(DirectDebit.payment_id == payment.id)):
        debit.payment_id = None
        if is_bank_reversal and debit.state == "collected" and payment.method == "direct_debit":
            debit.state, debit.bank_reason = "failed", payment.reason[:200]
            continue
        debit.state, debit.bank_reason = "sent", payment.receipt_no
        batch = session.get_one(DirectDebitBatch, debit.batch_id)
        batch.state, batch.answered_at = "exported", None
    cheques.undone(session, payment, is_bank_reversal=is_bank_reversal, now=now)
    _withdraw_deposits(session, payment, staff_id, now)
    session.flush()


def _withdraw_deposits(session: Session, payment: Payment, staff_id: int | None, now: datetime) -> None:
    brought = select(Deposit).where(Deposit.payment_id == payment.id, Deposit.entry == "taken")
    for taken in session.scalars(brought).all():
        if (held := deposit_left(session, taken)) > 0:
            of = DepositOf(taken.unit_id, taken.payer_id, taken.fee_item_id, payment.id)
            add_entry(session, "void", of, held, payment.reason, staff_id, now)
