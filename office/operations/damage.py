"""Whether a database is whole, by its own check (F20)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from office.core import outages
from office.core.errors import N_, Refused

AT_A_START = 512 << 20  # bytes that the database's own check reads in a second or two
DAMAGED = N_(
    "The database is damaged (%(finding)s): close the office and restore the last good backup "
    "(flask restore FILE)"
)


def finding(session: Session) -> str:
    """What the database's own check finds wrong, in its words; empty when it is whole.

    PostgreSQL keeps a checksum of each page, which is looked at when the page is read: so all are read.
    """
    bind = session.get_bind()
    if isinstance(bind, Engine) and bind.dialect.name == "sqlite":
        return finding_in_file(Path(str(bind.url.database)))
    try:
        for table in inspect(session.connection()).get_table_names():
            session.execute(text(f'SELECT sum(length(t::text)) FROM "{table}" t'))  # noqa: S608 -- as found
    except DBAPIError as error:
        session.rollback()
        if outages.sentence(error) != outages.DAMAGED:
            raise
        return outages.driver_words(error)
    return ""


def finding_in_file(file: Path, *, is_quick: bool = False) -> str:
    """The same of an SQLite file; the quick check leaves out whether indexes agree with their tables.

    SQLite has no checksum of a page: where a long text goes on in pages of its own, it does not look into
    them. The office has no text with a zero byte in it, and a page that was lost is full of them.
    """
    check = "quick_check" if is_quick else "integrity_check"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as reader:
            found = str(reader.execute(f"PRAGMA {check}(1)").fetchone()[0])
            if found == "ok" and not is_quick:
                found = _torn_text(reader) or found
    except sqlite3.DatabaseError as error:
        if outages.sentence(error) != outages.DAMAGED:
            raise
        return str(error)
    return "" if found == "ok" else " ".join(found.split())


def _torn_text(reader: sqlite3.Connection) -> str:
    """Which table has a text with a zero byte in it; empty where none has."""
    tables = reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        kinds = reader.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
        texts = [name for name, kind in kinds if "CHAR" in kind or kind in {"TEXT", "JSON"}]
        torn = " OR ".join(f"instr(CAST(\"{name}\" AS BLOB), X'00')" for name in texts)
        if texts and reader.execute(f'SELECT 1 FROM "{table}" WHERE {torn} LIMIT 1').fetchone():  # noqa: S608 -- as found
            return f"unreadable text in {table}"
    return ""


def refuse_damaged(session: Session) -> None:
    """Refuse a database that its own check finds damaged."""
    if found := finding(session):
        raise Refused(DAMAGED, finding=found)


def refuse_damaged_at_start(bind: Engine) -> None:
    """The same of an SQLite file whose size is read in no time; larger ones are asked every night."""
    if bind.dialect.name != "sqlite":
        return
    file = Path(str(bind.url.database))
    if file.stat().st_size <= AT_A_START and (found := finding_in_file(file, is_quick=True)):
        raise Refused(DAMAGED, finding=found)
