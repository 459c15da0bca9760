"""`flask doctor`: a healthy office ails nothing; each thing that may go wrong is named with what to do."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app import create_app
from models import db
from models.billing import BillingRun
from models.engine import writing
from models.office import JobRun, Message
from models.payments import StatementRow
from models.people import Occupancy, Owner, Staff, StaffRole
from models.property import Area, Building, Estate, Unit
from office.core import clock
from office.core.errors import Refused
from office.operations import doctor, transfer
from office.rooms import CHECKS
from runtime.settings import Settings
from tests.conftest import DIALECTS, Office, Templates

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)
COUNTED = ("staff", "fee_item", "tariff", "policy_version", "department", "category")


@pytest.fixture
def healthy(office: Office) -> Iterator[Session]:
    """An office whose clock ticks, with last night's backup and the people whom approvals need."""
    with office.app.app_context(), writing():
        session = db.session()
        session.execute(update(Estate).values(heartbeat_at=clock.machine_now()))
        for role in ("station_head", "manager"):
            staff = Staff(login=role, name=role)
            staff.role_rows = [StaffRole(role=role)]
            session.add(staff)
        session.commit()
        night = office.instance / "backups" / "gatehouse-2026-06-10.zip"
        night.parent.mkdir()
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
    assert "not empty" in answer.stderr


def test_a_copy_that_differs_is_refused(office: Office) -> None:
    """The control of the proof: one row more in the books than in the copy."""
    with office.app.app_context(), pytest.raises(Refused, match="has 1 rows instead of 99"):
        transfer._prove(db.session(), {"staff": 99}, CHECKS)
