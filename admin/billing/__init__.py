"""Screens of invoices: billing runs, late fees, move-in bills, deposits, incentives (B1–B10)."""
