"""An outage is two lines in an office's log, with the time zone, however long it lasts (F13)."""

from __future__ import annotations

import errno
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session

from admin.auth import guard
from office.core import outage_log
from office.rooms import TIMETABLE
from office.scheduling.clock_process import Clock
from tests.conftest import Office

ROOT = Path(__file__).parents[3]

WORKER = """
import pathlib, sys, time
from office.core import outage_log
from runtime import log_files
folder, is_sharing = pathlib.Path(sys.argv[1]), sys.argv[2] == "shared"
log_files.log_to_files(folder)
if not is_sharing:
    outage_log._folder = None
for _try in range(5):
    outage_log.begins(outage_log.DATABASE, "connection refused")
(folder / sys.argv[3]).touch()
while len(list(folder.glob("worker*"))) < 3:
    time.sleep(0.02)
for _try in range(3):
    outage_log.ends(outage_log.DATABASE)
    outage_log.begins(outage_log.DATABASE, "an answer to a request of before")
"""


@pytest.fixture(autouse=True)
def nothing_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(outage_log, "_folder", None)
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


@pytest.mark.parametrize(("sharing", "lines"), [("shared", 2), ("apart", 3 * 7)])
def test_all_processes_of_an_office_say_it_once(sharing: str, lines: int, tmp_path: Path) -> None:
    """The second case is the control: each for itself, and each anew for a late answer."""
    commands = [[sys.executable, "-c", WORKER, str(tmp_path), sharing, f"worker{each}"] for each in range(3)]
    workers = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) for command in commands]

    assert [worker.wait() for worker in workers] == [0, 0, 0]

    written = (tmp_path / "logs" / "gatehouse.log").read_text().splitlines()
    assert len(written) == lines
    assert "the database is away: connection refused" in written[0]
    assert "the database is back after" in written[-1] or sharing == "apart"
    assert all(re.match(r"[0-9-]{10} [0-9:]{8}[+-][0-9]{4} ", line) for line in written)


def test_an_outage_that_comes_again_is_told_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage_log.share(tmp_path)
    outage_log.begins(outage_log.DATABASE, "refused")
    outage_log.ends(outage_log.DATABASE)
    outage_log.begins(outage_log.DATABASE, "refused")
    assert not outage_log.is_away(outage_log.DATABASE)  # a late answer

    monkeypatch.setattr(outage_log, "SETTLING", timedelta())
    outage_log.begins(outage_log.DATABASE, "refused")

    assert outage_log.is_away(outage_log.DATABASE)
    assert len(said(caplog)) == 3


def test_a_full_disk_has_room_again_only_when_it_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage_log.share(tmp_path)
    monkeypatch.setattr(outage_log, "ROOM", 1 << 60)
    assert outage_log.begins_with(OSError(errno.ENOSPC, "No space left on device"))

    outage_log.ends(outage_log.DISK)
    assert outage_log.is_away(outage_log.DISK)
    monkeypatch.setattr(outage_log, "ROOM", 0)
    outage_log.ends(outage_log.DISK)

    begun, ended = said(caplog)
    assert begun.startswith("the disk is full: ")
    assert ended.startswith("the disk has room again after")
