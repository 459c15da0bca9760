"""Runs migrations: protections off, tables changed, protections on again, in one transaction."""

from alembic import context
from flask import current_app

import models
from models import triggers
from models.base import FixedPoint, Instant, Money
from models.engine import writing
from models.secrets import Sealed
from office import database

engine = current_app.extensions["migrate"].db.engine


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


def run() -> None:
    with writing(), engine.begin() as connection:
        triggers.drop(connection)
        context.configure(
            connection=connection,
            target_metadata=models.db.metadata,
            render_as_batch=True,
            render_item=render,
            include_object=database.is_compared,
            transactional_ddl=True,
        )
        context.run_migrations()
        heads = set(context.script.get_heads())
        if heads and set(context.get_context().get_current_heads()) == heads:
            triggers.install(connection)


run()
