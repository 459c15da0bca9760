"""Screens of the estate: units, owners, staff, household file, unit grid, search (P1–P8)."""
