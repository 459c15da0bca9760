"""tick → insert what is missing → claim → run (§8).

`job_run` rows are the truth. A tick writes one row for each due instant since the last tick, then works the
unfinished rows in the order of (due_for, timetable). A row is claimed by a conditional update; the job's
work and the row's `done` are one transaction, which makes each run happen exactly once whatever is killed.
The election of one process only saves work. This is the one room of the office that commits.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.engine import writing
from models.office import JobRun
from models.property import Estate
from office.core import clock, idempotency, schema
from office.core.errors import N_, Refused
from office.core.jobs import Job, JobResult
from office.core.leases import LEASE, claimant, is_abandoned, is_orphaned
from office.messaging import outbox
from office.scheduling.jobs import BY_CODE, JOBS, POSITION

try:
    import fcntl
except ImportError:  # Windows: every clock looks for work, and the claims keep each run single
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

FAILURES_UNTIL_DEAD = 3  # errors, one a tick
ATTEMPTS_UNTIL_DEAD = 100  # a run that takes its process down every time must not do so for ever
UNFINISHED = ("due", "running", "failed")
ADVISORY_KEY = 0x6761_7465  # "gate": PostgreSQL's name for the election
_being_worked: set[int] = set()  # runs that this very process is working on, in any of its threads


@dataclass(frozen=True)
class Run:
    """One run as a tick left it."""

    job: str
    due_for: datetime
    state: str
    done: int = 0
    failed: int = 0
    error: str = ""


@dataclass
class Ticked:
    """What a tick did: the office's present instant and the runs worked, in order."""

    present_at: datetime
    runs: list[Run] = field(default_factory=list)
    is_busy: bool = False  # another living process holds the next run


@dataclass(frozen=True)
class JobStatus:
    """One job for the screen and for `flask jobs`: its last run, that run's result, its next run."""

    job: str
    last_run: datetime | None
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    done: int
    failed: int
    result: Mapping[str, Any]
    error: str
    next_run: datetime


# --- time ---------------------------------------------------------------------------------------------


def tick(session: Session, *, at: datetime | None = None, is_whole_minute: bool = False) -> Ticked:
    """Do everything due since the last tick, up to the present or, in a sandbox, up to `at` (§8).

    The clock asks for the whole minute, so that several clocks mean the same run. Returns when all is done,
    or at once with `is_busy` when another living process works on the next run. Commits as it goes.
    Raises Refused when there is no office, or when time is chosen outside a sandbox.
    """
    with writing():
        present_at = _advance(session, at, is_whole_minute=is_whole_minute)
        ticked = work(session)
    ticked.present_at = present_at
    return ticked


def _advance(session: Session, at: datetime | None, *, is_whole_minute: bool) -> datetime:
    """Move the office's present, write the rows that have come due, and commit; returns the present."""
    estate = _locked_estate(session)
    machine_now = clock.machine_now().replace(microsecond=0)
    is_chosen = estate.is_sandbox and estate.present_at is not None
    if at is not None and not estate.is_sandbox:
        raise Refused(N_("Time can be chosen only in a sandbox: flask init --sandbox"))
    values: dict[str, Any] = {"heartbeat_at": machine_now}
    rows: list[dict[str, Any]] = []
    if at is not None and not is_chosen:  # the first choice only sets the present
        present_at = at
        values |= {"present_at": at, "last_tick_at": at}
        session.execute(delete(JobRun).where(JobRun.due_for > at))
    elif is_chosen and (at is None or at <= (estate.present_at or at)):
        present_at = estate.present_at or machine_now
        if outbox.has_due(session, present_at):  # time stands still, messages leave all the same
            ask_for_run(session, "outbox", present_at, present_at)
    else:
        present_at = at or (machine_now.replace(second=0) if is_whole_minute else machine_now)
        since = estate.last_tick_at or present_at
        rows = _due_rows(since, present_at, ZoneInfo(estate.time_zone))
        values["last_tick_at"] = max(since, present_at)
        if at is not None:
            values["present_at"] = at
    if rows:
        _insert_missing(session, rows)
    session.execute(update(Estate).values(values))
    session.commit()
    return present_at


def _locked_estate(session: Session) -> Any:
    """The estate's columns about time, locked until the commit."""
    if schema.is_empty(session):
        raise Refused(N_("The office is not set up: run flask init"))
    columns = (
        Estate.is_sandbox,
        Estate.time_zone,
        Estate.present_at,
        Estate.last_tick_at,
        Estate.heartbeat_at,
    )
    estate = session.execute(select(*columns).with_for_update()).one_or_none()
    if estate is None:
        raise Refused(N_("The office is not set up: run flask init"))
    return estate


