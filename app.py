"""Gatehouse: the application with its commands; `python app.py` serves the whole office."""

from __future__ import annotations

from flask import Flask

from runtime import application, commands
from runtime.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The application for commands, tests and other servers alike."""
    app = application.create_app(settings)
    commands.init_app(app)
    return app


if __name__ == "__main__":
    from runtime.serving import main

    main()
