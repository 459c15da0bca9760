"""Gatehouse: settings, the application, and `python app.py`, which serves a whole office."""

from __future__ import annotations

import start_up  # isort: skip -- a sixth of the start

import errno
import os
import secrets as random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy import make_url
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

import admin
import cli
from models import db, engine, secrets

HERE = Path(__file__).parent
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}


class SettingError(click.ClickException):
    """A setting can't be used; the message says what to type."""


@dataclass(frozen=True)
class Settings:
    """What IT sets by environment variables; everything else is a policy in the office."""

    instance: Path = HERE / "instance"
    database_url: str = ""
    secret_key: str = ""
    smtp_url: str = ""
    proxies: int = 0  # how many reverse proxies of our own stand before the program
    flask: dict[str, object] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> Settings:
        read = os.environ.get
        return cls(
            instance=Path(read("GATEHOUSE_INSTANCE") or HERE / "instance").absolute(),
            database_url=read("GATEHOUSE_DATABASE_URL", ""),
            secret_key=read("GATEHOUSE_SECRET_KEY", ""),
            smtp_url=read("GATEHOUSE_SMTP_URL", ""),
            proxies=cls.count("GATEHOUSE_PROXIES"),
        )

    def database(self) -> str:
        """SQLite in the instance folder unless a URL is set; `postgresql://` means psycopg 3."""
        if not self.database_url:
            return f"sqlite:///{self.instance / 'gatehouse.db'}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise SettingError("GATEHOUSE_DATABASE_URL is no postgresql://user:password@host/name")
        return self.database_url

    @staticmethod
    def count(name: str) -> int:
        """A whole number from the environment, 0 without one. Raises SettingError for anything else."""
        given = os.environ.get(name) or "0"
        if not given.isdecimal():
            raise SettingError(f"{name} is {given!r}: set it to a number, as docs/it.md says")
        return int(given)

    def key(self) -> str:
        """The secret key from the environment, else from a file made at the first start."""
        if self.secret_key:
            return self.secret_key
        path = self.instance / "secret_key"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(random.token_hex(32))
        except FileExistsError:
            pass
        key = path.read_text().strip()
        if not key:
            raise SettingError(f"{path} is empty: restore it from a backup or set GATEHOUSE_SECRET_KEY")
        return key


def open_instance(settings: Settings, url: str) -> str:
    """The instance folder, made for its owner only, and the key in it. Raises SettingError without access."""
    folder = settings.instance
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = settings.key()
        if url.startswith("sqlite") and not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except OSError as error:
        raise SettingError(
            f"{error.filename}: {error.strerror}. Run as the user whose folder {folder} is, "
            "or set GATEHOUSE_INSTANCE to a folder that this one may write to"
        ) from error
    return key


def refuse_network_share(url: str) -> None:
    """SQLite loses data on network file systems: say so before the first write (decisions: Data)."""
    database = make_url(url).database
    mounts = Path("/proc/mounts")
    if not url.startswith("sqlite") or not database or not mounts.exists():
        return
    folder = Path(database).absolute().parent
    best, kind = "", ""
    for line in mounts.read_text().splitlines():
        _, point, file_system, *_ = line.split()
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, file_system
    if kind in NETWORK_FILE_SYSTEMS:
        raise SettingError(
            f"{database} lies on a network share ({kind}), where SQLite loses data: "
            "put the folder on a local disk or set GATEHOUSE_DATABASE_URL to a PostgreSQL"
        )


def postgresql_arguments() -> dict[str, object]:
    """How to talk to the server, and when each side takes the other for gone.

    Its planner is told that a page read out of turn costs about as much as the next one, as on any disk
    without moving parts: else it reads half of all units to name fifty (S1).
    A host whose power or line went says no goodbye: its locks, the clock's election among them, would else
    stay until the system's own time, two hours.
    """
    alive = {"tcp_keepalives_idle": 15, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
    on_server = {"timezone": "utc", "random_page_cost": 1.1, **alive, "tcp_user_timeout": 30_000}
    here = {name.removeprefix("tcp_"): seconds for name, seconds in alive.items()}
    return {
        "options": " ".join(f"-c {name}={value}" for name, value in on_server.items()),
        "connect_timeout": 10,
        "tcp_user_timeout": 30_000,
        **here,
    }


class LateRule(Rule):
    """A URL rule whose builder is compiled when first asked for: hundreds at once are half of a start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - as in Werkzeug
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(super(LateRule, self)._compile_builder(append_unknown))
            return compiled[0](rule, **values)

        return build


class Gatehouse(Flask):
    """Flask with many addresses."""

    url_rule_class = LateRule


def create_app(settings: Settings | None = None) -> Flask:
    """The application for web workers, commands and tests alike."""
    settings = settings or Settings.from_environment()
    url = settings.database()
    key = open_instance(settings, url)
    refuse_network_share(url)
    app = Gatehouse(
        "gatehouse", root_path=str(HERE), instance_path=str(settings.instance), static_folder=None
    )
    is_sqlite = url.startswith("sqlite")
    app.config.update(
        SECRET_KEY=key,
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True}  # errors in logs hold no personal data
        | ({} if is_sqlite else {"pool_pre_ping": True, "connect_args": postgresql_arguments()}),
        SMTP_URL=settings.smtp_url,
        MAX_CONTENT_LENGTH=60 * 1024 * 1024,
        **settings.flask,
    )
    if settings.proxies:  # whom sign-in attempts are counted for, and whether the cookie is Secure
        near = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=near, x_proto=near, x_host=near)  # type: ignore[method-assign]
    secrets.configure(app.config["SECRET_KEY"])
    db.init_app(app)
    with app.app_context():
        engine.prepare(db.engine)
    admin.init_app(app)
    cli.init_app(app)
    start_up.is_over()
    return app


if __name__ == "__main__":
    from serve import main

    main()
