"""Backup while in use, restore anywhere, damaged files refused (§8, F11); each check with its control.

GATEHOUSE_DRILLS is how often a backup beside cashiers at work is restored elsewhere on each database (1; 20
with GATEHOUSE_FULL=1), GATEHOUSE_DRILL_BILLS how many bills the office has (400; 100,000). `-s` shows the
seconds of each drill.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.orm import Session

from app import create_app
from models import db, secrets, triggers
from models.engine import writing
from models.office import Message, Paper
from models.payments import Payment
from models.people import Owner, Staff
from models.property import Area, Building, Estate, Unit
from office.billing import runs
from office.core import clock, installation
from office.core.database import plain_tables
from office.core.errors import Refused
from office.core.jobs import JobResult
from office.operations import backup, nightly
from office.rooms import CHECKS, findings
from runtime.application import engine_of
from tests.bench import estate
from tests.conftest import DIALECTS, IS_FULL, SECRET_KEY, Office, Templates

DRILLS = int(os.environ.get("GATEHOUSE_DRILLS", "20" if IS_FULL else "1"))
BILLS = int(os.environ.get("GATEHOUSE_DRILL_BILLS", "100000" if IS_FULL else "400"))
CASHIERS = 3 if IS_FULL else 1
DRILL_MONTHS = 5 if IS_FULL else 2
DRILL_UNITS = BILLS // DRILL_MONTHS
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def add_sealed_owner(session: Session) -> None:
    """A unit, an owner whose ID number is sealed, and a paper with a JSON document."""
    building = Building(name="1", area=Area(name="东区"))
    session.add(Unit(code="1-101", building=building, kind="residence", area_m2=Decimal("88.5")))
    owner = Owner(name="王芳", id_number="110101199003070010")
    session.add(owner)
    session.flush()
    session.add(Paper(kind="receipt", number="1", language="en", contents={"sum": "1.00"}, issued_at=NOW))


@pytest.fixture
def filled(office_of: Callable[..., Office]) -> Office:
    return office_of("residential", fills=(add_sealed_owner,))


@pytest.fixture
def empty_office(templates: Templates, tmp_path: Path) -> Callable[[str], Office]:
    """A clone that was never initialised, on either database."""
    made: list[Office] = []

    def open_office(dialect: str) -> Office:
        instance = tmp_path / f"clone-{len(made)}"
        instance.mkdir()
        url = templates._empty(dialect, f"clone_{templates.worker}_{len(made)}", instance)
        made.append(Office(create_app(templates.settings(url, instance)), url, instance))
        return made[-1]

    yield open_office
    for office in made:
        with office.app.app_context():
            db.engine.dispose()
        templates.drop(office.url)


def contents(office: Office) -> dict[str, list[tuple]]:
    """Every row of every table, as plain values, without sessions."""
    with office.app.app_context(), db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in plain_tables()
            if table.name not in backup.NOT_RESTORED
        }


@pytest.mark.parametrize("target", DIALECTS)
def test_a_clone_never_initialised_becomes_the_same_office(
    filled: Office, empty_office: Callable[[str], Office], target: str, tmp_path: Path
) -> None:
    file = tmp_path / "office.zip"
    clone = empty_office(target)

    made = filled.run("backup", file)
    restored = clone.run("restore", file)

    assert (made.exit_code, restored.exit_code) == (0, 0), made.output + restored.output
    assert contents(clone) == contents(filled)
    with clone.session() as session:
        assert session.scalars(select(Owner.id_number)).one() == "110101199003070010"
        assert triggers.missing(session.connection()) == []


@pytest.mark.parametrize("target", DIALECTS)
def test_after_a_restore_new_rows_get_new_numbers(
    filled: Office, empty_office: Callable[[str], Office], target: str, tmp_path: Path
) -> None:
    file = tmp_path / "office.zip"
    clone = empty_office(target)
    filled.run("backup", file)
    clone.run("restore", file)

    with clone.session() as session, writing():
        session.add(Area(name="西区"))
        session.commit()

        assert session.scalar(select(func.count()).select_from(Area)) == 2


def test_a_restore_takes_the_office_back(filled: Office, tmp_path: Path) -> None:
    file = tmp_path / "office.zip"
    filled.run("backup", file)
    before = contents(filled)
    with filled.session() as session, writing():
        session.add(Area(name="西区"))
        session.commit()
    assert contents(filled) != before

    restored = filled.run("restore", file)

    assert restored.exit_code == 0, restored.output
    assert contents(filled) == before


def flipped(content: bytes, place: float) -> bytes:
    at = int((len(content) - 1) * place)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "short": lambda content: content[:10],
    "cut in half": lambda content: content[: len(content) // 2],
    "one byte less": lambda content: content[:-1],
    "one byte more": lambda content: content + b"0",
    "no backup": lambda content: b"unit_code,building\n" * 100,
    **{f"bit at {place}": lambda content, place=place: flipped(content, place) for place in (0, 0.3, 0.9, 1)},
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_damaged_file_is_refused_and_all_stays(filled: Office, damage: str, tmp_path: Path) -> None:
    file = tmp_path / "office.zip"
    filled.run("backup", file)
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    before = contents(filled)

    refused = filled.run("restore", file)

    assert refused.exit_code == 1
    assert len(refused.stderr.splitlines()) == 1
    assert contents(filled) == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_without_the_checksum_a_flipped_bit_would_go_in(
    filled: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the checksum protects from."""
    file = tmp_path / "office.zip"
    filled.run("backup", file)
    content = file.read_bytes()
    at = content.rindex(b"PK\x01\x02") + 12  # the date of a file in the zip's directory: nothing else notices
    file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert filled.run("restore", file).exit_code == 1

    monkeypatch.setattr(backup, "_digest", lambda _file: file.read_bytes()[-64:].decode())

    assert filled.run("restore", file).exit_code == 0


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_another_secret_key_is_refused_unless_told(filled: Office, tmp_path: Path) -> None:
    file = tmp_path / "office.zip"
    filled.run("backup", file)
    secrets.configure("another key")
    try:
        assert filled.run("restore", file).exit_code == 1
        assert filled.run("restore", file, "--other-key").exit_code == 0
    finally:
        secrets.configure(SECRET_KEY)


