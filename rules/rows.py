"""Values of a policy row, as TOML, JSON or a form gives them."""

from __future__ import annotations

from datetime import date, time


def whole(given: object) -> int:
    """The whole number of a cell, 0 for an empty one. Raises ValueError."""
    return 0 if given in {None, ""} else int(str(given))


def day_or_none(given: object) -> date | None:
    """The day of a cell, None for an empty one. Raises ValueError."""
    if given in {None, ""}:
        return None
    return given if isinstance(given, date) else date.fromisoformat(str(given))


def clock_time(given: object) -> time:
    """The time of day of a cell. Raises ValueError."""
    return given if isinstance(given, time) else time.fromisoformat(str(given))
