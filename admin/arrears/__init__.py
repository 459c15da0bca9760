"""Screens of arrears: call list, reminder batches, contacts, plans, restrictions, legal cases (C1–C13)."""
