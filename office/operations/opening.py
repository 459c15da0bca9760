"""Whether the database that the settings name is one to work in: an office, whole, of this version (F20).

An SQLite file is looked at before it is opened as an office: opening one changes its header, even that of
another program.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.orm import Session

from models.property import Estate
from office.core import installation, outages, schema
from office.core.errors import N_, Refused
from office.operations.damage import DAMAGED
from office.scheduling import job_status

OURS = frozenset({"estate", "staff", "policy_version"})
SQLITE_HEADER = b"SQLite format 3\0"
AT_WORK = timedelta(minutes=1)  # a clock beats every few seconds

NOT_SET_UP = N_("The office is not set up: run flask init")
OLDER = N_(
    "The database is of an older version than the program: "
    "make a backup (flask backup FILE), then start app.py, which brings it up to date"
)
FOREIGN = N_(
    "%(database)s holds tables of another program: "
    "name the office's own database in GATEHOUSE_DATABASE_URL, or an empty one"
)
NO_DATABASE = N_(
    "%(database)s is no SQLite database: restore the last good backup (flask restore FILE), "
    "or name the office's own database in GATEHOUSE_DATABASE_URL"
)
LOST = N_(
    "There is no office in %(database)s, but %(sign)s is there: "
    "set GATEHOUSE_DATABASE_URL if the office lies elsewhere, or restore a backup (flask restore FILE). "
    "For a new office: flask init"
)
EMPTY_FILE = N_(
    "%(database)s is empty, but %(sign)s is there: set GATEHOUSE_DATABASE_URL if the office lies elsewhere, "
    "or restore a backup (flask restore FILE). For a new office, remove the empty file"
)
MOVED = N_(
    "This office moved to %(place)s on %(day)s: set GATEHOUSE_DATABASE_URL to it. "
    "To work here again, restore a backup (flask restore FILE)"
)
OPEN = N_("The office is open, or was a minute ago: close it first and wait a minute (nothing was changed)")


def revision(bind: Engine) -> str:
    """The revision of the office in a database, empty where there is nothing at all.

    Raises Refused for a file that is no database or damaged, and for tables of another program or version.
    """
    if bind.dialect.name == "sqlite":
        tables, stored = _in_file(Path(str(bind.url.database)))
    else:
        with bind.connect() as connection:
            tables = set(inspect(connection).get_table_names())
            stored = schema.stored_revision(connection) if "alembic_version" in tables else ""
    if not tables - {"alembic_version"}:
        return ""
    if not tables >= OURS or not stored:
        raise Refused(FOREIGN, database=place(bind))
    if stored not in schema.revisions():
        raise Refused(schema.NEWER)
    return stored


def _in_file(file: Path) -> tuple[set[str], str]:
    """The tables of an SQLite file and its revision, read without changing a byte of it."""
    if not file.exists() or not file.stat().st_size:
        return set(), ""
    with file.open("rb") as opened:
        if opened.read(len(SQLITE_HEADER)) != SQLITE_HEADER:
            raise Refused(NO_DATABASE, database=file)
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as reader:
            names = reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            tables = {name for (name,) in names if not name.startswith("sqlite_")}
            rows = (
                reader.execute("SELECT version_num FROM alembic_version").fetchall() if tables >= OURS else []
            )
            return tables, str(rows[0][0]) if rows else ""
    except sqlite3.DatabaseError as error:
        if outages.sentence(error) != outages.DAMAGED:
            raise
        raise Refused(DAMAGED, finding=error) from error


def place(bind: Engine) -> str:
    """A database as people name it: the file, or the address without its password."""
    if bind.dialect.name == "sqlite":
        return str(bind.url.database)
    return bind.url.set(drivername="postgresql").render_as_string(hide_password=True)


def refuse_unusable(bind: Engine) -> str:
    """Refuse a database in which no office can be set up or brought up to date; returns its revision.

    An empty file beside a key or backups was an office, whose contents are gone.
    """
    stored = revision(bind)
    if not stored and is_empty_file(bind) and (refusal := lost(bind)):
        raise refusal
    return stored


def is_empty_file(bind: Engine) -> bool:
    """Whether the database is an SQLite file without a byte in it."""
    file = Path(str(bind.url.database))
    return bind.dialect.name == "sqlite" and file.exists() and not file.stat().st_size


def refuse_unready(bind: Engine, *, is_writing: bool) -> None:
    """Refuse a database in which a command has nothing to work on, or may not write."""
    stored = revision(bind)
    if not stored:
        raise lost(bind) or Refused(NOT_SET_UP)
    if stored != schema.revisions()[-1]:
        raise Refused(OLDER)
    if is_writing:
        with bind.connect() as connection:
            refuse_moved(connection)


def lost(bind: Engine) -> Refused | None:
    """Why no new office is made in this empty database: something says that there was one."""
    here = installation.of_engine(bind)
    signs = installation.nightly_backups(bind)[-1:]
    is_file = bind.dialect.name == "sqlite"
    if is_file and here.folder is not None and (here.folder / "secret_key").exists():
        signs.append(here.folder / "secret_key")
    if not signs:
        return None
    return Refused(EMPTY_FILE if is_empty_file(bind) else LOST, database=place(bind), sign=signs[0])


def refuse_moved(connection: Connection) -> None:
    """Refuse to work in an office that has moved to another database (contract "Commands, exactly")."""
    row = connection.execute(select(Estate.moved_to, Estate.moved_at, Estate.time_zone)).first()
    if row is not None and row.moved_to:
        raise Refused(MOVED, place=row.moved_to, day=row.moved_at.date().isoformat())


def refuse_open(bind: Engine) -> None:
    """Refuse what needs the office closed while a clock beats."""
    with Session(bind) as session:
        age = job_status.age_of_last_tick(session)
    if age is not None and age < AT_WORK:
        raise Refused(OPEN)
