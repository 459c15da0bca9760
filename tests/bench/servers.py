"""Both programs behind the same server, and their starts, for S6 and S16 of lists.py."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

FOLDER, URL = "BENCH_FOLDER", "BENCH_URL"


def django(url: str) -> None:
    """Django's settings for this database; may be called again for another."""
    from django.conf import settings
    from sqlalchemy import make_url

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    parts = make_url(url)
    patient = {"timeout": 20, "transaction_mode": "IMMEDIATE"}
    base: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": parts.database,
        "OPTIONS": patient,
    }
    if parts.drivername != "sqlite":
        base = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.database,
            "USER": parts.username or "",
            "PASSWORD": parts.password or "",
            "HOST": parts.query.get("host") or parts.host or "",
            "PORT": parts.port or "",
            "CONN_MAX_AGE": None,
        }
    if settings.configured:
        from django.db import connections

        connections["default"].close()
        del connections["default"]
        connections.databases["default"] = connections.configure_settings({"default": base})["default"]
        return
    settings.configure(
        SECRET_KEY="bench",
        DEBUG=False,
        ROOT_URLCONF="tests.bench.django_urls",
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        DATABASES={"default": base},
        STATIC_URL="/s/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "tests.bench.django_app.Peer",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    import django as framework

    framework.setup()


# What the server's workers load ------------------------------------------------------------------------


def ours_application() -> Any:
    import app as _first  # noqa: F401 -- as a server does; not in the bare one's process
    from tests.bench import ground

    return ground.application(Path(os.environ[FOLDER]), os.environ[URL])


def django_application() -> Any:
    from django.core.wsgi import get_wsgi_application

    url = os.environ[URL] or f"sqlite:///{os.environ[FOLDER]}/gatehouse.db"
    django(url.replace("postgresql://", "postgresql+psycopg://"))
    return get_wsgi_application()


def bare_application() -> Any:
    """Flask-Admin with three views and nothing else, on the same database."""
    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView
    from flask_babel import Babel
    from flask_sqlalchemy import SQLAlchemy
    from sqlalchemy import Column, Integer, String

    app = Flask("bare")
    url = os.environ[URL] or f"sqlite:///{os.environ[FOLDER]}/gatehouse.db"
    address = url.replace("postgresql://", "postgresql+psycopg://")
    app.config.update(SECRET_KEY="bare", SQLALCHEMY_DATABASE_URI=address)
    database = SQLAlchemy(app)
    Babel(app)
    panel = Admin(app)
    for table in ("building", "area", "department"):
        columns = {"__tablename__": table, "id": Column(Integer, primary_key=True), "name": Column(String)}
        if table == "department":
            del columns["name"]
        panel.add_view(ModelView(type(table.title(), (database.Model,), columns), database))
    return app


def stock_application() -> Any:
    """Flask-Admin as it comes, with the columns, filters and searches that our list of bills has."""
    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView
    from flask_babel import Babel

    from models import db
    from models.billing import Invoice
    from models.property import Area

    class Invoices(ModelView):
        column_list = ("number", "unit.code", "payer.name", "period", "issued_on", "due_on", "amount", "paid",
                       "balance", "state", "stage")  # fmt: skip
        column_searchable_list = ("number", "unit.code", "payer.name", "payer.pinyin_initials")
        column_filters = ("state", "due_on")  # it has none for money's type
        column_default_sort = ("issued_on", True)
        named_filter_urls = can_view_details = True
        page_size = 50

    class Areas(ModelView):
        form_columns = ("name", "position")

    app = Flask("stock")
    url = os.environ[URL] or f"sqlite:///{os.environ[FOLDER]}/gatehouse.db"
    address = url.replace("postgresql://", "postgresql+psycopg://")
    app.config.update(SECRET_KEY="stock", SQLALCHEMY_DATABASE_URI=address)
    db.init_app(app)
    Babel(app)
    panel = Admin(app)
    panel.add_view(Invoices(Invoice, db, endpoint="stock"))
    panel.add_view(Areas(Area, db, endpoint="areas"))
    return app


# S6 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    port: int
    cookie: str


@contextmanager
def serving(app: Flask, kind: str, cookie: str = "", threads: int = 1) -> Iterator[Served]:
    """Granian with two workers; for Django signed in here."""
    if kind == "django":
        from django.contrib.auth.models import User
        from django.test import Client

        client = Client()
        client.force_login(User.objects.get(username="bench"))
        named = f"sessionid={client.cookies['sessionid'].value}"
    else:
        named = f"gatehouse={cookie}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--factory",
               "--blocking-threads", str(threads), "--host", "127.0.0.1", "--port", str(port), "--no-ws",
               "--log-level", "error", f"tests.bench.servers:{kind}_application"]  # fmt: skip
    server = subprocess.Popen(command, env=environment(app))
    try:
        wait_for(port)
        yield Served(port, named)
    finally:
        server.terminate()
        server.wait()


def environment(app: Flask) -> dict[str, str]:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    return {
        **os.environ,
        FOLDER: app.instance_path,
        URL: "" if url.startswith("sqlite") else url,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=60).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(port)


def requests_a_second(served: Served, path: str, connections: int, seconds: float) -> float:
    """Answers of 200 a second over so many connections that are kept open."""
    return asyncio.run(_ask_all(served, path, connections, seconds))


async def _ask_all(served: Served, path: str, connections: int, seconds: float) -> float:
    question = f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: {served.cookie}\r\n\r\n".encode()
    await _ask(served, question, time.monotonic() + 1)  # imports, caches
    begun = time.monotonic()
    asked = [_ask(served, question, begun + seconds) for _ in range(connections)]
    return sum(await asyncio.gather(*asked)) / (time.monotonic() - begun)


async def _ask(served: Served, question: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    answers = 0
    while time.monotonic() < until:
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        answers += 1
    writer.close()
    return answers


# S16 ---------------------------------------------------------------------------------------------------


def start(app: Flask, kind: str, cookie: str) -> float:
    """Seconds of processor from the start of a process to its first list."""
    work = "from tests.bench import servers; servers.first_page"
    caches = os.environ.get("PYTHONPYCACHEPREFIX") or str(Path(tempfile.gettempdir()) / "bench-bytecode")
    used = {**environment(app), "PYTHONPYCACHEPREFIX": caches}
    used.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", f"{work}({kind!r}, {cookie!r})"]
    return float(subprocess.run(command, env=used, check=True, capture_output=True, text=True).stdout)


def first_page(kind: str, cookie: str) -> None:
    client = (ours_application if kind == "ours" else bare_application)().test_client()
    client.set_cookie("gatehouse", cookie)
    answer = client.get("/buildings/" if kind == "ours" else "/admin/building/")
    assert answer.status_code == 200, answer.status
    print(time.process_time())
