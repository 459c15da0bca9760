"""The present of a sandbox office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from models.property import Estate


def set_present(session: Session, present: datetime | None) -> None:
    """Choose the instant that the office takes for now; `None` is its first day. Commits."""
    session.execute(update(Estate).values(present_at=present))
    session.commit()
