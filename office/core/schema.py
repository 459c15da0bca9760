"""The database as a whole: brought to the newest schema, and checked before anyone works in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.orm import Session

from models import db, triggers
from models.base import PREFIX_INDEX
from models.engine import writing

MIGRATIONS = Path(__file__).parents[2] / "migrations"
PREPARING = 0x6761_7466  # PostgreSQL's name for the lock of who prepares the database


def is_compared(_item: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    """Whether migrations look at it: an index for PostgreSQL's LIKE is none of SQLite's."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    return not (kind == "index" and is_sqlite and str(name).endswith(PREFIX_INDEX))


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


def migrate(app: Flask, revision: str = "head") -> None:
    """Bring the schema to a revision, with every trigger in place; does nothing when it is there."""
    import flask_migrate

    flask_migrate.Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        flask_migrate.upgrade(revision=revision)


def downgrade(app: Flask, revision: str) -> None:
    """Take the schema back to a revision."""
    import flask_migrate

    flask_migrate.Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        flask_migrate.downgrade(revision=revision)


def revise(app: Flask, message: str) -> None:
    """Write the migration from the newest revision to what the models say."""
    import flask_migrate

    flask_migrate.Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        flask_migrate.revision(message=message, autogenerate=True)


def is_empty(session: Session) -> bool:
    """Whether no migration has ever run here."""
    return not inspect(session.connection()).has_table("alembic_version")


def is_up_to_date(session: Session) -> bool:
    """Whether the schema is the one of this program."""
    from alembic.script import ScriptDirectory  # a quarter of a second of imports that no request needs

    if is_empty(session):
        return False
    stored = session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return stored == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def missing_protections(session: Session) -> list[str]:
    """Names of triggers and constraints that the database has lost; empty when all is well (M7)."""
    return triggers.missing(session.connection())


def refresh_statistics(session: Session) -> None:
    """After bulk work: tell the database how its tables look now (decisions: Speed)."""
    with writing():
        session.connection().exec_driver_sql("ANALYZE")
        session.commit()
