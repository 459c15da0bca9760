"""Promises and plans are kept or broken by themselves (C6, B9)."""

from datetime import date
from decimal import Decimal

import pytest

from rules.promises import (
    DatedAmount,
    even_parts,
    instalment_states,
    plan_problem,
    plan_state,
    promise_problem,
    promise_state,
)


def day(number):
    return date(2026, 3, number)


PROMISES = [
    ("0", 10, "open"),
    ("99.99", 10, "open"),
    ("100", 9, "kept"),
    ("100", 11, "kept"),
    ("99.99", 11, "broken"),
]


@pytest.mark.parametrize(("promised", "problem"), [(9, "past"), (10, ""), (20, ""), (21, "too_far")])
def test_a_promise_is_for_the_day_itself_until_the_longest_time_ahead(promised: int, problem: str) -> None:
    assert promise_problem(day(promised), day(10), day(10), longest_days=10) == problem


def test_an_old_contact_whose_promise_has_passed_is_no_long_promise() -> None:
    assert promise_problem(day(28), made_on=day(1), entered_on=day(30), longest_days=10) == ""


@pytest.mark.parametrize(("paid", "today", "state"), PROMISES)
def test_a_promise_runs_to_the_end_of_its_day(paid, today, state):
    assert promise_state(day(10), Decimal(100), Decimal(paid), day(today)) == state


PLAN = [DatedAmount(day(10), Decimal(100)), DatedAmount(day(20), Decimal(100))]
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
    came = [DatedAmount(day(on), Decimal(amount)) for on, amount in payments]

    assert plan_state(PLAN, came, day(today)).code == state


def test_the_broken_plan_says_which_day_and_what_is_missing():
    found = plan_state(PLAN, [DatedAmount(day(9), Decimal(70))], day(15))

    assert (found.inputs["due_on"], found.inputs["missing"]) == (day(10), Decimal(30))


# today, and the state of both parts when 100 came on the 10th and 60 on the 20th
STATES = [(9, ["kept", "open"]), (20, ["kept", "open"]), (21, ["kept", "missed"])]


@pytest.mark.parametrize(("today", "states"), STATES)
def test_each_part_is_kept_or_missed_by_all_that_came_until_its_day(today, states):
    came = [DatedAmount(day(10), Decimal(100)), DatedAmount(day(20), Decimal(60))]

    assert instalment_states(PLAN, came, day(today)) == states


def test_even_parts_leave_the_remainder_to_the_last_and_end_with_the_month():
    parts = even_parts(Decimal(100), 3, date(2026, 1, 31))

    days = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert parts == [
        DatedAmount(on, Decimal(text)) for on, text in zip(days, ["33.33", "33.33", "33.34"], strict=True)
    ]
    assert even_parts(Decimal("0.05"), 1, day(1)) == [DatedAmount(day(1), Decimal("0.05"))]


# parts (day, amount) of a debt of 100 on the 10th, and what is wrong with them
PROBLEMS = [
    ([(10, "100")], ""),
    ([(10, "99"), (11, "1")], ""),
    ([(9, "100")], "days"),
    ([(9, "50"), (11, "50")], "days"),
    ([(10, "50"), (11, "50")], ""),
    ([(10, "50"), (10, "50")], "days"),
    ([(10, "99.99")], "sum"),
    ([(10, "100.01")], "sum"),
    ([(10, "100"), (11, "0")], "sum"),
    ([(10, "101"), (11, "-1")], "sum"),
]


@pytest.mark.parametrize(("parts", "problem"), PROBLEMS)
def test_a_plan_covers_the_debt_on_days_of_their_own(parts, problem):
    given = [DatedAmount(day(on), Decimal(amount)) for on, amount in parts]

    assert plan_problem(given, Decimal(100), day(10)) == problem


def test_no_plan_without_a_debt():
    assert plan_problem([], Decimal(0), day(10)) == "no_debt"
