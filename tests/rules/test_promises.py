"""Promises and plans are kept or broken by themselves (C6, B9)."""

from datetime import date
from decimal import Decimal

import pytest

from rules.promises import Instalment, plan_state, promise_state


def day(number):
    return date(2026, 3, number)


PROMISES = [
    ("0", 10, "open"),
    ("99.99", 10, "open"),
    ("100", 9, "kept"),
    ("100", 11, "kept"),
    ("99.99", 11, "broken"),
]


@pytest.mark.parametrize(("paid", "today", "state"), PROMISES)
def test_a_promise_runs_to_the_end_of_its_day(paid, today, state):
    assert promise_state(day(10), Decimal(100), Decimal(paid), day(today)) == state


PLAN = [Instalment(day(10), Decimal(100)), Instalment(day(20), Decimal(100))]
PLANS = [
    # payments (day, amount), today, state
    ([], 10, "plan_kept"),
    ([], 11, "plan_broken"),
    ([(10, 100)], 11, "plan_kept"),
    ([(11, 100)], 12, "plan_broken"),  # a day late
    ([(5, 60), (10, 40)], 20, "plan_kept"),
    ([(5, 60), (10, 40)], 21, "plan_broken"),
    ([(5, 150), (20, 50)], 20, "plan_done"),
    ([(5, 150), (20, 49)], 21, "plan_broken"),
]


@pytest.mark.parametrize(("payments", "today", "state"), PLANS)
def test_a_missed_instalment_breaks_the_plan(payments, today, state):
    came = [Instalment(day(on), Decimal(amount)) for on, amount in payments]

    assert plan_state(PLAN, came, day(today)).code == state


def test_the_broken_plan_says_which_day_and_what_is_missing():
    found = plan_state(PLAN, [Instalment(day(9), Decimal(70))], day(15))

    assert (found.inputs["due_on"], found.inputs["missing"]) == (day(10), Decimal(30))
