"""The demo estate: two areas, staff of every role, owners with phones, all invented."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session


def build(session: Session, *, password: str, now: datetime) -> None:
    """Add the demo estate to a new office."""
