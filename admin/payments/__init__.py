"""Screens of money in: cashier desk, payments, direct debit, statements, day-end close (M1–M6)."""
