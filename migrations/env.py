"""Runs migrations: protections off, tables changed, protections on again, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection

from models import Base, triggers
from models.base import FixedPoint, Instant, Money
from models.engine import writing
from models.secrets import Sealed
from office.core import schema

engine = context.config.attributes["engine"]


def render(kind: str, item: object, _context: object) -> str | bool:
    """Write column types as what the database sees, so that a migration never changes with the code."""
    if kind == "type":
        if isinstance(item, FixedPoint | Money):
            return "sa.BigInteger()"
        if isinstance(item, Instant):
            return "sa.DateTime(timezone=True)"
        if isinstance(item, Sealed):
            return "sa.Text()"
    return False


@contextmanager
def tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by dropping it, which rows that refer to it forbid: checked at the end."""
    if connection.dialect.name != "sqlite":
        with connection.begin():
            yield
        return
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")  # heard only outside a transaction
    try:
        with connection.begin():
            yield
            lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if lost is not None:
                raise RuntimeError(f"a row of {lost[0]} refers to none of {lost[2]}: nothing was changed")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:  # in a transaction of the caller's
        run_in(given)
        return
    with writing(), engine.connect() as connection, tables_may_be_made_anew(connection):
        run_in(connection)


def run_in(connection: Connection) -> None:
    triggers.drop(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render,
        include_object=schema.is_compared(connection.dialect.name),
        transactional_ddl=True,
    )
    context.run_migrations()
    heads = set(context.script.get_heads())
    if heads and set(context.get_context().get_current_heads()) == heads:
        triggers.install(connection)


run()
