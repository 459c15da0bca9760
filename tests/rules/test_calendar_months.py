"""Calendar months and weeks (C10, K5)."""

from datetime import date

import pytest

from rules.calendar_months import months_in_arrears, months_later, week_of

LATER = [
    (date(2026, 1, 31), 1, date(2026, 2, 28)),
    (date(2028, 1, 31), 1, date(2028, 2, 29)),
    (date(2026, 1, 5), 11, date(2026, 12, 5)),
    (date(2026, 1, 5), 12, date(2027, 1, 5)),
    (date(2026, 12, 5), 1, date(2027, 1, 5)),
    (date(2026, 1, 5), -1, date(2025, 12, 5)),
    (date(2026, 3, 5), 0, date(2026, 3, 5)),
]


@pytest.mark.parametrize(("day", "months", "later"), LATER)
def test_months_later_it_is_the_same_day_or_the_last_one(day, months, later):
    assert months_later(day, months) == later


def test_a_day_of_the_month_may_be_said():
    assert months_later(date(2026, 1, 5), 1, day_of_month=31) == date(2026, 2, 28)
    assert months_later(date(2026, 1, 5), 1, day_of_month=1) == date(2026, 2, 1)


ARREARS = [
    (date(2026, 1, 4), 0),
    (date(2026, 1, 5), 0),
    (date(2026, 2, 4), 0),
    (date(2026, 2, 5), 1),
    (date(2026, 3, 4), 1),
    (date(2026, 12, 5), 11),
    (date(2027, 1, 4), 11),
    (date(2027, 1, 5), 12),
    (date(2025, 11, 30), 0),  # before it is due
]


@pytest.mark.parametrize(("day", "months"), ARREARS)
def test_only_whole_months_since_the_due_day_count(day, months):
    assert months_in_arrears(date(2026, 1, 5), day) == months


@pytest.mark.parametrize("day", [date(2026, 3, 16), date(2026, 3, 19), date(2026, 3, 22)])
def test_a_week_goes_from_monday_to_sunday(day):
    assert week_of(day) == (date(2026, 3, 16), date(2026, 3, 22))
