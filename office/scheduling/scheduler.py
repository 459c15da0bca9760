"""The scheduler: a tick inserts the runs that are due, leases each and runs it (§8).

`job_run` rows are the truth. A tick writes one row for each due instant since the last tick, then works the
unfinished rows in the order of (due_for, timetable). A row is claimed by a conditional update; the job's
work and the row's `done` are one transaction, which makes each run happen exactly once whatever is killed.
The election of one process only saves work. This is the one room of the office that commits.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.engine import writing
from models.office import JobRun
from models.property import Estate
from office.core import clock, outage_log, schema
from office.core.errors import N_, Refused
from office.core.jobs import Job, JobResult
from office.core.leases import is_expired, lease_holder
from office.messaging import outbox
from office.scheduling.timetable import Timetable

log = logging.getLogger(__name__)

FAILURES_UNTIL_DEAD = 3  # errors, one a tick
ATTEMPTS_UNTIL_DEAD = 100  # a run that takes its process down every time must not do so for ever
UNFINISHED = ("due", "running", "failed")
_being_worked: set[int] = set()  # runs that this very process is working on, in any of its threads

# Plain statements: an office that was down for months has thousands of runs to catch up with.
_RUNS: Any = JobRun.__table__
_CLAIM = (
    update(_RUNS)
    .where(
        _RUNS.c.id == bindparam("run_id"),
        _RUNS.c.state == bindparam("state_read"),
        _RUNS.c.claimed_by == bindparam("claimed_by_read"),
        _RUNS.c.claimed_at.is_not_distinct_from(bindparam("claimed_at_read")),
    )
    .values(
        state="running",
        claimed_by=bindparam("holder"),
        claimed_at=bindparam("now"),
        started_at=bindparam("now"),
        attempts=_RUNS.c.attempts + 1,
    )
    .returning(_RUNS.c.attempts)
)


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


# --- time ---------------------------------------------------------------------------------------------


def tick(
    session: Session, timetable: Timetable, *, at: datetime | None = None, is_whole_minute: bool = False
) -> Ticked:
    """Do everything due since the last tick, up to the present or, in a sandbox, up to `at` (§8).

    The clock asks for the whole minute, so that several clocks mean the same run. Returns when all is done,
    or at once with `is_busy` when another living process works on the next run. Commits as it goes.
    Raises Refused when there is no office, or when time is chosen outside a sandbox.
    """
    with writing():
        present_at = _advance(session, timetable, at, is_whole_minute=is_whole_minute)
        ticked = work(session, timetable)
    ticked.present_at = present_at
    return ticked


def _advance(
    session: Session, timetable: Timetable, at: datetime | None, *, is_whole_minute: bool
) -> datetime:
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
            ask_for_run(session, timetable, "outbox", present_at, present_at)
    else:
        present_at = at or (machine_now.replace(second=0) if is_whole_minute else machine_now)
        since = estate.last_tick_at or present_at
        due = timetable.due_runs(since, present_at, ZoneInfo(estate.time_zone))
        rows = [{"job": job.code, "due_for": instant} for job, instant in due]
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


def _insert_missing(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert(JobRun) if dialect == "sqlite" else postgresql.insert(JobRun)
    session.execute(insert.on_conflict_do_nothing(index_elements=["job", "due_for"]), rows)


def ask_for_run(session: Session, timetable: Timetable, code: str, due_for: datetime, now: datetime) -> None:
    """Have a job run (again) for a given moment; a running clock does it within seconds (§8).

    Raises Refused for an unknown job or a moment that has not come.
    """
    if timetable.find(code) is None:
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


def tick_to_the_end(session: Session, timetable: Timetable, *, at: datetime | None = None) -> Ticked:
    """For a person's command: tick, and wait while other processes finish what they hold."""
    ticked = tick(session, timetable, at=at)
    while ticked.is_busy:
        time.sleep(0.1)
        more = work(session, timetable)
        ticked.runs += more.runs
        ticked.is_busy = more.is_busy
    return ticked


# --- claim and run ------------------------------------------------------------------------------------


def work(session: Session, timetable: Timetable) -> Ticked:
    """Work every unfinished run in order until none is left; one that fails holds back only its own job.

    Commits after each run. Stops with `is_busy` where another living process holds the next run.
    """
    ticked = Ticked(clock.now(session))
    tried: set[int] = set()
    held_back: set[str] = set()
    with writing():
        while True:
            queue = [run for run in _unfinished(session, timetable) if run.id not in tried]
            session.rollback()
            if not queue:
                return ticked
            for run in queue:
                tried.add(run.id)
                if run.job in held_back:
                    continue
                job = timetable.find(run.job)
                worked = _work_on(session, run, job)
                if worked is None:
                    ticked.is_busy = True
                    return ticked
                ticked.runs.append(worked)
                if worked.state != "done" and job is not None and job.at is not None:
                    held_back.add(run.job)


