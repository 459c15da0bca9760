"""The estate: units, owners, household file, unit grid, search, personal data (P1–P8)."""
