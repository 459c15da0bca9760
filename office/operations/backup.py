"""One file that holds the whole office: made while it is in use, restored on either kind of database.

The file is a zip with `gatehouse.db` (an SQLite database, whatever the office runs on) and `manifest.json`;
its last 64 bytes are the SHA-256 of all before them, so that no damage goes unnoticed. A restore checks the
file, brings its copy up to date in a folder beside it, and only then replaces the office in one transaction.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Engine, Table, create_engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Base, engine, secrets, triggers
from models.engine import BUSY_TIMEOUT_MS, WriteLock, writing
from office.core import clock, installation, schema
from office.core.database import plain_tables
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.operations import outages
from office.policies import store
from rules.upkeep import BackupPolicy

FORMAT = 1
DATABASE, MANIFEST = "gatehouse.db", "manifest.json"
DIGEST_LENGTH = 64
CHUNK = 2000
NOT_RESTORED = ("web_session", "sign_in_attempt")  # nobody is signed in after a restore
DAMAGED = N_("%(file)s is no backup of Gatehouse, or it is damaged (%(reason)s): nothing was changed")


# --- making -------------------------------------------------------------------------------------------


def make(bind: Engine, file: Path, *, now: datetime) -> Mapping[str, int]:
    """Write a backup of the office as it is at one instant; returns the number of rows of each table.

    Works beside any number of readers and writers. Raises Refused when there is no office, when its schema
    is not the program's, or when the file can't be written.
    """
    with Session(bind) as session:
        if schema.is_empty(session):
            raise Refused(N_("The office is not set up: run flask init"))
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as folder:
            copy = Path(folder) / DATABASE
            if bind.dialect.name == "sqlite":
                _copy_sqlite(Path(str(bind.url.database)), copy)
            else:
                _copy_from_postgresql(bind, copy)
            counts = _counts(copy)
            _pack(copy, Path(folder) / "packed", _manifest(copy, counts, now))
            os.replace(Path(folder) / "packed", file)  # noqa: PTH105 -- shorter with two names
    except OSError as error:
        raise Refused(
            N_("%(file)s can't be written: %(reason)s"), file=file, reason=error.strerror
        ) from error
    except (sqlite3.Error, SQLAlchemyError) as error:  # the copy is a database, too
        if outage := outages.sentence(error):
            raise Refused(outage) from error
        raise
    return counts


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy by SQLite's own backup; writers go on meanwhile."""
    with closing(_open(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _copy_from_postgresql(bind: Engine, target: Path) -> None:
    """Every table as one snapshot sees it, into a new SQLite database of the same schema."""
    with (
        _office_at(target) as copy,
        bind.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True, yield_per=CHUNK
        ) as live,
        copy.begin() as writer,
    ):
        if _revision(live) != _revision(writer):
            raise Refused(N_("The database is not up to date: start the program once"))
        triggers.drop(writer)
        for table in plain_tables():
            for rows in live.execute(select(table)).mappings().partitions(CHUNK):
                writer.execute(table.insert(), [dict(row) for row in rows])
        triggers.install(writer)
    with closing(sqlite3.connect(target)) as copied:
        copied.execute("PRAGMA journal_mode=DELETE")


def _manifest(copy: Path, counts: Mapping[str, int], now: datetime) -> bytes:
    with closing(sqlite3.connect(copy)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return json.dumps(
        {
            "format": FORMAT,
            "made_at": now.isoformat(),
            "revision": revision,
            "key": _key_check(),
            "rows": dict(counts),
        },
        indent=1,
    ).encode()


def _pack(copy: Path, packed: Path, manifest: bytes) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(MANIFEST, manifest)
        archive.write(copy, DATABASE)
        archive.comment = b"0" * DIGEST_LENGTH
    digest = _digest(packed)
    with packed.open("r+b") as file:
        file.seek(-DIGEST_LENGTH, os.SEEK_END)
        file.write(digest.encode())
        file.flush()
        os.fsync(file.fileno())


def _digest(packed: Path) -> str:
    """SHA-256 of the file without its last 64 bytes."""
    left = packed.stat().st_size - DIGEST_LENGTH
    digest = hashlib.sha256()
    with packed.open("rb") as file:
        while left > 0:
            block = file.read(min(left, 1 << 20))
            digest.update(block)
            left -= len(block) or left
    return digest.hexdigest()


# --- restoring ----------------------------------------------------------------------------------------


def restore(live: Engine, file: Path, *, is_key_ignored: bool = False) -> Mapping[str, int]:
    """Replace this office by the one in a backup; returns the number of rows of each table.

    Sets up a database that was never initialised. Raises Refused, leaving all as it was, for a damaged or
    newer file, or one whose personal data this secret key can't read (unless `is_key_ignored`).
    """
    target = Path(str(live.url.database)) if live.dialect.name == "sqlite" else file
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=target.absolute().parent) as folder:
        copy = Path(folder) / DATABASE
        counts = _unpack(file, copy, is_key_ignored=is_key_ignored)
        with _office_at(copy) as checked, writing(), checked.begin() as connection:
            for name in NOT_RESTORED:
                connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608 -- our own names
        if live.dialect.name == "sqlite":
            live.dispose()
            _replace_sqlite(copy, target)
        else:
            schema.migrate(live)
            _replace_postgresql(copy, live)
    return counts


def _unpack(file: Path, copy: Path, *, is_key_ignored: bool) -> Mapping[str, int]:
    """Check every byte of a backup and lay its database out at `copy`."""
    try:
        with file.open("rb") as packed:
            packed.seek(-DIGEST_LENGTH, os.SEEK_END)
            stored = packed.read()
        if stored.decode("ascii", "replace") != _digest(file):
            raise Refused(DAMAGED, file=file, reason="checksum")
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise Refused(DAMAGED, file=file, reason="format")
            archive.extract(DATABASE, copy.parent)
        with closing(sqlite3.connect(copy)) as connection:
            (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            is_whole = finding == "ok" and connection.execute("SELECT count(*) FROM estate").fetchone() == (
                1,
            )
        if not is_whole or _counts(copy) != manifest["rows"]:
            raise Refused(DAMAGED, file=file, reason="contents")
    except OSError as error:
        raise Refused(N_("%(file)s can't be read: %(reason)s"), file=file, reason=error.strerror) from error
    except (zipfile.BadZipFile, sqlite3.Error, KeyError, ValueError, TypeError) as error:
        raise Refused(DAMAGED, file=file, reason=type(error).__name__) from error
    if manifest["key"] != _key_check() and not is_key_ignored:
        raise Refused(
            N_("%(file)s was made with another secret key: set GATEHOUSE_SECRET_KEY to that one"), file=file
        )
    counts: dict[str, int] = manifest["rows"]
    return counts


def _replace_sqlite(copy: Path, target: Path) -> None:
    """Over the live file, in one transaction that other processes simply see as a commit."""
    lock = WriteLock(str(target))
    lock.acquire()
    try:
        with closing(sqlite3.connect(copy)) as source, closing(_open(target)) as live:
            live.execute("PRAGMA journal_mode=WAL")
            live.execute("PRAGMA synchronous=FULL")
            source.backup(live)
    finally:
        lock.release()


def _replace_postgresql(copy: Path, live: Engine) -> None:
    """All tables emptied and filled again in one transaction, protections put back before it ends."""
    source = create_engine(f"sqlite:///{copy}")
    engine.prepare(source)
    with source.connect() as reader, live.begin() as writer:
        triggers.drop(writer)
        tables = plain_tables()
        writer.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)}"))
        for table in tables:
            _copy_rows(reader, writer, table)
        triggers.install(writer)
    source.dispose()


