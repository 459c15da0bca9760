"""The whole office moved to another database, SQLite to PostgreSQL or back, and proven the same (§8)."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Base
from models.engine import writing
from models.property import Estate
from office.core import clock, outages
from office.core.database import plain_tables
from office.core.errors import N_, Refused
from office.core.integrity import Check
from office.operations import backup, opening

MOVING = 0x6761_746D  # PostgreSQL's name for the lock of who moves an office
CHUNK = 2000
NOT_EMPTY = N_("The other database is not empty: name one that holds nothing")
SAME = N_("The other database is this very one: name one that holds nothing")


def move(source: Engine, target: Engine, checks: Sequence[Check], *, is_staying: bool) -> Mapping[str, int]:
    """Copy the office of `source` into the empty database `target`; returns each table's number of rows.

    The old office is then marked as moved, unless it stays (`is_staying`: the copy is one of two). Both have
    the same secret key. Either all of it happens or nothing; where only the mark is missing, because the
    first try was cut off, a second one finds the same office there and sets it. Raises Refused, with the old
    office as it was, while the office is open, when the other database is not empty or away, and when the
    copy differs or breaks an invariant.
    """
    opening.refuse_open(source)
    try:
        _refuse_itself(source, target)
        counts = _moved_before(source, target)
        if counts is None:
            with tempfile.TemporaryDirectory(prefix="gatehouse-move-") as folder:
                file = Path(folder) / "office.zip"
                made = backup.make(source, file, now=clock.machine_now())
                counts = backup.restore(target, file, prove=lambda copy: _prove(copy, made, checks))
        if not is_staying:
            _mark(source, target)
    finally:
        target.dispose()
    return {name: count for name, count in counts.items() if name not in backup.NOT_RESTORED}


def _refuse_itself(source: Engine, target: Engine) -> None:
    """Refuse to move an office onto itself, however its database is called."""
    if {source.dialect.name, target.dialect.name} == {"sqlite"}:
        if Path(str(source.url.database)).absolute() == Path(str(target.url.database)).absolute():
            raise Refused(SAME)
    elif source.dialect.name == target.dialect.name:
        with source.connect() as here, _reached(target) as there:
            here.execute(select(func.pg_advisory_xact_lock(MOVING)))
            if not there.scalar(select(func.pg_try_advisory_xact_lock(MOVING))):
                raise Refused(SAME)


@contextmanager
def _reached(target: Engine) -> Iterator[Connection]:
    try:
        with target.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise Refused(
            N_("The other database can't be reached (%(reason)s): check its address"),
            reason=outages.driver_words(error),
        ) from error


def _moved_before(source: Engine, target: Engine) -> Mapping[str, int] | None:
    """The rows of a copy that is there from a move that was cut off; None where nothing is there.

    Raises Refused for anything else.
    """
    if target.dialect.name != "sqlite":
        with _reached(target):
            pass
    if not opening.revision(target):
        return None
    with source.connect() as here, target.connect() as there:
        if _contents(here) != _contents(there):
            raise Refused(NOT_EMPTY)
        return {table.name: _count(there, table.name) for table in plain_tables()}


def _contents(connection: Connection) -> str:
    """A checksum over every row, whatever their order; empty for another version's tables."""
    total = 0
    try:
        for table in plain_tables():
            if table.name in backup.NOT_RESTORED:
                continue
            for row in connection.execution_options(yield_per=CHUNK).execute(select(table)):
                digest = hashlib.sha256(repr((table.name, *row)).encode()).digest()
                total = (total + int.from_bytes(digest)) % (1 << 256)
    except SQLAlchemyError:
        return ""
    return f"{total:x}"


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(select(func.count()).select_from(text(table))) or 0)


def _mark(source: Engine, target: Engine) -> None:
    """Say in the old office where it is now; from then on nothing writes in it."""
    with writing(), source.begin() as connection:
        moved = {"moved_to": opening.place(target), "moved_at": clock.machine_now()}
        connection.execute(update(Estate).values(moved))


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
