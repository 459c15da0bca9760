"""Movements of money: which row of a statement is the same movement as one that is known already (M5).

A movement is what its row says, not how its file is written (contract "Imports: what a row is").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Literal

from rules.matching import is_name, plain

Likeness = Literal["same", "maybe", "other"]
OWN_LAYOUT = "statement"  # files written in our own column codes: their numbers are sure
_CUT = re.compile(r"[1-9]\d{14}0+", re.ASCII)
LONG_NUMBER = 8  # from so many characters on, a number stands for one movement though a file repeats it


@dataclass(frozen=True, slots=True)
class Movement:
    """What one row says; `amount` in yuan, below zero when money went out; times are office time.

    Empty texts, and None, are what the file does not say.
    """

    amount: Decimal
    day: date | None
    time: time | None = None
    number: str = ""  # the bank's, where it identifies (`identifying_numbers`)
    account: str = ""  # the estate's own
    counter_account: str = ""
    payer: str = ""
    memo: str = ""
    balance: Decimal | None = None
    service: str = ""  # wechat, alipay, or empty for a bank
    layout: str = ""  # rows of one layout say the same things in the same words

    @property
    def bucket(self) -> tuple[Decimal, date | None]:
        """What equal movements surely share."""
        return self.amount, self.day


def likeness(one: Movement, other: Movement) -> Likeness:
    """Whether two rows of different files tell one movement of money.

    Surely when all that both say agrees, and more than amount and instant is said by both. Perhaps when
    only those are, or when a number, or the balance, speaks for it and something else against it.
    """
    is_numbered = bool(one.number) and one.number == other.number
    is_numbered_otherwise = one.number and other.number and not is_numbered and one.layout == other.layout
    if one.bucket != other.bucket or (is_numbered_otherwise and not _are_equal_balances(one, other)):
        return "other"  # at once: a day has hundreds of payments of one amount
    agreeing, differing = _compared(one, other)
    if is_numbered_otherwise:
        return "other" if differing else "maybe"
    if differing:
        is_same_layout = one.layout == other.layout  # another may put other words into its memo
        is_close = is_numbered or (
            differing == {"memo"} and (not is_same_layout or agreeing & {"balance", "account_time"})
        )
        return "maybe" if is_close else "other"
    if one.service != other.service:
        return "maybe" if agreeing else "other"
    if is_numbered or agreeing - {"time"}:
        return "same" if is_numbered or not (one.number and other.number) else "maybe"
    return "maybe"


def _compared(one: Movement, other: Movement) -> tuple[set[str], set[str]]:
    """Which of the things that both rows say agree, and which do not."""
    agreeing: set[str] = set()
    differing: set[str] = set()

    def note(name: str, is_equal: bool) -> None:  # noqa: FBT001
        (agreeing if is_equal else differing).add(name)

    if one.account and other.account and not _are_equal_numbers(one.account, other.account):
        differing.add("account")
    if one.time is not None and other.time is not None:
        note("time", _are_equal_times(one.time, other.time))
    if one.balance is not None and other.balance is not None:
        note("balance", one.balance == other.balance)
    if one.counter_account and other.counter_account:
        note("counter_account", _are_equal_numbers(one.counter_account, other.counter_account))
    if one.payer and other.payer:
        note("payer", is_name(one.payer, other.payer) or is_name(other.payer, one.payer))
    if one.memo and other.memo:
        first, second = ("".join(plain(memo).split()) for memo in (one.memo, other.memo))
        is_part = first in second or second in first or _is_subset(one.memo, other.memo)
        if first == second or not is_part:  # a layout that leaves a column out speaks neither way
            note("memo", first == second)
    if "time" in agreeing and agreeing & {"counter_account", "payer"}:
        agreeing.add("account_time")
    return agreeing, differing


def _are_equal_balances(one: Movement, other: Movement) -> bool:
    """Whether both rows say a balance, and the same."""
    return one.balance is not None and one.balance == other.balance


def _are_equal_times(one: time, other: time) -> bool:
    """To the minute where one of the two shows no seconds, as when a spreadsheet has saved its file again."""
    if one.second == 0 or other.second == 0:
        return (one.hour, one.minute) == (other.hour, other.minute)
    return one.replace(microsecond=0) == other.replace(microsecond=0)


def _are_equal_numbers(one: str, other: str) -> bool:
    """Account numbers, also masked ones: 6222****1234."""
    first, second = (plain(text).replace(" ", "") for text in (one, other))
    if "*" in first or "*" in second:
        return is_name(first, second) or is_name(second, first)
    return first == second


def _is_subset(one: str, other: str) -> bool:
    """Whether one memo says only words of the other."""
    first, second = set(plain(one).split()), set(plain(other).split())
    return first <= second or second <= first


def identifying_numbers(rows: Iterable[tuple[str, Movement]]) -> frozenset[str]:
    """The numbers of one file that stand for one movement each.

    A number that repeats on rows that differ in amount, time or payer identifies nothing in that file, nor
    does one that a spreadsheet has cut: it keeps fifteen digits and writes zeros for the others.
    """
    first: dict[str, Movement] = {}
    repeated: set[str] = set()
    for number, row in rows:
        one = first.setdefault(number, row)
        if one.bucket != row.bucket or _differ(one.time, row.time) or _differ(one.payer, row.payer):
            repeated.add(number)
    return frozenset(one for one in first.keys() - repeated if one and not _CUT.fullmatch(one))


def _differ(one: object, other: object) -> bool:
    """Whether two rows both say something and not the same."""
    return bool(one) and bool(other) and one != other


@dataclass(frozen=True, slots=True)
class KnownMovement:
    """A movement that an earlier file brought, by the id of its row."""

    id: int
    movement: Movement


@dataclass(frozen=True, slots=True)
class Identity:
    """What a row is: new, or the known movement `known_id`; `doubt` says why a person must look.

    doubt: `same_number` (a known number with another amount or day), `maybe_same`.
    """

    known_id: int | None = None
    doubt: str = ""
    is_repeated: bool = False  # the same movement stands in this file before


class _KnownMovements:
    """Known movements by what a row must share with one of them to be no other movement (`likeness`).

    A day may have thousands of payments of one amount; to compare each row with all of them would take
    the square of their number.
    """

    def __init__(self, known: Sequence[KnownMovement]) -> None:
        self._numbered: dict[str, list[KnownMovement]] = defaultdict(list)
        self._at: dict[object, dict[object, list[KnownMovement]]] = defaultdict(lambda: defaultdict(list))
        self._balanced: dict[object, list[KnownMovement]] = defaultdict(list)
        self._place = {one.id: place for place, one in enumerate(known)}
        for one in known:
            told = one.movement
            if told.number:
                self._numbered[told.number].append(one)
            self._at[told.bucket][_minute(told)].append(one)
            if told.balance is not None:
                self._balanced[told.amount, told.day, told.balance].append(one)
        self._by_number = {
            (bucket, minute): _ByNumber(ones)
            for bucket, minutes in self._at.items()
            for minute, ones in minutes.items()
        }

    def of_number(self, row: Movement) -> list[KnownMovement]:
        return self._numbered.get(row.number, []) if row.number else []

    def alike(self, row: Movement) -> list[KnownMovement]:
        """Those of the row's amount and day that are not surely another movement, in their order."""
        minutes: Iterable[object] = self._at.get(row.bucket, ())
        if row.time is not None:  # a row may not say its time; whose times differ are two
            minutes = [minute for minute in (None, _minute(row)) if minute in self._at.get(row.bucket, ())]
        found = {one.id: one for one in self.of_number(row) if one.movement.bucket == row.bucket}
        for minute in minutes:
            found |= {one.id: one for one in self._by_number[row.bucket, minute].besides(row)}
        return sorted(found.values(), key=lambda one: self._place[one.id])

    def beside(self, row: Movement) -> Iterator[KnownMovement]:
        """Those of the row's amount and balance on the days before and after."""
        for day in _days_beside(row.day) if row.balance is not None else ():
            yield from self._balanced.get((row.amount, day, row.balance), ())


