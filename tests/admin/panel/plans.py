"""How the database means to run what a page asks, as if its tables were large (S1–S4).

SQLite plans by the statistics that stand in `sqlite_stat1`, so they are simply written there; PostgreSQL by
the size of its files, so it is told that reading a whole table or sorting is out of the question: what still
does either has no index to do otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from models.base import db

ROWS = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A statement as the driver got it."""

    sql: str
    parameters: Any


@contextmanager
def overheard(engine: Engine) -> Iterator[list[Asked]]:
    """Every SELECT that goes through the engine inside."""
    found: list[Asked] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_rest: Any) -> None:
        if sql.lstrip().upper().startswith("SELECT"):
            found.append(Asked(sql, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def pretend_large(connection: Connection) -> None:
    """From now on the planner believes that each table has ROWS rows."""
    if connection.dialect.name != "sqlite":
        for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            connection.execute(text(f"SET {setting} = off"))
        return
    connection.exec_driver_sql("ANALYZE")
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    for table in db.metadata.sorted_tables:
        for name, unique, _origin, is_partial in connection.exec_driver_sql(
            f"SELECT name, \"unique\", origin, partial FROM pragma_index_list('{table.name}')"
        ).all():
            width = len(connection.exec_driver_sql(f"PRAGMA index_info('{name}')").all())
            rows = ROWS // 50 if is_partial else ROWS
            alike = [max(rows // 10 ** (3 * (place + 1)), 1) for place in range(width)]
            if unique:
                alike[-1] = 1
            stat = " ".join(str(each) for each in (rows, *alike))
            connection.execute(
                text("INSERT INTO sqlite_stat1 VALUES (:table, :name, :stat)"),
                {"table": table.name, "name": name, "stat": stat},
            )
        connection.execute(
            text("INSERT INTO sqlite_stat1 VALUES (:table, NULL, :rows)"),
            {"table": table.name, "rows": str(ROWS)},
        )
    connection.commit()
    connection.exec_driver_sql("ANALYZE sqlite_schema")


def plan(connection: Connection, asked: Asked) -> list[str]:
    """The steps, one a line."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.sql}", asked.parameters)
        return [row[3] for row in rows]
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {asked.sql}", asked.parameters)]


def aliases(sql: str) -> dict[str, str]:
    """The tables that a statement's names stand for."""
    names = "|".join(table.name for table in db.metadata.sorted_tables)
    return {alias: table for table, alias in re.findall(rf"\b({names}) AS (\w+)", sql)}


def troubles(connection: Connection, asked: Asked, large: frozenset[str], *, is_narrowed: bool) -> list[str]:
    """Steps of the plan that read or sort a large table as a whole.

    A walk in an index's order is none, unless the list is narrowed and the index isn't of those rows only.
    """
    if not large & set(re.findall(r"\b(?:FROM|JOIN) (\w+)", asked.sql)):
        return []
    steps = plan(connection, asked)
    names = {**{table: table for table in large}, **aliases(asked.sql)}
    own = {alias for alias, table in names.items() if table in large}
    judge = _of_sqlite if connection.dialect.name == "sqlite" else _of_postgresql
    return judge(steps, own, partial_indexes(), is_narrowed=is_narrowed)


def _of_sqlite(steps: list[str], own: set[str], partial: set[str], *, is_narrowed: bool) -> list[str]:
    found = [step for step in steps if step == "USE TEMP B-TREE FOR ORDER BY"]
    for step in steps:
        scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
        if scan and scan[1] in own and is_narrowed and scan[2] not in partial:
            found.append(step)
    return found


def _of_postgresql(steps: list[str], own: set[str], partial: set[str], *, is_narrowed: bool) -> list[str]:
    found = []
    if any("One-Time Filter: false" in step for step in steps):
        return []
    for place, step in enumerate(steps):
        words = step.strip().removeprefix("->").strip()
        table = re.match(r"Seq Scan on (\w+)", words)
        scan = re.match(r"Index (?:Only )?Scan (?:Backward )?using (\w+) on (\w+)", words)
        is_walk = scan and scan[2] in own and scan[1] not in partial
        details = " ".join(steps[place + 1 : place + 3]).split("->")[0]
        if (
            words.startswith("Sort  (")
            or (table and table[1] in own)
            or (is_narrowed and is_walk and "Index Cond" not in details)
        ):
            found.append(words)
    return found


def partial_indexes() -> set[str]:
    return {
        str(index.name)
        for table in db.metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
