"""Complaint tickets: intake, deadlines, escalation, closing, follow-up visits (T1–T12, V1–V4)."""
