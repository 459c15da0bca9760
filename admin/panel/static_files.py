"""The program's own files for the browser: styles, scripts, icons."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, send_from_directory
from markupsafe import Markup
from werkzeug.wrappers import Response

STATIC = Path(__file__).parent.parent / "static"


def init_app(app: Flask) -> None:
    def static(filename: str) -> Response:
        return send_from_directory(STATIC, filename)

    app.add_url_rule("/static/<path:filename>", "static", static)


def static_url(path: str) -> str:
    """The address of a static file, with a mark that changes when the file does."""
    return f"/static/{path}?v={_mark(path)}"


def icon(name: str) -> Markup:
    """A vendored icon; decorative, so hidden from screen readers."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        static_url("icons.svg"), name
    )


@cache
def _mark(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
