"""What faces people: the whole menu as one list, and everything a request passes through."""

from __future__ import annotations

from flask import Flask

from admin import health, language, public, screens


def init_app(app: Flask) -> None:
    """Attach languages, sign-in, protections and every screen."""
    language.init_app(app)
    screens.init_app(app)
    public.init_app(app)
    health.init_app(app)
