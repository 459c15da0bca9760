"""Values that came with a request, checked before a database sees them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from rules.numbers import decimal_of, whole_of

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


def typed_value(kind: type, value: Any) -> Any:
    """A value of this Python type from its text; raises ValueError for anything else."""
    if issubclass(kind, date):  # an instant is asked for by its day
        return date.fromisoformat(value[:10])
    if issubclass(kind, bool):
        return bool(int(value))
    if issubclass(kind, int):
        number = whole_of(value) if isinstance(value, str) else int(value)
        if abs(number) > BIGGEST_ID:
            raise ValueError(value)
        return number
    if issubclass(kind, Decimal):
        amount = decimal_of(value)
        if abs(amount) >= 10**12 or -int(amount.as_tuple().exponent) > 2:
            raise ValueError(value)
        return amount
    return str(value)
