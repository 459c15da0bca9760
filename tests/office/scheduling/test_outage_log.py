"""An outage is two lines in a process's log, with the time zone, however long it lasts (F13)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session

from admin.auth import guard
from office.core import outage_log
from office.rooms import TIMETABLE
from office.scheduling.clock_process import Clock
from tests.conftest import Office


@pytest.fixture(autouse=True)
def nothing_away() -> Iterator[None]:
    outage_log._since.clear()
    yield
    outage_log._since.clear()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_scheduler_without_its_database(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    is_away = True

    @contextmanager
    def open_session() -> Iterator[Session]:
        if is_away:
            raise NoConnectionFree("connection refused")
        yield session

    clockwork = Clock(open_session, TIMETABLE)
    for _beat in range(20):
        clockwork.beat()
    is_away = False
    for _beat in range(3):
        clockwork._guarded(lambda each: each.execute(text("SELECT 1")))

    begun, ended = said(caplog)
    assert begun == "the database is away: connection refused"
    assert ended.startswith("the database is back after")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_error_of_the_program_is_no_outage(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """The control: such errors are each told whole."""

    @contextmanager
    def open_session() -> Iterator[Session]:
        yield session

    def fail(_session: Session) -> None:
        raise ZeroDivisionError

    clockwork = Clock(open_session, TIMETABLE)
    for _beat in range(2):
        clockwork._guarded(fail)

    assert said(caplog) == ["a tick failed"] * 2


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_pages_without_their_database(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    client = office.app.test_client()
    for _page in range(5):
        with office.app.test_request_context("/units/"):
            assert guard.crash_page(NoConnectionFree("connection refused"))[1] == 503
    for _page in range(3):
        assert client.get("/login").status_code == 200

    begun, ended = said(caplog)
    assert begun == "the database is away: connection refused"
    assert ended.startswith("the database is back after")
