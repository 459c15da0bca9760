"""One file that holds the whole office: made while it is in use, restored on either kind of database.

The file is a zip with `gatehouse.db` (an SQLite database, whatever the office runs on) and `manifest.json`;
its last 64 bytes are the SHA-256 of all before them, so that no damage goes unnoticed. A restore checks the
file, brings its copy up to date in a folder beside it, and only then replaces the office in one transaction.
Nothing is called good before the database's own check has read it whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    func,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models import Base, engine, secrets, triggers
from models.engine import BUSY_TIMEOUT_MS, WriteLock, writing
from models.property import Estate
from office.core import outages, schema
from office.core.database import plain_tables, plain_type
from office.core.errors import N_, Refused
from office.operations import damage, erasure_list, opening, secret_key
from office.operations.scratch import scratch_folder

Proof = Callable[[Session], None]

FORMAT = 1
DATABASE, MANIFEST = "gatehouse.db", "manifest.json"
DIGEST_LENGTH = 64
CHUNK = 2000
NOT_RESTORED = ("web_session", "kept_form", "sign_in_attempt")  # nobody is signed in after a restore
DAMAGED = N_("%(file)s is no backup of Gatehouse, or it is damaged (%(reason)s): nothing was changed")
NEWER = N_(
    "%(file)s was made by a newer version of the program: "
    "restore it with that version, or update the program first (nothing was changed)"
)
BAD_COPY = N_(
    "The database is damaged (%(finding)s): no backup was made of it, and earlier ones are as they were. "
    "Close the office and restore the last good one (flask restore FILE)"
)


# --- making -------------------------------------------------------------------------------------------


def make(bind: Engine, file: Path, *, now: datetime) -> Mapping[str, int]:
    """Write a backup of the office as it is at one instant; returns the number of rows of each table.

    Works beside any number of readers and writers, and on an office of an older version than the program.
    Raises Refused when there is no office, when it is damaged, or when the file can't be written.
    """
    revision = opening.revision(bind)
    if not revision:
        raise opening.lost(bind) or Refused(opening.NOT_SET_UP)
    try:
        with scratch_folder(file.absolute().parent, "backup") as folder:
            copy = folder / DATABASE
            if bind.dialect.name == "sqlite":
                _copy_sqlite(Path(str(bind.url.database)), copy)
            else:
                _copy_from_postgresql(bind, copy, revision)
            if found := damage.finding_in_file(copy):
                raise Refused(BAD_COPY, finding=found)
            counts = counted(copy)
            _pack(copy, folder / "packed", _manifest(revision, counts, now))
            os.replace(folder / "packed", file)  # noqa: PTH105 -- shorter with two names
    except OSError as error:
        raise Refused(
            N_("%(file)s can't be written: %(reason)s"), file=file, reason=error.strerror
        ) from error
    except (sqlite3.Error, SQLAlchemyError) as error:  # the copy is a database, too
        if (outage := outages.sentence(error)) == outages.DAMAGED:
            raise Refused(BAD_COPY, finding=outages.driver_words(error)) from error
        if outage:
            raise Refused(outage) from error
        raise
    return counts


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy by SQLite's own backup; writers go on meanwhile."""
    with closing(_open(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _copy_from_postgresql(bind: Engine, target: Path, revision: str) -> None:
    """Every table as one snapshot sees it, into a new SQLite database of the same schema."""
    with (
        _office_at(target, revision) as copy,
        bind.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True, yield_per=CHUNK
        ) as live,
        copy.begin() as writer,
    ):
        triggers.drop(writer)
        for table in _tables_of(writer, revision):
            for rows in live.execute(select(table)).mappings().partitions(CHUNK):
                writer.execute(table.insert(), [dict(row) for row in rows])
        if revision == schema.revisions()[-1]:
            triggers.install(writer)
    with closing(sqlite3.connect(target)) as copied:
        copied.execute("PRAGMA journal_mode=DELETE")


def _tables_of(connection: Connection, revision: str) -> list[Table]:
    """The tables that a database of this revision has, parents first, with the types values travel in."""
    if revision == schema.revisions()[-1]:
        return plain_tables()
    there, known = MetaData(), Base.metadata.tables
    there.reflect(connection)
    plain = MetaData()
    return [
        Table(
            table.name,
            plain,
            *(Column(column.name, plain_type(_known_column(known, column).type)) for column in table.columns),
        )
        for table in there.sorted_tables
        if table.name != "alembic_version"
    ]


def _known_column(known: Mapping[str, Table], column: Column[Any]) -> Column[Any]:
    """A column as the models have it; itself where they have it no more."""
    table = known.get(column.table.name)
    return column if table is None else table.columns.get(column.name, column)


def _manifest(revision: str, counts: Mapping[str, int], now: datetime) -> bytes:
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
    packed.touch(mode=0o600)
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


def restore(
    live: Engine, file: Path, *, is_key_ignored: bool = False, prove: Proof | None = None
) -> Mapping[str, int]:
    """Replace this office by the one in a backup; returns the number of rows of each table.

    Sets up a database that was never initialised, and one that is damaged or of another version of the
    program. Who was erased since the backup was made is erased again, as far as nothing stands in the way
    (`erasure_list`). `prove` looks at the restored office and may refuse it. Raises Refused, leaving all as
    it was, for a damaged or newer file, one whose personal data this secret key can't read (unless
    `is_key_ignored`), and for a database that holds something else.
    """
    refuse_foreign(live)
    target = Path(str(live.url.database)) if live.dialect.name == "sqlite" else file
    erased = erasure_list.known(live, beside=[file.absolute().parent])
    with (
        scratch_folder(target.absolute().parent, "restore") as folder,
        unpacked(file, folder, is_key_ignored=is_key_ignored) as copy,
    ):
        path = Path(str(copy.url.database))
        with writing(), Session(copy) as session:
            erasure_list.repeat(session, erased)
            session.commit()
        engine.forget_log(copy)
        counts = counted(path)
        if live.dialect.name == "sqlite":
            if prove is not None:
                with Session(copy) as session:
                    prove(session)
            copy.dispose()
            live.dispose()
            _replace_sqlite(path, target)
        else:
            _replace_postgresql(copy, live, prove)
    return counts


def refuse_foreign(live: Engine) -> None:
    """Refuse to write over the tables of another program; a damaged or newer office may be replaced."""
    try:
        opening.revision(live)
    except Refused as refusal:
        if refusal.message == opening.FOREIGN:
            raise


@contextmanager
def unpacked(file: Path, folder: Path, *, is_key_ignored: bool = False) -> Iterator[Engine]:
    """The office in a backup, laid out in a folder: checked, brought up to date, nobody signed in."""
    _unpack(file, folder / DATABASE, is_key_ignored=is_key_ignored)
    with _office_at(folder / DATABASE) as copy:
        with writing(), copy.begin() as connection:
            for name in NOT_RESTORED:
                connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608 -- our own names
            connection.execute(update(Estate).values(moved_to="", moved_at=None))
            secret_key.seal_proof(connection, is_anew=is_key_ignored)
        yield copy


def _unpack(file: Path, copy: Path, *, is_key_ignored: bool) -> None:
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
            if manifest["revision"] not in schema.revisions():
                raise Refused(NEWER, file=file)
            archive.extract(DATABASE, copy.parent)
        if found := damage.finding_in_file(copy):
            raise Refused(DAMAGED, file=file, reason=found)
        counts = counted(copy)
        if counts["estate"] != 1 or any(counts[name] != count for name, count in manifest["rows"].items()):
            raise Refused(DAMAGED, file=file, reason="contents")
    except OSError as error:
        raise Refused(N_("%(file)s can't be read: %(reason)s"), file=file, reason=error.strerror) from error
    except (zipfile.BadZipFile, sqlite3.Error, KeyError, ValueError, TypeError) as error:
        raise Refused(DAMAGED, file=file, reason=type(error).__name__) from error
    if manifest["key"] != _key_check() and not is_key_ignored:
        raise Refused(
            N_("%(file)s was made with another secret key: set GATEHOUSE_SECRET_KEY to that one"), file=file
        )


def _replace_sqlite(copy: Path, target: Path) -> None:
    """Over the live file, in one transaction that other processes simply see as a commit.

    A file in which no transaction can be made is kept beside as `….damaged`, and the copy takes its place.
    """
    lock = WriteLock(str(target))
    lock.acquire()
    try:
        if target.exists() and not _is_usable(target):
            _put_in_place_of_damaged(copy, target)
            return
        with closing(sqlite3.connect(copy)) as source, closing(_open(target)) as live:
            live.execute("PRAGMA journal_mode=WAL")
            live.execute("PRAGMA synchronous=FULL")
            source.backup(live)
    finally:
        lock.release()


def _is_usable(target: Path) -> bool:
    try:
        return not damage.finding_in_file(target, is_quick=True)
    except sqlite3.Error:
        return False


def _put_in_place_of_damaged(copy: Path, target: Path) -> None:
    """The log first: SQLite would else put what is left of it into the new file."""
    with closing(sqlite3.connect(copy)) as whole:
        whole.execute("PRAGMA journal_mode=DELETE")
    for ending in ("-wal", "-shm", "-journal"):
        beside = target.with_name(target.name + ending)
        if beside.exists():
            beside.replace(target.with_name(f"{target.name}.damaged{ending}"))
    kept = target.with_name(f"{target.name}.damaged")
    kept.unlink(missing_ok=True)
    os.link(target, kept)
    copy.chmod(0o600)
    copy.replace(target)


def _replace_postgresql(copy: Engine, live: Engine, prove: Proof | None) -> None:
    """All tables emptied, or made anew where they are of another version, and filled in one transaction."""
    with copy.connect() as reader, live.begin() as writer:
        if _stored_revision(writer) == schema.revisions()[-1]:
            triggers.drop(writer)
            names = ", ".join(f'"{table.name}"' for table in plain_tables())
            writer.execute(text(f"TRUNCATE {names}"))
        else:
            _drop_all(writer)
            schema.migrate(live, on=writer)
            triggers.drop(writer)
        for table in plain_tables():
            _copy_rows(reader, writer, table)
        triggers.install(writer)
        if prove is not None:
            with Session(writer, join_transaction_mode="create_savepoint") as session:
                prove(session)


def _stored_revision(connection: Connection) -> str:
    is_office = inspect(connection).has_table("alembic_version")
    return schema.stored_revision(connection) if is_office else ""


def _drop_all(connection: Connection) -> None:
    """Every table of an office of another version, whatever that one called them."""
    names = ", ".join(f'"{name}"' for name in inspect(connection).get_table_names())
    if names:
        connection.execute(text(f"DROP TABLE {names} CASCADE"))


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
def _office_at(path: Path, revision: str = "head") -> Iterator[Engine]:
    """The SQLite database at a path, brought to a revision; at the program's own with all protections."""
    opened = create_engine(f"sqlite:///{path}")
    engine.prepare(opened)
    try:
        schema.migrate(opened, revision)
        yield opened
    finally:
        opened.dispose()


def counted(file: Path) -> dict[str, int]:
    """The number of rows of each table of an SQLite office."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        names = [name for (name,) in found if not name.startswith(("sqlite_", "alembic_"))]
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 -- as found
            for name in names
        }


def _key_check() -> str:
    """Tells whether two installations share the secret key, and nothing about the key."""
    return secrets.fingerprint("gatehouse backup")


def is_whole(file: Path) -> bool:
    """Whether every byte of a backup file is as it was written."""
    try:
        with file.open("rb") as packed:
            packed.seek(-DIGEST_LENGTH, os.SEEK_END)
            return packed.read().decode("ascii", "replace") == _digest(file)
    except OSError:
        return False
