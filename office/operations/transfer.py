"""The whole office moved to another database, SQLite to PostgreSQL or back, and proven the same (§8)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Base
from office.core import clock, schema
from office.core.errors import N_, Refused
from office.core.integrity import Check
from office.operations import backup, outages
from office.scheduling import job_status

AT_WORK = timedelta(minutes=1)  # a clock beats every few seconds


def move(source: Engine, target: Engine, checks: Sequence[Check]) -> Mapping[str, int]:
    """Copy the office of `source` into the empty database `target`; returns each table's number of rows.

    Both have the same secret key. Raises Refused, with the old office as it was, while the office is open,
    when the other database is not empty or away, and when the copy differs or breaks an invariant.
    """
    with Session(source) as session:
        age = job_status.age_of_last_tick(session)
    if age is not None and age < AT_WORK:
        raise Refused(
            N_(
                "The office is open, or was a minute ago: "
                "close it first and wait a minute (nothing was copied)"
            )
        )
    try:
        with Session(target) as session:
            is_empty = schema.is_empty(session)
    except SQLAlchemyError as error:
        raise Refused(
            N_("The other database can't be reached (%(reason)s): check its address"),
            reason=outages.driver_words(error),
        ) from error
    finally:
        target.dispose()
    if not is_empty:
        raise Refused(N_("The other database is not empty: name one that holds nothing"))
    with tempfile.TemporaryDirectory(prefix="gatehouse-move-") as folder:
        file = Path(folder) / "office.zip"
        backup.make(source, file, now=clock.machine_now())
        counts = backup.restore(target, file)
    with Session(target) as session:
        _prove(session, counts, checks)
    target.dispose()
    return {name: count for name, count in counts.items() if name not in backup.NOT_RESTORED}


def _prove(session: Session, counts: Mapping[str, int], checks: Sequence[Check]) -> None:
    for name, count in counts.items():
        copied = session.execute(select(func.count()).select_from(Base.metadata.tables[name])).scalar_one()
        if name not in backup.NOT_RESTORED and copied != count:
            raise Refused(
                N_("%(table)s has %(copied)s rows instead of %(count)s"),
                table=name,
                copied=copied,
                count=count,
            )
    for check in checks:
        for finding in check(session):
            raise Refused(N_("The copy breaks an invariant: %(finding)s"), finding=finding)
