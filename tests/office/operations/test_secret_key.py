"""The secret key is proved at every start, and can be changed for another (F20, contract "rotate-key")."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Table, select, text, update
from sqlalchemy.orm import Session

from app import create_app
from models import Base, db, secrets, triggers
from models.engine import writing
from models.people import Owner, OwnerPhone, RecoveryCode
from models.property import KEY_PROOF, Estate
from models.secrets import Keys
from office.core import clock
from office.core.database import plain_tables
from office.core.errors import Refused
from office.operations import secret_key
from runtime import serving
from runtime.settings import Settings
from tests.admin import sample_office
from tests.conftest import IS_FULL, SECRET_KEY, Office

ROOT = Path(__file__).parents[3]
OTHER_KEY = "quite another key"
REFUSED = (("export", "units"), ("tick",), ("bill", "2026-07"), ("clock",), ("check",), ("rotate-key",))


def add_people(session: Session) -> None:
    for number in range(5):
        owner = Owner(name=f"王{number}", id_number=f"11010119900307001{number}")
        owner.id_number_mac = secrets.fingerprint(f"11010119900307001{number}")
        phone = f"1380013800{number}"
        owner.phones = [OwnerPhone(number=phone, number_mac=secrets.fingerprint(phone))]
        session.add(owner)
    session.flush()
    session.add(RecoveryCode(staff_id=1, code_mac=secrets.fingerprint("ABCDE12345")))


@pytest.fixture
def filled(office_of: Callable[..., Office]) -> Office:
    return office_of("residential", fills=(add_people,))


@pytest.fixture
def with_file(filled: Office) -> Office:
    """The same office, whose key lies in its folder and not in the environment."""
    (filled.instance / "secret_key").write_text(SECRET_KEY)
    (filled.instance / "secret_key").chmod(0o600)
    del filled.environment["GATEHOUSE_SECRET_KEY"]
    return filled


def flask(office: Office, *arguments: str, key: str = "") -> Result:
    """A command in an application of its own, as a process of its own would find the folder and the key."""
    app = create_app(Settings(instance=office.instance, database_url=office.url, secret_key=key))
    try:
        return Office(app, office.url, office.instance).run(*arguments)
    finally:
        secrets.configure(SECRET_KEY)
        with app.app_context():
            db.engine.dispose()


def phones(office: Office, key: str) -> list[str]:
    secrets.configure(key)
    try:
        with office.session() as session:
            return sorted(session.scalars(select(OwnerPhone.number)))
    finally:
        secrets.configure(SECRET_KEY)


PHONES = [f"1380013800{number}" for number in range(5)]


# --- proved at start ----------------------------------------------------------------------------------


@pytest.fixture
def wrong_key(filled: Office) -> Any:
    """The program goes by another key than the office that was filled."""
    secrets.configure(OTHER_KEY)
    yield
    secrets.configure(SECRET_KEY)


@pytest.mark.usefixtures("wrong_key")
def test_with_another_key_every_command_refuses_in_one_sentence(filled: Office) -> None:
    for command in REFUSED:
        told = filled.run(*command)

        assert told.exit_code == 1, command
        assert told.stderr.count("\n") == 1
        assert "GATEHOUSE_SECRET_KEY" in told.stderr, command
        assert told.stdout == "", command


@pytest.mark.usefixtures("wrong_key")
def test_without_the_proof_a_wrong_key_reads_blanks(filled: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(secret_key, "is_right", lambda _connection, _keys: True)

    assert filled.run("export", "units").exit_code == 0


@pytest.mark.usefixtures("wrong_key")
def test_the_office_does_not_open_with_another_key(filled: Office) -> None:
    with (
        filled.app.app_context(),
        pytest.raises(Refused, match="another key than the one in GATEHOUSE"),
    ):
        serving.prepare(filled.app)


def test_a_page_says_that_the_key_is_wrong(filled: Office) -> None:
    app = create_app(Settings(instance=filled.instance, database_url=filled.url, secret_key=OTHER_KEY))
    try:
        answer = app.test_client().get("/login")
    finally:
        secrets.configure(SECRET_KEY)
        with app.app_context():
            db.engine.dispose()

    assert answer.status_code == 503
    assert "GATEHOUSE_SECRET_KEY" in answer.text


def test_a_web_process_of_before_the_change_writes_nothing(filled: Office) -> None:
    """It may outlive the clock: what it sealed with the old key nobody could read."""
    client = filled.app.test_client()
    assert client.get("/login").status_code == 200
    secret_key.rotate(engine(filled), Keys.of(OTHER_KEY))

    answer = client.post("/login", data={"login": "admin", "password": "x"})

    assert answer.status_code == 503
    assert "GATEHOUSE_SECRET_KEY" in answer.text


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, "secret_key is missing"),
        ({"secret_key": OTHER_KEY}, "put the right file there"),
        ({"secret_key": OTHER_KEY, "secret_key.2026-01-01": SECRET_KEY}, "secret_key.2026-01-01"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_it_says_which_file_it_wants(with_file: Office, files: dict[str, str], wanted: str) -> None:
    (with_file.instance / "secret_key").unlink()
    for name, key in files.items():
        (with_file.instance / name).write_text(key)

    told = flask(with_file, "export", "units")

    assert told.exit_code == 1
    assert told.stderr.count("\n") == 1
    assert wanted in told.stderr


def test_an_office_of_an_older_version_is_proved_by_what_it_has_sealed(filled: Office) -> None:
    with filled.session() as session, writing():
        session.execute(text("UPDATE estate SET key_proof = NULL"))
        session.commit()
        connection = session.connection()

        assert secret_key.is_right(connection, Keys.of(SECRET_KEY))
        assert not secret_key.is_right(connection, Keys.of(OTHER_KEY))

        secret_key.seal_proof(connection)
        assert session.scalar(select(Estate.key_proof)) == KEY_PROOF


# --- a new key ----------------------------------------------------------------------------------------


def test_a_new_key_opens_everything_and_the_old_one_stays_in_a_file(with_file: Office) -> None:
    told = flask(with_file, "rotate-key")

    assert told.exit_code == 0, told.stderr
    new = (with_file.instance / "secret_key").read_text()
    (old,) = with_file.instance.glob("secret_key.????-??-??")
    assert (old.read_text(), len(new)) == (SECRET_KEY, 64)
    assert [file.stat().st_mode & 0o077 for file in (old, with_file.instance / "secret_key")] == [0, 0]
    assert not (with_file.instance / "secret_key.new").exists()
    assert phones(with_file, new) == PHONES
    assert phones(with_file, SECRET_KEY) == [""] * 5
    assert flask(with_file, "check").exit_code == 0
    with with_file.session() as session:
        assert session.scalars(select(RecoveryCode)).all() == []
        assert triggers.missing(session.connection()) == []
        found = select(OwnerPhone.number_mac).where(
            OwnerPhone.number_mac == Keys.of(new).fingerprint("13800138003")
        )
        assert session.scalars(found).all()


def test_a_key_that_is_set_is_changed_for_one_that_is_given(
    filled: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_NEW_SECRET_KEY", OTHER_KEY)
    told = flask(filled, "rotate-key", key=SECRET_KEY)
    again = flask(filled, "rotate-key", key=OTHER_KEY)

    assert told.exit_code == 0, told.stderr
    assert "set GATEHOUSE_SECRET_KEY" in told.stdout
    assert phones(filled, OTHER_KEY) == PHONES
    assert list(filled.instance.glob("secret_key*")) == []
    assert again.exit_code == 1
    assert "is the key in use" in again.stderr


def test_a_key_that_is_set_gives_way_to_one_in_a_file(filled: Office) -> None:
    told = flask(filled, "rotate-key", key=SECRET_KEY)

    assert told.exit_code == 0, told.stderr
    assert "unset" in flask(filled, "check", key=SECRET_KEY).stderr
    assert flask(filled, "check").exit_code == 0
    (old,) = filled.instance.glob("secret_key.????-??-??")
    assert old.read_text() == SECRET_KEY


def test_an_open_office_keeps_its_key(filled: Office) -> None:
    with filled.session() as session, writing():
        session.execute(update(Estate).values(heartbeat_at=clock.machine_now() - timedelta(seconds=30)))
        session.commit()

    refused = filled.run("rotate-key")

    assert refused.exit_code == 1
    assert "close it first" in refused.stderr
    assert phones(filled, SECRET_KEY) == PHONES
    assert list(filled.instance.glob("secret_key*")) == []


def sealed_in(office: Office) -> dict[str, list[str]]:
    """Every value of the database that is sealed, whatever its column is declared as."""
    with office.app.app_context(), db.engine.connect() as connection:
        return {
            f"{table.name}.{column.name}": [
                value
                for value in connection.scalars(select(column))
                if isinstance(value, str) and value.startswith("gAAAA")
            ]
            for table in plain_tables()
            for column in table.columns
        }


def furnished(session: Session) -> None:
    sample_office.furnish(session)


def left_behind(office: Office, key: str) -> list[str]:
    """Columns with a value that this key does not open."""
    return [
        name
        for name, found in sealed_in(office).items()
        if any(Keys.of(key).opened(one) is None for one in found)
    ]


def test_nothing_sealed_is_forgotten(
    office_of: Callable[..., Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an office with a row in every table nothing is left that the new key does not open."""
    office = office_of("residential", fills=(add_people, furnished))
    before = {name: len(found) for name, found in sealed_in(office).items() if found}
    assert {"owner_phone.number", "owner.id_number", "estate.key_proof"} <= before.keys()

    secret_key.rotate(engine(office), Keys.of(OTHER_KEY))

    assert left_behind(office, OTHER_KEY) == []
    assert {name: len(found) for name, found in sealed_in(office).items() if found} == before

    # the control: one column that the list of sealed columns lacks
    real = secret_key.sealed_columns
    monkeypatch.setattr(
        secret_key, "sealed_columns", lambda table: [name for name in real(table) if name != "number"]
    )
    secrets.configure(OTHER_KEY)
    try:
        secret_key.rotate(engine(office), Keys.of("a third key"))
    finally:
        secrets.configure(SECRET_KEY)
    assert left_behind(office, "a third key") == ["owner_phone.number"]


