"""Whether a database is whole, by its own check (F20)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from models import Base
from office.core.errors import N_, Refused
from office.operations import outages

AT_A_START = 512 << 20  # bytes that the database's own check reads in a second or two
DAMAGED = N_(
    "The database is damaged (%(finding)s): close the office and restore the last good backup "
    "(flask restore FILE)"
)


def finding(bind: Engine) -> str:
    """What the database's own check finds wrong, in its words; empty when it is whole.

    PostgreSQL keeps a checksum of each page, which is looked at when the page is read: so all are read.
    """
    if bind.dialect.name == "sqlite":
        return finding_in_file(Path(str(bind.url.database)))
    with bind.connect() as connection:
        try:
            for table in Base.metadata.sorted_tables:
                connection.execute(text(f"SELECT sum(length(t::text)) FROM {table.name} t"))  # noqa: S608 -- our own names
        except DBAPIError as error:
            if outages.sentence(error) != outages.DAMAGED:
                raise
            return outages.driver_words(error)
    return ""


def finding_in_file(file: Path, *, is_quick: bool = False) -> str:
    """The same of an SQLite file; the quick check leaves out whether indexes agree with their tables."""
    check = "quick_check" if is_quick else "integrity_check"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as reader:
            found = str(reader.execute(f"PRAGMA {check}(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if outages.sentence(error) != outages.DAMAGED:
            raise
        return str(error)
    return "" if found == "ok" else " ".join(found.split())


def refuse_damaged(bind: Engine) -> None:
    """Refuse to open a damaged SQLite file; one of a larger size is asked every night instead."""
    if bind.dialect.name != "sqlite":
        return
    file = Path(str(bind.url.database))
    if file.stat().st_size <= AT_A_START and (found := finding_in_file(file, is_quick=True)):
        raise Refused(DAMAGED, finding=found)
