"""Screens of complaints: intake, tickets, work board, follow-up visits, public form (T1–T12, V1–V4)."""
