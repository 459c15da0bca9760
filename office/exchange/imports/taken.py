"""What an import did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


def shown(value: object) -> str:
    """A value as a difference tells it."""
    if isinstance(value, Decimal):
        digits = f"{value:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Difference:
    """A row whose key is there with another value in one column; both as text, sealed ones masked."""

    row: int
    column: str
    there: str
    here: str


@dataclass(frozen=True)
class Taken:
    """Rows that were added, that were there already and equal, and that are there with other values."""

    new: int = 0
    skipped: int = 0
    details: Mapping[str, int] = field(default_factory=dict)
    differences: Sequence[Difference] = ()
    updated: int = 0  # rows of which differences were written
    preview: Mapping[str, Any] = field(default_factory=dict)  # each row as read, as JSON (statements)
