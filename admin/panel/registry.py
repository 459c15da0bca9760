"""The screens that the application shows, found by their address or their table."""

from __future__ import annotations

from typing import Any

from flask import current_app


def views() -> list[Any]:
    """Every screen, in the order of the sidebar."""
    found: list[Any] = current_app.extensions["admin"][0]._views  # noqa: SLF001 -- Flask-Admin offers no list
    return found


def view_of(screen: str) -> Any:
    """The view of a screen, or None."""
    return next((view for view in views() if getattr(view, "screen", "") == screen), None)


def view_of_table(model: Any) -> Any:
    """The first view of a table, or None."""
    return next((view for view in views() if getattr(view, "table", None) is model), None)
