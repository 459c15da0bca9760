"""Arrears: dunning, contacts, instalment plans, restrictions, legal cases (C1–C13, B9)."""
