"""What the office was given and what it exported, and sums as the procedures round and share them."""

from __future__ import annotations

import calendar
import csv
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

NIL, ONE, FEN = Decimal(0), Decimal(1), Decimal("0.01")
WIDE = Context(prec=60)
DAY = timedelta(days=1)
END = date(9999, 12, 31)
UNITS = {"fen": 1, "jiao": 10, "yuan": 100}
MODES = {"half_up": ROUND_HALF_UP, "up": ROUND_UP, "down": ROUND_DOWN}
Row = dict[str, str]


def day(text: str, empty: date = END) -> date:
    return date.fromisoformat(text) if text else empty


def number(text: str, empty: Decimal = NIL) -> Decimal:
    return Decimal(text) if text else empty


def later(first: date, months: int) -> date:
    """The same day so many months later; the month's last day where it has none."""
    count = first.year * 12 + first.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def month_days(on: date) -> int:
    return calendar.monthrange(on.year, on.month)[1]


def month_of(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


@dataclass(frozen=True)
class Rounding:
    unit: str = "fen"
    mode: str = "half_up"

    def of(self, exact: Fraction) -> Decimal:
        """An amount in yuan, rounded to fen, jiao or yuan."""
        steps = exact * 100 / UNITS[self.unit]
        whole, left = divmod(steps.numerator, steps.denominator)
        if self.mode == "half_up":
            whole += 2 * left >= steps.denominator
        elif self.mode == "up":
            whole += left > 0
        return Decimal(whole * UNITS[self.unit]) / 100


TO_FEN = Rounding()


def raw(exact: Fraction) -> Decimal:
    """What is rounded, half-up to 8 places."""
    scaled = exact * 10**8
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-8)


def shared(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """By the largest remainder, to the fen; of equal ones the first."""
    whole = Fraction(sum(weights, NIL))
    exact = [Fraction(amount) * 100 * Fraction(weight) / whole for weight in weights]
    fen = [one.numerator // one.denominator for one in exact]
    order = sorted(range(len(fen)), key=lambda place: (fen[place] - exact[place], place))
    for place in order[: int(amount * 100) - sum(fen)]:
        fen[place] += 1
    return [Decimal(one) / 100 for one in fen]


def split(amount: Decimal, days: Sequence[int], of: int, rounding: Rounding) -> list[Decimal]:
    """A month's amount over payers by their days, the last one the remainder."""
    left = rounding.of(Fraction(amount) * sum(days) / of)
    parts = []
    for count in days[:-1]:
        part = min(rounding.of(Fraction(amount) * count / of), left)
        parts.append(part)
        left -= part
    return [*parts, left]


@dataclass(frozen=True)
class Stay:
    """Who has to do with a unit from a day to a day: `owner` or `tenant`, and whether they pay for it."""

    name: str
    kind: str
    is_payer: bool
    first: date
    last: date = END
    residents: str = ""


@dataclass
class Estate:
    """One folder: what came in, what went out."""

    folder: Path
    _cache: dict[str, list[Row]] = field(default_factory=dict)

    def given(self, name: str) -> list[Row]:
        """The rows of an input file; none where the estate has no such file."""
        return self._rows(self.folder / f"{name}.csv", is_needed=False)

    def out(self, kind: str) -> list[Row]:
        return self._rows(self.folder / "out" / f"{kind}.csv", is_needed=True)

    def _rows(self, path: Path, *, is_needed: bool) -> list[Row]:
        key = str(path)
        if key not in self._cache:
            if not is_needed and not path.exists():
                return []
            with path.open(encoding="utf-8-sig", newline="") as file:
                self._cache[key] = list(csv.DictReader(file))
        return self._cache[key]

    @cached_property
    def terms(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "estate.toml").read_text(encoding="utf-8"))

    @cached_property
    def units(self) -> dict[str, Row]:
        return {one["unit_code"]: one for one in self.given("roster")}

    @cached_property
    def items(self) -> dict[str, Row]:
        return {one["code"]: one for one in self.out("fee_items")}

    @cached_property
    def periods(self) -> list[date]:
        """The months that were billed."""
        first, last = month_of(self.terms["first"]), month_of(self.terms["last"])
        found = [first]
        while found[-1] < last:
            found.append(later(found[-1], 1))
        return found

    @cached_property
    def stays(self) -> dict[str, list[Stay]]:
        """Who owns and rents each unit, and who pays for it: the roster, then each change."""
        found: dict[str, list[Stay]] = {code: [] for code in self.units}
        for code, unit in self.units.items():
            if unit["payer_name"]:
                begun = day(unit["occupancy_from"] or unit["handed_over_on"])
                found[code].append(
                    Stay(unit["payer_name"], "owner", True, begun, residents=unit["residents"])
                )
        for move in self.given("moves"):
            on, before = day(move["on"]), found[move["unit_code"]]
            after = []
            for one in before:
                if one.last < on or not (one.is_payer or move["kind"] == "owner"):
                    after.append(one)
                    continue
                after.append(replace(one, last=on - DAY))
                if one.is_payer and one.kind == "owner" and move["kind"] == "tenant":
                    after.append(Stay(one.name, "owner", False, on, one.last))
            new = Stay(move["name"], move["kind"], True, on, residents=move["residents"])
            found[move["unit_code"]] = [*after, new]
        return found

    def payers(self, unit: str, item: str) -> list[Stay]:
        """Who pays an item of a unit, each day once: who is named, whom the item says, the unit's payer."""
        named = [
            Stay(one["payer_name"], "named", True, day(one["valid_from"]), day(one["valid_to"]))
            for one in self.out("payers")
            if one["unit_code"] == unit and one["fee_item"] == item
        ]
        rule = self.items[item]["payer"]
        by_rule = [one for one in self.stays[unit] if one.kind == rule]
        return list(first_of(named, by_rule, [one for one in self.stays[unit] if one.is_payer]))

    def residents(self, unit: str, on: date) -> Decimal:
        """How many people live in a unit, as those say who pay for it that day."""
        there = [one for one in self.stays[unit] if one.is_payer and one.first <= on <= one.last]
        return number(there[0].residents) if there else NIL

    def rounding(self, item: str) -> Rounding:
        return Rounding(self.items[item]["rounding"], self.items[item]["rounding_mode"])


def first_of(*layers: Sequence[Stay]) -> Iterator[Stay]:
    """Each day goes to the first layer that has somebody on it."""
    edges = sorted(
        {
            edge
            for layer in layers
            for one in layer
            for edge in (one.first, one.last + DAY if one.last < END else END)
        }
    )
    for first, after in pairwise(edges):
        for layer in layers:
            who = next((one for one in layer if one.first <= first <= one.last), None)
            if who is not None:
                yield Stay(who.name, who.kind, True, first, END if after == END else after - DAY)
                break


def paying(stays: Sequence[Stay], first: date, last: date) -> list[tuple[str, date, date]]:
    """Who pays on which of some days; neighbouring days of one payer are together."""
    found: list[tuple[str, date, date]] = []
    for one in sorted(stays, key=lambda stay: stay.first):
        begin, end = max(one.first, first), min(one.last, last)
        if begin > end:
            continue
        if found and found[-1][0] == one.name and found[-1][2] + DAY == begin:
            found[-1] = (one.name, found[-1][1], end)
        else:
            found.append((one.name, begin, end))
    return found
