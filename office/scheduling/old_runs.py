"""Finished runs of minute jobs are removed when they are old (§8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.office import JobRun
from office.core import idempotency
from office.core.jobs import Job, JobResult


def removal_job(jobs: Sequence[Job]) -> Job:
    """The nightly job that removes old runs of these jobs."""
    return Job("old_runs", partial(remove_old_runs, jobs), at=time(3, 30))


def remove_old_runs(jobs: Sequence[Job], session: Session, due_for: datetime) -> JobResult:
    """Remove finished runs older than their job's retention, and old idempotency keys."""
    removed = 0
    for job in jobs:
        if job.retention_days is not None:
            gone: Any = session.execute(
                delete(JobRun).where(
                    JobRun.job == job.code,
                    JobRun.state == "done",
                    JobRun.due_for < due_for - timedelta(days=job.retention_days),
                )
            )
            removed += gone.rowcount
    return JobResult(done=removed + idempotency.remove_old(session, due_for))