def _due_rows(since: datetime, until: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for job in JOBS:
        instants = [until] if job.at is None else job.due_between(since, until, zone)
        rows += [{"job": job.code, "due_for": instant} for instant in instants]
    return rows


def _insert_missing(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert(JobRun) if dialect == "sqlite" else postgresql.insert(JobRun)
    session.execute(insert.on_conflict_do_nothing(index_elements=["job", "due_for"]), rows)


# --- claim and run ------------------------------------------------------------------------------------


def work(session: Session) -> Ticked:
    """Work every unfinished run in order until none is left; one that fails holds back only its own job.

    Commits after each run. Stops with `is_busy` where another living process holds the next run.
    """
    ticked = Ticked(clock.now(session))
    tried: set[int] = set()
    held_back: set[str] = set()
    with writing():
        while True:
            queue = [run for run in _unfinished(session) if run.id not in tried]
            session.rollback()
            if not queue:
                return ticked
            for run in queue:
                tried.add(run.id)
                if run.job in held_back:
                    continue
                worked = _work_on(session, run)
                if worked is None:
                    ticked.is_busy = True
                    return ticked
                ticked.runs.append(worked)
                if worked.state != "done" and _is_dated(run.job):
                    held_back.add(run.job)


def _is_dated(code: str) -> bool:
    return code in BY_CODE and BY_CODE[code].at is not None


def _unfinished(session: Session) -> list[Any]:
    """Runs to do, the next one first."""
    listed = ", ".join(f"'{state}'" for state in UNFINISHED)  # literal, as the partial index says it
    rows = session.execute(
        select(JobRun.id, JobRun.job, JobRun.due_for, JobRun.state, JobRun.claimed_by, JobRun.claimed_at)
        .where(text(f"job_run.state IN ({listed})"))
        .order_by(JobRun.due_for, JobRun.id)
    ).all()
    return sorted(rows, key=lambda row: (row.due_for, POSITION.get(row.job, len(JOBS)), row.id))


def _work_on(session: Session, run: Any) -> Run | None:
    """Claim one run and do it; nothing when another living process has it."""
    now = clock.machine_now()
    if run.state == "running" and not _may_be_taken(run, now):
        return None
    if not _claim(session, run, now):
        return None
    _being_worked.add(run.id)
    try:
        return _do(session, run)
    finally:
        _being_worked.discard(run.id)


def _may_be_taken(run: Any, now: datetime) -> bool:
    if run.claimed_by == claimant():
        return run.id not in _being_worked
    return is_abandoned(run.claimed_by, run.claimed_at, now)


def _claim(session: Session, run: Any, now: datetime) -> bool:
    claimed: Any = session.execute(
        update(JobRun)
        .where(
            JobRun.id == run.id,
            JobRun.state == run.state,
            JobRun.claimed_by == run.claimed_by,
            JobRun.claimed_at.is_(None) if run.claimed_at is None else JobRun.claimed_at == run.claimed_at,
        )
        .values(
            state="running",
            claimed_by=claimant(),
            claimed_at=now,
            started_at=now,
            attempts=JobRun.attempts + 1,
        )
    )
    session.commit()
    return bool(claimed.rowcount == 1)


def _do(session: Session, run: Any) -> Run | None:
    try:
        if _attempts(session, run) > ATTEMPTS_UNTIL_DEAD:
            return _set_aside(session, run, "its process was lost too often", is_dead=True)
        job = BY_CODE.get(run.job)
        if job is None:
            return _set_aside(session, run, "no job of this name is in the timetable", is_dead=True)
        if not job.is_committing and not _hold(session, run):
            return None
        outcome = _function(job.run)(session, run.due_for)
        return _finish(session, run, outcome)
    except Exception as error:
        session.rollback()
        log.exception("job %s for %s failed", run.job, run.due_for)
        return _set_aside(session, run, f"{type(error).__name__}: {error}"[:2000])
    except BaseException:  # told to stop: give the run back, so that whoever comes next starts at once
        session.rollback()
        session.execute(update(JobRun).where(*_is_mine(run)).values(state="due", claimed_by=""))
        session.commit()
        raise


def _is_mine(run: Any) -> tuple[Any, ...]:
    return (JobRun.id == run.id, JobRun.state == "running", JobRun.claimed_by == claimant())


def _hold(session: Session, run: Any) -> bool:
    """Lock the row for the length of the job's transaction: nobody can finish it beside us."""
    held: Any = session.execute(
        update(JobRun).where(*_is_mine(run)).values(claimed_at=clock.machine_now()).returning(JobRun.id)
    )
    return held.first() is not None


def _attempts(session: Session, run: Any) -> int:
    attempts = session.execute(select(JobRun.attempts).where(JobRun.id == run.id)).scalar_one()
    session.rollback()
    return attempts


@cache
def _function(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _finish(session: Session, run: Any, outcome: JobResult) -> Run | None:
    """Mark the run done in the transaction that holds its work."""
    finished: Any = session.execute(
        update(JobRun)
        .where(*_is_mine(run))
        .values(
            state="done",
            finished_at=clock.machine_now(),
            claimed_by="",
            done=outcome.done,
            failed=outcome.failed,
            result=json.dumps(dict(outcome.result), ensure_ascii=False, default=str),
            error="",
        )
    )
    if finished.rowcount != 1:  # taken over meanwhile: whoever has it now does the work
        session.rollback()
        return None
    session.commit()
    return Run(run.job, run.due_for, "done", outcome.done, outcome.failed)


def _set_aside(session: Session, run: Any, error: str, *, is_dead: bool = False) -> Run:
    """Note the error; after the last allowed failure the run is dead and waits for a person."""
    failures = session.execute(select(JobRun.failures).where(JobRun.id == run.id)).scalar_one() + 1
    state = "dead" if is_dead or failures >= FAILURES_UNTIL_DEAD else "failed"
    session.execute(
        update(JobRun)
        .where(*_is_mine(run))
        .values(state=state, failures=failures, claimed_by="", error=error)
    )
    session.commit()
    return Run(run.job, run.due_for, state, error=error)


# --- election -----------------------------------------------------------------------------------------


@contextmanager
def elected(engine: Engine) -> Iterator[bool]:
    """Whether this process works the queue now: a file lock on SQLite, an advisory lock on PostgreSQL.

    It only saves several processes the same look-ups; the claims alone keep each run single.
    """
    if engine.dialect.name == "sqlite":
        with _file_lock(engine) as is_elected:
            yield is_elected
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_elected = _advisory_lock(connection)
        try:
            yield is_elected
        finally:
            if is_elected:
                connection.execute(select(func.pg_advisory_unlock(ADVISORY_KEY)))


def _advisory_lock(connection: Connection) -> bool:
    return bool(connection.execute(select(func.pg_try_advisory_lock(ADVISORY_KEY))).scalar_one())


@contextmanager
def _file_lock(engine: Engine) -> Iterator[bool]:
    name = engine.url.database
    if fcntl is None or name in {None, "", ":memory:"}:
        yield True
        return
    descriptor = os.open(Path(f"{name}.clock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def tick_to_the_end(session: Session, *, at: datetime | None = None) -> Ticked:
    """For a person's command: tick, and wait while other processes finish what they hold."""
    ticked = tick(session, at=at)
    while ticked.is_busy:
        time.sleep(0.1)
        more = work(session)
        ticked.runs += more.runs
        ticked.is_busy = more.is_busy
    return ticked


# --- the ticking clock --------------------------------------------------------------------------------


class Clock:
    """Ticks each minute and, every few seconds, beats and finishes what was asked for or left behind.

    `open_session` gives a fresh session for each turn. Any number of clocks may run on one office.
    """

    BEAT = timedelta(seconds=10)

    def __init__(self, open_session: Any) -> None:
        self.open_session = open_session
        self.turn = threading.Lock()
        self.turn_began_at = clock.machine_now()

    def minute(self) -> None:
        """One tick; an error is logged, and the next minute comes."""
        with self.turn:
            self._take_turn(is_minute=True)

    def beat(self) -> None:
        """Show that the clock runs; finish what is left unless a tick is at it."""
        if not self.turn.acquire(blocking=False):
            if clock.machine_now() - self.turn_began_at < LEASE:  # a long catch-up, no stuck one
                self._guarded(heartbeat)
            return
        try:
            self._take_turn(is_minute=False)
        finally:
            self.turn.release()

    def _take_turn(self, *, is_minute: bool) -> None:
        self.turn_began_at = clock.machine_now()
        self._guarded(partial(self._work, is_minute=is_minute))

    def _work(self, session: Session, *, is_minute: bool) -> None:
        heartbeat(session)
        bind = session.get_bind()
        assert isinstance(bind, Engine)
        with elected(bind) as is_elected:
            if is_minute and is_elected:
                tick(session, is_whole_minute=True)
            elif is_elected:
                work(session)

    def _guarded(self, act: Callable[[Session], None]) -> None:
        """Act in a fresh session; whatever goes wrong is logged, and the next turn comes."""
        try:
            with self.open_session() as session:
                act(session)
        except Refused as refusal:
            log.warning("%s", refusal)
        except SQLAlchemyError:
            log.exception("the scheduler could not connect to the database")
        except Exception:
            log.exception("a tick failed")


def heartbeat(session: Session) -> None:
    """Note the machine's time on the estate; nothing before the set-up."""
    with writing():
        if not schema.is_empty(session):
            session.execute(update(Estate).values(heartbeat_at=clock.machine_now()))
        session.commit()


def run_clock(clockwork: Clock, *, parent: int | None = None) -> None:
    """Tick until the process is told to stop, or `parent` has ended. APScheduler keeps the time."""
    from apscheduler.schedulers.background import BackgroundScheduler

    told = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: told.set())
    scheduler = BackgroundScheduler(timezone="UTC")
    common = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    scheduler.add_job(clockwork.minute, "cron", second=0, next_run_time=clock.machine_now(), **common)
    scheduler.add_job(clockwork.beat, "interval", seconds=clockwork.BEAT.total_seconds(), **common)
    scheduler.start()
    while not told.wait(1):
        if parent is not None and is_orphaned(parent):
            break
    scheduler.shutdown(wait=True)


# --- for people ---------------------------------------------------------------------------------------


def office_zone(session: Session) -> ZoneInfo:
    """The office's time zone. Raises Refused when there is no office."""
    if schema.is_empty(session) or session.execute(select(Estate.id)).first() is None:
        raise Refused(N_("The office is not set up: run flask init"))
    return clock.zone(session)


def statuses(session: Session, now: datetime) -> list[JobStatus]:
    """Each job of the timetable with its last run, that run's result, and its next run (§8)."""
    zone = clock.zone(session)
    return [_status(session, job, now, zone) for job in JOBS]


def _status(session: Session, job: Job, now: datetime, zone: ZoneInfo) -> JobStatus:
    last = session.execute(
        select(JobRun).where(JobRun.job == job.code).order_by(JobRun.due_for.desc()).limit(1)
    ).scalar_one_or_none()
    next_run = job.next_after(now, zone)
    if last is None:
        return JobStatus(job.code, None, "", None, None, 0, 0, 0, {}, "", next_run)
    return JobStatus(
        job.code,
        last.due_for,
        last.state,
        last.started_at,
        last.finished_at,
        last.attempts,
        last.done,
        last.failed,
        json.loads(last.result or "{}"),
        last.error,
        next_run,
    )


def ask_for_run(session: Session, code: str, due_for: datetime, now: datetime) -> None:
    """Have a job run (again) for a given moment; a running clock does it within seconds (§8).

    Raises Refused for an unknown job or a moment that has not come.
    """
    if code not in BY_CODE:
        raise Refused(N_("There is no job %(job)s"), job=code)
    if due_for > now:
        raise Refused(N_("That moment has not come yet"))
    _insert_missing(session, [{"job": code, "due_for": due_for}])
    asked: Any = session.execute(
        update(JobRun)
        .where(JobRun.job == code, JobRun.due_for == due_for, JobRun.state != "running")
        .values(state="due", failures=0, attempts=0, claimed_by="", error="")
    )
    if asked.rowcount != 1:
        raise Refused(N_("This run is being worked on right now"))


def age_of_last_tick(session: Session) -> timedelta | None:
    """How long ago a clock last showed itself; nothing when none ever did."""
    if schema.is_empty(session):
        return None
    beaten_at = session.execute(select(Estate.heartbeat_at)).scalar_one_or_none()
    return None if beaten_at is None else clock.machine_now() - beaten_at


def remove_old_runs(session: Session, due_for: datetime) -> JobResult:
    """Job: take finished runs of minute jobs off the list once they are older than the timetable keeps.

    The keys of old forms go with them.
    """
    removed = 0
    for job in JOBS:
        if job.kept_days is not None:
            gone: Any = session.execute(
                delete(JobRun).where(
                    JobRun.job == job.code,
                    JobRun.state == "done",
                    JobRun.due_for < due_for - timedelta(days=job.kept_days),
                )
            )
            removed += gone.rowcount
    return JobResult(done=removed + idempotency.remove_old(session, due_for))
