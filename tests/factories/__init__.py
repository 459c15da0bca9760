"""What tests build with: a sample estate, tickets, debts, payments, spreadsheets."""
