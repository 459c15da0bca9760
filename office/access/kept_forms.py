"""Forms whose session had ended when they were sent: kept sealed for their person alone (U7).

The browser's cookie holds the key, the row its hash: neither another person nor another browser finds it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.people import KeptForm
from office.access.sessions import key_hash

KEPT = timedelta(hours=12)


def keep(session: Session, staff_id: int, sent: str, *, now: datetime) -> str:
    """Keep what was sent, a JSON text; answers the key for this browser's cookie."""
    key = secrets.token_urlsafe(32)
    session.add(KeptForm(key_hash=key_hash(key), staff_id=staff_id, sent=sent, at=now))
    return key


def newest(session: Session, keys: Sequence[str], staff_id: int, *, now: datetime) -> KeptForm | None:
    """The newest form that this person sent from this browser, by the keys in its cookie."""
    return session.scalars(
        select(KeptForm)
        .where(
            KeptForm.key_hash.in_([key_hash(key) for key in keys]),
            KeptForm.staff_id == staff_id,
            KeptForm.at > now - KEPT,
        )
        .order_by(KeptForm.at.desc(), KeptForm.key_hash)
        .limit(1)
    ).first()


def forget(session: Session, keys: Sequence[str], staff_id: int) -> None:
    """At a deliberate sign-out nothing is kept."""
    session.execute(
        delete(KeptForm).where(
            KeptForm.key_hash.in_([key_hash(key) for key in keys]), KeptForm.staff_id == staff_id
        )
    )


def remove_old(session: Session, present: datetime) -> int:
    """Take out what nobody came back for; answers how many."""
    gone: Any = session.execute(delete(KeptForm).where(KeptForm.at <= present - KEPT))
    return int(gone.rowcount)
