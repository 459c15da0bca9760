"""Small helpers for queries: which database this is, and long lists of ids cut to fit one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from sqlalchemy.orm import Session

Item = TypeVar("Item")
IN_ONE_QUERY = 5000  # values in one `IN (…)`; SQLite takes 32,766 and PostgreSQL 65,535


def is_postgresql(session: Session) -> bool:
    """Whether the session talks to PostgreSQL; otherwise it is SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def chunks(items: Iterable[Item], size: int = IN_ONE_QUERY) -> Iterator[list[Item]]:
    """The items in lists of at most `size`, in their order."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