def test_an_office_that_is_not_set_up_has_nothing_to_back_up(
    empty_office: Callable[[str], Office], dialect: str, tmp_path: Path
) -> None:
    refused = empty_office(dialect).run("backup", tmp_path / "office.zip")

    assert refused.exit_code == 1
    assert not (tmp_path / "office.zip").exists()


def test_a_backup_beside_writers_is_of_one_instant(
    filled: Office, empty_office: Callable[[str], Office], tmp_path: Path
) -> None:
    """F11: a building and its area are written together; a backup never holds one without the other."""
    file = tmp_path / "office.zip"
    stop = threading.Event()
    acknowledged: list[int] = []

    def write() -> None:
        while not stop.is_set():
            with filled.session() as session, writing():
                number = len(acknowledged)
                session.add(Building(name=f"b{number}", area=Area(name=f"a{number}")))
                session.commit()
                acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(acknowledged) < 20:
            stop.wait(0.01)
        marker = len(acknowledged)
        made = filled.run("backup", file)
    finally:
        stop.set()
        writer.join()
    clone = empty_office("sqlite")
    restored = clone.run("restore", file)

    assert (made.exit_code, restored.exit_code) == (0, 0)
    with clone.session() as session:
        areas = set(session.scalars(select(Area.name).where(Area.name.like("a%"))))
        buildings = set(session.scalars(select(Building.name).where(Building.name.like("b%"))))
    assert {name[1:] for name in areas} == {name[1:] for name in buildings}
    assert {f"a{number}" for number in range(marker)} <= areas


@pytest.fixture
def at_work(office: Office) -> Office:
    """An office with some months of bills."""
    with office.app.app_context(), writing():
        session = db.session()
        estate.fill_property(estate.Dialect(db.engine.dialect.name), DRILL_UNITS)
        for month in range(1, DRILL_MONTHS + 1):
            runs.issue_invoices(session, f"2026-{month:02}", now=NOW)
        session.commit()
        db.session.remove()
    return office


