"""The fixed words of the documents in the three languages, with dates, periods and money as read there.

wording.toml holds them as the mainland says them; wording_hong_kong.toml and wording_taiwan.toml hold what an
office there calls otherwise (D6).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import get_args

from office.documents.pdf.values import PastReminder
from rules import codes
from rules.money import chinese_amount

LANGUAGES = ("en", "zh_Hans", "zh_Hant")
MAINLAND = "mainland"
WORD_SETS: tuple[str, ...] = get_args(codes.WordSet)
_LOCALES = {"en": "en_GB", "zh_Hans": "zh_Hans_CN", "zh_Hant": "zh_Hant_TW"}
_TRADITIONAL_DIGITS = str.maketrans("贰叁陆万亿负", "貳參陸萬億負")


class Words:
    """The words of one language in one word set."""

    def __init__(self, language: str, words: Mapping[str, str], word_set: str = MAINLAND) -> None:
        self.language = language
        self.word_set = word_set
        self._words = words

    def __getitem__(self, key: str) -> str:
        return self._words[key]

    def text(self, key: str, **values: object) -> str:
        """A fixed sentence of ours with its values; never for text that an office wrote."""
        return self._words[key].format(**values)

    def code(self, table: str, code: str) -> str:
        """A code of contract.md as the reader calls it; an unknown code stays as it is."""
        return self._words.get(f"{table}.{code}", code)

    def unit(self, basis: str) -> str:
        """What a rate of a fee basis is for, such as `元/㎡·月`; empty for one that has no rate."""
        return self._words.get(f"unit.{basis}", "")

    def reckoned(self, code: str, quantity: Decimal, rate: Decimal) -> str:
        """How a line of a bill was reckoned, such as `98.70 ㎡ × 2.50`; empty without words for it."""
        counted = number(quantity)
        said = self._words.get(f"basis.{code}.{counted}") or self._words.get(f"basis.{code}", "")
        return said.format(quantity=counted, rate=number(rate, 2))

    def pair(self, key: str, value: str) -> str:
        return f"{self._words[key]}{self.colon}{value}"

    @property
    def is_chinese(self) -> bool:
        return self.language != "en"

    @property
    def colon(self) -> str:
        return "：" if self.is_chinese else ": "

    @property
    def comma(self) -> str:
        return "、" if self.is_chinese else ", "

    def day(self, on: date | None) -> str:
        return _day(on, self.language) if on else ""

    def period(self, period: str) -> str:
        """`2025-03` as 2025年3月 or March 2025; what is no month stays as it is."""
        return _period(period, self.language)

    def instant(self, at: datetime | None, zone: str) -> str:
        """An aware instant in the office's own time."""
        from zoneinfo import ZoneInfo

        if at is None:
            return ""
        local = at.astimezone(ZoneInfo(zone))
        return f"{self.day(local.date())} {local:%H:%M}"

    def waiting(self, units: Sequence[str]) -> str:
        """The sentence that names units that are not chased now; empty without any (C19)."""
        return self.text("waiting", units=self.comma.join(units)) if units else ""

    def reminded(self, reminders: Sequence[PastReminder]) -> str:
        """The sentence that says when and how a debtor was reminded; empty where nobody was (D5)."""
        if not reminders:
            return ""
        said = [
            self.text("reminded_one", day=self.day(one.on), way=self.code("reminded", one.way))
            for one in reminders
        ]
        last = self["and"].join(part for part in (self.comma.join(said[:-1]), said[-1]) if part)
        return self.text("reminded_all", days=last)

    def capitals(self, amount: Decimal, currency: str = "") -> str:
        """The amount in Chinese capitals, in the reader's script (also in English: the law asks for it).

        With the code of a currency its name stands before it: 人民币壹佰元整, 港幣壹佰元正.
        """
        words = chinese_amount(amount).translate(_TRADITIONAL_DIGITS if self.language == "zh_Hant" else {})
        named = self._words.get(f"capitals.{currency}", "")
        return (
            named + words.removesuffix("整") + self["capitals_end"] if words.endswith("整") else named + words
        )


def money(amount: Decimal, currency: str) -> str:
    """`¥1,234.50`; a credit as `-¥20.00`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{currency}{abs(amount):,.2f}"


def number(value: Decimal | None, places: int = 0) -> str:
    """A quantity or rate without needless zeros, but with at least so many places."""
    if value is None:
        return ""
    whole, _, fraction = f"{value:,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole


@cache
def words_of(language: str, word_set: str = MAINLAND) -> Words:
    """The words of a language in a word set. Raises KeyError for what is not among LANGUAGES, WORD_SETS."""
    place = LANGUAGES.index(language) if language in LANGUAGES else None
    if place is None:
        raise KeyError(f"no documents in {language}: choose one of {', '.join(LANGUAGES)}")
    table = _table("wording.toml")
    if word_set != MAINLAND:
        table |= _table(f"wording_{WORD_SETS[WORD_SETS.index(word_set)]}.toml")
    return Words(language, {key: texts[place] for key, texts in table.items()}, word_set)


def _table(name: str) -> dict[str, list[str]]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1024)
def _day(on: date, language: str) -> str:
    from babel.dates import format_date

    return format_date(on, "long", locale=_LOCALES[language])


@lru_cache(maxsize=1024)
def _period(period: str, language: str) -> str:
    from babel.dates import format_date

    try:
        first = date.fromisoformat(f"{period}-01")
    except ValueError:
        return period
    return format_date(first, "MMMM yyyy" if language == "en" else "y年M月", locale=_LOCALES[language])
