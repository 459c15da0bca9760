"""What paying early earns, once (B8)."""

from datetime import date
from decimal import Decimal

import pytest

from rules.incentives import Incentive, incentive_problems, reward

YEAR = Incentive("year", months_ahead=12, percent=Decimal(5))
HALF = Incentive("half", months_ahead=6, percent=Decimal(2))
EARLY = Incentive("early", paid_by=date(2026, 1, 31), gift="米 rice 5 kg")

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


def test_a_reward_holds_from_its_first_day_to_its_last():
    one = Incentive("x", percent=Decimal(1), valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 4))

    days = [day for day in range(1, 6) if reward([one], Decimal(1), 0, date(2026, 1, day))]

    assert days == [2, 3, 4]


def test_of_equal_discounts_the_longest_pre_payment_wins_then_the_code():
    short, long = (
        Incentive(code, months_ahead=months, percent=Decimal(2)) for code, months in (("a", 3), ("c", 6))
    )
    twin = Incentive("b", months_ahead=6, percent=Decimal(2))

    found = [
        reward(rows, Decimal(100), 6, date(2026, 1, 1)).incentive for rows in ([short, long], [long, twin])
    ]

    assert found == ["c", "b"]


# percent, months ahead and gift of a row, and what is wrong with it
EDGES = [
    ("100", 1, "", []),
    ("0.5", 1, "", []),
    ("0", 1, "rice", []),
    ("100.01", 1, "", ["percent_impossible"]),
    ("-0.01", 1, "", ["percent_impossible"]),
    ("1", -1, "", ["months_impossible"]),
    ("1", 0, "", ["condition_missing"]),
    ("0", 1, "", ["reward_missing"]),
]


@pytest.mark.parametrize(("percent", "months", "gift", "codes"), EDGES)
def test_a_row_at_the_edge(percent, months, gift, codes):
    row = Incentive("x", months_ahead=months, percent=Decimal(percent), gift=gift)

    assert [one.code for one in incentive_problems(row)] == codes


def test_a_reward_is_earned_once():
    assert reward([YEAR], Decimal(1), 12, date(2026, 1, 1), already=frozenset({"year"})) is None


def test_a_row_without_condition_or_reward_is_refused():
    assert [one.code for one in incentive_problems(Incentive("x"))] == ["condition_missing", "reward_missing"]
    assert not incentive_problems(YEAR)
