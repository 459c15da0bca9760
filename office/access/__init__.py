"""Staff accounts: passwords and two-factor sign-in (P7)."""
