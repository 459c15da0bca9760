"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.payments import cashier_desk, day_close, direct_debit, payments, statements

SCREENS = (
    *cashier_desk.SCREENS,
    *payments.SCREENS,
    *statements.SCREENS,
    *direct_debit.SCREENS,
    *day_close.SCREENS,
)
