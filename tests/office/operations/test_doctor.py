"""`flask doctor`: a healthy office ails nothing; each thing that may go wrong is named with what to do."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

import seed
from app import create_app
from models import db, secrets
from models.billing import BillingRun
from models.engine import writing
from models.office import JobRun, Message
from models.payments import StatementRow
from models.people import Occupancy, Owner, Staff, StaffRole
from models.property import Area, Building, Estate, Unit
from office.core import clock
from office.core.errors import Refused
from office.estate import identity
from office.operations import backup, doctor, opening, transfer
from office.rooms import CHECKS
from runtime import serving
from runtime.settings import Settings
from tests.conftest import DIALECTS, SECRET_KEY, Office, Templates

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)
COUNTED = ("staff", "fee_item", "tariff", "policy_version", "department", "category")


@pytest.fixture
def healthy(office: Office) -> Iterator[Session]:
    """An office whose clock ticks, with last night's backup and the people whom approvals need."""
    with office.app.app_context(), writing():
        session = db.session()
        session.execute(update(Estate).values(heartbeat_at=clock.machine_now()))
        identity.fill(session, seed.demo()["estate"])
        for role in ("station_head", "manager"):
            staff = Staff(login=role, name=role)
            staff.role_rows = [StaffRole(role=role)]
            session.add(staff)
        session.commit()
        night = office.instance / "backups" / "gatehouse-2026-06-10.zip"
        office.instance.chmod(0o700)
        night.parent.mkdir(mode=0o700)
        night.touch()
        os.utime(night, (NOW.timestamp(), NOW.timestamp()))
        yield session
        db.session.remove()


def codes(session: Session, now: datetime = NOW) -> list[str]:
    return [found.code for found in doctor.examine(session, now)]


def stop_clock(session: Session) -> None:
    session.execute(update(Estate).values(heartbeat_at=clock.machine_now() - timedelta(minutes=3)))


def fail_job(session: Session) -> None:
    session.add(JobRun(job="ladder", due_for=NOW, state="dead"))


def lose_message(session: Session) -> None:
    session.add(
        Message(
            key="k", channel="email", address="a@b", body="", state="unknown", made_at=NOW, next_try_at=NOW
        )
    )


def begin_billing(session: Session) -> None:
    at = NOW - timedelta(hours=2)
    session.add(BillingRun(period="2026-06", issued_on=date(2026, 6, 1), started_at=at, state="running"))


def let_statement_wait(session: Session) -> None:
    session.add(
        StatementRow(
            source="bank",
            transaction_id="1",
            amount=Decimal(1),
            method="bank_transfer",
            imported_at=NOW - timedelta(days=8),
        )
    )


def dismiss_manager(session: Session) -> None:
    session.execute(update(Staff).where(Staff.login == "manager").values(is_active=False))


def drop_tariffs(session: Session) -> None:
    unit = Unit(
        code="1", building=Building(name="1", area=Area(name="East")), kind="shop", area_m2=Decimal(9)
    )
    session.add(Occupancy(unit=unit, owner=Owner(name="王芳"), from_on=date(2026, 1, 1)))
    session.execute(text("UPDATE tariff SET valid_to = '2026-06-09', valid_from = '2020-01-01'"))


def lose_trigger(session: Session) -> None:
    table = " ON payment" if session.get_bind().dialect.name == "postgresql" else ""
    session.execute(text(f"DROP TRIGGER payment_is_never_deleted{table}"))


WRONG = (
    (stop_clock, "clock"),
    (fail_job, "jobs"),
    (lose_message, "messages"),
    (begin_billing, "billing"),
    (let_statement_wait, "statement"),
    (dismiss_manager, "roles"),
    (drop_tariffs, "tariffs"),
    (lose_trigger, "protections"),
)


def test_what_is_wrong_is_named_and_nothing_else(healthy: Session) -> None:
    assert codes(healthy) == []
    for damage, code in WRONG:
        damage(healthy)
        healthy.flush()

        assert codes(healthy) == [code]

        healthy.rollback()


def test_two_nights_without_a_backup(healthy: Session) -> None:
    assert codes(healthy, NOW + timedelta(days=2)) == []
    assert codes(healthy, NOW + timedelta(days=2, seconds=1)) == ["backup"]


