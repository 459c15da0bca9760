"""Sessions of signed-in people, as rows that can be revoked (P7)."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.people import WebSession


def end_sessions(session: Session, staff_id: int) -> None:
    """End all of a person's sessions: after a change of password, roles or state."""
    session.execute(delete(WebSession).where(WebSession.staff_id == staff_id))
