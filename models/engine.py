"""How each kind of database is opened (decisions: Data).

SQLite: foreign keys on, WAL, synchronous FULL. Reading transactions are deferred; writing ones are
`BEGIN IMMEDIATE` behind a file lock that serves whoever came first (F18). Code that writes says so once, at
its outermost edge: `with writing(): …`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
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
COUNTER, SEATS = 8, 1 << 20  # bytes of the lock's file: the next ticket, then a seat for each waiter
HAS_SEATS = hasattr(fcntl, "F_OFD_SETLKW") and struct.calcsize("P") == 8  # Linux
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
    """An exclusive lock on `FILE.lock`: first come, first served, given up when its process ends.

    The kernel wakes all who wait for a file at once, and the quickest takes it: one of eight writers waited
    for sixty turns. So each takes a ticket, locks the byte of its own seat and waits for the seat before.
    Should a waiter die, the next is let on early: the lock on the file itself keeps them apart.
    """

    def __init__(self, database: str) -> None:
        self.path = Path(f"{database}.lock")
        self.descriptor: int | None = None

    def acquire(self) -> None:
        if fcntl is None:
            return
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if HAS_SEATS:
            self._wait_for_turn(self.descriptor)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)

    @staticmethod
    def _wait_for_turn(file: int) -> None:
        def seat(kind: int, place: int) -> None:
            fcntl.fcntl(file, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", kind, os.SEEK_SET, place, 1, 0))

        seat(fcntl.F_WRLCK, 0)
        ticket = int.from_bytes(os.pread(file, COUNTER, 0), "little")
        os.pwrite(file, (ticket + 1).to_bytes(COUNTER, "little"), 0)
        seat(fcntl.F_WRLCK, COUNTER + ticket % SEATS)
        seat(fcntl.F_UNLCK, 0)
        before = COUNTER + (ticket - 1) % SEATS
        seat(fcntl.F_WRLCK, before)
        seat(fcntl.F_UNLCK, before)

    def release(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def forget_log(engine: Engine) -> bool:
    """Empty SQLite's log of writes, in which deleted texts still stand (F23).

    Answers whether that could be done; while somebody reads, the next checkpoint does it. PostgreSQL's own
    log and vacuum are the server's affair.
    """
    if engine.dialect.name != "sqlite":
        return True
    with closing(engine.raw_connection()) as connection:
        busy, _pages, _moved = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def is_written(engine: Engine) -> bool:
    """Whether somebody writes this SQLite file now; asked before writing what can be written later."""
    database = engine.url.database
    if fcntl is None or engine.dialect.name != "sqlite" or not database:
        return False
    descriptor = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


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
        cursor.execute("PRAGMA secure_delete=ON")  # what was deleted is overwritten in the file (F23)
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
