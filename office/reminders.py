"""Reminder batches: previewed, rows dropped with a reason, approved, sent or printed, done (C4, C5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session


def send_out(session: Session, batch_id: int, *, now: datetime) -> None:
    """Hand an approved batch's messages to the outbox; what is printed waits for the printer."""
