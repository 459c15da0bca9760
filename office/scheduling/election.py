"""One of several scheduler processes is elected to work the queue (§8)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

try:
    import fcntl
except ImportError:  # Windows: every process looks for work, and the leases keep each run single
    fcntl = None  # type: ignore[assignment]

ADVISORY_KEY = 0x6761_7465  # "gate": PostgreSQL's name for the election


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
