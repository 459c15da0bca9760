"""Sessions of signed-in people, as rows that can be revoked (P7)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from models.people import WebSession
from office.core import clock

LONGEST = timedelta(hours=12)  # from signing in


def key_hash(key: str) -> str:
    """What a row keeps of a random key in a browser's cookie."""
    return hashlib.sha256(key.encode()).hexdigest()


def end_sessions(session: Session, staff_id: int) -> None:
    """End all of a person's sessions: after a change of password, roles or state.

    The rows stay for some hours: what is typed on a page that is still open can be kept for its person (U7).
    """
    session.execute(
        update(WebSession)
        .where(WebSession.staff_id == staff_id, WebSession.ended_at.is_(None))
        .values(ended_at=clock.machine_now())
    )


def remove_old(session: Session, present: datetime) -> int:
    """Take out the sessions that nobody can go on with; answers how many."""
    gone: Any = session.execute(delete(WebSession).where(WebSession.created_at <= present - 2 * LONGEST))
    return int(gone.rowcount)
