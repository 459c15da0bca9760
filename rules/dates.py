"""Days and times as people write them, read strictly: what can't be told for sure is refused, never guessed.

`2026-3-5`, `2026/03/05`, `2026.3.5`, `2026年3月5日`, `20260305`, `5 Mar 2026`, and
years of the Republic of China (`115/03/05`, `民國115年3月5日`, `1150305`). `05/03/2026` is told by what else
stands in its column (`order_of`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1900, 2199
YEARS = range(FIRST_YEAR, LAST_YEAR + 1)  # what lies outside is a slip of the pen
_ROC = 1911  # the year before the first of the Republic of China
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_REST = r" ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2})(?!\d) ?日?"
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_REST}", re.ASCII)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?!\d)", re.ASCII)
_OF_REPUBLIC = re.compile(
    rf"(?:中華)?民[國国] ?(\d{{1,3}}){_REST}|([01]\d\d){_REST}|([01]\d\d)(\d\d)(\d\d)(?!\d)", re.ASCII
)
_EITHER = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)", re.ASCII)
_NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})[- ](?P<name>[a-z]{3,9})\.?[- ,]+"
    r"|(?P<name_first>[a-z]{3,9})\.? (?P<day_behind>\d{1,2}), ?)"
    r"(?P<year>\d{4})(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?", re.ASCII)
_FIRST_SERIAL, _LAST_SERIAL = (
    25_569,
    73_415,
)  # 1970 and 2100: no other number has five digits in a column of days
_SERIAL_BEGINS = datetime(1899, 12, 30)  # noqa: DTZ001 -- a spreadsheet's day numbers have no zone
_WEEKDAY = re.compile(r" ?\(?(?:星期|周|週|礼拜|禮拜)([一二三四五六日天])\)?")
_HALF = r"(上午|下午|[ap]\.?m\.?)?"
_TIME = re.compile(
    rf"{_HALF} ?(\d{{1,2}})"
    r"(?::(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?|[时時点點](?: ?(\d{1,2})分?)?(?: ?(\d{1,2})秒)?)"
    rf" ?{_HALF} ?(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)


class DateError(ValueError):
    """No day or time that can be told for sure; `code` is `not_a_date`, `ambiguous` or `not_a_time`."""

    def __init__(self, code: str, given: str) -> None:
        super().__init__(f"{code}: {given}")
        self.code = code
        self.given = given


class Order(StrEnum):
    """Which of two numbers before a year is the day."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


def order_of(written: Iterable[str]) -> Order | None:
    """Answer the order of day and month in a column: that of its days of which one number is above 12.

    None where there is none such, or where they contradict each other.
    """
    found = {order for text in written if (order := _own_order(_plain(text))) is not None}
    return found.pop() if len(found) == 1 else None


def _own_order(plain: str) -> Order | None:
    either = _EITHER.match(plain)
    if either is None:
        return None
    first, second = int(either[1]), int(either[3])
    if first > 12 >= second:
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if second > 12 >= first else None


def told(written: str, order: Order | None, *, is_number: bool = False) -> str:
    """Answer what a cell of a column in this order says, its day as `YYYY-MM-DD` where only that was open.

    `is_number`: the spreadsheet keeps a number there, so that it may be a day number.
    """
    if order is None and not is_number:
        return written
    plain = _plain(written)
    serial = _SERIAL.fullmatch(plain) if is_number else None
    if serial is not None and _FIRST_SERIAL <= int(serial[1]) <= _LAST_SERIAL:
        at = _SERIAL_BEGINS + timedelta(days=int(serial[1]), seconds=round(float(serial[2] or 0) * 86_400))
        return f"{at:%Y-%m-%d %H:%M:%S}" if serial[2] else f"{at:%Y-%m-%d}"
    if order is None or _EITHER.match(plain) is None:
        return written
    try:
        day, end = _day_at_start(plain, order)
    except DateError:
        return written
    return f"{day}{plain[end:]}"


