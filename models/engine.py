"""How each kind of database is opened (decisions: Data).

SQLite: foreign keys on, WAL, synchronous FULL. Reading transactions are deferred; writing ones are
`BEGIN IMMEDIATE` behind a file lock, in which the kernel queues writers fairly. Code that writes says so
once, at its outermost edge: `with writing(): …`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

try:
    import fcntl
except ImportError:  # Windows: BEGIN IMMEDIATE and the busy timeout alone
    fcntl = None  # type: ignore[assignment]

BUSY_TIMEOUT_MS = 120_000
_is_writing: ContextVar[bool] = ContextVar("is_writing", default=False)


@contextmanager
def writing() -> Iterator[None]:
    """Transactions that begin inside write; those outside only read."""
    token = _is_writing.set(True)
    try:
        yield
    finally:
        _is_writing.reset(token)


def set_writing(value: bool) -> None:  # noqa: FBT001 -- one flag, one meaning
    """For a request hook, which has no block to wrap."""
    _is_writing.set(value)


class WriteLock:
    """An exclusive lock on `FILE.lock`, waited for in the kernel's queue."""

    def __init__(self, database: str) -> None:
        self.path = Path(f"{database}.lock")
        self.descriptor: int | None = None

    def acquire(self) -> None:
        if fcntl is None:
            return
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def prepare(engine: Engine) -> None:
    """Attach the recipe to an engine; does nothing for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return
    database = engine.url.database
    is_file = database not in {None, "", ":memory:"}

    @event.listens_for(engine, "connect")
    def open_connection(connection: Any, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we send BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not _is_writing.get():
            connection.exec_driver_sql("BEGIN")
            return
        if is_file and "write_lock" not in connection.info:
            lock = WriteLock(str(database))
            lock.acquire()
            connection.info["write_lock"] = lock
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def give_back(_connection: Any, record: ConnectionPoolEntry) -> None:
        lock: WriteLock | None = record.info.pop("write_lock", None)
        if lock is not None:
            lock.release()
