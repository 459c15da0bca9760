"""Matching statement rows: which unit a row pays for, surely, perhaps, or not at all (M5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.reasons import Reason

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－⁃"), "-")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\xad"))
_BEGINS = "(?<![0-9a-z])(?<![0-9a-z]-)"  # a dash joins only what has a letter or digit on both sides
_GOES_ON = re.compile("(?<=[0-9a-z])-?[0-9a-z]")


def plain(text: str) -> str:
    """The text as it is compared: full-width forms, dashes and case made equal, unseen characters gone."""
    return unicodedata.normalize("NFKC", text.translate(_DASHES)).translate(_DASHES | _UNSEEN).casefold()


class CodeIndex:
    """The known unit codes, ready to be found in memos."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes: dict[str, set[str]] = {}
        for code in codes:
            if wanted := plain(code).strip():
                self._codes.setdefault(wanted, set()).add(code)
        self._lengths = sorted({len(code) for code in self._codes}, reverse=True)
        firsts = {code[0] for code in self._codes}
        tokens = "|".join(f"{_BEGINS}{char}" for char in sorted(filter(_is_token, firsts)))
        others = "|".join(re.escape(char) for char in sorted(firsts) if not _is_token(char))
        self._starts = re.compile("|".join(filter(None, (tokens, others))) or "(?!)")

    def found(self, memo: str) -> frozenset[str]:
        """The unit codes that stand in a memo as whole tokens: `3-2-1201` is not in `13-2-12011`.

        Of codes one inside the other the longest counts. Cost: the memo's length × distinct code lengths.
        """
        text = plain(memo)
        starts = [match.start() for match in self._starts.finditer(text)]
        taken: list[tuple[int, int]] = []
        codes: set[str] = set()
        for length in self._lengths:
            for start in starts:
                end = start + length
                known = self._codes.get(text[start:end]) if end <= len(text) else None
                if known is None or _GOES_ON.match(text, end):
                    continue
                if not any(first <= start and end <= last for first, last in taken):
                    taken.append((start, end))
                    codes |= known
        return frozenset(codes)


def _is_token(char: str) -> bool:
    return char.isascii() and char.isalnum()


@dataclass(frozen=True)
class StatementRow:
    """What a statement says of one movement of money; `amount` in yuan."""

    memo: str
    amount: Decimal
    payer_name: str = ""
    is_incoming: bool = True
    is_successful: bool = True
    is_refund: bool = False


@dataclass(frozen=True)
class Match:
    """Where a row goes: `posted` for a unit, or `waiting` for a person; and why."""

    state: str
    unit_code: str | None
    reason: Reason


def match(row: StatementRow, index: CodeIndex) -> Match:
    """Sure only when the memo holds exactly one known unit code and the row is incoming and successful."""
    codes = index.found(row.memo)
    for is_so, code in (
        (row.is_refund, "refund"),
        (not row.is_successful, "not_successful"),
        (not row.is_incoming or row.amount < 0, "outgoing"),
        (row.amount == 0, "no_amount"),
        (not codes, "no_known_code"),
    ):
        if is_so:
            return Match("waiting", None, Reason(code))
    if len(codes) > 1:
        return Match("waiting", None, Reason("several_codes", {"codes": " ".join(sorted(codes))}))
    (code,) = codes
    return Match("posted", code, Reason("one_known_code", {"unit_code": code}))


@dataclass(frozen=True)
class Candidate:
    """A unit that a waiting row may pay for: its payer, its open balances oldest first, who paid before."""

    unit_code: str
    payer_name: str
    balances: tuple[Decimal, ...] = ()
    paid_before_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Suggestion:
    """A candidate with what speaks for it, the strongest first."""

    unit_code: str
    reasons: tuple[Reason, ...]


RANKS = (
    "code_in_memo",
    "name_paid_before",
    "payer_name",
    "amount_of_all",
    "amount_of_oldest",
    "amount_of_one",
)


def suggestions(
    row: StatementRow, candidates: Sequence[Candidate], index: CodeIndex, *, most: int
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


def _speaking(row: StatementRow, candidate: Candidate, codes: frozenset[str]) -> Iterable[Reason]:
    if candidate.unit_code in codes:
        yield Reason("code_in_memo", {"unit_code": candidate.unit_code})
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
