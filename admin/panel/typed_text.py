"""Numbers and days as people type them into forms, filters and actions; raises ValueError in words.

One strict reader of numbers (rules/numbers.py) and one of days (rules/dates.py) stand behind them all: what
can't be read for sure is refused with what to write, never guessed.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import lazy_gettext as _

from rules import dates
from rules.dates import DateError
from rules.numbers import NumberError, decimal_of, whole_of

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
BIGGEST_AMOUNT = Decimal(10**12)
BIGGEST_WHOLE = 2**63 - 1


def number(text: str, places: int = 2, least: Decimal | None = None) -> Decimal:
    """A decimal with at most so many places, not below `least`. Raises ValueError."""
    try:
        value = decimal_of(text)
    except NumberError:
        raise ValueError(_("This is no number: write it as 1234.50 or 1,234.50")) from None
    if abs(value) >= BIGGEST_AMOUNT:
        raise ValueError(_("This is not a number the office can use."))
    if -int(value.normalize().as_tuple().exponent) > places:
        raise ValueError(_("At most %(places)s decimal places.", places=places))
    if least is not None and value < least:
        raise ValueError(_("At least %(least)s.", least=least))
    return value


def whole(text: str) -> int:
    """A whole number that a database can hold. Raises ValueError."""
    try:
        value = whole_of(text)
    except NumberError:
        raise ValueError(_("This is no whole number: write digits only, such as 3")) from None
    if abs(value) > BIGGEST_WHOLE:
        raise ValueError(_("This is not a number the office can use."))
    return value


def day(text: str, earliest: date = EARLIEST, latest: date = LATEST) -> date:
    """A day as people write it, such as 2026-03-31 or 2026/3/31 (rules/dates.py). Raises ValueError."""
    try:
        found = dates.day_of(text, years=range(1, 10_000))
    except DateError:
        raise ValueError(_("This is no date: write it as 2026-03-31")) from None
    if not earliest <= found <= latest:
        raise ValueError(_("This date is too far away."))
    return found
