"""Explanations and comparisons as lines of text for a terminal: names and values, nested ones indented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def as_text(document: Mapping[str, Any]) -> str:
    """`name: value` lines; a list gives one line an entry."""
    return "\n".join(_lines(document, ""))


def _lines(document: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{name}:"
            yield from (f"{indent}  - {_short(entry)}" for entry in value)
        else:
            yield f"{indent}{name}: {'-' if value in {None, ''} else value}"


def _short(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    return ", ".join(
        f"{name}={_short(value)}" for name, value in entry.items() if value not in (None, "", {})
    )
