"""Yuan as exact decimals: read, rounded, divided and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal, Inexact
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from rules.numbers import NumberError, decimal_of

FEN = Decimal("0.01")
ZERO = Decimal("0.00")
LIMIT = Decimal(10) ** 12  # what the contract calls too large to be money
SIGNS: Mapping[str, str] = {"CNY": "¥", "HKD": "HK$", "TWD": "NT$", "MOP": "MOP$"}  # an estate's currency


class MoneyError(ValueError):
    """Not an amount of money; `code` says why, for wording on a higher floor."""

    def __init__(self, code: str, given: object) -> None:
        super().__init__(f"{code}: {given}")
        self.code = code
        self.given = given


def money(given: object, *, is_negative_allowed: bool = False, is_zero_allowed: bool = True) -> Decimal:
    """The amount in yuan with 2 places that a text, int or Decimal says.

    A text is read by `numbers.decimal_of`. Raises MoneyError with code `not_a_number`, `not_finite`,
    `finer_than_fen`, `too_large`, `negative` or `zero` (M7, contract).
    """
    amount = _number(given)
    if not amount.is_finite():
        raise MoneyError("not_finite", given)
    if abs(amount) >= LIMIT:
        raise MoneyError("too_large", given)
    if amount != amount.quantize(FEN):
        raise MoneyError("finer_than_fen", given)
    if amount < 0 and not is_negative_allowed:
        raise MoneyError("negative", given)
    if amount == 0 and not is_zero_allowed:
        raise MoneyError("zero", given)
    return amount.quantize(FEN) + ZERO  # adding zero turns -0.00 into 0.00


def _number(given: object) -> Decimal:
    if isinstance(given, Decimal):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return Decimal(given)
    if not isinstance(given, str):  # a float has already lost its fen
        raise MoneyError("not_a_number", given)
    try:
        return decimal_of(given)
    except NumberError as error:
        raise MoneyError(error.code, given) from error


class RoundingUnit(StrEnum):
    """To what an amount is rounded (B19)."""

    FEN = "fen"
    JIAO = "jiao"
    YUAN = "yuan"


class RoundingMode(StrEnum):
    """Which way it is rounded; up is away from zero (B19)."""

    HALF_UP = "half_up"
    UP = "up"
    DOWN = "down"


_FEN_OF = {RoundingUnit.FEN: 1, RoundingUnit.JIAO: 10, RoundingUnit.YUAN: 100}
_MODES = {
    RoundingMode.HALF_UP: ROUND_HALF_UP,
    RoundingMode.UP: ROUND_UP,
    RoundingMode.DOWN: ROUND_DOWN,
}
EXACT = Context(prec=200, traps=[Inexact])  # reckons without losing a digit, or not at all
_ROUNDING = Context(prec=200)


@dataclass(frozen=True)
class Rounding:
    """How the amount of a line is rounded, once (B19)."""

    unit: RoundingUnit = RoundingUnit.FEN
    mode: RoundingMode = RoundingMode.HALF_UP

    @cached_property
    def fen(self) -> int:
        """The fen of its unit."""
        return _FEN_OF[self.unit]

    @cached_property
    def _step(self) -> Decimal:
        return Decimal(self.fen).scaleb(-2).normalize()

    def of(self, amount: Decimal | Fraction) -> Decimal:
        """The amount in yuan with 2 places, rounded; a half goes away from zero.

        Example: 130.0152 is 130.02 to the fen and 130.00 to the jiao.
        """
        if isinstance(amount, Decimal):
            whole = amount.quantize(self._step, _MODES[self.mode], context=_ROUNDING)
            return whole.quantize(FEN, context=_ROUNDING) + ZERO
        exact = abs(amount) * 100 / self.fen
        steps, left = divmod(exact.numerator, exact.denominator)
        match self.mode:
            case RoundingMode.HALF_UP:
                steps += 2 * left >= exact.denominator
            case RoundingMode.UP:
                steps += left > 0
            case RoundingMode.DOWN:
                pass
        return from_fen(steps * self.fen * (1 if amount >= 0 else -1))


TO_FEN = Rounding()


def rounded(amount: Decimal | Fraction) -> Decimal:
    """The amount in yuan, half-up to the fen; a negative half goes away from zero."""
    return TO_FEN.of(amount)


def to_fen(amount: Decimal) -> int:
    """The whole fen of an amount in yuan. Raises MoneyError when it is finer than a fen."""
    return int(money(amount, is_negative_allowed=True) * 100)


def from_fen(fen: int) -> Decimal:
    """The yuan with 2 places of whole fen."""
    return Decimal(fen).scaleb(-2)


def yuan(amount: Decimal) -> str:
    """Plain decimal yuan for exports: `1234.50`."""
    return f"{amount:.2f}"


def split_by_days(
    amount: Decimal, days: Sequence[int], of: int, rounding: Rounding = TO_FEN
) -> tuple[Decimal, ...]:
    """Each payer's part of a month's amount: amount × days ÷ `of`, rounded, the last one the remainder.

    `of` is the number of days of the month, or of the months that are charged together. Where the days do
    not fill it, the parts together are amount × Σ days ÷ `of`. No part is below zero (P5, contract "Month
    split").
    """
    if not days or min(days) < 0 or sum(days) > of:
        raise ValueError(f"{list(days)} is no split of {of} days")
    left = rounding.of(Fraction(amount) * sum(days) / of)
    parts = []
    for count in days[:-1]:
        part = min(rounding.of(Fraction(amount) * count / of), left)
        parts.append(part)
        left -= part
    return (*parts, left)


def shared_out(amount: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """An amount of at least nothing in parts proportional to weights, to the fen: Σ parts = amount.

    Each part is rounded down; the fen left go to the largest remainders, of equal ones to the first. No part
    exceeds its weight where the amount doesn't exceed their sum. Raises ValueError where no weight counts.
    """
    whole = sum(weights, ZERO)
    if amount < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError(f"{amount} can't be shared by {list(weights)}")
    exact = [Fraction(amount) * 100 * Fraction(weight) / Fraction(whole) for weight in weights]
    fen = [int(one) for one in exact]
    left = to_fen(amount) - sum(fen)
    by_remainder = sorted(range(len(fen)), key=lambda place: fen[place] - exact[place])
    for place in by_remainder[:left]:
        fen[place] += 1
    return tuple(from_fen(one) for one in fen)


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


def chinese_amount(amount: Decimal) -> str:
    """The amount in upper-case Chinese words for a receipt: 1680.32 is 壹仟陆佰捌拾元叁角贰分 (M2)."""
    fen = to_fen(amount)
    whole, cents = divmod(abs(fen), 100)
    jiao, last = divmod(cents, 10)
    words = _whole_words(whole) + "元" if whole else ""
    if jiao:
        words += _DIGITS[jiao] + "角"
    elif last and whole:
        words += "零"
    if last:
        words += _DIGITS[last] + "分"
    else:
        words = (words or "零元") + "整"
    return "负" + words if fen < 0 else words


def _whole_words(whole: int) -> str:
    words, is_zero_pending = "", False
    for group in range(len(_GROUPS) - 1, -1, -1):
        part = whole // 10_000**group % 10_000
        if not part:
            is_zero_pending = bool(words)
            continue
        for place in range(3, -1, -1):
            digit = part // 10**place % 10
            if not digit:
                is_zero_pending = bool(words)
                continue
            words += ("零" if is_zero_pending else "") + _DIGITS[digit] + _PLACES[place]
            is_zero_pending = False
        words += _GROUPS[group]
    return words
