"""The whole office moved to another database, SQLite to PostgreSQL or back, and proven the same (§8)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import db
from office.core import clock, schema
from office.core.errors import N_, Refused
from office.core.integrity import Check
from office.operations import backup, outages
from office.scheduling import job_status

AT_WORK = timedelta(minutes=1)  # a clock beats every few seconds


def move(app: Flask, target: Flask, checks: Sequence[Check]) -> Mapping[str, int]:
    """Copy `app`'s office into `target`'s empty database; returns the number of rows of each table.

    Both have the same secret key. Raises Refused, with the old office as it was, while the office is open,
    when the other database is not empty or away, and when the copy differs or breaks an invariant.
    """
    with app.app_context():
        age = job_status.age_of_last_tick(db.session())
        source = db.engine
        db.session.remove()
    if age is not None and age < AT_WORK:
        raise Refused(
            N_(
                "The office is open, or was a minute ago: "
                "close it first and wait a minute (nothing was copied)"
            )
        )
    with target.app_context():
        try:
            is_empty = schema.is_empty(db.session())
        except SQLAlchemyError as error:
            raise Refused(
                N_("The other database can't be reached (%(reason)s): check its address"),
                reason=outages.driver_words(error),
            ) from error
        finally:
            db.session.remove()
            db.engine.dispose()
        if not is_empty:
            raise Refused(N_("The other database is not empty: name one that holds nothing"))
    with tempfile.TemporaryDirectory(prefix="gatehouse-move-") as folder:
        file = Path(folder) / "office.zip"
        backup.make(source, file, now=clock.machine_now())
        counts = backup.restore(target, file)
    with target.app_context():
        _prove(db.session(), counts, checks)
        db.session.remove()
        db.engine.dispose()
    return {name: count for name, count in counts.items() if name not in backup.NOT_RESTORED}


def _prove(session: Session, counts: Mapping[str, int], checks: Sequence[Check]) -> None:
    for name, count in counts.items():
        copied = session.execute(select(func.count()).select_from(db.metadata.tables[name])).scalar_one()
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
