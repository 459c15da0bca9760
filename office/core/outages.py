"""What only an administrator of the machine can mend: a full disk, a database that is away (F13)."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from office.core.errors import N_

FULL = N_("The disk is full: nothing was saved. Try again when there is room.")
AWAY = N_(
    "The database does not answer. Wait a minute, look whether your last entry is there, and try again."
)
BUSY = N_("Others were writing the same at this moment: nothing was saved. Please try again.")
DAMAGED = N_("The database is damaged: nothing can be done in it until IT has restored the last good backup.")

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite: full, input/output error, can't open its journal; PostgreSQL's SQLSTATEs for the same
_SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_SQLITE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = "Could not decode to UTF-8"  # what the driver says of a text that is none
_FULL_STATES = {"53100", "58030"}
_DAMAGED_CLASS = "XX"  # what the server found unreadable or contradicting itself
_BUSY_STATES = {"40P01", "40001", "55P03"}
_AWAY_CLASSES = ("08", "53", "57P")


def driver_words(error: BaseException) -> str:
    """What the driver said, in its own language: for the administrator of the machine."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def sentence(error: BaseException) -> str | None:
    """What to tell a person, to be translated; None for an error of the program itself."""
    seen: BaseException | None = error
    while seen is not None:
        if found := _of(seen):
            return found
        seen = seen.orig if isinstance(seen, DBAPIError) else seen.__cause__
    return None


def _of(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return FULL
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _SQLITE_DAMAGED or str(error).startswith(_UNREADABLE):
            return DAMAGED
        return FULL if code in _SQLITE_FULL else BUSY if code == sqlite3.SQLITE_BUSY else None
    if hasattr(error, "sqlstate"):  # psycopg's, which is loaded only where it is used
        return _of_postgresql(error, error.sqlstate or "")
    is_away = isinstance(error, NoConnectionFree) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
    return AWAY if is_away else None


def _of_postgresql(error: BaseException, state: str) -> str | None:
    if state in _FULL_STATES:
        return FULL
    if state in _BUSY_STATES:
        return BUSY
    if state.startswith(_DAMAGED_CLASS):
        return DAMAGED
    is_lost = not state and type(error).__name__ == "OperationalError"
    return AWAY if is_lost or state.startswith(_AWAY_CLASSES) else None
