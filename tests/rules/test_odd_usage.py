"""Which usage of a month is odd (B18)."""

from decimal import Decimal

import pytest

from rules.billing import OddUsage
from rules.odd_usage import odd_usage
from rules.policy_values import PolicyValueError

CASES = [
    # used, the months before (the newest first), what is said
    (None, ["10", "12"], "no_reading"),
    (None, [], "no_reading"),
    ("0", ["10", "12"], "usage_zero"),
    ("0", [], "usage_zero"),
    ("0", ["0", "0"], "usage_zero"),
    ("7", [], None),
    ("16.5", ["10", "12"], None),  # 150 % of the mean of 11
    ("16.6", ["10", "12"], "usage_high"),
    ("5.5", ["10", "12"], None),  # 50 %
    ("5.4", ["10", "12"], "usage_low"),
    ("15", ["10"], None),
    ("15.01", ["10"], "usage_high"),
    ("16.6", ["10", "12", "1000"], "usage_high"),  # the third month before doesn't count
    ("0.01", ["0", "0"], "usage_high"),
]


@pytest.mark.parametrize(("used", "last", "wanted"), CASES)
def test_usage_is_held_against_the_mean_of_the_last_two_months(used, last, wanted):
    found = odd_usage(OddUsage(), used and Decimal(used), [Decimal(each) for each in last])

    assert (found and found.code) == wanted


def test_the_reason_says_usage_and_mean():
    found = odd_usage(OddUsage(), Decimal(20), [Decimal(10), Decimal("10.333")])

    assert found is not None
    assert found.inputs == {"used": Decimal(20), "mean": Decimal("10.17")}


def test_the_thresholds_are_policy():
    assert odd_usage(OddUsage(above_percent=300), Decimal(30), [Decimal(10)]) is None
    assert odd_usage(OddUsage(usage_months=1), Decimal(15), [Decimal(10), Decimal(1000)]) is None
    with pytest.raises(PolicyValueError):
        OddUsage(usage_months=0)
