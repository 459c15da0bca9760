"""Matching statement rows: which unit a row pays for, surely, perhaps, or not at all (M5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from rules.reasons import Reason
from rules.text_keys import folded

Direction = Literal["in", "out", "unknown"]
State = Literal["done", "refund", "not_successful", "state_unknown"]

_BEGINS = "(?<![0-9a-z])(?<![0-9a-z]-)"  # a dash joins only what has a letter or digit on both sides
_GOES_ON = re.compile("(?<=[0-9a-z])-?[0-9a-z]")


@lru_cache(maxsize=10_000)  # a text is compared with each movement of its day and amount
def plain(text: str) -> str:
    """The text as it is compared: full-width forms, dashes and case made equal, unseen characters gone."""
    return folded(text).casefold()


# What makes a number in a memo something else than a unit (contract "Sure match").
_BEFORE_NUMBERS = re.compile(
    r"(?:[¥$]|rmb|cny|(?:订单|訂單|单|單|工|卡|尾|流水|票|发票|發票|账|賬|帐|帳|手机|手機|合同|凭证|憑證|参考|參考|会员|會員)[号號]"
    r"|电话|電話|手机|手機|编号|編號)[\s:.#]*$"
)
_AFTER_NUMBERS = re.compile(
    r"\s*(?:元|圆|圓|块|塊|%)|个?月|個月|年|日|期|季|天|号楼|號樓|栋|棟|幢|度|吨|噸|平米|平方|㎡|m2|人|笔|筆|次|折|万|萬"
)
_FEE_BY_TIME = re.compile(
    "[年月日][租费費常度]"
)  # "1-101月租": the month is the fee's, unless the code may be months
_ROOM = re.compile(r"\s*(?:[号號]?房|室)(?![租费費])")
_DATE = re.compile(
    r"(?:(?:19|20)?\d\d-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])|(?:19|20)\d\d-(?:0?[1-9]|1[0-2]))"
)
_WRITTEN_OUT = re.compile(
    r"(?<![0-9a-z])(?P<building>[0-9a-z]{1,4})\s*(?:栋|棟|幢|座|号楼|號樓|#)[\s-]*"
    r"(?:(?P<staircase>[0-9a-z]{1,3})\s*(?:(?:单元|單元)[\s-]*|-))?(?P<room>[0-9a-z]{2,5})(?![0-9a-z-])"
)


def is_weak(code: str) -> bool:
    """Whether a unit code may as well be another number: digits alone, months or days, a date (`1-3`)."""
    compared = plain(code).strip()
    if compared.isdecimal() or _DATE.fullmatch(compared):
        return True
    parts = compared.split("-")
    return len(parts) == 2 and all(
        part.isdecimal() and len(part) <= 2 and 1 <= int(part) <= 31 for part in parts
    )


@dataclass(frozen=True)
class Sighting:
    """A known unit code in a memo; `is_sure` unless it is weak and no 室 or 房 stands behind it."""

    unit_code: str
    is_sure: bool


class CodeIndex:
    """The known unit codes, ready to be found in memos."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes: dict[str, set[str]] = {}
        for code in codes:
            if wanted := plain(code).strip():
                self._codes.setdefault(wanted, set()).add(code)
            if out := _WRITTEN_OUT.fullmatch(wanted):  # 1栋-1单元-101 is also 1-1-101
                self._codes.setdefault("-".join(filter(None, out.groups())), set()).add(code)
        self._lengths = sorted({len(code) for code in self._codes}, reverse=True)
        firsts = {code[0] for code in self._codes}
        tokens = "|".join(f"{_BEGINS}{char}" for char in sorted(filter(_is_token, firsts)))
        others = "|".join(re.escape(char) for char in sorted(firsts) if not _is_token(char))
        self._starts = re.compile("|".join(filter(None, (tokens, others))) or "(?!)")

    def found(self, memo: str) -> frozenset[str]:
        """The unit codes that stand in a memo as whole tokens: `3-2-1201` is not in `13-2-12011`."""
        return frozenset(one.unit_code for one in self.sightings(memo))

    def sightings(self, memo: str) -> tuple[Sighting, ...]:
        """Each unit code in a memo, once: as it is stored, or written out as `1栋1单元1001室`.

        Left out is what belongs to another quantity: a period, a sum, the number of an order, a card.
        Of codes one inside the other the longest counts. Cost: the memo's length × distinct code lengths.
        """
        text = plain(memo)
        taken: list[tuple[int, int]] = []
        seen: dict[str, bool] = {}
        spots = [*self._as_stored(text), *self._written_out(text)]
        for start, end, codes, is_written_out in sorted(spots, key=lambda spot: spot[0] - spot[1]):
            if any(first < end and start < last for first, last in taken):
                continue
            taken.append((start, end))
            for code in codes:
                is_vague = is_weak(text[start:end]) and not is_written_out
                if not _is_quantity(text, start, end, is_vague=is_vague):
                    is_sure = not is_vague or _ROOM.match(text, end) is not None
                    seen[code] = seen.get(code, False) or is_sure
        return tuple(Sighting(code, is_sure) for code, is_sure in seen.items())

    def _as_stored(self, text: str) -> Iterator[tuple[int, int, Iterable[str], bool]]:
        starts = [match.start() for match in self._starts.finditer(text)]
        for length in self._lengths:
            for start in starts:
                end = start + length
                known = self._codes.get(text[start:end]) if end <= len(text) else None
                if known is not None and not _GOES_ON.match(text, end):
                    yield start, end, known, False

    def _written_out(self, text: str) -> Iterator[tuple[int, int, Iterable[str], bool]]:
        for match in _WRITTEN_OUT.finditer(text):
            parts = [part for part in match.groups() if part is not None]
            plainest = [*(part.lstrip("0") for part in parts[:-1]), parts[-1]]
            known = self._codes.get("-".join(parts)) or self._codes.get("-".join(plainest))
            if known is not None:
                yield match.start(), match.end(), known, True


