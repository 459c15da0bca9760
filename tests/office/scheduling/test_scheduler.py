"""Ticks, catch-up, claims, failures, the first tick of a sandbox (§8 and contract "Exact meanings")."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models import db
from models.engine import writing
from models.office import JobRun
from models.property import Area, Estate
from office import rooms
from office.core import clock, leases
from office.core.errors import Refused
from office.core.jobs import Job, JobResult
from office.scheduling import election, job_status, old_runs, scheduler
from office.scheduling.timetable import Timetable
from tests.conftest import Office

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text_: str) -> datetime:
    """An instant written in office time."""
    return datetime.fromisoformat(text_).replace(tzinfo=SHANGHAI).astimezone(UTC)


# --- what is due when ---------------------------------------------------------------------------------


def idle(_session: Session, _due_for: datetime) -> JobResult:
    return JobResult()


DAILY = Job("daily", idle, at=day_time(9, 0))
MONTHLY = Job("monthly", idle, at=day_time(8, 0), day=25)
LAST_DAY = Job("last", idle, at=day_time(8, 0), day=31)
SUNDAYS = Job("sundays", idle, at=day_time(4, 30), weekday=6)
DUE = [
    # job, after, until, due
    (DAILY, "2026-03-01T08:59", "2026-03-01T08:59:59", []),
    (DAILY, "2026-03-01T08:59", "2026-03-01T09:00", ["2026-03-01T09:00"]),
    (DAILY, "2026-03-01T09:00", "2026-03-01T23:59", []),
    (DAILY, "2026-03-01T09:00", "2026-03-03T10:00", ["2026-03-02T09:00", "2026-03-03T09:00"]),
    (DAILY, "2026-03-03T10:00", "2026-03-01T09:00", []),
    (MONTHLY, "2026-01-25T08:00", "2026-03-25T08:00", ["2026-02-25T08:00", "2026-03-25T08:00"]),
    (LAST_DAY, "2026-02-01T00:00", "2026-03-31T08:00", ["2026-02-28T08:00", "2026-03-31T08:00"]),
    (SUNDAYS, "2026-02-28T00:00", "2026-03-08T04:30", ["2026-03-01T04:30", "2026-03-08T04:30"]),
    (SUNDAYS, "2026-03-01T04:30", "2026-03-08T04:29", []),
    (Job("minute", idle), "2026-03-01T09:00", "2026-03-01T10:00", []),
]  # fmt: skip


@pytest.mark.parametrize(("job", "after", "until", "due"), DUE)
def test_due_instants(job: Job, after: str, until: str, due: list[str]) -> None:
    assert job.due_between(at(after), at(until), SHANGHAI) == [at(instant) for instant in due]


def test_next_run() -> None:
    assert DAILY.next_after(at("2026-03-01T08:59:59"), SHANGHAI) == at("2026-03-01T09:00")
    assert DAILY.next_after(at("2026-03-01T09:00"), SHANGHAI) == at("2026-03-02T09:00")
    assert MONTHLY.next_after(at("2026-03-25T08:00"), SHANGHAI) == at("2026-04-25T08:00")
    assert Job("minute", idle).next_after(at("2026-03-01T09:00:30"), SHANGHAI) == at("2026-03-01T09:01")


def test_jobs_due_at_one_instant_run_in_the_order_of_the_timetable() -> None:
    """Restrictions are lifted before figures are stored; messages leave last, with all that was written."""
    codes = [job.code for job in rooms.TIMETABLE]

    assert codes[-4:] == ["restriction_lifts", "figures", "ticket_clocks", "outbox"]
    assert {job.code for job in rooms.TIMETABLE if job.at is None} == set(codes[-4:])
    dated = [(job.at, job.day) for job in rooms.TIMETABLE if job.at is not None]
    assert dated == sorted(set(dated), key=lambda moment: moment[0])


def test_a_minute_job_of_the_same_instant_runs_after_the_dated_ones() -> None:
    later, sooner = Job("later", idle, order=2), Job("sooner", idle, order=1)

    timetable = Timetable((later, DAILY, sooner))

    assert [job.code for job in timetable] == ["daily", "sooner", "later"]
    assert [timetable.position(code) for code in ("daily", "later", "unknown")] == [0, 2, 3]


def test_two_jobs_of_one_code_are_refused() -> None:
    with pytest.raises(ValueError, match="daily"):
        Timetable((DAILY, Job("daily", idle)))


# --- an office whose jobs write one row a run ---------------------------------------------------------


def count_run(session: Session, due_for: datetime) -> JobResult:
    """A job whose effect is one area per run; a second effect of one run would break the unique name."""
    session.add(Area(name=f"counted {due_for.isoformat()}"))
    session.flush()
    return JobResult(done=1, result={"due_for": due_for.isoformat()})


def count_minute(session: Session, due_for: datetime) -> JobResult:
    session.add(Area(name=f"minute {due_for.isoformat()}"))
    return JobResult(done=1)


def fail(session: Session, due_for: datetime) -> JobResult:
    session.add(Area(name=f"half done {due_for.isoformat()}"))
    session.flush()
    raise ValueError("no luck today")


JOBS = (
    Job("count", count_run, at=day_time(9, 0)),
    Job("minute", count_minute, retention_days=30),
)
TIMETABLE = Timetable(JOBS)


def tick(session: Session, timetable: Timetable = TIMETABLE, **chosen: Any) -> scheduler.Ticked:
    return scheduler.tick(session, timetable, **chosen)


@pytest.fixture
def office_session(session: Session) -> Session:
    return session


def runs(session: Session) -> list[tuple[str, str, str]]:
    rows = session.execute(
        select(JobRun.job, JobRun.due_for, JobRun.state).order_by(JobRun.due_for, JobRun.id)
    )
    return [
        (job, due_for.astimezone(SHANGHAI).strftime("%m-%dT%H:%M:%S"), state) for job, due_for, state in rows
    ]


def effects(session: Session) -> list[str]:
    return list(session.scalars(select(Area.name).order_by(Area.id)))


class TestSandbox:
    def test_the_first_choice_only_sets_the_present(self, office_session: Session) -> None:
        ticked = tick(office_session, at=at("2025-03-01T09:00"))

        assert ticked.runs == []
        assert runs(office_session) == []
        assert clock.now(office_session) == at("2025-03-01T09:00")

    def test_it_forgets_the_runs_of_real_time_that_lie_ahead(self, office_session: Session) -> None:
        tick(office_session)
        assert [job for job, _, _ in runs(office_session)] == ["minute"]

        tick(office_session, at=at("2025-03-01T09:00"))

        assert runs(office_session) == []

    def test_each_missed_day_runs_as_itself_in_order(self, office_session: Session) -> None:
        tick(office_session, at=at("2026-03-01T09:00"))

        ticked = tick(office_session, at=at("2026-03-03T10:00:01"))

        assert [(run.job, run.due_for) for run in ticked.runs] == [
            ("count", at("2026-03-02T09:00")),
            ("count", at("2026-03-03T09:00")),
            ("minute", at("2026-03-03T10:00:01")),
        ]
        assert runs(office_session) == [
            ("count", "03-02T09:00:00", "done"),
            ("count", "03-03T09:00:00", "done"),
            ("minute", "03-03T10:00:01", "done"),
        ]

    @pytest.mark.parametrize("again", ["2026-03-03T10:00", "2026-03-03T09:00", "2026-03-01T00:00"])
    def test_the_same_or_an_earlier_instant_changes_nothing(
        self, office_session: Session, again: str
    ) -> None:
        tick(office_session, at=at("2026-03-01T09:00"))
        tick(office_session, at=at("2026-03-03T10:00"))
        before = runs(office_session), effects(office_session)

        ticked = tick(office_session, at=at(again))

        assert ticked.runs == []
        assert (runs(office_session), effects(office_session)) == before
        assert clock.now(office_session) == at("2026-03-03T10:00")

    def test_the_minute_tick_moves_no_time_but_beats(self, office_session: Session) -> None:
        tick(office_session, at=at("2026-03-01T09:00"))
        office_session.execute(update(Estate).values(heartbeat_at=at("2026-03-01T09:00")))

        ticked = tick(office_session, is_whole_minute=True)

        assert ticked.runs == []
        assert clock.now(office_session) == at("2026-03-01T09:00")
        assert job_status.age_of_last_tick(office_session) < timedelta(seconds=30)

    def test_any_pattern_of_ticks_gives_the_same_dated_runs(
        self, session_of: Callable[[str], Session]
    ) -> None:
        found = []
        for hours in ([240], [6] * 40, [7, 50, 3, 100, 80]):
            session = session_of("residential")
            instant = at("2026-03-01T09:00")
            tick(session, at=instant)
            for step in hours:
                instant += timedelta(hours=step)
                tick(session, at=instant)
            found.append([name for name in effects(session) if name.startswith("counted")])

        assert len(found[0]) == 10
        assert found[0] == found[1] == found[2]


class TestRealOffice:
    @pytest.fixture(autouse=True)
    def real(self, office_session: Session) -> None:
        office_session.execute(update(Estate).values(is_sandbox=False))
        office_session.commit()

    def test_time_can_not_be_chosen(self, office_session: Session) -> None:
        with pytest.raises(Refused):
            tick(office_session, at=at("2026-03-01T09:00"))

    def test_the_first_tick_catches_nothing_up(self, office_session: Session) -> None:
        tick(office_session)

        assert [job for job, _, _ in runs(office_session)] == ["minute"]

    def test_days_down_are_caught_up_once(self, office_session: Session) -> None:
        three_days_ago = clock.machine_now() - timedelta(days=3)
        office_session.execute(update(Estate).values(last_tick_at=three_days_ago))
        office_session.commit()

        tick(office_session, is_whole_minute=True)
        tick(office_session, is_whole_minute=True)

        assert len([name for name in effects(office_session) if name.startswith("counted")]) == 3

    def test_a_clock_that_ran_a_day_ahead_repeats_nothing(self, office_session: Session) -> None:
        tomorrow = clock.machine_now() + timedelta(days=1)
        office_session.execute(update(Estate).values(last_tick_at=tomorrow))
        office_session.commit()

        tick(office_session, is_whole_minute=True)

        assert [job for job, _, _ in runs(office_session)] == ["minute"]
        assert office_session.scalar(select(Estate.last_tick_at)) == tomorrow


FAILING = Timetable((Job("fail", fail, at=day_time(8, 0)), *JOBS))


class TestFailures:
    @pytest.fixture
    def failing(self, session: Session) -> Session:
        tick(session, FAILING, at=at("2026-03-01T09:00"))
        return session

    def test_a_failing_job_leaves_nothing_and_stops_no_other(self, failing: Session) -> None:
        tick(failing, FAILING, at=at("2026-03-03T10:00"))

        assert runs(failing) == [
            ("fail", "03-02T08:00:00", "failed"),
            ("count", "03-02T09:00:00", "done"),
            ("fail", "03-03T08:00:00", "due"),  # waits for its own first day
            ("count", "03-03T09:00:00", "done"),
            ("minute", "03-03T10:00:00", "done"),
        ]
        assert not [name for name in effects(failing) if name.startswith("half")]

    def test_after_three_failures_it_is_dead_with_its_error(self, failing: Session) -> None:
        for _ in range(scheduler.FAILURES_UNTIL_DEAD):
            tick(failing, FAILING, at=at("2026-03-02T10:00"))

        run = failing.scalars(select(JobRun).where(JobRun.job == "fail")).one()
        assert (run.state, run.attempts, run.error) == ("dead", 3, "ValueError: no luck today")
        assert tick(failing, FAILING, at=at("2026-03-02T10:00")).runs == []

    def test_a_dead_run_can_be_asked_for_again(self, failing: Session) -> None:
        for _ in range(scheduler.FAILURES_UNTIL_DEAD):
            tick(failing, FAILING, at=at("2026-03-02T10:00"))
        mended = Timetable((Job("fail", count_run, at=day_time(8, 0)),))

        with writing():
            scheduler.ask_for_run(failing, mended, "fail", at("2026-03-02T08:00"), clock.now(failing))
            failing.commit()
        scheduler.work(failing, mended)

        assert ("fail", "03-02T08:00:00", "done") in runs(failing)

    def test_a_moment_ahead_or_an_unknown_job_is_refused(self, failing: Session) -> None:
        with pytest.raises(Refused):
            scheduler.ask_for_run(failing, FAILING, "fail", at("2026-03-02T08:00"), clock.now(failing))
        with pytest.raises(Refused):
            scheduler.ask_for_run(failing, FAILING, "none", at("2026-02-02T08:00"), clock.now(failing))

    def test_a_job_that_left_the_timetable_is_dead(self, failing: Session) -> None:
        tick(failing, FAILING, at=at("2026-03-02T10:00"))

        tick(failing, TIMETABLE, at=at("2026-03-02T10:01"))

        assert ("fail", "03-02T08:00:00", "dead") in runs(failing)


class TestClaims:
    """A run is claimed by one living process; what a dead one held is taken over at once."""

    @pytest.fixture
    def claimed(self, office_session: Session) -> Callable[[str, timedelta], Session]:
        def claim(claimed_by: str, age: timedelta) -> Session:
            tick(office_session, at=at("2026-03-01T09:00"))
            office_session.add(
                JobRun(
                    job="count",
                    due_for=at("2026-03-01T09:00"),
                    state="running",
                    claimed_by=claimed_by,
                    claimed_at=clock.machine_now() - age,
                    attempts=1,
                )
            )
            office_session.commit()
            return office_session

        return claim

    def test_a_living_process_keeps_its_claim(self, claimed: Callable[..., Session]) -> None:
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
            session = claimed(leases._name(other.pid), timedelta(minutes=9))
            try:
                assert tick(session, at=at("2026-03-01T09:00")).is_busy
            finally:
                other.kill()
        assert effects(session) == []

    def test_a_killed_process_loses_it_even_before_it_is_buried(
        self, claimed: Callable[..., Session]
    ) -> None:
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        session = claimed(leases._name(other.pid), timedelta(0))
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie

        assert [run.state for run in tick(session, at=at("2026-03-01T09:00")).runs] == ["done"]
        other.wait()

    @pytest.mark.parametrize(("age", "is_taken"), [(599, False), (601, True)])
    def test_a_claim_elsewhere_is_held_for_its_lease(
        self, claimed: Callable[..., Session], age: int, is_taken: bool
    ) -> None:
        session = claimed("another-host:1:1.0", timedelta(seconds=age))

        ticked = tick(session, at=at("2026-03-01T09:00"))

        assert ticked.is_busy is not is_taken
        assert bool(effects(session)) is is_taken

    def test_what_was_taken_over_is_not_finished_twice(self, office_session: Session) -> None:
        """The job's own transaction ends with nothing when its claim is gone (control: see below)."""
        taken_over(office_session)

        assert effects(office_session) == []

    def test_without_that_check_its_work_would_stay(
        self, office_session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scheduler, "_is_mine", lambda run: (JobRun.id == run.id,))
        taken_over(office_session)

        assert len(effects(office_session)) == 1


