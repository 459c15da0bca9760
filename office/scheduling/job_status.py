"""How the scheduler and its jobs are: last runs, next runs, and when a scheduler last showed itself (§8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.engine import writing
from models.office import JobRun
from models.property import Estate
from office.core import clock, schema
from office.core.errors import N_, Refused
from office.core.jobs import Job
from office.scheduling.timetable import Timetable


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


def office_zone(session: Session) -> ZoneInfo:
    """The office's time zone. Raises Refused when there is no office."""
    if schema.is_empty(session) or session.execute(select(Estate.id)).first() is None:
        raise Refused(N_("The office is not set up: run flask init"))
    return clock.zone(session)


def statuses(session: Session, timetable: Timetable, now: datetime) -> list[JobStatus]:
    """Each job of the timetable with its last run, that run's result, and its next run (§8)."""
    zone = clock.zone(session)
    return [_status(session, job, now, zone) for job in timetable]


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


def age_of_last_tick(session: Session) -> timedelta | None:
    """How long ago a clock last showed itself; nothing when none ever did."""
    if schema.is_empty(session):
        return None
    beaten_at = session.execute(select(Estate.heartbeat_at)).scalar_one_or_none()
    return None if beaten_at is None else clock.machine_now() - beaten_at


def heartbeat(session: Session) -> None:
    """Note the machine's time on the estate; nothing before the set-up."""
    with writing():
        if not schema.is_empty(session):
            session.execute(update(Estate).values(heartbeat_at=clock.machine_now()))
        session.commit()
