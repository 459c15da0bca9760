"""Vouchers for the ledger: accounts, making, files, checks (M12)."""