def taken_over(session: Session) -> None:
    """A tick during which another process takes the run over, as after a lost lease."""
    tick(session, at=at("2026-03-01T09:00"))

    def run_while_taken(session: Session, due_for: datetime) -> JobResult:
        session.execute(update(JobRun).values(claimed_by="another-host:1:1.0"))
        return count_run(session, due_for)

    tick(session, Timetable([Job("count", run_while_taken, at=day_time(9, 0))]), at=at("2026-03-02T09:00"))


class TestElection:
    def test_one_of_two_is_elected_and_the_next_after_it(self, office: Office) -> None:
        with office.app.app_context():
            with election.elected(db.engine) as first, election.elected(db.engine) as second:
                assert (first, second) == (True, False)
            with election.elected(db.engine) as third:
                assert third


class TestCommands:
    """contract.md: tick, jobs."""

    def test_a_choice_of_time_outside_a_sandbox_is_refused(self, office: Office) -> None:
        with office.session() as session, writing():
            session.execute(update(Estate).values(is_sandbox=False))
            session.commit()

        refused = office.run("tick", "--at", "2026-03-01T09:00")

        assert refused.exit_code == 1
        assert len(refused.stderr.splitlines()) == 1

    def test_a_wrong_instant_is_wrong_usage(self, office: Office) -> None:
        assert office.run("tick", "--at", "tomorrow").exit_code == 2

    @pytest.mark.parametrize(
        "written", ["2026-03-01T09:00", "2026-03-01T01:00:00Z", "2026-03-01T09:00+08:00"]
    )
    def test_an_instant_without_offset_is_office_time(self, office: Office, written: str) -> None:
        ticked = office.run("tick", "--at", written, "--json")

        assert json.loads(ticked.stdout) == {"at": "2026-03-01T09:00:00+08:00", "runs": []}

    def test_jobs_tell_last_run_result_and_next_run(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rooms, "TIMETABLE", TIMETABLE)
        office.run("tick", "--at", "2026-03-01T09:00")
        office.run("tick", "--at", "2026-03-02T10:00")

        told = {row["job"]: row for row in json.loads(office.run("jobs", "--json").stdout)}

        assert told["count"]["last_run"] == "2026-03-02T09:00:00+08:00"
        assert told["count"]["state"] == "done"
        assert told["count"]["result"] == {"due_for": "2026-03-02T01:00:00+00:00"}
        assert told["count"]["next_run"] == "2026-03-03T09:00:00+08:00"

    def test_an_office_that_is_not_set_up_is_told_so(self, office_of: Callable[..., Office]) -> None:
        office = office_of("none")

        assert [office.run(name).exit_code for name in ("tick", "jobs")] == [1, 1]


