"""What names something is one row, however it is typed (contract "Reading files": text keys).

Over every table with such a name, as the models list them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Column, Index, String, Table, UniqueConstraint, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import db, text_keys
from models.engine import writing
from models.office import ImportMapping, SavedView
from models.payments import StatementLayout
from models.people import Staff
from models.property import Unit
from office.core import schema
from office.core.bulk_insert import insert_rows
from office.operations import integrity
from rules.text_keys import compared_key
from runtime.application import engine_of
from tests.admin.sample_office import furnish
from tests.conftest import Office

PAIRS = [
    pytest.param(table, name, folded, id=f"{table.name}.{name.name}")
    for table in db.metadata.sorted_tables
    for name, folded in text_keys.folded_columns(table)
]
UNIQUE_PAIRS = [pair for pair in PAIRS if pair.values[0].name != "owner"]  # persons may bear one name
# what the program itself writes, always in one form: numbers of series, periods, keys of things made once
OF_THE_PROGRAM = {
    *("attachment.key", "credit_note.number", "day_close_line.method", "deposit.number"),
    *("direct_debit_batch.number", "figures_collected.period", "figures_item.period"),
    *(
        "figures_collected.unit_kind",
        "figures_owed.period",
        "figures_owed.unit_kind",
        "figures_year.bills_year",
        "figures_year.year",
        "import_mapping.kind",
        "invoice.number",
        "invoice.part",
        "invoice.period",
        "incident.number",
        "item_rate.scope",
        "pool.period",
        "pool.place",
        "job_run.job",
        "ledger_account.target",
    ),
    *("message.key", "opening_text.arrears_reason", "opening_text.language", "paper.kind"),
    *("payer_account.account_mac", "paper_setting.sha256", "ticket.form_key"),
    *(
        "paper.number",
        "paper_setting.sha256",
        "paper_template.language",
        "paper_template.paper",
        "payment.form_key",
    ),
    *("payment.receipt_no", "payment.series", "policy_version.policy", "recovery_code.code_mac"),
    *("reminder.reason_code", "reminder.stage", "reminder_batch.number", "reminder_batch.stage"),
    *(
        "list_setting.screen",
        "report_count.period",
        "report_count.report",
        "saved_view.screen",
        "statement_row.source",
    ),
    *(
        "statement_row.transaction_id",
        "visit.number",
        "voucher.number",
        "voucher.period",
        "work_slip.number",
    ),
}
WIDE = {chr(code - 0xFEE0): chr(code) for code in range(0xFF01, 0xFF5F)}
DASHES = "-‐‑‒–—―−－﹣"
BLANKS = ("", " ", "\u3000", "\xa0", "\t", "\u200b", "\ufeff")


def names() -> dict[str, Column[str]]:
    """`table.column` of each name that has its folded form beside it, with the column of that."""
    return {
        f"{table.name}.{name.name}": folded
        for table in db.metadata.sorted_tables
        for name, folded in text_keys.folded_columns(table)
    }


def unique_texts() -> Iterator[str]:
    """`table.column` of each text in a unique constraint or index that no list of codes bounds."""
    for table in db.metadata.sorted_tables:
        uniques = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
        held: list[Any] = [
            *uniques,
            *(each for each in table.indexes if isinstance(each, Index) and each.unique),
        ]
        coded = {
            str(each.sqltext).partition(" ")[0]
            for each in table.constraints
            if isinstance(each, CheckConstraint)
        }
        for column in {column for each in held for column in each.columns}:
            if isinstance(column.type, String) and column.name not in coded and "folds" not in column.info:
                yield f"{table.name}.{column.name}"


def unfolded() -> list[str]:
    return sorted(set(unique_texts()) - names().keys() - OF_THE_PROGRAM)


def test_every_unique_text_is_folded_or_the_programs_own() -> None:
    """A new key column that people type and that has no folded column beside it is named here."""
    assert unfolded() == []
    assert set(unique_texts()) >= OF_THE_PROGRAM
    assert names().keys() - set(unique_texts()) == {"owner.name"}


def test_every_folded_name_but_a_persons_is_unique() -> None:
    unique = {
        column.name
        for table in db.metadata.sorted_tables
        for each in table.constraints
        if isinstance(each, UniqueConstraint)
        for column in each.columns
        if "folds" in column.info
    }

    assert {folded.name for folded in names().values()} == unique


def test_control_a_key_column_without_folding_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(db.metadata.tables["unit"].c.code_folded.info, "folds")

    assert unfolded() == ["unit.code", "unit.code_folded"]


# Creating ----------------------------------------------------------------------------------------------


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Two spellings of one name: in width, dash, case and blanks around it."""
    plain = draw(st.text("AbzZ019-栋#", min_size=1, max_size=6))

    def spelt() -> str:
        letters = [
            draw(
                st.sampled_from(
                    [letter, letter.swapcase(), WIDE.get(letter, letter), *(DASHES if letter == "-" else "")]
                )
            )
            for letter in plain
        ]
        return draw(st.sampled_from(BLANKS)) + "".join(letters) + draw(st.sampled_from(BLANKS))

    return spelt(), spelt()


