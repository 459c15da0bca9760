"""A cheque that bounced: the payment is taken back, and its fee charged as the policy says (M13)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Cheque, Payment
from office.billing import invoices
from office.billing.invoices import Charge
from office.core import clock
from office.payments import cheques, corrections
from office.policies import store
from rules.cheques import ChequePolicy


def bounce(
    session: Session, cheque_id: int, *, reason: str, staff_id: int, now: datetime
) -> tuple[Cheque, Invoice | None]:
    """Take a bounced cheque's payment back, by another than who took it, and charge its fee (M13, F21).

    Answers the cheque and the fee's bill. Raises Refused.
    """
    row = cheques.stored(session, cheque_id)
    payment = session.get_one(Payment, row.payment_id)
    corrections.reverse_payment(session, payment.id, reason=reason, staff_id=staff_id, now=now)
    today = clock.office_day(session, now)
    policy = store.in_force(session, ChequePolicy, today)
    if (fee := policy.fee) is None:
        return row, None
    bill = invoices.charge(
        session,
        unit_id=payment.unit_id,
        payer_id=payment.payer_id,
        charges=[Charge(policy.bounce_fee_item, Decimal(1), fee)],
        due_on=today,
        now=now,
        staff_id=staff_id,
        form_key=f"cheque-{row.id}",
    )
    row.fee_invoice_id = bill.id
    session.flush()
    return row, bill