def _is_quantity(text: str, start: int, end: int, *, is_vague: bool) -> bool:
    """Whether what stands between two places of a memo counts or numbers something else than a unit."""
    if _BEFORE_NUMBERS.search(text, max(0, start - 12), start):
        return True
    is_fee = not is_vague and _FEE_BY_TIME.match(text, end) is not None
    return not is_fee and _AFTER_NUMBERS.match(text, end) is not None


def _is_token(char: str) -> bool:
    return char.isascii() and char.isalnum()


@dataclass(frozen=True)
class RowToMatch:
    """What a statement says of one movement of money; `amount` in yuan."""

    memo: str
    amount: Decimal
    payer_name: str = ""
    counter_account: str = ""
    direction: Direction = "in"
    state: State = "done"
    is_currency_known: bool = True


@dataclass(frozen=True)
class Match:
    """Where a row goes: `posted` for a unit, or `waiting` for a person; and why."""

    state: str
    unit_code: str | None
    reason: Reason


def waiting_reason(row: RowToMatch) -> str:
    """Why a row posts nothing whatever its memo says, or empty: state, direction, amount, currency (M5)."""
    for is_so, reason in (
        (row.state != "done", row.state),
        (row.direction == "unknown", "direction_unknown"),
        (row.direction == "out" or row.amount < 0, "outgoing"),
        (row.amount == 0, "no_amount"),
        (not row.is_currency_known, "currency"),
    ):
        if is_so:
            return reason
    return ""


def match(row: RowToMatch, index: CodeIndex) -> Match:
    """Sure only when the memo holds exactly one known unit code and the row is incoming and successful.

    A weak code waits (reason `weak_code`, its unit named) for a second sign: see `seconded`.
    """
    if reason := waiting_reason(row):
        return Match("waiting", None, Reason(reason))
    seen = index.sightings(row.memo)
    if not seen:
        return Match("waiting", None, Reason("no_known_code"))
    if len(seen) > 1:
        codes = " ".join(sorted(one.unit_code for one in seen))
        return Match("waiting", None, Reason("several_codes", {"codes": codes}))
    code = seen[0].unit_code
    if not seen[0].is_sure:
        return Match("waiting", code, Reason("weak_code", {"unit_code": code}))
    return Match("posted", code, Reason("one_known_code", {"unit_code": code}))


