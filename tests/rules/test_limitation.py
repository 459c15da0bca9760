"""Until when a debt can be sued for: the contract's numbers, and any history against a plain count (C21)."""

import os
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.limitation import LimitationPolicy, Restart, RestartedBy, limitation
from rules.policy_values import PolicyValueError
from tests.oracles.limitation import last_day as counted

DUE, DEMAND, PAID = RestartedBy.DUE_DAY, RestartedBy.DEMAND, RestartedBy.PART_PAYMENT
PROMISE, PLAN = RestartedBy.PROMISE, RestartedBy.PLAN
EXAMPLES = int(os.environ.get("GATEHOUSE_LIMITATION_EXAMPLES", "200"))


def day(text):
    return date.fromisoformat(text)


CASES = [
    # due day, events, years, restart day, restarted by, last day, had lapsed on
    ("2024-01-15", [], 3, "2024-01-15", DUE, "2027-01-15", None),
    ("2024-02-29", [], 3, "2024-02-29", DUE, "2027-02-28", None),
    ("2024-02-29", [], 4, "2024-02-29", DUE, "2028-02-29", None),
    ("2024-01-15", [("2024-06-30", DEMAND)], 3, "2024-06-30", DEMAND, "2027-06-30", None),
    ("2024-01-15", [("2025-03-01", PAID), ("2024-06-30", DEMAND)], 3, "2025-03-01", PAID, "2028-03-01", None),
    ("2024-01-15", [("2024-01-15", DEMAND)], 3, "2024-01-15", DUE, "2027-01-15", None),
    ("2024-01-15", [("2023-12-01", PAID)], 3, "2024-01-15", DUE, "2027-01-15", None),
    ("2024-01-15", [("2024-02-01", PROMISE)], 2, "2024-02-01", PROMISE, "2026-02-01", None),
    ("2024-01-15", [("2024-02-29", PLAN)], 3, "2024-02-29", PLAN, "2027-02-28", None),
    # what came after the last day: it counts, and it is said that the period had ended
    ("2020-01-15", [("2023-01-15", DEMAND)], 3, "2023-01-15", DEMAND, "2026-01-15", None),
    ("2020-01-15", [("2023-01-16", DEMAND)], 3, "2023-01-16", DEMAND, "2026-01-16", "2023-01-15"),
    ("2020-01-15", [("2023-01-16", PAID), ("2024-01-01", DEMAND)], 3,
     "2024-01-01", DEMAND, "2027-01-01", "2023-01-15"),
    ("2020-01-15", [("2023-01-16", DEMAND), ("2023-05-01", PROMISE)], 3,
     "2023-05-01", PROMISE, "2026-05-01", None),
]  # fmt: skip


@pytest.mark.parametrize(("due", "events", "years", "restart", "by", "last", "lapsed"), CASES)
def test_the_last_day_counts_from_the_latest_restart(due, events, years, restart, by, last, lapsed):
    found = limitation(day(due), [Restart(day(on), kind) for on, kind in events], years)

    assert (found.restart.on, found.restart.by, found.last_day) == (day(restart), by, day(last))
    assert found.lapsed_on == (day(lapsed) if lapsed else None)


DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@settings(max_examples=EXAMPLES)
@given(due=DAYS, restarts=st.lists(DAYS, max_size=6), years=st.integers(1, 30))
def test_any_history_ends_where_a_plain_count_ends_it(due, restarts, years):
    kinds = [DEMAND, PAID, PROMISE, PLAN]
    events = [Restart(on, kinds[place % 4]) for place, on in enumerate(restarts)]

    assert limitation(due, events, years).last_day == counted(due, restarts, years)


@pytest.mark.parametrize(("years", "is_allowed"), [(0, False), (1, True), (30, True), (31, False)])
def test_years_outside_their_range_are_refused(years, is_allowed):
    if is_allowed:
        assert LimitationPolicy(years).years == years
    else:
        with pytest.raises(PolicyValueError):
            LimitationPolicy(years)
