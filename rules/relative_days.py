"""Spans of days that move with the calendar, as lists are filtered by: this month, the last 7 days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

RelativeSpan = Literal[
    "today", "this_week", "this_month", "last_month", "last_7_days", "last_30_days", "next_7_days"
]
SPANS: tuple[RelativeSpan, ...] = get_args(RelativeSpan)


def span_of(span: RelativeSpan, today: date) -> tuple[date, date]:
    """The first and the last day of a span, both within it.

    A week begins on Monday. The last and the next 7 days both count today.
    Example: span_of("last_month", date(2026, 3, 31)) is 2026-02-01 and 2026-02-28.
    """
    first = today.replace(day=1)
    if span == "this_week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if span == "this_month":
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if span == "last_month":
        last = first - timedelta(days=1)
        return last.replace(day=1), last
    days_back = {"last_7_days": 6, "last_30_days": 29}.get(span, 0)
    days_on = {"next_7_days": 6}.get(span, 0)
    return today - timedelta(days=days_back), today + timedelta(days=days_on)