def seconded(found: Match, row: RowToMatch, names: Iterable[str], accounts: Iterable[str] = ()) -> Match:
    """A weak code is sure when the payer's name agrees with one who pays or paid for that unit (M5).

    So it is when money from the same account was posted for that unit before.
    """
    if found.reason.code != "weak_code":
        return found
    if any(is_name(row.payer_name, name) for name in names):
        return Match("posted", found.unit_code, Reason("weak_code_and_name", found.reason.inputs))
    if row.counter_account and row.counter_account in accounts:
        return Match("posted", found.unit_code, Reason("weak_code_and_account", found.reason.inputs))
    return found


@dataclass(frozen=True)
class UnitCandidate:
    """A unit that a waiting row may pay for: its payer, its open balances oldest first, who paid before."""

    unit_code: str
    payer_name: str
    balances: tuple[Decimal, ...] = ()
    paid_before_by: frozenset[str] = frozenset()
    paid_before_from: frozenset[str] = frozenset()  # accounts


@dataclass(frozen=True)
class Suggestion:
    """A candidate with what speaks for it, the strongest first."""

    unit_code: str
    reasons: tuple[Reason, ...]


RANKS = (
    "code_in_memo",
    "account_paid_before",
    "name_paid_before",
    "payer_name",
    "amount_of_all",
    "amount_of_oldest",
    "amount_of_one",
)


def suggestions(
    row: RowToMatch, candidates: Sequence[UnitCandidate], index: CodeIndex, *, most: int
) -> tuple[Suggestion, ...]:
    """The likeliest units for a waiting row, at most `most`, each with its reasons (M5).

    Ranked by what speaks for them in the order of RANKS; no candidate without a reason.
    """
    codes = index.found(row.memo)
    ranked = []
    for candidate in candidates:
        reasons = tuple(_speaking(row, candidate, codes))
        if reasons:
            rank = tuple(name not in {one.code for one in reasons} for name in RANKS)
            ranked.append((rank, candidate.unit_code, reasons))
    ranked.sort(key=lambda one: one[:2])
    return tuple(Suggestion(code, reasons) for _, code, reasons in ranked[:most])


def _speaking(row: RowToMatch, candidate: UnitCandidate, codes: frozenset[str]) -> Iterable[Reason]:
    if candidate.unit_code in codes:
        yield Reason("code_in_memo", {"unit_code": candidate.unit_code})
    if row.counter_account and row.counter_account in candidate.paid_before_from:
        yield Reason("account_paid_before", {"account": row.counter_account[-4:]})
    if row.payer_name and any(is_name(row.payer_name, name) for name in candidate.paid_before_by):
        yield Reason("name_paid_before", {"payer_name": row.payer_name})
    if is_name(row.payer_name, candidate.payer_name) or is_in_memo(candidate.payer_name, row.memo):
        yield Reason("payer_name", {"payer_name": candidate.payer_name})
    yield from _amounts(row.amount, candidate.balances)


def _amounts(amount: Decimal, balances: Sequence[Decimal]) -> Iterable[Reason]:
    sums, total = [], Decimal(0)
    for balance in balances:
        total += balance
        sums.append(total)
    if amount <= 0 or not sums:
        return
    if amount == total:
        yield Reason("amount_of_all", {"amount": amount})
    elif amount in sums:
        yield Reason("amount_of_oldest", {"amount": amount, "bills": sums.index(amount) + 1})
    elif amount in balances:
        yield Reason("amount_of_one", {"amount": amount})


def is_name(given: str, known: str) -> bool:
    """Whether two names are the same; a bank's `*` stands for any characters: 张*, *三."""
    shown, whole = _name(given), _name(known)
    if not shown or not whole or not shown.strip("*"):
        return False
    if "*" not in shown:
        return shown == whole
    pattern = ".+".join(re.escape(part) for part in re.split(r"\*+", shown))
    return re.fullmatch(pattern, whole) is not None


def is_in_memo(name: str, memo: str) -> bool:
    """Whether a name of two characters or more stands in a memo."""
    wanted = _name(name)
    return len(wanted) > 1 and wanted in _name(memo)


def _name(text: str) -> str:
    return "".join(plain(text).split())
