"""The last day to sue, counted again by its words: the day's own numbers, nothing of the program (C21)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date


def last_day(due_on: date, restarts: Sequence[date], years: int) -> date:
    """Restart day + years: the same day and month, 28 February for the 29th where that year has none."""
    restart_on = due_on
    for one in restarts:
        restart_on = max(restart_on, one)
    year = restart_on.year + years
    is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    day = 28 if (restart_on.month, restart_on.day) == (2, 29) and not is_leap else restart_on.day
    return date(year, restart_on.month, day)