def copied(session: Session, table: Table, name: str) -> dict[str, Any]:
    """A row's values but its id, name and folded form."""
    row = session.execute(select(table).limit(1)).one()
    return {key: value for key, value in row._mapping.items() if key not in {"id", name, f"{name}_folded"}}


def by_core(session: Session, table: Table, values: dict[str, Any]) -> None:
    session.execute(insert(table), [values])


def by_model(session: Session, table: Table, values: dict[str, Any]) -> None:
    model = next(each.class_ for each in db.Model.registry.mappers if each.local_table is table)
    session.add(model(**values))
    session.flush()


def in_bulk(session: Session, table: Table, values: dict[str, Any]) -> None:
    row = text_keys.with_folded(table, values)
    before = session.execute(select(table.c.id)).all()
    insert_rows(session, table, list(row), [tuple(row.values())])
    if len(session.execute(select(table.c.id)).all()) == len(before):
        raise IntegrityError("left as it is", None, Exception())


def at_another_time(values: dict[str, Any], place: int) -> dict[str, Any]:
    """The values with days of validity that no other row has: two rows of one time may be refused."""
    later = timedelta(days=1000 * (place + 1))
    return values | {name: values[name] + later for name in ("valid_from", "valid_to") if values.get(name)}


def rows_made(session: Session, table: Table, column: str, pair: tuple[str, str], add: Any) -> int:
    """How many rows two spellings of one name make."""
    values, made = copied(session, table, column), 0
    with session.begin_nested() as whole:
        for place, spelling in enumerate(pair):
            try:
                with session.begin_nested():
                    add(session, table, {**at_another_time(values, place), column: spelling})
                made += 1
            except IntegrityError:
                pass
        whole.rollback()
    session.expunge_all()
    return made


@pytest.fixture
def rows(office_of: Callable[..., Office]) -> Iterator[Session]:
    """A row in every table that has such a name."""
    office = office_of("residential", fills=(furnish,))
    with office.app.app_context(), writing():
        session = db.session()
        staff = session.scalars(select(Staff.id)).first()
        session.add(SavedView(staff_id=staff, screen="units", name="mine", query=""))
        session.add(StatementLayout(name="bank", header="[]", columns="{}"))
        now = datetime(2026, 7, 1, tzinfo=UTC)
        session.add(ImportMapping(kind="roster", name="old program", headers="[]", said="{}", made_at=now))
        session.flush()
        yield session
        session.rollback()


@pytest.mark.parametrize("add", [by_core, by_model, in_bulk])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pair=spellings())
def test_two_spellings_of_one_name_are_one_row(rows: Session, add: Any, pair: tuple[str, str]) -> None:
    assert compared_key(pair[0]) == compared_key(pair[1])
    for place in UNIQUE_PAIRS:
        table, name, _folded = place.values

        assert (table.name, rows_made(rows, table, name.name, pair, add)) == (table.name, 1)


@pytest.mark.parametrize("add", [by_core, by_model, in_bulk])
def test_control_unfolded_they_are_two(rows: Session, monkeypatch: pytest.MonkeyPatch, add: Any) -> None:
    monkeypatch.setattr(text_keys, "compared_key", str)
    monkeypatch.setattr(text_keys, "text_key", str)

    for place in UNIQUE_PAIRS:
        table, name, _folded = place.values
        assert rows_made(rows, table, name.name, ("1-1", "１－１"), add) == 2