def test_old_runs_of_minute_jobs_go_and_the_others_stay(office_session: Session) -> None:
    tick(office_session, at=at("2026-01-01T09:00"))
    tick(office_session, at=at("2026-01-02T09:00"))
    tick(office_session, at=at("2026-02-15T09:00"))

    outcome = old_runs.remove_old_runs(JOBS, office_session, at("2026-02-15T03:30"))

    assert outcome.done == 1
    assert [instant for job, instant, _ in runs(office_session) if job == "minute"] == ["02-15T09:00:00"]
    assert len(runs(office_session)) == 46


@pytest.mark.kill
@pytest.mark.parametrize("dialect", ["sqlite"])
class TestClockProcess:
    """`flask clock` as a real process."""

    @pytest.fixture
    def running(self, office: Office) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "clock"], env=office.environment
        )
        yield process
        process.kill()
        process.wait()

    def test_it_ticks_at_once_and_ends_when_told(
        self, office: Office, running: subprocess.Popen[bytes]
    ) -> None:
        deadline = time.monotonic() + 60
        found = 0
        while not found and time.monotonic() < deadline:
            time.sleep(0.2)
            with office.session() as session:
                found = session.scalar(select(func.count()).select_from(JobRun).where(text("state = 'done'")))

        running.send_signal(signal.SIGTERM)

        assert found
        assert running.wait(20) == 0
