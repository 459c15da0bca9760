"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.billing import deposits, incentives, invoices, late_fees, move_in, runs

SCREENS = (
    *runs.SCREENS,
    *invoices.SCREENS,
    *move_in.SCREENS,
    *deposits.SCREENS,
    *late_fees.SCREENS,
    *incentives.SCREENS,
)
