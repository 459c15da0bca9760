"""The screens of this room, in the order of the menu, and whose rows they show."""

from __future__ import annotations

from admin.panel.row_access import RowAccess, along_unit
from admin.payments import cashier_desk, day_close, direct_debit, payments, statements
from models.payments import Payment

SCREENS = (
    *cashier_desk.SCREENS,
    *payments.SCREENS,
    *statements.SCREENS,
    *direct_debit.SCREENS,
    *day_close.SCREENS,
)
ROW_ACCESS: RowAccess = {
    Payment: along_unit(Payment.unit_id),
}
