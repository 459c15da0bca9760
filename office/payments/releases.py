"""What a payment had consumed is free again once it is voided or taken back (M2, M6)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.payments import DirectDebit, DirectDebitBatch, Payment, StatementRow
from rules.reasons import Reason


def release(session: Session, payment: Payment, *, is_bank_reversal: bool) -> None:
    """Let the statement row of an undone payment wait again, and its direct debit await its answer.

    A debit that the bank took back failed, with the reason of the reversal.
    """
    reason = Reason("receipt_voided", {"receipt_no": payment.receipt_no})
    for row in session.scalars(select(StatementRow).where(StatementRow.payment_id == payment.id)):
        row.state, row.payment_id, row.reason = "waiting", None, reason.to_json()
    for debit in session.scalars(select(DirectDebit).where(DirectDebit.payment_id == payment.id)):
        debit.payment_id = None
        if is_bank_reversal:
            debit.state, debit.bank_reason = "failed", payment.reason[:200]
            continue
        debit.state, debit.bank_reason = "sent", payment.receipt_no
        batch = session.get_one(DirectDebitBatch, debit.batch_id)
        batch.state, batch.answered_at = "exported", None
    session.flush()