def engine(office: Office) -> Any:
    with office.app.app_context():
        return db.engine


def has_its_text(table: Table, fingerprint: str) -> bool:
    return fingerprint.removesuffix(secret_key.FINGERPRINT) in secret_key.sealed_columns(table)


def test_every_fingerprint_is_made_anew_or_its_rows_go() -> None:
    """A column `…_mac` without the sealed text beside it is useless under a new key."""
    alone = {
        table.name
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith(secret_key.FINGERPRINT) and not has_its_text(table, column.name)
    }

    assert alone <= {table.name for table in secret_key.LAPSING}


@pytest.mark.kill
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4] if IS_FULL else [0.05])
def test_killed_in_the_middle_one_of_the_keys_works(with_file: Office, delay: float) -> None:
    """Whatever moment the process dies at: the next command finds an office whose data can be read."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app.py", "rotate-key"],
        cwd=ROOT,
        env=with_file.environment,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(with_file.instance.glob("secret_key.*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    process.wait()

    told = flask(with_file, "check")

    assert told.exit_code == 0, told.stderr
    assert phones(with_file, (with_file.instance / "secret_key").read_text()) == PHONES


STOPS = ("before it is sealed", "before the old file goes", "between the files")


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_at_each_step_of_the_change_the_office_opens(with_file: Office, stop: str) -> None:
    folder, new = with_file.instance, "a new key of many letters"
    (folder / "secret_key.new").write_text(new)
    if stop != "before it is sealed":
        secret_key.rotate(engine(with_file), Keys.of(new))
    if stop == "between the files":
        shutil.move(folder / "secret_key", folder / "secret_key.2026-01-01")

    told = flask(with_file, "check")

    assert told.exit_code == 0, told.stderr
    key = (folder / "secret_key").read_text()
    assert key == (SECRET_KEY if stop == "before it is sealed" else new)
    assert phones(with_file, key) == PHONES
