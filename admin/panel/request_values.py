"""Values that came with a request, checked before a database sees them."""

from __future__ import annotations

from typing import Any

BIGGEST_ID = 2**63 - 1
LONGEST_INPUT = 200  # characters of a search or a filter; what is longer is cut


def is_clean(value: str) -> bool:
    """Whether a database can take the text at all: no NUL, no lone surrogates."""
    return "\x00" not in value and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value)


def row_id(value: Any) -> int | None:
    """The id of a row, or None for anything that can't be one."""
    digits = str(value)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19:
        return None
    number = int(digits)
    return number if 0 < number <= BIGGEST_ID else None
