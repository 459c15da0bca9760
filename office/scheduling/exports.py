"""What `flask export` gives of the scheduler: its runs (contract "Exports")."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office import JobRun
from office.core.exports import Table, stream


def job_runs(session: Session) -> Table:
    query = select(
        JobRun.job,
        JobRun.due_for,
        JobRun.started_at,
        JobRun.finished_at,
        JobRun.attempts,
        JobRun.state,
        JobRun.done,
        JobRun.failed,
    ).order_by(JobRun.due_for, JobRun.id)
    return stream(session, query)
