"""Money in: payments, receipts, cashier desk, direct debit, statements, day-end close (M1–M6)."""
