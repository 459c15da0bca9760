"""Screens of vouchers for the ledger (M12)."""
