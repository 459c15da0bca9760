"""Migrations end where the models are, up, down and up again, with every protection (F10).

The filled office has 5,000 rows in the gate and 50,000 with GATEHOUSE_FULL=1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect, select, text
from sqlalchemy.orm import Session

from models import db, triggers
from models.billing import Incentive, IncentiveGrant
from models.engine import writing
from models.office import Paper
from models.people import Occupancy
from models.secrets import unseal
from office.core import schema as core_schema
from runtime.application import engine_of
from tests.admin import sample_office
from tests.bench import estate
from tests.conftest import IS_FULL, Office
from tests.factories.estate import add_item, add_unit

pytestmark = pytest.mark.long

ROWS = 50_000 if IS_FULL else 5_000
FIRST = "0001"


def differences(office: Office) -> list[Any]:
    with office.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": False, "include_object": core_schema.is_compared(connection.dialect.name)},
        )
        return [
            each
            for each in compare_metadata(context, db.metadata)
            if not (
                each[0] == "remove_index" and each[1].name in triggers.EXCLUSIONS
            )  # their indexes on PostgreSQL
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

    core_schema.downgrade(engine_of(office.app), "base")
    with office.app.app_context(), db.engine.connect() as connection:
        left = set(inspect(connection).get_table_names()) - {"alembic_version"}
    core_schema.migrate(engine_of(office.app))

    assert left == set()
    assert differences(office) == []
    assert protections(office) == []


@pytest.fixture
def filled(office_of: Callable[..., Office]) -> Office:
    """A row in every table that has a screen, and ROWS more of units, bills, complaints and contacts."""
    office = office_of("residential")
    size = estate.Size(units=ROWS // 16, invoices=ROWS // 4, tickets=ROWS // 8, contacts=ROWS // 3, lines=2)
    with office.app.app_context(), writing():
        estate.fill(size)
        made = sample_office.furnish(db.session())
        reward(db.session(), made.ids["units"]["own"])
        db.session.remove()
    return office


def reward(session: Session, unit_id: int) -> None:
    """A row that refers to one in a table which a migration makes anew."""
    reward = Incentive(name_en="early", percent=Decimal("0.5"), valid_from=date(2026, 1, 1))
    session.add(
        IncentiveGrant(incentive=reward, unit_id=unit_id, year=2026, amount=1, granted_on=date(2026, 3, 1))
    )
    session.add(
        Paper(
            kind="receipt", number="1", language="en", contents={"sum": "1.00"}, issued_at=sample_office.NOW
        )
    )
    session.commit()


Contents = Mapping[str, Mapping[str, str]]
# plain text before 0021, sealed since: what they say is compared, as every seal is another
SEALED_BY_A_MIGRATION = frozenset({("message", "address"), ("message", "body")})


def said(table: str, column: str, value: object) -> object:
    """A value as it is compared."""
    is_sealed = (table, column) in SEALED_BY_A_MIGRATION and isinstance(value, str)
    return unseal(str(value)) or value if is_sealed else value


def checksums(office: Office) -> Contents:
    """Of each table, of each column, a checksum over all rows in the order of their keys."""
    found = {}
    with office.app.app_context(), db.engine.connect() as connection:
        schema = inspect(connection)
        for table in schema.get_table_names():
            columns = [column["name"] for column in schema.get_columns(table)]
            key = ", ".join(schema.get_pk_constraint(table)["constrained_columns"]) or columns[0]
            sums = [hashlib.sha256() for _ in columns]
            for row in connection.execute(text(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")):
                for name, value, total in zip(columns, row, sums, strict=True):
                    total.update(repr(said(table, name, value)).encode() + b"\n")
            found[table] = {name: total.hexdigest() for name, total in zip(columns, sums, strict=True)}
    found.pop("alembic_version")
    return found


def unlike(before: Contents, after: Contents) -> list[str]:
    """`table.column` of what both have and which is not the same."""
    return [
        f"{table}.{column}"
        for table in before.keys() & after.keys()
        for column in before[table].keys() & after[table].keys()
        if before[table][column] != after[table][column]
    ]


def rules(office: Office) -> dict[str, set[str]]:
    """What the database itself holds to: triggers, constraints and indexes with their words."""
    is_sqlite = "sqlite" in office.url
    with office.app.app_context(), db.engine.connect() as connection:
        if is_sqlite:
            named = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        else:
            named = "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        found = {"triggers": {f"{name}: {words}" for name, words in connection.execute(text(named))}}
        schema = inspect(connection)
        for table in schema.get_table_names():
            found[table] = {
                f"{kind} {each.get('name')} {each.get('sqltext') or each.get('column_names') or each}"
                for kind, rows in (
                    ("check", schema.get_check_constraints(table)),
                    ("unique", schema.get_unique_constraints(table)),
                    ("key", schema.get_foreign_keys(table)),
                    ("index", schema.get_indexes(table)),
                )
                for each in rows
            }
    return found


def test_down_and_up_again_keeps_every_row(filled: Office) -> None:
    """F10: each revision down to the first and up again, on an office that has lived.

    What a later revision added ends with it on the way down; what the first one knew stays to the letter.
    """
    script = ScriptDirectory(str(core_schema.MIGRATIONS))
    downwards = [each.revision for each in script.walk_revisions()][1:]
    before, held = checksums(filled), rules(filled)
    assert rows_of(filled) >= ROWS

    for revision in downwards:
        core_schema.downgrade(engine_of(filled.app), revision)
        assert (revision, unlike(before, checksums(filled))) == (revision, [])
    first = checksums(filled)
    for revision in [*reversed(downwards[:-1]), "head"]:
        core_schema.migrate(engine_of(filled.app), revision)
        assert (revision, unlike(first, checksums(filled))) == (revision, [])

    after = checksums(filled)
    assert {table: set(columns) for table, columns in after.items()} == {
        table: set(columns) for table, columns in before.items()
    }
    assert set(first) <= set(after)
    assert rules(filled) == held
    assert differences(filled) == []
    assert protections(filled) == []


def rows_of(office: Office) -> int:
    with office.app.app_context(), db.engine.connect() as connection:
        return sum(
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in inspect(connection).get_table_names()
        )


def test_the_comparison_sees_one_changed_value_and_one_lost_rule(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a fen more in one row; and migrations that don't put the protections back."""
    before, held = checksums(office), rules(office)
    with office.app.app_context(), writing(), db.engine.begin() as connection:
        connection.execute(text("UPDATE tariff SET rate = rate + 1 WHERE id = (SELECT min(id) FROM tariff)"))

    assert unlike(before, checksums(office)) == ["tariff.rate"]

    monkeypatch.setattr(triggers, "install", lambda _connection: None)
    core_schema.downgrade(engine_of(office.app), FIRST)
    core_schema.migrate(engine_of(office.app))

    assert rules(office) != held
    assert protections(office) != []


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


