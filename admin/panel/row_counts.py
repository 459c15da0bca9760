"""How many rows a list has: exact up to a limit, estimated for a whole large table (goal S3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from admin.panel.list_screen import ListScreen

COUNT_CAP = 1000
_TUPLES = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:t)")
_STATISTICS = text("SELECT stat FROM sqlite_stat1 WHERE tbl = :t LIMIT 1")


def count(session: Session, view: ListScreen, conditions: Sequence[Any]) -> tuple[int, bool]:
    """How many rows, and whether that is exact: counting stops at COUNT_CAP, whole tables are estimated."""
    estimated = estimate(session, view.model.__tablename__) if not conditions else 0
    if estimated > COUNT_CAP:
        return estimated, False
    inner = select(literal(1)).select_from(view.model).where(*conditions).limit(COUNT_CAP + 1).subquery()
    found = session.connection().scalar(select(func.count()).select_from(inner)) or 0
    return min(found, COUNT_CAP), found <= COUNT_CAP


def are_at_most(session: Session, view: ListScreen, conditions: Sequence[Any], most: int) -> bool:
    """Whether so many rows match at most; they are counted no further, a whole large table not at all."""
    if not conditions and estimate(session, view.model.__tablename__) > most:
        return False
    inner = select(literal(1)).select_from(view.model).where(*conditions).limit(most + 1).subquery()
    return (session.connection().scalar(select(func.count()).select_from(inner)) or 0) <= most


def estimate(session: Session, table: str) -> int:
    """A table's rows by the database's own statistics; 0 before the first ANALYZE."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return max(int(connection.scalar(_TUPLES, {"t": table}) or 0), 0)
    try:
        stat = connection.scalar(_STATISTICS, {"t": table})
    except OperationalError:  # there is no such table before the first ANALYZE
        return 0
    return int(str(stat).split(" ", maxsplit=1)[0]) if stat else 0
