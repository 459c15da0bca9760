"""Numbers of invoices, receipts, tickets and the like without gaps: one counter row a series and year.

Whoever takes a number holds the counter until the transaction ends, so a rollback gives it back and two
takers wait for each other (decisions: Receipt numbers).
"""

from __future__ import annotations

from sqlalchemy import Table, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.office import Counter

WIDTH = 6


def take(session: Session, series: str, year: int, count: int = 1) -> int:
    """The first of `count` numbers that follow each other, starting at 1 in each series and year."""
    table = Counter.__table__
    assert isinstance(table, Table)
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        make(table)
        .values(series=series, year=year, value=count)
        .on_conflict_do_update(
            index_elements=[table.c.series, table.c.year],
            set_={"value": table.c.value + literal(count)},
        )
        .returning(table.c.value)
    )
    return int(session.execute(statement).scalar_one()) - count + 1


def written(prefix: str, running: int) -> str:
    """`prefix-000001`: the running number at the end, six digits or more."""
    return f"{prefix}-{running:0{WIDTH}d}"
