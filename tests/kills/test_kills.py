"""F12: four clocks on one office, a day fast or slow, killed without warning; each effect exactly once.

`GATEHOUSE_KILLS` sets how many die on each database (100 by default). The controls take one protection off
and must see the damage.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.engine import writing
from models.office import Audit, JobRun, Message
from models.property import Estate
from office.arrears.room import send_due
from office.core import clock
from office.messaging import outbox
from office.rooms import TIMETABLE
from office.scheduling import scheduler
from tests.conftest import Office
from tests.factories.mail_server import SlowInbox
from tests.kills import scheduler_processes

KILLS = int(os.environ.get("GATEHOUSE_KILLS", "100"))
SHANGHAI = ZoneInfo("Asia/Shanghai")
pytestmark = [pytest.mark.kill, pytest.mark.xdist_group("kills")]


@pytest.fixture
def killed(
    office: Office, letters: SlowInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Session]:
    """Let clocks live and die, then let one tick finish what they left; the office's session."""
    session = office.session()

    def run(kills: int, seconds: float, without: str = "") -> Session:
        scheduler.tick(session, scheduler_processes.TIMETABLE, at=scheduler_processes.START)
        with (tmp_path / "errors").open("w") as errors:
            lived = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "tests.kills.scheduler_processes",
                    office.url,
                    str(kills),
                    str(seconds),
                    without,
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                check=True,
            )
        assert json.loads(lived.stdout)["kills"] == kills + scheduler_processes.CLOCKS
        three_days_down = clock.now(session) + timedelta(days=3)
        for _ in range(2):
            scheduler.tick_to_the_end(session, scheduler_processes.TIMETABLE, at=three_days_down)
        return session

    with writing():
        yield run
        session.close()


def days_due(session: Session, code: str) -> list[datetime]:
    job = scheduler_processes.TIMETABLE.find(code)
    return job.due_between(scheduler_processes.START, clock.now(session), SHANGHAI)


def effects(session: Session) -> Counter[tuple[str, datetime]]:
    rows = session.execute(select(Audit.action, Audit.at).where(Audit.table_name == "kills"))
    return Counter((action, instant) for action, instant in rows)


def test_each_effect_happens_once(killed: Callable[..., Session], letters: SlowInbox) -> None:
    session = killed(KILLS, seconds=KILLS / 8)

    runs = session.execute(select(JobRun.job, JobRun.due_for, JobRun.state)).all()
    assert {run.state for run in runs} == {"done"}
    assert sorted(run.due_for for run in runs if run.job == "count") == days_due(session, "count")
    assert set(effects(session).values()) == {1}
    assert {instant for _, instant in effects(session)} >= set(days_due(session, "count"))
    assert len(days_due(session, "count")) > KILLS / 10

    states = dict(session.execute(select(Message.key, Message.state)).all())
    assert len(states) == scheduler_processes.LETTERS_A_DAY * len(days_due(session, "letters"))
    assert set(states.values()) <= {"sent", "unknown"}
    assert all(letters.received[key] == 1 for key, state in states.items() if state == "sent")
    assert max(letters.received.values()) == 1
    assert list(states.values()).count("unknown") <= KILLS + scheduler_processes.CLOCKS


def test_without_claims_effects_happen_twice(killed: Callable[..., Session]) -> None:
    session = killed(0, seconds=3, without="claims")

    assert max(effects(session).values()) > 1


@pytest.mark.parametrize(
    ("guesses", "state", "times"), [(False, "unknown", 1), (True, "sent", 2)], ids=["protected", "control"]
)
def test_a_letter_whose_sender_died_is_not_sent_again(
    office: Office, letters: SlowInbox, monkeypatch: pytest.MonkeyPatch, guesses: bool, state: str, times: int
) -> None:
    """The sender dies between the server's taking the letter and its answer; the control sends it twice."""
    with office.session() as session, writing():
        scheduler.tick(session, scheduler_processes.TIMETABLE, at=scheduler_processes.START)
        outbox.enqueue(session, "key", "email", "a@example.org", body="text", now=scheduler_processes.START)
        session.commit()
        letters.seconds = 10
        environment = office.environment | {"GATEHOUSE_SMTP_URL": os.environ["GATEHOUSE_SMTP_URL"]}
        sender = subprocess.Popen([sys.executable, "-m", "flask", "--app", "app", "tick"], env=environment)
        assert letters.has_one.wait(60)
        sender.kill()
        sender.wait()
        letters.seconds = 0
        if guesses:
            monkeypatch.setattr(outbox, "_settle_lost", scheduler_processes.guess)

        send_due(session, scheduler_processes.START)

        assert session.scalars(select(Message.state)).one() == state
    assert letters.received["text"] == times


def test_four_real_clocks_catch_three_days_up_once(office: Office, tmp_path: Path) -> None:
    """`flask clock`, four times, two killed in the middle, in an office that lives in real time."""
    session = office.session()
    since = clock.machine_now() - timedelta(days=3)
    with writing():
        session.execute(update(Estate).values(is_sandbox=False, last_tick_at=since))
        session.commit()
    due = {
        (job.code, instant)
        for job in TIMETABLE
        for instant in job.due_between(since, clock.machine_now(), SHANGHAI)
    }

    clocks = [open_clock(office, tmp_path) for _ in range(scheduler_processes.CLOCKS)]
    try:
        for unlucky in clocks[:2]:
            wait_for_runs(session, least=1 + len(due) // 4)
            unlucky.kill()
        wait_for_runs(session, least=len(due))
    finally:
        for process in clocks:
            process.kill()
            process.wait()

    runs = session.execute(select(JobRun.job, JobRun.due_for, JobRun.state)).all()
    dated = [run for run in runs if TIMETABLE.find(run.job).at is not None]
    assert sorted((run.job, run.due_for) for run in dated) == sorted(due)
    assert {run.state for run in dated} == {"done"}
    session.close()


def open_clock(office: Office, tmp_path: Path) -> subprocess.Popen[bytes]:
    with (tmp_path / "clock.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "clock"], env=office.environment, stderr=log
        )


def wait_for_runs(session: Session, least: int) -> None:
    """Until so many dated runs are done, a minute at most."""
    deadline = time.monotonic() + 60
    dated = [job.code for job in TIMETABLE if job.at is not None]
    done = select(func.count()).where(JobRun.state == "done", JobRun.job.in_(dated))
    while session.execute(done).scalar_one() < least:
        session.rollback()
        assert time.monotonic() < deadline, "the clocks are too slow"
        time.sleep(0.05)
    session.rollback()
