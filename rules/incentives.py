"""What paying early earns (B8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from rules.money import ZERO, rounded
from rules.reasons import Reason


@dataclass(frozen=True)
class Incentive:
    """A reward's row: for so many months ahead, or paid by a day; a discount in percent or a named gift."""

    code: str
    months_ahead: int = 0
    paid_by: date | None = None
    percent: Decimal = ZERO
    gift: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Reward:
    """What was earned: `discount` in yuan to be credited once, or a gift, and why."""

    incentive: str
    discount: Decimal
    gift: str
    reason: Reason


def incentive_problems(incentive: Incentive) -> tuple[Reason, ...]:
    """What is wrong with an edited reward, for checking on saving (§9)."""
    return tuple(
        Reason(code, {"incentive": incentive.code})
        for code, is_wrong in (
            ("condition_missing", not incentive.months_ahead and incentive.paid_by is None),
            ("reward_missing", not incentive.percent and not incentive.gift),
            ("percent_impossible", not 0 <= incentive.percent <= 100),
            ("months_impossible", incentive.months_ahead < 0),
        )
        if is_wrong
    )


def reward(
    incentives: Iterable[Incentive],
    amount: Decimal,
    months_ahead: int,
    paid_on: date,
    already: frozenset[str] = frozenset(),
) -> Reward | None:
    """The best reward for `amount` yuan paid on a day for so many months ahead; each is earned once (B8).

    The largest discount wins, then the longest pre-payment asked for, then the code.
    """
    earned = [
        one
        for one in incentives
        if one.code not in already
        and (one.valid_from is None or one.valid_from <= paid_on)
        and (one.valid_to is None or paid_on <= one.valid_to)
        and months_ahead >= one.months_ahead
        and (one.paid_by is None or paid_on <= one.paid_by)
    ]
    if not earned:
        return None
    best = min(earned, key=lambda one: (-one.percent, -one.months_ahead, one.code))
    discount = rounded(Fraction(amount) * Fraction(best.percent) / 100)
    inputs = {"incentive": best.code, "amount": amount, "months": months_ahead, "paid_on": paid_on}
    return Reward(best.code, discount, best.gift, Reason("incentive", inputs))
