"""Numbers as people write them, read strictly: what can't be read for sure is refused, never guessed."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\xad"))
_BEFORE = r"(?:¥|RMB|CNY)?"
_BEHIND = r"(?:元|RMB|CNY|m2|m²|平方米|平方公尺)?"
_DIGITS = r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|\.\d+"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?) ?{_BEFORE} ?(?P<sign_behind>[+-]?)(?P<digits>{_DIGITS}) ?{_BEHIND}",
    re.ASCII | re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    rf"{_BEFORE} ?\( ?{_BEFORE} ?(?P<digits>{_DIGITS}) ?{_BEHIND} ?\) ?{_BEHIND}", re.ASCII | re.IGNORECASE
)
_NOT_FINITE = re.compile(r"[+-]?(?:s?nan|inf(?:inity)?)", re.IGNORECASE)
_LONGEST = 60


class NumberError(ValueError):
    """Not a number; `code` is `not_a_number` or `not_finite`."""

    def __init__(self, code: str, given: str) -> None:
        super().__init__(f"{code}: {given}")
        self.code = code
        self.given = given


def decimal_of(given: str) -> Decimal:
    """The number that a text says, exactly as it says it.

    A sign, digits, one decimal point, `,` or `，` only before each three digits; ¥, RMB, 元 and ㎡ count for
    nothing, full-width forms are equal, `(120.00)` is −120.00. Raises NumberError for everything else:
    `89,5`, `1,2,3`, `1_000`, `1e3`.
    """
    text = unicodedata.normalize("NFKC", given.translate(_DASHES)).translate(_DASHES | _UNSEEN).strip()
    if len(text) <= _LONGEST:
        found = _NUMBER.fullmatch(text)
        if found and not (found["sign"] and found["sign_behind"]):
            sign = -1 if "-" in (found["sign"], found["sign_behind"]) else 1
            return sign * Decimal(found["digits"].replace(",", ""))
        found = _IN_BRACKETS.fullmatch(text)
        if found:
            return -Decimal(found["digits"].replace(",", ""))
    raise NumberError("not_finite" if _NOT_FINITE.fullmatch(text) else "not_a_number", given)


def whole_of(given: str) -> int:
    """The whole number that a text says. Raises NumberError, also for `1.5`."""
    value = decimal_of(given)
    if value != value.to_integral_value():
        raise NumberError("not_a_number", given)
    return int(value)
