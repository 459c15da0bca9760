"""The application: settings, database and screens put together."""

from __future__ import annotations

from runtime import startup  # isort: skip -- a sixth of the start

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

import admin
from admin.panel import language, mailed_views
from models import db, engine, secrets
from office.core import installation
from runtime import readiness
from runtime.settings import ROOT, Settings, open_instance, refuse_network_share


def postgresql_arguments() -> dict[str, object]:
    """How to talk to the server, and when each side takes the other for gone.

    Its planner gets to know that a page read out of turn costs about as much as the next one, as on any disk
    without moving parts: else it reads half of all units to name fifty (S1).
    A host that loses its power or line closes no connection: its locks, the scheduler's election among them,
    would stay until the system's own limit, two hours.
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


def connect(app: Flask) -> None:
    """Prepare the application's database engine, and tell it which installation it belongs to."""
    with app.app_context():
        engine.prepare(db.engine)
        here = installation.Installation(
            Path(app.instance_path), app.config, language.translate, mailed_views.maker(app)
        )
        installation.attach(db.engine, here)


def engine_of(app: Flask) -> Engine:
    """The application's database engine."""
    with app.app_context():
        return db.engine


def create_app(settings: Settings | None = None) -> Flask:
    """The application of a web worker: settings, database, screens."""
    settings = settings or Settings.from_environment()
    url = settings.database()
    key = open_instance(settings, url)
    refuse_network_share(url)
    app = Gatehouse(
        "gatehouse",
        root_path=str(ROOT),
        instance_path=str(settings.instance),
        static_folder=None,
        template_folder="admin/templates",
    )
    is_sqlite = url.startswith("sqlite")
    app.config.update(
        SECRET_KEY=key,
        HAS_KEY_SET=bool(settings.secret_key),
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
    connect(app)
    app.before_request(lambda: readiness.refusal_page(app))
    admin.init_app(app)
    startup.enable_garbage_collection()
    return app
