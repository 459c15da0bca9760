"""What a row of any table is called on screen."""

from __future__ import annotations

from typing import Any

from admin.panel import language, wording


def name_of(row: Any) -> str:
    """What a row is called in the reader's language."""
    if hasattr(row, "name_in"):
        return str(row.name_in(language.current()))
    return str(row) if is_named(row) else f"{wording.table(row.__tablename__)} {row.id}"


def is_named(row: Any) -> bool:
    """Whether a row says itself what it is called."""
    return hasattr(row, "name_in") or type(row).__str__ is not object.__str__  # type: ignore[comparison-overlap]
