"""Nothing starts on a database that is empty, foreign, of another version, or moved away (F20)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import select, text

from models import db
from models.engine import writing
from models.people import Staff
from models.property import Area
from office.core import schema
from office.core.errors import Refused
from office.operations import opening
from runtime import serving
from runtime.application import engine_of
from tests.conftest import Office, Templates

WORKING = (("check",), ("export", "units"), ("tick",), ("bill", "2026-07"), ("clock",), ("rotate-key",))
STARTING = (*WORKING, ("init", "--preset", "residential"), ("backup", "office.zip"))


def prepared(office: Office) -> str:
    """What `app.py` says when it will not open; empty when it opens."""
    with office.app.app_context():
        try:
            serving.prepare(office.app)
        except Refused as refusal:
            return str(refusal)
        finally:
            db.session.remove()
            db.engine.dispose()
    return ""


def in_one_line(told: Result) -> bool:
    return told.exit_code == 1 and told.stderr.count("\n") == 1 and "Traceback" not in told.output


def foreign_file(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE contact (id INTEGER PRIMARY KEY, estate TEXT)")
        other.execute("INSERT INTO contact VALUES (1, 'a')")
        other.commit()


def text_file(file: Path) -> None:
    file.write_text("unit_code,building\n1-101,1\n" * 200)


def empty_beside_key(file: Path) -> None:
    file.write_bytes(b"")
    (file.parent / "secret_key").write_text("a key")


def empty_beside_backup(file: Path) -> None:
    file.write_bytes(b"")
    (file.parent / "backups").mkdir()
    (file.parent / "backups" / "gatehouse-2026-01-01.zip").write_bytes(b"x")


FILES: dict[Callable[[Path], None], str] = {
    foreign_file: "another program",
    text_file: "no SQLite database",
    empty_beside_key: "secret_key is there",
    empty_beside_backup: "gatehouse-2026-01-01.zip is there",
}


@pytest.mark.parametrize("make", FILES)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_file_that_is_no_office_is_told_and_left_alone(
    office: Office, make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = office.instance / "gatehouse.db"
    with office.app.app_context():
        db.engine.dispose()
    for old in office.instance.glob("gatehouse.db*"):
        old.unlink()
    make(file)
    before = file.read_bytes()

    told = [office.run(*command) for command in STARTING]

    assert [one.stderr for one in told if not in_one_line(one)] == []
    assert all(FILES[make] in one.stderr for one in told)
    assert FILES[make] in prepared(office)
    assert FILES[make] in office.run("doctor").output
    assert file.read_bytes() == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_without_the_look_at_the_file_it_becomes_an_office(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: an empty file is what a new office begins with."""
    with office.app.app_context():
        db.engine.dispose()
    for old in office.instance.glob("gatehouse.db*"):
        old.unlink()
    empty_beside_key(office.instance / "gatehouse.db")
    monkeypatch.setattr(opening, "lost", lambda _bind: None)

    assert prepared(office) == ""


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_tables_of_another_program_on_a_server(
    office_of: Callable[..., Office], dialect: str, templates: Templates, tmp_path: Path
) -> None:
    office = office_of("none")
    bind = engine_of(office.app)
    schema.downgrade(bind, "base")
    with bind.begin() as connection:
        connection.execute(text("CREATE TABLE contact (id integer, estate text)"))

    told = [office.run(*command) for command in (*WORKING, ("init", "--preset", "tower"))]

    assert [one.stderr for one in told if not in_one_line(one)] == []
    assert all("another program" in one.stderr for one in told)
    assert "another program" in prepared(office)
    with bind.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM contact")) == 0


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_forgotten_setting_makes_no_new_office(office: Office) -> None:
    """The office lies on a server whose address is not set any more: its key and backups are still here."""
    with office.app.app_context():
        db.engine.dispose()
    for old in office.instance.glob("gatehouse.db*"):
        old.unlink()
    (office.instance / "secret_key").write_text("a key")

    assert "GATEHOUSE_DATABASE_URL" in prepared(office)
    assert "GATEHOUSE_DATABASE_URL" in office.run("check").stderr
    assert not (office.instance / "gatehouse.db").exists()
    assert office.run("init", "--preset", "residential").exit_code == 0  # who says so may begin anew


def of_a_newer_version(office: Office) -> None:
    with engine_of(office.app).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("CREATE TABLE of_tomorrow (id integer)"))


def test_an_office_of_a_newer_version_is_told_with_what_to_do(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "office.zip"
    before = office.run("backup", file)
    of_a_newer_version(office)

    told = [office.run(*command) for command in (*WORKING, ("backup", tmp_path / "newer.zip"))]

    assert before.exit_code == 0, before.output
    assert [one.stderr for one in told if not in_one_line(one)] == []
    assert all("newer version" in one.stderr for one in told)
    assert "newer version" in prepared(office)
    doctor = office.run("doctor").output
    assert "newer version" in doctor
    assert "brings the database up to date" not in doctor

    # going back: the backup of before the upgrade comes in over it, and leaves nothing of the newer one
    restored = office.run("restore", file)

    assert restored.exit_code == 0, restored.output
    assert office.run("check").exit_code == 0
    if "sqlite" not in office.url:
        with engine_of(office.app).connect() as connection:
            assert connection.scalar(text("SELECT to_regclass('of_tomorrow')")) is None


def test_an_office_of_an_older_version(office: Office, tmp_path: Path) -> None:
    """Backed up before the upgrade, as doctor advises; restored it is up to date, with every row."""
    with office.session() as session, writing():
        session.add(Area(name="东区"))
        session.commit()
    schema.downgrade(engine_of(office.app), "0011")

    told = [office.run(*command) for command in WORKING]
    advice = office.run("doctor").output
    made = office.run("backup", tmp_path / "older.zip")
    opened = prepared(office)
    with office.session() as session, writing():
        session.execute(text("DELETE FROM area"))
        session.commit()
    restored = office.run("restore", tmp_path / "older.zip")

    assert [one.stderr for one in told if not in_one_line(one)] == []
    assert "flask backup FILE" in advice
    assert (made.exit_code, opened, restored.exit_code) == (0, "", 0), made.output + opened + restored.output
    with office.session() as session:
        assert session.scalars(select(Area.name)).all() == ["东区"]
        assert session.scalars(select(Staff.login)).all() == ["admin"]
    assert office.run("check").exit_code == 0
