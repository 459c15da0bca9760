"""Calendar months between days, and the week of a day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta


def months_later(day: date, months: int, *, day_of_month: int | None = None) -> date:
    """The same day so many months later, the last one where that month is shorter."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day_of_month or day.day, monthrange(year, month)[1]))


def months_in_arrears(due_on: date, day: date) -> int:
    """Whole calendar months since the due day; 0 until the first has passed (contract "Settled besides")."""
    months = (day.year - due_on.year) * 12 + day.month - due_on.month
    if months_later(due_on, months) > day:
        months -= 1
    return max(months, 0)


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of a day's week."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)
