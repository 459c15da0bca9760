"""Spans of days that move with the calendar."""

from __future__ import annotations

from datetime import date

import pytest

from rules.relative_days import SPANS, RelativeSpan, span_of

CASES: list[tuple[RelativeSpan, str, str, str]] = [
    ("today", "2026-12-01", "2026-12-01", "2026-12-01"),
    ("this_week", "2026-11-30", "2026-11-30", "2026-12-06"),  # a Monday
    ("this_week", "2026-12-06", "2026-11-30", "2026-12-06"),  # a Sunday
    ("this_week", "2026-01-01", "2025-12-29", "2026-01-04"),
    ("this_month", "2026-12-31", "2026-12-01", "2026-12-31"),
    ("this_month", "2028-02-01", "2028-02-01", "2028-02-29"),
    ("last_month", "2026-03-31", "2026-02-01", "2026-02-28"),
    ("last_month", "2026-01-01", "2025-12-01", "2025-12-31"),
    ("last_7_days", "2026-12-01", "2026-11-25", "2026-12-01"),
    ("last_30_days", "2026-12-01", "2026-11-02", "2026-12-01"),
    ("next_7_days", "2026-12-30", "2026-12-30", "2027-01-05"),
]


@pytest.mark.parametrize(("span", "today", "first", "last"), CASES)
def test_first_and_last_day(span: RelativeSpan, today: str, first: str, last: str) -> None:
    found = span_of(span, date.fromisoformat(today))

    assert found == (date.fromisoformat(first), date.fromisoformat(last))


def test_every_span_is_tried() -> None:
    assert {case[0] for case in CASES} == set(SPANS)
