"""What is owed: allocation of payments to invoices, late fees, and their integrity checks (M1, M7, B7)."""
