"""What faces people: the whole menu as one list, and everything a request passes through."""

from __future__ import annotations

from flask import Flask

from admin import shell
from admin.complaints import public_form
from admin.panel import language
from admin.system import health


def init_app(app: Flask) -> None:
    """Attach languages, sign-in, protections and every screen."""
    language.init_app(app)
    shell.init_app(app)
    public_form.init_app(app)
    health.init_app(app)
