"""Screens of imports: upload, header mapping, trial, and new rows for any table."""
