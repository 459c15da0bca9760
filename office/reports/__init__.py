"""Reports: figures, tables, the dashboard, the weekly sheet and report mails (K1–K6)."""
