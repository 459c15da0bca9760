"""Migrations end where the models are, up, down and up again, with every protection (F10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from models import db, triggers
from models.engine import writing
from office import database
from tests.conftest import Office


def differences(office: Office) -> list[Any]:
    with office.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": False, "include_object": database.is_compared}
        )
        return [
            each
            for each in compare_metadata(context, db.metadata)
            if not (
                each[0] == "remove_index" and each[1].name == triggers.ONE_PAYER
            )  # its index on PostgreSQL
        ]


def protections(office: Office) -> list[str]:
    with office.app.app_context(), db.engine.connect() as connection:
        return triggers.missing(connection)


def test_the_migrated_schema_is_the_models(office_of: Callable[..., Office]) -> None:
    office = office_of("none")

    assert differences(office) == []
    assert protections(office) == []


def test_down_and_up_again(office_of: Callable[..., Office]) -> None:
    office = office_of("none")

    database.downgrade(office.app, "base")
    with office.app.app_context(), db.engine.connect() as connection:
        left = set(inspect(connection).get_table_names()) - {"alembic_version"}
    database.migrate(office.app)

    assert left == set()
    assert differences(office) == []
    assert protections(office) == []


def test_a_lost_protection_is_named(office: Office) -> None:
    with office.app.app_context(), writing(), db.engine.begin() as connection:
        triggers.drop(connection)

    result = office.run("check")

    assert result.exit_code == 1
    assert "payment_is_never_rewritten" in result.output + (result.stderr or "")


def test_every_constraint_has_a_name() -> None:
    nameless = [
        f"{table.name}: {constraint}"
        for table in db.metadata.tables.values()
        for constraint in table.constraints
        if not constraint.name and constraint.columns.keys() != []
    ]

    assert nameless == []


def test_every_foreign_key_restricts() -> None:
    loose = [
        f"{table.name}.{key.parent.name}"
        for table in db.metadata.tables.values()
        for key in table.foreign_keys
        if key.ondelete != "RESTRICT"
    ]

    assert loose == []
