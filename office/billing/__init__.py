"""Invoices: billing runs, move-in bills, deposits, incentives, final accounts (B1–B10)."""
