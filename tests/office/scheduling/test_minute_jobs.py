"""What runs every minute finds its work by an index, however many rows have nothing due (S11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from models import engine
from office.core import clock
from office.rooms import TIMETABLE
from tests.admin.panel import plans

LARGE = frozenset(
    {
        "ticket",
        "ticket_clock",
        "visit",
        "invoice",
        "invoice_line",
        "payment",
        "allocation",
        "reminder",
        "message",
    }
)
EVERY_MINUTE = [job for job in TIMETABLE.jobs if job.at is None]


@pytest.fixture
def large(session: Session) -> Session:
    """A session on an office whose tables the planner takes for large."""
    bound = session.get_bind()
    assert isinstance(bound, Engine)
    with engine.writing(), bound.connect() as connection:
        plans.pretend_large(connection)
    session.rollback()
    bound.dispose()  # the statistics are read when a connection opens
    return session


def troubles_of(session: Session, job: Any) -> list[str]:
    """The steps of the job's statements that read a large table as a whole, in an hour with nothing due."""
    bound = session.get_bind()
    assert isinstance(bound, Engine)
    with engine.writing(), plans.overheard(bound) as heard:
        job.run(session, clock.now(session) + timedelta(hours=1))
        session.rollback()
    with bound.connect() as connection:
        if connection.dialect.name != "sqlite":
            plans.pretend_large(connection)
        return [
            step for asked in heard for step in plans.troubles(connection, asked, LARGE, is_narrowed=True)
        ]


@pytest.mark.parametrize("job", EVERY_MINUTE, ids=lambda job: job.code)
def test_a_minute_job_reads_no_large_table_as_a_whole(large: Session, job: Any) -> None:
    assert troubles_of(large, job) == []


def test_without_its_index_a_job_is_found_out(large: Session) -> None:
    """The control."""
    with engine.writing():
        large.execute(text("DROP INDEX ticket_month_idx"))
        large.commit()

    assert troubles_of(large, next(job for job in EVERY_MINUTE if job.code == "ticket_clocks"))
