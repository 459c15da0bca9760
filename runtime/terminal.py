"""What commands share: the terminal's language, refusals as one line, output as JSON or text."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_babel import force_locale, gettext
from sqlalchemy.exc import DatabaseError

from models import db
from models.engine import writing
from office.core import outages
from office.core.errors import Refused
from office.policies.documents import PolicyRefused

Command = Callable[..., Any]
OWNER_ONLY = 0o077


def reader_language() -> str:
    """The terminal's language, from the environment."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en"
    if name.startswith(("zh_TW", "zh_HK", "zh_Hant")):
        return "zh_Hant_TW"
    return "zh_Hans_CN" if name.startswith("zh") else "en"


@contextmanager
def refusals_as_exit() -> Iterator[None]:
    """Turn a refusal or an outage into exit 1 with one line on stderr, after a rollback."""
    with force_locale(reader_language()):
        try:
            yield
        except Refused as refusal:
            db.session.rollback()
            click.echo(worded(refusal), err=True)
            sys.exit(1)
        except (DatabaseError, OSError) as error:
            outage = outage_of(error)
            if not outage:
                raise
            click.echo(outage, err=True)
            sys.exit(1)


@contextmanager
def files_for_their_owner() -> Iterator[None]:
    """Files written inside can be read by nobody else on this machine: most hold personal data."""
    before = os.umask(OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)


def worded(refusal: Refused) -> str:
    """A refusal in the reader's language; problems of a policy each as its own sentence."""
    values = refusal.values
    if isinstance(refusal, PolicyRefused):
        from admin.policies import wording

        values = {**values, "problems": wording.problems(refusal.reasons)}
    return gettext(refusal.message, **values)


def outage_of(error: BaseException) -> str | None:
    """An outage in one line, with the driver's own words for who looks after the machine."""
    outage = outages.sentence(error)
    return f"{gettext(outage)} ({outages.driver_words(error)})" if outage else None


def anywhere(command: Command) -> Command:
    """Decorate a command that says itself in which database it works, with refusals as exit 1."""

    @with_appcontext
    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with refusals_as_exit(), files_for_their_owner():
            return command(*args, **kwargs)

    return run


def reads(command: Command) -> Command:
    """Decorate a command that only reads an office."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        require_office(is_writing=False)
        return command(*args, **kwargs)

    return anywhere(run)


def works(command: Command) -> Command:
    """Decorate a command that writes, in transactions of its own."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        require_office(is_writing=True)
        return command(*args, **kwargs)

    return anywhere(run)


def writes(command: Command) -> Command:
    """Decorate a command that writes: in a write transaction."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with writing():
            return command(*args, **kwargs)

    return works(run)


def require_office(*, is_writing: bool) -> None:
    """Refuse a database that is no office of this program, or a wrong secret key."""
    from runtime import readiness

    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 -- Flask's own advice
    readiness.require(app, db.engine, is_writing=is_writing)


def say(document: Any, *, as_json: bool, text: str) -> None:
    """Print one JSON document or the text for people."""
    click.echo(json.dumps(document, ensure_ascii=False, default=str) if as_json else text)