class _ByNumber:
    """Known movements of one amount, day and minute, by whether they have numbers and whose."""

    def __init__(self, known: Sequence[KnownMovement]) -> None:
        self._unnumbered = [one for one in known if not one.movement.number]
        self._of_layout: dict[str, list[KnownMovement]] = defaultdict(list)
        self._of_balance: dict[object, list[KnownMovement]] = defaultdict(list)
        for one in known:
            if one.movement.number:
                self._of_layout[one.movement.layout].append(one)
                self._of_balance[one.movement.layout, one.movement.balance].append(one)

    def besides(self, row: Movement) -> Iterator[KnownMovement]:
        """Those whose number does not make them another movement than the row: none, or of another layout.

        Two numbers of one layout are two movements, unless their balances are one.
        """
        yield from self._unnumbered
        for layout, ones in self._of_layout.items():
            if not row.number or layout != row.layout:
                yield from ones
            elif row.balance is not None:
                yield from self._of_balance.get((layout, row.balance), ())


def _minute(row: Movement) -> tuple[int, int] | None:
    return None if row.time is None else (row.time.hour, row.time.minute)


def identities(rows: Sequence[Movement], known: Sequence[KnownMovement]) -> list[Identity]:
    """For each row of one file whether it is new, known, or in doubt (M5).

    Each known movement is one row of a file at most: identical rows of one file are as many movements.
    The rows of one bucket must be given together; known rows with an equal number may lie anywhere.
    """
    index = _KnownMovements(known)
    found: list[Identity | None] = [None] * len(rows)
    taken: set[int] = set()
    exact: dict[Movement, list[int]] = defaultdict(list)
    for one in reversed(known):
        exact[one.movement].append(one.id)
    for place, row in enumerate(rows):
        if exact.get(row):
            taken.add(known_id := exact[row].pop())
            found[place] = Identity(known_id)
    for among in (index.of_number, index.alike):  # what a number tells goes before what else agrees
        for place, row in enumerate(rows):
            if found[place] is not None:
                continue
            same = next((one for one in among(row) if one.id not in taken and _is_same(row, one)), None)
            if same is not None:
                taken.add(same.id)
                found[place] = Identity(same.id)
    return [
        one or (None if is_first else _repeated(row)) or _doubt(row, index, taken)
        for one, row, is_first in zip(found, rows, _firsts(rows), strict=True)
    ]