class Tills:
    """Cashiers in processes of their own; what they told anyone is what may not be lost."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def receipts(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait_for(self, least: int) -> None:
        deadline = time.monotonic() + 60
        while not self.log.exists() or len(self.receipts()) < least:
            assert time.monotonic() < deadline, "no cashier gets a receipt"
            time.sleep(0.02)


@contextmanager
def tills(office: Office, log: Path) -> Iterator[Tills]:
    """Cashiers who take payments until the end, some dozens a second."""
    command = [sys.executable, "-m", "tests.factories.cashiers", office.url, str(log), str(DRILL_UNITS)]
    with ExitStack() as opened:
        for seed in range(CASHIERS):
            cashier = subprocess.Popen([*command, str(seed)], env=office.environment)
            opened.callback(cashier.wait)
            opened.callback(cashier.kill)
        yield Tills(log)


def restored_receipts(clone: Office) -> tuple[set[str], list[int]]:
    with clone.session() as session:
        rows = session.execute(select(Payment.receipt_no, Payment.running_no)).all()
    return {row.receipt_no for row in rows}, sorted(row.running_no for row in rows)


@pytest.mark.timeout(1800)
def test_every_receipt_of_before_the_backup_is_restored(
    at_work: Office, empty_office: Callable[[str], Office], tmp_path: Path, dialect: str
) -> None:
    """F11: cashiers never stop; each time the books are whole and no receipt given out is missing."""
    with tills(at_work, tmp_path / "receipts") as working:
        for drill in range(DRILLS):
            file = tmp_path / f"{drill}.zip"
            clone = empty_office(DIALECTS[drill % 2])
            working.wait_for((drill + 1) * 10)
            marker = set(working.receipts())

            begun = time.monotonic()
            made = at_work.run("backup", file)
            saved = time.monotonic()
            restored = clone.run("restore", file)
            done = time.monotonic()

            assert (made.exit_code, restored.exit_code) == (0, 0), made.output + restored.output
            receipts, numbers = restored_receipts(clone)
            assert marker <= receipts
            assert numbers == list(range(1, len(numbers) + 1))
            with clone.session() as session:
                assert findings(session) == []
            print(
                f"{dialect}: {BILLS:,} bills, {len(marker):,} receipts before, {len(numbers):,} in it: "
                f"backup {saved - begun:.1f} s, restore on {DIALECTS[drill % 2]} {done - saved:.1f} s"
            )
            file.unlink()


def test_a_mere_copy_of_the_files_loses_receipts(
    at_work: Office,
    empty_office: Callable[[str], Office],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dialect: str,
) -> None:
    """The control: without the database's own backup, or without one snapshot for all tables."""

    def copy_file(source: Path, target: Path) -> None:
        shutil.copyfile(source, target)

    class Unsettled:
        """An engine whose tables are each read at their own moment."""

        def __init__(self, real: Engine) -> None:
            self.real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def connect(self) -> Any:
            connection = self.real.connect()
            real = connection.execution_options
            options = {"isolation_level": "AUTOCOMMIT", "yield_per": 50}
            connection.execution_options = lambda **_given: real(**options)
            return connection

    real = backup._copy_from_postgresql
    monkeypatch.setattr(backup, "_copy_sqlite", copy_file)
    monkeypatch.setattr(
        backup,
        "_copy_from_postgresql",
        lambda bind, target, revision: real(Unsettled(bind), target, revision),
    )
    file, clone = tmp_path / "office.zip", empty_office(dialect)
    with tills(at_work, tmp_path / "receipts") as working:
        working.wait_for(10)
        marker = set(working.receipts())
        made = at_work.run("backup", file)

    assert made.exit_code != 0 or is_broken(clone, file, marker)


def is_broken(clone: Office, file: Path, marker: set[str]) -> bool:
    if clone.run("restore", file).exit_code != 0:
        return True
    with clone.session() as session:
        return findings(session) != [] or not marker <= restored_receipts(clone)[0]


@pytest.fixture
def nights(filled: Office) -> Path:
    """The folder of nightly backups of an office that keeps two: three whole ones of before."""
    with filled.app.app_context(), writing():
        session = db.session()
        session.execute(
            text("UPDATE policy_version SET rows = :rows WHERE policy = 'backups'"),
            {"rows": json.dumps({"kept": 2})},
        )
        session.commit()
        place = installation.backup_folder(db.engine)
        place.mkdir()
        backup.make(db.engine, place / "gatehouse-2026-01-01.zip", now=NOW)
        for day in (2, 3):
            shutil.copy(place / "gatehouse-2026-01-01.zip", place / f"gatehouse-2026-01-0{day}.zip")
        db.session.remove()
    return place


def tonight(office: Office) -> JobResult:
    with office.app.app_context(), writing():
        try:
            return nightly.make_tonights(db.session(), clock.machine_now())
        finally:
            db.session.remove()


