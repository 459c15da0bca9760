"""One form works once: its key is taken in the transaction of what it does.

A double click, a page sent again or a broken line posts the same key; whoever comes second finds it taken and
does nothing. A refused form gives its key back with the transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.office import SentForm

LONGEST_KEY = 60
KEPT = timedelta(days=2)  # longer than any session: nobody can send it again


def is_first(session: Session, key: str, *, staff_id: int, now: datetime) -> bool:
    """Take a form's key for this transaction; whether nobody had taken it before.

    On PostgreSQL it waits for another transaction that is taking the same key.
    """
    table = SentForm.__table__
    assert isinstance(table, Table)
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = make(table).values(key=f"{staff_id}:{key[:LONGEST_KEY]}", at=now)
    taken = session.execute(row.on_conflict_do_nothing().returning(table.c.key))
    return taken.one_or_none() is not None


def remove_old(session: Session, due_for: datetime) -> int:
    """Take the keys of old forms out; answers how many."""
    gone: Any = session.execute(delete(SentForm).where(SentForm.at < due_for - KEPT))
    return int(gone.rowcount)
