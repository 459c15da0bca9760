"""Screens of reports: the start page of each role, report pages with charts and files (K1–K6)."""