def day_of(text: str, order: Order | None = None, years: range = YEARS) -> date:
    """Answer the day of one of these years that a text says, with or without midnight behind it.

    Raises DateError.
    """
    day, at, _zone = parts(text, order)
    if day.year not in years or (at is not None and at != time(0)):
        raise DateError("not_a_date", text)
    return day


def instant_of(text: str, zone: tzinfo, order: Order | None = None) -> datetime:
    """Answer the instant in UTC; without an offset it is the zone's time, without a time the day's first.

    Raises DateError.
    """
    day, at, offset = parts(text, order)
    if day.year not in YEARS:
        raise DateError("not_a_date", text)
    try:
        return datetime.combine(day, at or time(0), offset or zone).astimezone(UTC)
    except OverflowError:
        raise DateError("not_a_time", text) from None


def parts(text: str, order: Order | None = None) -> tuple[date, time | None, tzinfo | None]:
    """Answer the day, and the time and offset where the text says them. Raises DateError."""
    plain = _plain(text)
    day, end = _day_at_start(plain, order)
    rest = plain[end:]
    weekday = _WEEKDAY.match(rest)
    if weekday is not None:
        if "一二三四五六日".index(weekday[1].replace("天", "日")) != day.weekday():
            raise DateError("not_a_date", text)
        rest = rest[weekday.end() :]
    if not rest.strip():
        return day, None, None
    at, offset = _time(rest.removeprefix("T").strip(), text)
    return day, at, offset


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


@lru_cache(maxsize=4096)
def _day_at_start(plain: str, order: Order | None) -> tuple[date, int]:
    """The day with which a text begins, and where it ends."""
    found = _YEAR_FIRST.match(plain) or _DIGITS.match(plain)
    if found is not None:
        return _day(plain, *map(int, found.groups())), found.end()
    found = _OF_REPUBLIC.match(plain)
    if found is not None:
        year, month, day = (int(part) for part in found.groups() if part is not None)
        return _day(plain, _ROC + year, month, day), found.end()
    found = _EITHER.match(plain)
    if found is not None:
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        known = _own_order(plain) or order
        if known is None and first != second and max(first, second) <= 12:
            raise DateError("ambiguous", plain)
        day, month = (first, second) if known is not Order.MONTH_FIRST else (second, first)
        return _day(plain, year, month, day), found.end()
    found = _NAMED.match(plain)
    if found is not None:
        month = _month(plain, found["name"] or found["name_first"])
        day = int(found["day"] or found["day_behind"])
        return _day(plain, int(found["year"]), month, day), found.end()
    raise DateError("not_a_date", plain)


def _month(plain: str, name: str) -> int:
    short = name.casefold()
    for names in (_MONTHS, _LONG_MONTHS):
        if short in names:
            return names.index(short) + 1
    raise DateError("not_a_date", plain)


def _day(plain: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateError("not_a_date", plain) from None


def _time(rest: str, text: str) -> tuple[time, tzinfo | None]:
    found = _TIME.fullmatch(rest)
    if found is None:
        raise DateError("not_a_time", text)
    before, hour, minute, second, fraction, minute_of, second_of, behind, offset = found.groups()
    if before and behind:
        raise DateError("not_a_time", text)
    half = (before or behind or "").replace(".", "").casefold()
    try:
        at = time(
            _hour(int(hour), half),
            int(minute or minute_of or 0),
            int(second or second_of or 0),
            int((fraction or "0").ljust(6, "0")),
        )
        return at, _offset(offset) if offset else None
    except ValueError:
        raise DateError("not_a_time", text) from None


def _hour(hour: int, half: str) -> int:
    """The hour of the day; ValueError for one that its half of the day does not have."""
    if half in {"上午", "am"}:
        if hour > 12:
            raise ValueError(hour)
        return hour % 12
    if half in {"下午", "pm"}:
        if not 1 <= hour <= 23:
            raise ValueError(hour)
        return hour if hour >= 12 else hour + 12
    return hour


def _offset(text: str) -> timezone:
    if text.upper() == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
