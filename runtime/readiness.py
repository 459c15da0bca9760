"""Nothing works in a database that is not this office's, or with a key that is not its own (F20).

The secret key lies in `secret_key` of the instance folder unless GATEHOUSE_SECRET_KEY is set. A new one is
written to `secret_key.new` first and takes its place once an office is sealed with it: whenever a start, or a
change of key, is cut off, one of the two files opens what the database holds.
"""

from __future__ import annotations

import os
import secrets as random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, request
from flask_babel import gettext
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from admin.auth.guard import outage_page
from admin.auth.sessions import SAFE_METHODS
from models import db, secrets
from models.secrets import Keys
from office.core import clock, outages
from office.core.errors import N_, Refused
from office.operations import opening, secret_key
from office.operations.secret_key import Resealed
from runtime.settings import KEY_FILE, NEW_KEY_FILE, write_key

KEY_MISSING = N_(
    "%(file)s is missing, and the office is sealed with the key in it: "
    "put that file back, or set GATEHOUSE_SECRET_KEY to its key"
)
WRONG_KEY_FILE = N_(
    "The office is sealed with another key than the one in %(file)s: "
    "put the right file there, or set GATEHOUSE_SECRET_KEY to the right key"
)
WRONG_KEY_SET = N_(
    "The office is sealed with another key than the one in GATEHOUSE_SECRET_KEY: set it to the right one"
)
KEY_IN_FILE = N_(
    "The office is sealed with the key in %(file)s, not with the one in GATEHOUSE_SECRET_KEY: unset that"
)
KEY_IN_OTHER_FILE = N_(
    "The office is sealed with the key in %(right)s, not with the one in %(file)s: copy that one over it"
)
SAME_KEY = N_("GATEHOUSE_NEW_SECRET_KEY is the key in use: name another, or unset it to have one made")


def require(app: Flask, bind: Engine, *, is_writing: bool) -> None:
    """Refuse all but a whole office of this version, sealed with the key in use; moved ones may be read."""
    opening.refuse_unready(bind, is_writing=is_writing)
    prove_key(app, bind)


def refusal_page(app: Flask) -> Any:
    """Before each request: why no page is served, or nothing.

    Once a process has found its office in order, only requests that write ask again, and only whether it has
    moved or another key has been taken meanwhile: web processes may outlive a clock that was stopped for it.
    """
    bind = db.engine
    is_writing = request.method not in SAFE_METHODS
    is_known = app.extensions.get("ready") == bind.url
    if request.path.startswith("/static/") or (is_known and not is_writing):
        return None
    try:
        if not is_known:
            require(app, bind, is_writing=is_writing)
            app.extensions["ready"] = bind.url
        elif is_writing:
            with bind.connect() as connection:
                opening.refuse_moved(connection)
                if secret_key.has_changed(connection, secrets.in_use()):
                    prove_key(app, bind)
    except Refused as refusal:
        if refusal.message == opening.NOT_SET_UP:
            return None
        return outage_page(gettext(refusal.message, **refusal.values))
    except SQLAlchemyError as error:
        if outage := outages.sentence(error):
            return outage_page(outage)
        raise
    return None


def prove_key(app: Flask, bind: Engine) -> None:
    """Refuse a key that does not open what the office has sealed, and say which file or setting is wanted.

    A key that was left as `secret_key.new` when the office was sealed with it takes its place.
    """
    folder = Path(app.instance_path)
    file, new = folder / KEY_FILE, folder / NEW_KEY_FILE
    with bind.connect() as connection:
        if secret_key.is_right(connection, secrets.in_use()):
            if not app.config["HAS_KEY_SET"] and not file.exists():
                take_into_place(folder)
            return
        found = [each for each in _key_files(folder) if secret_key.is_right(connection, _keys_in(each))]
    if app.config["HAS_KEY_SET"]:
        raise Refused(KEY_IN_FILE, file=found[0]) if found else Refused(WRONG_KEY_SET)
    if new in found:
        use(app, new.read_text().strip())
        take_into_place(folder)
    elif not file.exists():
        raise Refused(KEY_MISSING, file=file)
    elif found:
        raise Refused(KEY_IN_OTHER_FILE, right=found[0], file=file)
    else:
        raise Refused(WRONG_KEY_FILE, file=file)


def _key_files(folder: Path) -> list[Path]:
    """Keys that lie in the instance folder: the one in use, a new one, those of before a change."""
    return sorted(file for file in folder.glob(f"{KEY_FILE}*") if file.is_file())


def _keys_in(file: Path) -> Keys:
    return Keys.of(file.read_text().strip())


def use(app: Flask, key: str) -> None:
    """Work with another key from now on."""
    app.config["SECRET_KEY"] = key
    secrets.configure(key)


def take_into_place(folder: Path) -> None:
    """Make `secret_key.new` the key; the one before stays as `secret_key.DATE`, for old backups."""
    file, new = folder / KEY_FILE, folder / NEW_KEY_FILE
    if not new.exists():
        return
    with suppress(FileNotFoundError):  # another process does the same
        if file.exists():
            file.rename(free_name(folder))
        new.rename(file)


def free_name(folder: Path) -> Path:
    """The name under which today's old key is kept."""
    day = clock.machine_now().astimezone().date().isoformat()
    names = [f"{KEY_FILE}.{day}", *(f"{KEY_FILE}.{day}.{number}" for number in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


@dataclass(frozen=True)
class KeyChange:
    """What a change of key did, and what is left to do: to set or unset GATEHOUSE_SECRET_KEY."""

    sealed: Resealed
    file: Path
    old_key: Path | None
    must_set: bool
    must_unset: bool


def change_key(app: Flask, bind: Engine) -> KeyChange:
    """Seal the office with a new key: GATEHOUSE_NEW_SECRET_KEY, else one made now (F20).

    Refused while the office is open. The new key is on the disk before anything is sealed with it; a key
    that is set by the environment stays the business of whoever sets it, unless none is given for after.
    """
    opening.refuse_open(bind)
    folder, given = Path(app.instance_path), os.environ.get("GATEHOUSE_NEW_SECRET_KEY", "").strip()
    key = given or random.token_hex(32)
    if key == app.config["SECRET_KEY"]:
        raise Refused(SAME_KEY)
    is_set, file, new = app.config["HAS_KEY_SET"], folder / KEY_FILE, folder / NEW_KEY_FILE
    old_key = None
    if not (is_set and given):
        new.unlink(missing_ok=True)
        write_key(new, key)
        old_key = free_name(folder)
        if is_set and not file.exists():
            write_key(file, app.config["SECRET_KEY"])
    sealed = secret_key.rotate(bind, Keys.of(key))
    use(app, key)
    if old_key is not None:
        take_into_place(folder)
    return KeyChange(sealed, file, old_key, bool(is_set and given), bool(is_set and not given))