def _copy_rows(reader: Connection, writer: Connection, table: Table) -> None:
    from psycopg.types.json import Json  # a tenth of a second that only PostgreSQL's restore needs

    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    cursor: Any = writer.connection.cursor()
    documents = {place for place, column in enumerate(table.columns) if isinstance(column.type, JSON)}
    rows = reader.execution_options(yield_per=CHUNK).execute(select(table))
    with cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copying:
        for row in rows:
            copying.write_row(
                [
                    Json(value) if place in documents and value is not None else value
                    for place, value in enumerate(row)
                ]
            )
    if "id" in table.columns:
        sequence = func.pg_get_serial_sequence(table.name, "id")
        last = select(func.max(table.c.id)).scalar_subquery()
        writer.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


# --- the copy -----------------------------------------------------------------------------------------


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


@contextmanager
def _office_at(path: Path) -> Iterator[Engine]:
    """The SQLite database at a path, brought to the program's schema with all protections."""
    opened = create_engine(f"sqlite:///{path}")
    engine.prepare(opened)
    try:
        schema.migrate(opened)
        yield opened
    finally:
        opened.dispose()


def _revision(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _counts(copy: Path) -> dict[str, int]:
    with closing(sqlite3.connect(copy)) as connection:
        names = sorted(
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name in Base.metadata.tables
        )
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 -- our own names
            for name in names
        }


def _key_check() -> str:
    """Tells whether two installations share the secret key, and nothing about the key."""
    return secrets.fingerprint("gatehouse backup")


# --- every night --------------------------------------------------------------------------------------


def daily(session: Session, due_for: datetime) -> JobResult:
    """Job: make tonight's backup and remove the oldest beyond what the policy keeps (§8).

    A night that was missed is past: only the newest is made, and none where time is chosen by hand.
    """
    now = clock.now(session)
    if clock.chosen_now(session) is not None:
        return JobResult(result={"skipped": "sandbox"})
    if now - due_for >= timedelta(days=1):
        return JobResult(result={"skipped": "a later one follows"})
    day = clock.office_day(session, due_for)
    kept = store.in_force(session, BackupPolicy, day).kept
    bind = session.get_bind()
    assert isinstance(bind, Engine)
    session.rollback()
    place = installation.backup_folder(bind)
    place.mkdir(parents=True, exist_ok=True)
    make(bind, place / f"gatehouse-{day.isoformat()}.zip", now=now)
    old = sorted(place.glob("gatehouse-????-??-??.zip"))[:-kept]
    for file in old:
        file.unlink()
    return JobResult(done=1, result={"removed": len(old)})