def test_a_year_without_holidays_is_told_from_december_on(healthy: Session) -> None:
    assert "holidays" not in codes(healthy, datetime(2026, 11, 30, tzinfo=UTC))
    assert "holidays" in codes(healthy, datetime(2026, 12, 1, tzinfo=UTC))


def test_a_mail_server_that_does_not_answer(
    healthy: Session, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setitem(office.app.config, "SMTP_URL", f"smtp://127.0.0.1:{port}")

    assert codes(healthy) == ["channel"]


@pytest.mark.parametrize("wrong", ["localhost", "gopher://localhost", "smtp://:25", "smtp://localhost:x"])
def test_a_setting_that_is_no_address(
    healthy: Session, office: Office, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setitem(office.app.config, "SMTP_URL", wrong)

    assert codes(healthy) == ["setting"]


def test_a_mail_server_that_does_not_take_the_password(
    healthy: Session, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its port answers: only who signs in as the office does sees that nothing will go out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        port = deaf.getsockname()[1]
        monkeypatch.setitem(office.app.config, "SMTP_URL", f"smtp://a:b@127.0.0.1:{port}")

        assert codes(healthy) == ["channel"]


def test_folders_that_others_can_look_into_or_nobody_can_write_to(
    healthy: Session, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.instance.chmod(0o755)
    assert codes(healthy) == ["mode"]

    office.instance.chmod(0o700)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GATEHOUSE_BACKUP_FOLDER", str(tmp_path / "file"))
    assert "folder" in codes(healthy)


@pytest.mark.skipif(os.name != "posix", reason="users with numbers")
@pytest.mark.parametrize(("user", "told"), [(0, []), (999, ["program"]), (1000, [])])
def test_a_service_that_could_change_its_own_program(
    healthy: Session, user: int, told: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert codes(healthy) == told

    monkeypatch.setattr(doctor, "PROGRAM", tmp_path / "of root")  # where this user may not write
    assert codes(healthy) == []


def test_a_wrong_key_is_told(healthy: Session) -> None:
    secrets.configure("quite another key")
    try:
        assert codes(healthy) == ["wrong_key"]
    finally:
        secrets.configure(SECRET_KEY)


def test_a_key_that_others_can_read(healthy: Session, office: Office) -> None:
    key = office.instance / "secret_key"
    key.write_text("x")

    key.chmod(0o644)
    assert codes(healthy) == ["key"]

    key.chmod(0o600)
    assert codes(healthy) == []


def test_the_command_tells_and_fails_for_grave_things(office: Office) -> None:
    answer = office.run("doctor", "--json")

    told = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert {"clock", "roles"} <= {one["code"] for one in told["findings"]}
    assert all(one["advice"] for one in told["findings"])


def test_before_the_set_up_it_says_what_to_run(tmp_path: Path) -> None:
    app = create_app(Settings(instance=tmp_path))

    answer = app.test_cli_runner().invoke(args=["doctor"])

    assert answer.exit_code == 1
    assert "flask init" in answer.stderr
    with app.app_context():
        db.engine.dispose()


def test_roles_are_told_as_the_screens_call_them(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")

    told = office.run("doctor").stdout

    assert "station_head" not in told
    assert "经理" in told


# Moving ------------------------------------------------------------------------------------------------


def empty_database(templates: Templates, dialect: str, folder: Path) -> str:
    return templates._empty(dialect, f"moved_{templates.worker}", folder)


def count_of(session: Session, table: str) -> int:
    return session.execute(select(func.count()).select_from(db.metadata.tables[table])).scalar_one()


def other(dialect: str) -> str:
    return next(each for each in DIALECTS if each != dialect)


def test_an_office_moves_to_the_other_kind_of_database(
    office: Office, templates: Templates, dialect: str, tmp_path: Path
) -> None:
    url = empty_database(templates, other(dialect), tmp_path)

    answer = office.run("move", url)

    assert answer.exit_code == 0, answer.output
    with create_app(templates.settings(url, tmp_path)).app_context():
        moved = [count_of(db.session(), name) for name in COUNTED]
        db.session.remove()
        db.engine.dispose()
    templates.drop(url)
    with office.app.app_context():
        assert moved == [count_of(db.session(), name) for name in COUNTED]


def test_an_open_office_is_not_moved(
    healthy: Session, office: Office, templates: Templates, dialect: str, tmp_path: Path
) -> None:
    url = empty_database(templates, other(dialect), tmp_path)

    answer = office.run("move", url)

    assert answer.exit_code == 1
    assert "close it first" in answer.stderr


def test_a_database_that_holds_something_is_not_overwritten(office: Office) -> None:
    answer = office.run("move", office.url)

    assert answer.exit_code == 1
    assert "this very one" in answer.stderr
    assert office.run("tick").exit_code == 0


@pytest.fixture
def elsewhere(office: Office, templates: Templates, dialect: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the other kind."""
    url = empty_database(templates, other(dialect), tmp_path)
    yield url
    templates.drop(url)


def at(url: str, templates: Templates, folder: Path) -> Office:
    return Office(create_app(templates.settings(url, folder)), url, folder)


def close(office: Office) -> None:
    with office.app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_an_office_that_has_moved_can_only_be_read(office: Office, elsewhere: str, tmp_path: Path) -> None:
    assert office.run("move", elsewhere).exit_code == 0

    writing_ones = [office.run("tick"), office.run("bill", "2026-07"), office.run("move", elsewhere)]

    for told in (*writing_ones, office.run("clock"), office.run("rotate-key")):
        assert told.exit_code == 1
        assert told.stderr.count("\n") == 1
        assert "This office moved to" in told.stderr
    assert office.run("check").exit_code == 0
    assert "This office moved to" in office.run("doctor").output
    with office.app.app_context(), pytest.raises(Refused, match="moved to"):
        serving.prepare(office.app)
    close(office)
    page = office.app.test_client().post("/login", data={"login": "admin"})
    assert page.status_code == 503
    assert "moved to" in page.text


def test_without_the_mark_both_would_go_on(
    office: Office, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(transfer, "_mark", lambda _source, _target: None)
    assert office.run("move", elsewhere).exit_code == 0

    assert office.run("tick").exit_code == 0


def test_a_copy_leaves_the_office_where_it_is(office: Office, elsewhere: str) -> None:
    assert office.run("move", "--stay", elsewhere).exit_code == 0

    assert office.run("tick").exit_code == 0


@pytest.mark.parametrize("stop", ["_copy_rows", "_mark", "_prove"])
def test_a_move_that_is_cut_off_can_be_run_again(
    office: Office,
    elsewhere: str,
    dialect: str,
    templates: Templates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: str,
) -> None:
    """Whatever the step: nothing half is there, the old office goes on, and the second try does it all."""

    class CutOffError(Exception):
        pass

    def cut_off(*_arguments: object) -> None:
        raise CutOffError

    place = backup if stop == "_copy_rows" else transfer
    if stop == "_copy_rows" and other(dialect) == "sqlite":
        stop = "_replace_sqlite"
    with monkeypatch.context() as broken:
        broken.setattr(place, stop, cut_off)
        first = office.run("move", elsewhere)
    assert isinstance(first.exception, CutOffError)
    assert office.run("check").exit_code == 0
    there = at(elsewhere, templates, tmp_path)
    with there.app.app_context():
        is_there = bool(opening.revision(db.engine))
    assert is_there is (stop == "_mark")

    again = office.run("move", elsewhere)

    assert again.exit_code == 0, again.output
    assert there.run("check").exit_code == 0
    assert "moved to" in office.run("tick").stderr
    close(there)


def test_the_copy_of_a_cut_off_move_is_no_longer_taken_when_work_went_on(
    office: Office, elsewhere: str
) -> None:
    assert office.run("move", "--stay", elsewhere).exit_code == 0
    with office.session() as session, writing():
        session.add(Area(name="West"))
        session.commit()

    refused = office.run("move", elsewhere)

    assert refused.exit_code == 1
    assert "not empty" in refused.stderr


def test_a_copy_that_differs_is_refused(office: Office) -> None:
    """The control of the proof: one row more in the books than in the copy."""
    with office.app.app_context(), pytest.raises(Refused, match="has 1 rows instead of 99"):
        transfer._prove(db.session(), {"staff": 99}, CHECKS)
