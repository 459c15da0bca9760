"""What paying early earns, once (B8)."""

from datetime import date
from decimal import Decimal

import pytest

from rules.incentives import Incentive, incentive_problems, reward

YEAR = Incentive.from_row({"code": "year", "months_ahead": 12, "percent": "5"})
HALF = Incentive.from_row({"code": "half", "months_ahead": 6, "percent": "2"})
EARLY = Incentive.from_row({"code": "early", "paid_by": "2026-01-31", "gift": "米 rice 5 kg"})

CASES = [
    (5, date(2026, 2, 1), None, "0"),
    (6, date(2026, 2, 1), "half", "24.00"),
    (11, date(2026, 2, 1), "half", "24.00"),
    (12, date(2026, 2, 1), "year", "60.00"),
    (0, date(2026, 1, 31), "early", "0"),
    (0, date(2026, 2, 1), None, "0"),
]


@pytest.mark.parametrize(("months", "paid_on", "code", "discount"), CASES)
def test_the_best_reward_is_earned(months, paid_on, code, discount):
    found = reward([YEAR, HALF, EARLY], Decimal(1200), months, paid_on)

    assert (found and found.incentive) == code
    assert found is None or found.discount == Decimal(discount)


def test_a_reward_is_earned_once():
    assert reward([YEAR], Decimal(1), 12, date(2026, 1, 1), already=frozenset({"year"})) is None


def test_a_row_without_condition_or_reward_is_refused():
    assert [one.code for one in incentive_problems(Incentive("x"))] == ["condition_missing", "reward_missing"]
    assert not incentive_problems(YEAR)
