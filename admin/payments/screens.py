"""The screens of this room, and whose rows they show."""

from __future__ import annotations

from admin.panel.row_access import RowAccess, along_unit
from admin.payments import cashier_desk, cheques, day_close, direct_debit, earmarks, payments, statements
from models.billing import Invoice
from models.payments import Allocation, Cheque, DebitMandate, DirectDebit, Earmark, PayerAccount, Payment

SCREENS = (
    *cashier_desk.SCREENS,
    *payments.SCREENS,
    *earmarks.SCREENS,
    *cheques.SCREENS,
    *statements.SCREENS,
    *direct_debit.SCREENS,
    *day_close.SCREENS,
)
ROW_ACCESS: RowAccess = {
    Payment: along_unit(Payment.unit_id),
    Allocation: along_unit(Allocation.invoice, Invoice.unit_id),
    Earmark: along_unit(Earmark.payment, Payment.unit_id),
    Cheque: along_unit(Cheque.payment, Payment.unit_id),
    DebitMandate: along_unit(DebitMandate.unit_id),
    PayerAccount: along_unit(PayerAccount.unit_id),
    DirectDebit: along_unit(DirectDebit.invoice, Invoice.unit_id),
}
