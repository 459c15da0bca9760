"""Many rows into one table by the driver itself: SQLAlchemy's work is done once, not once a row (S12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert tuples of the columns' Python values; rows that a unique index knows are left as they are.

    Defaults of Python are not filled in: name every column that has one.
    """
    connection = session.connection()
    dialect = connection.dialect
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values({name: bindparam(name) for name in columns}).on_conflict_do_nothing()
    compiled = statement.compile(dialect=dialect)
    bound = [
        (place, bind)
        for place, name in enumerate(columns)
        if (bind := table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) is not None
    ]
    in_order = columns if compiled.positiontup is None else compiled.positiontup
    known: list[dict[Any, Any]] = [{} for _ in columns]  # values repeat: each is converted once

    def converted(row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, bind in bound:
            value = values[place]
            if value not in known[place]:
                known[place][value] = bind(value)
            values[place] = known[place][value]
        return values

    if compiled.positional:
        pick = itemgetter(*(columns.index(name) for name in in_order))
        given: list[Any] = [pick(converted(row)) for row in rows]
    else:
        given = [dict(zip(columns, converted(row), strict=True)) for row in rows]
    if given:
        connection.exec_driver_sql(str(compiled), given)
