"""Many rows into one table by the driver itself: SQLAlchemy's work is done once, not once a row (S12)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    constants: Mapping[str, Any] | None = None,
) -> None:
    """Insert tuples of the columns' Python values; rows that a unique index knows are left as they are.

    `constants` are columns with one value for all rows. Defaults of Python are not filled in: name every
    column that has one.
    """
    constants = constants or {}
    names = (*columns, *constants)
    dialect = session.connection().dialect
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values({name: bindparam(name) for name in names}).on_conflict_do_nothing()
    _execute(session, statement, {name: table.c[name].type for name in names}, rows, constants)


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
    types = {"of": table.c.id.type} | {f"new_{name}": table.c[name].type for name in columns}
    _execute(session, statement, types, rows, {})


def _execute(
    session: Session,
    statement: Any,
    types: Mapping[str, Any],
    rows: Iterable[Sequence[Any]],
    constants: Mapping[str, Any],
) -> None:
    """Compile once, convert each column by its type, and hand all rows to the driver."""
    connection = session.connection()
    dialect = connection.dialect
    compiled = statement.compile(dialect=dialect)
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    converted: dict[str, Sequence[Any]] = {}
    for place, (name, kind) in enumerate(types.items()):
        column = columns[place] if place < len(columns) else [constants[name]] * len(columns[0])
        bind = kind.dialect_impl(dialect).bind_processor(dialect)
        converted[name] = list(map(_Known(bind).__getitem__, column)) if bind else column
    if compiled.positional:
        given: list[Any] = list(
            zip(*(converted[name] for name in compiled.positiontup or types), strict=True)
        )
    else:
        given = [dict(zip(types, values, strict=True)) for values in zip(*converted.values(), strict=True)]
    connection.exec_driver_sql(str(compiled), given)
