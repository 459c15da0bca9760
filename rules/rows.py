"""Reading policy rows: what TOML and stored rows hold, as the plain kinds that rules take."""

from __future__ import annotations

from collections.abc import Mapping


def words(value: object) -> tuple[str, ...]:
    """Answer a list of words, given as a list or as comma-separated text. Raises TypeError for others."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        raise TypeError("a list of words is needed")
    return tuple(word for word in (str(item).strip() for item in value) if word)


def whole(value: object, default: int = 0) -> int:
    """Answer a whole number; None and the empty text are the default. Raises ValueError for others."""
    return default if value is None or value == "" else int(str(value))


def tables(row: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Answer the rows under a name, none when absent. Raises TypeError for what is no list of tables."""
    value = row.get(name) or ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise TypeError(f"{name} must be a list of tables")
    return list(value)