def test_the_nightly_job_keeps_as_many_as_the_policy_says(filled: Office, nights: Path) -> None:
    outcome = tonight(filled)

    assert (outcome.done, outcome.result) == (1, {"removed": 2})
    assert [file.name for file in nights.iterdir() if "2026-01-0" in file.name] == [
        "gatehouse-2026-01-03.zip"
    ]
    with filled.session() as session:
        assert nightly.make_tonights(session, NOW - timedelta(days=400)).done == 0


@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_good_backup_is_never_rotated_away_for_a_bad_one(
    filled: Office, nights: Path, monkeypatch: pytest.MonkeyPatch, *, is_counted: bool
) -> None:
    """The control: were damaged files counted, the last good one of before would go."""
    for day in (2, 3):
        file = nights / f"gatehouse-2026-01-0{day}.zip"
        file.write_bytes(flipped(file.read_bytes(), 0.5))
    if is_counted:
        monkeypatch.setattr(backup, "is_whole", lambda _file: True)

    outcome = tonight(filled)

    assert (nights / "gatehouse-2026-01-01.zip").exists() is not is_counted
    assert is_counted or len(outcome.result["damaged"]) == 2


def test_backups_are_for_their_owner_only(filled: Office, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = filled.run("backup", tmp_path / "office.zip")
        tonight(filled)
    finally:
        os.umask(old)

    assert made.exit_code == 0, made.output
    (night,) = (filled.instance / "backups").iterdir()
    assert (tmp_path / "office.zip").stat().st_mode & 0o777 == 0o600
    assert night.stat().st_mode & 0o777 == 0o600
    assert night.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_what_commands_write_is_for_their_owner_only(filled: Office, tmp_path: Path) -> None:
    wrong = tmp_path / "roster.csv"
    wrong.write_text("unit_code,building,unit_kind,area_m2\n1-102,1,palace,80\n")
    old = os.umask(0)
    try:
        told = [filled.run("export", "units", tmp_path / "units.csv"), filled.run("import", "roster", wrong)]
        left = os.umask(0)
    finally:
        os.umask(old)

    assert [each.exit_code for each in told] == [0, 1]
    for name in ("units.csv", "roster.csv.errors.csv"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600, name
    assert left == 0


def proved(office: Office) -> JobResult:
    with office.app.app_context():
        return nightly.prove_newest(db.engine, CHECKS)


def test_the_newest_backup_is_restored_for_proof(filled: Office, nights: Path) -> None:
    outcome = proved(filled)

    assert outcome.result["file"] == "gatehouse-2026-01-03.zip"
    assert outcome.result["rows"] > 0
    assert {file.suffix for file in nights.iterdir()} == {".zip"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_proof_that_fails_is_told_to_the_administrators(filled: Office, nights: Path) -> None:
    (nights / "gatehouse-2026-01-03.zip").write_bytes(b"x" * 200)
    with filled.app.app_context(), writing():
        session = db.session()
        session.execute(update(Staff).where(Staff.login == "admin").values(alert_url="json://localhost"))
        session.commit()

        with pytest.raises(Refused, match="damaged"):
            nightly.restore_newest(session, clock.machine_now(), checks=CHECKS)

        session.rollback()
        (message,) = session.scalars(select(Message).where(Message.channel == "alert")).all()
        assert "gatehouse-2026-01-03.zip" in message.body
        db.session.remove()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_proof_finds_what_breaks_an_invariant(filled: Office, nights: Path) -> None:
    """The control: a file that is whole, of an office that is not."""
    with filled.app.app_context(), writing():
        session = db.session()
        session.execute(text("UPDATE policy_version SET rows = '{' WHERE policy = 'backups'"))
        session.commit()
        db.session.remove()
        backup.make(db.engine, nights / "gatehouse-2026-01-04.zip", now=NOW)

    with pytest.raises(Refused, match="breaks an invariant"):
        proved(filled)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_no_nightly_backup_where_time_is_chosen(session: Session) -> None:
    session.execute(text("UPDATE estate SET present_at = '2026-03-01 00:00:00.000000'"))

    assert nightly.make_tonights(session, NOW).result == {"skipped": "sandbox"}
    assert nightly.restore_newest(session, NOW, checks=CHECKS).result == {"skipped": "sandbox"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_folder_that_is_not_there_is_told(filled: Office, tmp_path: Path) -> None:
    refused = filled.run("backup", tmp_path / "nowhere" / "office.zip")

    assert refused.exit_code == 1
    with pytest.raises(Refused):
        backup.restore(engine_of(filled.app), tmp_path / "nowhere.zip")
    with filled.session() as session:
        assert session.scalar(select(func.count()).select_from(Estate)) == 1