def test_a_name_is_written_in_its_normal_form_and_a_persons_as_typed(rows: Session) -> None:
    unit, staff = rows.scalars(select(Unit)).first(), rows.scalars(select(Staff)).first()
    assert unit is not None
    assert staff is not None

    unit.code, staff.login = " Ａ－１０１", "ＣＬＥＲＫ　"
    rows.flush()

    assert (unit.code, unit.code_folded) == ("A-101", "a-101")
    assert (staff.login, staff.login_folded) == ("CLERK", "clerk")


@pytest.mark.parametrize("asked", ["a-101", "Ａ－１０１", "A–101 "])
def test_looking_up_compares_as_creating_does(rows: Session, asked: str) -> None:
    unit = rows.scalars(select(Unit)).first()
    assert unit is not None
    unit.code = "A-101"
    rows.flush()

    assert rows.scalars(text_keys.called(select(Unit.id), Unit.code, asked)).all() == [unit.id]


# Offices from before -----------------------------------------------------------------------------------

OLD = [
    ("1-101", ""),
    ("１－１０１", ""),
    ("b-2", ""),
    ("B-2", ""),
    ("３－１", "3-1"),
]  # code, folded when alone


@pytest.fixture
def old_office(office_of: Callable[..., Office]) -> Office:
    """An office whose units bear names that are written alike, from before names were compared."""
    office = office_of("residential")
    core_engine = engine_of(office.app)
    schema.downgrade(core_engine, "0013")
    with office.app.app_context(), writing(), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO area (id, name) VALUES (1, 'East')"))
        connection.execute(text("INSERT INTO building (id, name, area_id) VALUES (1, '1', 1)"))
        for number, (code, _folded) in enumerate(OLD, start=1):
            connection.execute(
                text(
                    "INSERT INTO unit (id, code, building_id, kind, area_m2) "
                    "VALUES (:id, :code, 1, 'shop', 1)"
                ),
                {"id": number, "code": code},
            )
    schema.migrate(core_engine)
    return office


def folded_of_units(session: Session) -> list[tuple[str, str]]:
    return [tuple(row) for row in session.execute(select(Unit.code, Unit.code_folded).order_by(Unit.id))]


def test_an_old_office_with_equal_names_keeps_both_and_is_told(old_office: Office) -> None:
    with old_office.app.app_context():
        assert folded_of_units(db.session()) == [
            ("1-101", "1-101"),
            ("１－１０１", "1-101\n2"),
            ("b-2", "b-2"),
            ("B-2", "b-2\n4"),
            ("３－１", "3-1"),
        ]
        told = list(integrity.names_are_apart(db.session()))
        assert [(each.check, each.row, each.name) for each in told] == [
            ("name_written_alike", 2, "１－１０１"),
            ("name_written_alike", 4, "B-2"),
        ]
        for written, row_id in (
            ("1-101", 1),
            ("１－１０１", 2),
            (" 1–101", 1),
            ("B-2", 4),
            ("Ｂ-2", 3),
            ("3-1", 5),
        ):
            found = db.session.scalars(text_keys.called(select(Unit.id), Unit.code, written)).first()
            assert (written, found) == (written, row_id)


def test_such_a_row_can_be_worked_on_and_is_well_once_it_has_another_name(old_office: Office) -> None:
    with old_office.app.app_context(), writing():
        unit = db.session.get_one(Unit, 2)
        unit.code, unit.note = "１－１０１", "the second one"
        db.session.commit()
        assert folded_of_units(db.session())[1] == ("１－１０１", "1-101\n2")

        unit.code = "1-101A"
        db.session.get_one(Unit, 4).code = "B-2 2"
        db.session.commit()

        assert folded_of_units(db.session())[1] == ("1-101A", "1-101a")
        assert list(integrity.names_are_apart(db.session())) == []
        db.session.remove()


def test_a_third_of_them_is_refused(old_office: Office) -> None:
    with old_office.app.app_context(), writing():
        db.session.add(Unit(code="1—101", building_id=1, kind="shop", area_m2=1))

        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()


def test_control_a_name_changed_behind_the_models_is_told(rows: Session) -> None:
    rows.execute(text("UPDATE area SET name = 'Elsewhere' WHERE id = (SELECT min(id) FROM area)"))

    assert [each.check for each in integrity.names_are_apart(rows)] == ["name_compared_otherwise"]