def _unfinished(session: Session, timetable: Timetable) -> list[Any]:
    """Runs to do, the next one first."""
    listed = ", ".join(f"'{state}'" for state in UNFINISHED)  # literal, as the partial index says it
    rows = session.execute(
        select(JobRun.id, JobRun.job, JobRun.due_for, JobRun.state, JobRun.claimed_by, JobRun.claimed_at)
        .where(text(f"job_run.state IN ({listed})"))
        .order_by(JobRun.due_for, JobRun.id)
    ).all()
    return sorted(rows, key=lambda row: (row.due_for, timetable.position(row.job), row.id))


def _work_on(session: Session, run: Any, job: Job | None) -> Run | None:
    """Claim one run and do it; nothing when another living process has it."""
    now = clock.machine_now()
    if run.state == "running" and not _may_be_taken(run, now):
        return None
    attempts = _claim(session, run, now)
    if attempts is None:
        return None
    _being_worked.add(run.id)
    try:
        return _do(session, run, job, attempts)
    finally:
        _being_worked.discard(run.id)


def _may_be_taken(run: Any, now: datetime) -> bool:
    if run.claimed_by == lease_holder():
        return run.id not in _being_worked
    return is_expired(run.claimed_by, run.claimed_at, now)


def _claim(session: Session, run: Any, now: datetime) -> int | None:
    """How often the run was begun, this time included; None where another process has it."""
    read = {"state_read": run.state, "claimed_by_read": run.claimed_by, "claimed_at_read": run.claimed_at}
    attempts: int | None = session.execute(
        _CLAIM, {"run_id": run.id, "holder": lease_holder(), "now": now, **read}
    ).scalar_one_or_none()
    session.commit()
    return attempts


def _do(session: Session, run: Any, job: Job | None, attempts: int) -> Run | None:
    try:
        if attempts > ATTEMPTS_UNTIL_DEAD:
            return _set_aside(session, run, "its process was lost too often", is_dead=True)
        if job is None:
            return _set_aside(session, run, "no job of this name is in the timetable", is_dead=True)
        if not job.is_committing and not _hold(session, run):
            return None
        return _finish(session, run, job.run(session, run.due_for))
    except Refused as refusal:
        session.rollback()
        log.error("job %s for %s was refused: %s", run.job, run.due_for, refusal)  # noqa: TRY400 -- foreseen
        return _set_aside(session, run, f"{type(refusal).__name__}: {refusal}"[:2000])
    except Exception as error:
        session.rollback()
        if not outage_log.begins_with(error):
            log.exception("job %s for %s failed", run.job, run.due_for)
        return _set_aside(session, run, f"{type(error).__name__}: {error}"[:2000])
    except BaseException:  # told to stop: give the run back, so that whoever comes next starts at once
        session.rollback()
        session.execute(update(JobRun).where(*_is_mine(run)).values(state="due", claimed_by=""))
        session.commit()
        raise


def _is_mine(run: Any) -> tuple[Any, ...]:
    return (_RUNS.c.id == run.id, _RUNS.c.state == "running", _RUNS.c.claimed_by == lease_holder())


def _hold(session: Session, run: Any) -> bool:
    """Lock the row for the length of the job's transaction: nobody can finish it beside us."""
    held = update(_RUNS).where(*_is_mine(run)).values(claimed_at=clock.machine_now()).returning(_RUNS.c.id)
    return session.execute(held).first() is not None


def _finish(session: Session, run: Any, result: JobResult) -> Run | None:
    """Mark the run done in the transaction that holds its work."""
    finished: Any = session.execute(
        update(_RUNS)
        .where(*_is_mine(run))
        .values(
            state="done",
            finished_at=clock.machine_now(),
            claimed_by="",
            done=result.done,
            failed=result.failed,
            result=json.dumps(dict(result.result), ensure_ascii=False, default=str),
            error="",
        )
    )
    if finished.rowcount != 1:  # taken over meanwhile: whoever has it now does the work
        session.rollback()
        return None
    session.commit()
    return Run(run.job, run.due_for, "done", result.done, result.failed)


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
