"""Policies: the dated numbers and tables an office may change, and which one holds on a day (§9)."""
