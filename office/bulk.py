"""Many rows into one table by the driver itself: SQLAlchemy's work is done once, not once a row (S12)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for garbage, a quarter of the work where rows come by the ten thousand."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Known(dict[Any, Any]):
    """Values as the driver wants them; they repeat, so each is converted once."""

    def __init__(self, bind: Callable[[Any], Any]) -> None:
        super().__init__()
        self.bind = bind

    def __missing__(self, value: Any) -> Any:
        self[value] = made = self.bind(value)
        return made


def insert_rows(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    alike: Mapping[str, Any] | None = None,
) -> None:
    """Insert tuples of the columns' Python values; rows that a unique index knows are left as they are.

    `alike` are columns with one value for all rows. Defaults of Python are not filled in: name every column
    that has one.
    """
    alike = alike or {}
    names = (*columns, *alike)
    dialect = session.connection().dialect
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values({name: bindparam(name) for name in names}).on_conflict_do_nothing()
    types = [table.c[name].type for name in names]
    last = tuple(alike.values())
    _execute(session, statement, names, types, ((*row, *last) for row in rows) if last else rows)


def update_rows(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    also: Mapping[str, ColumnElement[Any]] | None = None,
) -> None:
    """Update rows by id: tuples (id, values of the columns); `also` are columns set by an expression."""
    new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    statement = update(table).where(table.c.id == bindparam("of")).values({**new, **(also or {})})
    types = [table.c.id.type, *(table.c[name].type for name in columns)]
    _execute(session, statement, ("of", *(f"new_{name}" for name in columns)), types, rows)


def _execute(
    session: Session,
    statement: Any,
    names: Sequence[str],
    types: Sequence[Any],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Compile once, convert each value by its type, and hand all rows to the driver."""
    connection = session.connection()
    dialect = connection.dialect
    compiled = statement.compile(dialect=dialect)
    binds = [one.dialect_impl(dialect).bind_processor(dialect) for one in types]
    bound = [(place, _Known(bind)) for place, bind in enumerate(binds) if bind is not None]

    def converted(row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, known in bound:
            values[place] = known[values[place]]
        return values

    if compiled.positional:
        pick = itemgetter(*(names.index(name) for name in compiled.positiontup or names))
        given: list[Any] = [pick(converted(row)) for row in rows]
    else:
        given = [dict(zip(names, converted(row), strict=True)) for row in rows]
    if given:
        connection.exec_driver_sql(str(compiled), given)
