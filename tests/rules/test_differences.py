"""What should have been billed against what was (B21)."""

from decimal import Decimal

import pytest

from rules.billing import BillingPolicy, Period
from rules.differences import Charged, Difference, differences, due_on
from tests.factories.estate import day

POLICY = BillingPolicy(1, 15, 25, True, True, Decimal(50), Decimal(10))
ONE, TWO, THREE = Charged(1, 1, 1), Charged(1, 2, 1), Charged(2, 1, 1)


def test_only_what_differs_in_the_order_of_units():
    billed = {THREE: Decimal(100), ONE: Decimal(40), TWO: Decimal(7)}
    should = {THREE: Decimal(120), ONE: Decimal(40)}

    found = differences(billed, should)

    assert found == (Difference(TWO, Decimal(7), Decimal(0)), Difference(THREE, Decimal(100), Decimal(120)))
    assert [one.amount for one in found] == [-7, 20]
    assert found[1].reason(Period(2026, 6)).inputs == {"period": "2026-06", "billed": 100, "should": 120}
    assert differences(billed, billed) == ()


@pytest.mark.parametrize(
    ("today", "due"),
    [("2026-06-01", "2026-06-15"), ("2026-06-15", "2026-06-15"), ("2026-06-16", "2026-07-15")],
)
def test_a_bill_for_differences_is_never_late_when_it_is_made(today, due):
    assert due_on(POLICY, day(today)) == day(due)
