"""The database as a whole: brought to the newest schema, and checked before anyone works in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.orm import Session

from models import triggers
from models.base import PREFIX_INDEX
from office.core.errors import N_, Refused

if TYPE_CHECKING:  # a quarter of a second of imports that no request needs
    from alembic.config import Config

MIGRATIONS = Path(__file__).parents[2] / "migrations"
PREPARING = 0x6761_7466  # PostgreSQL's name for the lock of who prepares the database
NEWER = N_(
    "The database belongs to a newer version of the program, which alone can work in it: "
    "start that version, or restore the backup that was made before the upgrade."
)


def is_compared(dialect: str) -> Callable[..., bool]:
    """Which things of a database migrations look at: an index for PostgreSQL's LIKE is none of SQLite's."""

    def is_in(_item: Any, name: str | None, kind: str, *_rest: Any) -> bool:
        return not (kind == "index" and dialect == "sqlite" and str(name).endswith(PREFIX_INDEX))

    return is_in


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """One host at a time brings the database up to date or sets it up; others that start wait (§8)."""
    if engine.dialect.name == "sqlite":  # one machine, and its write lock
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(select(func.pg_advisory_lock(PREPARING)))
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(PREPARING)))


def migrate(engine: Engine, revision: str = "head", *, on: Connection | None = None) -> None:
    """Bring the schema to a revision, with every trigger in place; does nothing when it is there.

    `on` is a connection in a transaction of the caller's, to migrate in. Raises Refused for a database whose
    revision this program does not know.
    """
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(_config(engine, on), revision)
    except CommandError as error:
        raise Refused(NEWER) from error


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision."""
    from alembic import command

    command.downgrade(_config(engine), revision)


def revise(engine: Engine, message: str) -> None:
    """Write the migration from the newest revision to what the models say."""
    from alembic import command

    command.revision(_config(engine), message, autogenerate=True)


def _config(engine: Engine, on: Connection | None = None) -> Config:
    """What Alembic runs by; `migrations/env.py` takes the engine, or the open connection, from it."""
    from alembic.config import Config

    config = Config(MIGRATIONS / "alembic.ini", attributes={"engine": engine, "connection": on})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def is_empty(session: Session) -> bool:
    """Whether no migration has ever run here."""
    return not inspect(session.connection()).has_table("alembic_version")


def revisions() -> list[str]:
    """The revisions that this program knows, in order; the last is its own."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("*_*.py"))


def is_up_to_date(session: Session) -> bool:
    """Whether the schema is the one of this program."""
    return not is_empty(session) and stored_revision(session.connection()) == revisions()[-1]


def stored_revision(connection: Connection) -> str:
    """The revision of a database in which a migration has run."""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def missing_protections(session: Session) -> list[str]:
    """Names of triggers and constraints that the database has lost; empty when all is well (M7)."""
    return triggers.missing(session.connection())
