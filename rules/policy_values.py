"""Values of a policy row, as TOML, JSON or a form gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time


def whole(given: object, default: int = 0) -> int:
    """The whole number of a cell, the default (0) for an empty one. Raises ValueError."""
    return default if given in {None, ""} else int(str(given))


def day_or_none(given: object) -> date | None:
    """The day of a cell, None for an empty one. Raises ValueError."""
    if given in {None, ""}:
        return None
    return given if isinstance(given, date) else date.fromisoformat(str(given))


def clock_time(given: object) -> time:
    """The time of day of a cell. Raises ValueError."""
    return given if isinstance(given, time) else time.fromisoformat(str(given))


def words(given: object) -> tuple[str, ...]:
    """The words of a list or of comma-separated text, none for an empty cell. Raises TypeError."""
    if given is None:
        return ()
    if isinstance(given, str):
        given = given.split(",")
    if not isinstance(given, list | tuple):
        raise TypeError("a list of words is needed")
    return tuple(word for word in (str(item).strip() for item in given) if word)


def tables(row: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """The rows under a name of a policy document, none when absent. Raises TypeError."""
    given = row.get(name) or ()
    if not isinstance(given, list | tuple) or not all(isinstance(item, Mapping) for item in given):
        raise TypeError(f"{name} must be a list of tables")
    return list(given)
