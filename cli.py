"""The commands of contract.md: parse, call one office verb, commit, print.

Exit 0 when done; 1 with one line on stderr when the office refuses; 2 for wrong usage (click's own).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from flask import Flask, current_app
from flask_babel import force_locale, gettext

from models import db
from models.engine import writing
from models.property import PRESETS
from office.errors import Refused

Command = Callable[..., Any]


def reader_language() -> str:
    """The terminal's language, from the environment."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en"
    if name.startswith(("zh_TW", "zh_HK", "zh_Hant")):
        return "zh_Hant_TW"
    return "zh_Hans_CN" if name.startswith("zh") else "en"


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn a refusal into exit 1 with its one line; nothing is kept."""
    with force_locale(reader_language()):
        try:
            yield
        except Refused as refusal:
            db.session.rollback()
            click.echo(gettext(refusal.message, **refusal.values), err=True)
            sys.exit(1)


def writes(command: Command) -> Command:
    """A command that writes: one write transaction at a time, refusals told."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with refusals_told(), writing():
            return command(*args, **kwargs)

    return run


def reads(command: Command) -> Command:
    """A command that only reads."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with refusals_told():
            return command(*args, **kwargs)

    return run


def say(document: Any, *, as_json: bool, text: str) -> None:
    """Print one JSON document or the text for people."""
    click.echo(json.dumps(document, ensure_ascii=False, default=str) if as_json else text)


def init_app(app: Flask) -> None:
    app.cli.add_command(init)


@click.command()
@click.option("--preset", type=click.Choice(PRESETS), required=True)
@click.option("--demo", is_flag=True, help="Add the demo estate.")
@click.option("--sandbox", is_flag=True, help="A database in which time may be chosen.")
@click.option("--admin-password", help="Else one is made and printed.")
@writes
def init(preset: str, *, demo: bool, sandbox: bool, admin_password: str | None) -> None:
    """Set up the office without questions."""
    from office import clock, database, setup
    from office import demo as demo_estate

    database.migrate(current_app)  # type: ignore[arg-type] -- the proxy serves
    office = setup.set_up(
        db.session(), preset, now=clock.machine_now(), is_sandbox=sandbox, admin_password=admin_password
    )
    if demo:
        demo_estate.build(db.session(), password=office.password, now=clock.machine_now())
    db.session.commit()
    click.echo(gettext("The office is ready. Sign in as %(login)s.", login=office.login))
    if admin_password is None:
        click.echo(gettext("One-time password: %(password)s", password=office.password))
