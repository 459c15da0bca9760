"""One cell's text → its value, or what is wrong with it and how to mend it (contract "Imports").

Each reader takes the trimmed text of a filled cell. Numbers, money, days, periods, instants in office time,
flags, codes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from office.core.errors import N_
from rules.dates import FIRST_YEAR, LAST_YEAR, DateError, day_of, instant_of
from rules.money import LIMIT, MoneyError
from rules.money import money as exact_money
from rules.numbers import NumberError, decimal_of, whole_of

T = TypeVar("T")

_PERIOD = re.compile(r"(\d{4})(?:[-/.年])(\d{1,2})月?|(\d{4})(\d\d)", re.ASCII)


class Wrong(Exception):  # noqa: N818 -- reads as the list says it
    """What is wrong with a cell and how to mend it; both English, with %(name)s places for `values`."""

    def __init__(self, message: str, remedy: str, **values: object) -> None:
        super().__init__(message % plain_values(values) if values else message)
        self.message = message
        self.remedy = remedy
        self.values = values


def plain_values(values: Mapping[str, object], word: Callable[[str], str] = str) -> dict[str, object]:
    """The values of a message; a list of codes as one text, each worded by `word`."""
    return {
        name: "、".join(map(word, value)) if isinstance(value, tuple | list) else value
        for name, value in values.items()
    }


NUMBER_WRONG: Mapping[str, tuple[str, str]] = {
    "not_a_number": (N_("not a number"), N_("Write it as 1234.50 or 1,234.50")),
    "not_finite": (N_("not a finite number"), N_("Write it as 1234.50 or 1,234.50")),
    "too_large": (N_("too large a number"), N_("Write a number below 1000000000000")),
    "finer_than_fen": (N_("finer than a fen"), N_("Round to 2 decimal places")),
    "negative": (N_("below zero"), N_("Write a number above zero")),
    "zero": (N_("zero"), N_("Write a number above zero, or remove the row")),
}


def key(text: str) -> str:
    """How words and headers are compared: without width, case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_\-*＊:：]+", "", unicodedata.normalize("NFKC", text)).casefold()


def short_text(most: int) -> Callable[[str], str]:
    """Text of at most so many characters; a formula is only text here."""

    def read(text: str) -> str:
        if len(text) > most:
            raise Wrong(N_("longer than %(most)s characters"), N_("Shorten the text"), most=most)
        return text

    return read


def money(text: str) -> Decimal:
    """Yuan with 2 places, zero or more."""
    try:
        return exact_money(text)
    except MoneyError as error:
        raise Wrong(*NUMBER_WRONG[error.code]) from error


def money_above_zero(text: str) -> Decimal:
    try:
        return exact_money(text, is_zero_allowed=False)
    except MoneyError as error:
        raise Wrong(*NUMBER_WRONG[error.code]) from error


def signed_money(text: str) -> Decimal:
    """Yuan with 2 places, also below zero: a statement tells money out so."""
    try:
        return exact_money(text, is_negative_allowed=True)
    except MoneyError as error:
        raise Wrong(*NUMBER_WRONG[error.code]) from error


def number(text: str, *, places: int = 4) -> Decimal:
    """A plain decimal, zero or more, with at most so many places: areas, readings, quantities."""
    try:
        value = decimal_of(text)
    except NumberError as error:
        raise Wrong(*NUMBER_WRONG[error.code]) from None
    if abs(value) >= LIMIT:
        raise Wrong(*NUMBER_WRONG["too_large"])
    if value < 0:
        raise Wrong(*NUMBER_WRONG["negative"])
    if value != round(value, places):
        raise Wrong(
            N_("more than %(places)s decimal places"), N_("Round to %(places)s decimal places"), places=places
        )
    return abs(value)  # -0 too


def number_above_zero(text: str) -> Decimal:
    value = number(text)
    if value == 0:
        raise Wrong(*NUMBER_WRONG["zero"])
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two, both included."""

    def read(text: str) -> int:
        try:
            value = whole_of(text)
        except NumberError:
            number(text)  # says better what it is, if it is no number at all
            raise Wrong(N_("not a whole number"), N_("Write a whole number, such as 3")) from None
        if not least <= value <= most:
            raise Wrong(
                N_("not between %(least)s and %(most)s"),
                N_("Write a whole number from %(least)s to %(most)s"),
                least=least,
                most=most,
            )
        return value

    return read


DATE_WRONG: Mapping[str, tuple[str, str]] = {
    "not_a_date": (N_("not a date"), N_("Write the date as YYYY-MM-DD, such as 2026-07-01")),
    "ambiguous": (
        N_("day and month can't be told apart"),
        N_("Write the date as YYYY-MM-DD, such as 2026-07-01"),
    ),
    "not_a_time": (N_("not a time"), N_("Write the time as YYYY-MM-DD HH:MM, such as 2026-07-01 09:30")),
}


def day(text: str) -> date:
    """A day as people write it (rules/dates.py); midnight is dropped."""
    try:
        return day_of(text)
    except DateError as error:
        raise Wrong(*DATE_WRONG[error.code if error.code == "ambiguous" else "not_a_date"]) from None


@lru_cache(maxsize=1024)
def period(text: str) -> str:
    """A month `YYYY-MM`, also written 2026/7, 2026年7月, 202607 or as its first day."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _PERIOD.fullmatch(plain)
    if found:
        year, month = (int(part) for part in found.groups() if part)
        if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12:
            return f"{year:04}-{month:02}"
    else:
        with suppress(DateError):  # what a workbook makes of 2026-07
            if (first := day_of(plain)).day == 1 and plain[:4].isdigit():
                return f"{first:%Y-%m}"
    raise Wrong(N_("not a month"), N_("Write the month as YYYY-MM, such as 2026-07"))


def instant(text: str, zone: ZoneInfo) -> datetime:
    """An instant in UTC; without an offset it is office time, without a time the day's first."""
    try:
        return instant_of(text, zone)
    except DateError as error:
        raise Wrong(DATE_WRONG[error.code][0], DATE_WRONG["not_a_time"][1]) from None


_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "y", "是", "有", "√", "✓", "对", "對"), True),
    **dict.fromkeys(("false", "0", "no", "n", "否", "无", "無", "没有", "×", "x"), False),
}


def flag(text: str) -> bool:
    """true/false, 是/否, yes/no, 1/0."""
    try:
        return _FLAGS[key(text)]
    except KeyError:
        raise Wrong(N_("neither true nor false"), N_("Write true or false (是 or 否)")) from None


def one_of(words: Mapping[str, T]) -> Callable[[str], T]:
    """The code or id that a word stands for; `words` has keys as `key()` makes them.

    A wrong word's `known` are the codes, to be worded in the reader's language.
    """
    codes = tuple(word for word in dict.fromkeys(words.values()) if isinstance(word, str))

    def read(text: str) -> T:
        try:
            return words[key(text)]
        except KeyError:
            raise Wrong(
                N_("unknown: %(value)s"), N_("Write one of: %(known)s"), value=text, known=codes
            ) from None

    return read