def _firsts(rows: Sequence[Movement]) -> Iterator[bool]:
    """Of each row whether no row before it in the file has its number, or says the very same."""
    seen: set[object] = set()
    for row in rows:
        key = row.number or row
        yield key not in seen
        seen.add(key)


def _is_same(row: Movement, one: KnownMovement) -> bool:
    return likeness(row, one.movement) == "same"


def _repeated(row: Movement) -> Identity | None:
    """What a row is that says, number or balance included, what a row before it in the file said."""
    if not row.number and row.balance is None:
        return None  # as many movements as rows
    is_sure = len(row.number) >= LONG_NUMBER or (bool(row.number) and row.layout == OWN_LAYOUT)
    return Identity(doubt="" if is_sure else "maybe_same", is_repeated=True)


def _doubt(row: Movement, index: _KnownMovements, taken: set[int]) -> Identity:
    for one in index.of_number(row):
        other = one.movement
        is_elsewhere = row.service != other.service or (
            row.account and other.account and not _are_equal_numbers(row.account, other.account)
        )
        if one.id not in taken and not is_elsewhere and row.bucket != other.bucket:
            return Identity(one.id, "same_number")
    for one in index.alike(row):
        if one.id not in taken and likeness(row, one.movement) == "maybe":
            return Identity(one.id, "maybe_same")
    for one in index.beside(row):
        if one.id not in taken and _is_posted_beside(row, one.movement):
            return Identity(one.id, "maybe_same")
    return Identity()


def _days_beside(day: date | None) -> tuple[date, ...]:
    return () if day is None else (day - timedelta(days=1), day + timedelta(days=1))


def _is_posted_beside(one: Movement, other: Movement) -> bool:
    """Whether one file may give the day of a movement and the other the day on which it was booked."""
    if one.layout == other.layout or not _are_equal_balances(one, other):
        return False
    return not _compared(one, other)[1] - {"time"}
