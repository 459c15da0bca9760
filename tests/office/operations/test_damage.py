"""Each page of a database damaged in turn: told in a line, or every row is still there (F20).

GATEHOUSE_FULL=1 damages every page; the gate some, the first and the last among them.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import db
from models.engine import writing
from office.core import clock, outages
from office.core.errors import Refused
from office.operations import backup, damage
from runtime import serving
from runtime.application import engine_of
from tests.conftest import IS_FULL, Office

PAGE = 4096
PAGES_IN_THE_GATE = 12
DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "zeros": lambda page: bytes(len(page)),
    "noise": lambda page: random.Random(7).randbytes(len(page)),
}


def add_streets(session: object) -> None:
    """Enough rows and long texts that all kinds of pages are there."""
    for number in range(300):
        session.execute(  # type: ignore[attr-defined]
            text("INSERT INTO area (name, name_folded, position) VALUES (:name, :name, :number)"),
            {"name": f"area {number}", "number": number},
        )
    session.execute(  # type: ignore[attr-defined]
        text("UPDATE estate SET payment_accounts = :long"), {"long": "account " * 4000}
    )


@pytest.fixture
def at_rest(office_of: Callable[..., Office]) -> Office:
    """An office that nobody has open, in one file."""
    office = office_of("residential", fills=(add_streets,))
    close(office)
    with closing(sqlite3.connect(office.instance / "gatehouse.db")) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.execute("PRAGMA journal_mode=DELETE")
    return office


def close(office: Office) -> None:
    with office.app.app_context():
        db.session.remove()
        db.engine.dispose()


def rows(file: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(file)) as opened:
        names = [
            name
            for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("sqlite_")
        ]
        return {name: sorted(map(repr, opened.execute(f"SELECT * FROM {name}"))) for name in names}


def told(act: Callable[[], object]) -> str:
    """What an act says in refusing; empty when it is done."""
    try:
        act()
    except Refused as refusal:
        return str(refusal)
    except DBAPIError as error:  # as every command and `app.py` say it
        if outages.sentence(error) != outages.DAMAGED:
            raise
        return outages.DAMAGED
    return ""


def start(office: Office) -> None:
    with office.app.app_context():
        try:
            serving.prepare(office.app)
        finally:
            close(office)


def check(office: Office) -> None:
    with office.session() as session:
        damage.refuse_damaged(session)


def pages(file: Path) -> list[int]:
    count = file.stat().st_size // PAGE
    step = 1 if IS_FULL else max(1, count // PAGES_IN_THE_GATE)
    return sorted({0, count - 1, *range(0, count, step)})


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_each_page_damaged_in_turn(at_rest: Office, kind: str, tmp_path: Path) -> None:
    file = at_rest.instance / "gatehouse.db"
    whole, before = file.read_bytes(), rows(file)
    made = tmp_path / "office.zip"
    bind = engine_of(at_rest.app)
    noticed = 0
    for page in pages(file):
        at = page * PAGE
        file.write_bytes(whole[:at] + DAMAGES[kind](whole[at : at + PAGE]) + whole[at + PAGE :])

        opening = told(lambda: start(at_rest))
        file.write_bytes(whole[:at] + DAMAGES[kind](whole[at : at + PAGE]) + whole[at + PAGE :])
        for beside in at_rest.instance.glob("gatehouse.db-*"):
            beside.unlink()
        saving = told(lambda: backup.make(bind, made, now=clock.machine_now()))
        asked = told(lambda: check(at_rest))

        assert "\n" not in opening + saving + asked
        assert bool(saving) == bool(asked), page  # `check` and `backup` say the same
        assert saving or not opening, page  # what keeps the office closed makes no backup either
        if saving:
            noticed += 1
            assert not made.exists()
        else:  # a page that holds nothing: what the backup has is what was there
            with backup.unpacked(made, tmp_path) as copy:
                copy.dispose()
                same = rows(tmp_path / backup.DATABASE)
            assert {name: same[name] for name in before if name not in CHANGED} == {
                name: before[name] for name in before if name not in CHANGED
            }, page
            made.unlink()
            (tmp_path / backup.DATABASE).unlink()
        close(at_rest)
    print(f"{kind}: {noticed} of {len(pages(file))} damaged pages noticed")
    assert noticed > len(pages(file)) / 2


CHANGED = {"estate", "web_session", "sign_in_attempt"}  # by a restore itself


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_without_the_database_s_own_check_a_bad_copy_is_called_good(
    at_rest: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the copy is made page by page, and nobody looks into them."""
    file, made = at_rest.instance / "gatehouse.db", tmp_path / "office.zip"
    with closing(sqlite3.connect(file)) as opened:
        (page,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_at_idx'").fetchone()
    content = file.read_bytes()
    at = (page - 1) * PAGE
    file.write_bytes(content[:at] + bytes(PAGE) + content[at + PAGE :])
    bind = engine_of(at_rest.app)
    assert "damaged" in told(lambda: backup.make(bind, made, now=clock.machine_now()))
    assert not made.exists()

    monkeypatch.setattr(damage, "finding_in_file", lambda _file: "")

    assert told(lambda: backup.make(bind, made, now=clock.machine_now())) == ""


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_restore_replaces_what_is_damaged_beyond_opening(at_rest: Office, tmp_path: Path) -> None:
    file, made = at_rest.instance / "gatehouse.db", tmp_path / "office.zip"
    before = rows(file)
    assert at_rest.run("backup", made).exit_code == 0
    close(at_rest)
    file.write_bytes(os.urandom(20 * PAGE))

    refused = at_rest.run("check")
    restored = at_rest.run("restore", made)

    assert refused.exit_code == 1
    assert restored.exit_code == 0, restored.output
    assert at_rest.run("check").exit_code == 0
    after = rows(file)
    assert all(after[name] == before[name] for name in before if name not in CHANGED)
    assert (at_rest.instance / "gatehouse.db.damaged").exists()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_what_a_server_says_of_a_page_that_it_can_not_read_is_damage(office: Office) -> None:
    says = "DO $$BEGIN RAISE EXCEPTION 'invalid page in block 0' USING ERRCODE = 'XX001'; END$$"

    with engine_of(office.app).connect() as connection, pytest.raises(DBAPIError) as error:
        connection.execute(text(says))

    assert outages.sentence(error.value) == outages.DAMAGED


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_folder_in_which_nothing_can_be_written(at_rest: Office, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    refused = at_rest.run("backup", tmp_path / "taken" / "office.zip")

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1


def test_a_whole_database_is_called_whole(office: Office) -> None:
    with office.session() as session, writing():
        session.commit()

    with office.session() as session:
        assert damage.finding(session) == ""
