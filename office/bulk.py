"""Many rows into one table, as fast as the driver takes them (contract: imports of whole registers)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, Table, insert
from sqlalchemy.orm import Session

from models.base import Instant

Process = Callable[[Any], Any]


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns; columns left out take the database's own defaults.

    On SQLite the values go straight to the driver: SQLAlchemy's own way costs twice as much as the writing.
    """
    if not rows:
        return
    dialect = session.get_bind().dialect
    if dialect.name != "sqlite":
        session.execute(insert(table), rows)
        return
    names = list(rows[0])
    ways = [(name, _way(table, name, dialect)) for name in names]
    values = [tuple(row[name] if way is None else way(row[name]) for name, way in ways) for row in rows]
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 -- names of our own columns
    session.connection().exec_driver_sql(statement, values)


def _way(table: Table, name: str, dialect: Dialect) -> Process | None:
    """How a column's values are stored; None where they are stored as they are."""
    kind = table.c[name].type
    if isinstance(kind, Instant):
        return _instant
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _instant(value: datetime | None) -> str | None:
    """An instant as models.base.Instant stores it on SQLite; a naive one is refused there and here."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]