def test_a_code_that_the_models_know_is_one_that_the_tables_take(office_of: Callable[..., Office]) -> None:
    """A fee basis, a state or a channel that was added without its migration is named here."""
    office = office_of("none")
    with office.app.app_context(), db.engine.connect() as connection:
        schema = inspect(connection)
        migrated = {
            check["name"]: codes(check["sqltext"])
            for table in db.metadata.tables
            for check in schema.get_check_constraints(table)
        }

    wanted = {
        check.name: codes(str(check.sqltext))
        for table in db.metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    assert migrated == wanted


def codes(condition: str) -> list[str]:
    """The texts in quotation marks of a condition, as SQLite and PostgreSQL write it."""
    return sorted(re.findall(r"'(\w+)'", condition))


def test_down_to_before_the_basis_per_person_and_up_again(office_of: Callable[..., Office]) -> None:
    """F10, B1: the older program gets the item as a fixed sum that is switched off; nothing else changes."""
    office = office_of("residential")
    with office.app.app_context(), writing():
        unit = add_unit(db.session(), "1-101")
        db.session.scalars(select(Occupancy).where(Occupancy.unit_id == unit.id)).one().residents = 3
        add_item(db.session(), "waste", "per_person", rates={"residence": "5"})
        db.session.commit()
        db.session.remove()
    before = checksums(office)

    core_schema.downgrade(engine_of(office.app), "0010")
    older = checksums(office)
    with office.app.app_context(), db.engine.connect() as connection:
        item = connection.execute(text("SELECT basis, is_active FROM fee_item WHERE code = 'waste'")).one()
    core_schema.migrate(engine_of(office.app))

    assert sorted(unlike(before, older)) == ["fee_item.basis", "fee_item.is_active"]
    assert (item.basis, bool(item.is_active)) == ("fixed", False)
    with office.app.app_context():
        assert db.session.scalars(select(Occupancy.residents)).all() == [None]
    assert differences(office) == []
    assert protections(office) == []


def test_messages_of_an_older_office_are_sealed_by_the_upgrade(filled: Office) -> None:
    """F23: 0021 seals address and text of every message; going back opens them again."""
    core_schema.downgrade(engine_of(filled.app), "0020")
    asked = text("SELECT address, body FROM message WHERE key = 'own-1'")
    with filled.app.app_context(), db.engine.connect() as connection:
        assert connection.execute(asked).one() == ("own@example.invalid", "own body")

    core_schema.migrate(engine_of(filled.app))

    with filled.app.app_context(), db.engine.connect() as connection:
        stored = connection.execute(asked).one()
    assert "own" not in "".join(stored)
    assert [unseal(one) for one in stored] == ["own@example.invalid", "own body"]
