"""A job of the office: what runs, when it is due, and what it reports (§8).

A daily or monthly job missed while the program was down runs once for each missed date, in order, each judged
as itself (`due_for`); a job due every minute catches up in one run.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class JobResult:
    """What a job did: the units done, the units that failed, and details to show."""

    done: int = 0
    failed: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A job that runs every minute, or daily at an office time, or on one day of the month or week.

    `run` takes a session and the instant (UTC) for which the run is due. It must be safe to run twice.
    """

    code: str
    run: Callable[[Session, datetime], JobResult]
    at: time | None = None  # office time; none: every minute
    day: int | None = None  # of the month; none: every day
    weekday: int | None = None  # 0 Monday to 6 Sunday; none: every day
    order: int = 0  # among the jobs of a minute: the lower runs first
    is_committing: bool = False  # commits by itself between its units, such as messages that are sent
    retention_days: int | None = None  # how long its finished runs are stored; none: for ever

    def due_between(self, after: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
        """The instants (UTC) in (after, until] at which a dated job is due, in order (§8)."""
        if self.at is None or until <= after:
            return []
        last = until.astimezone(zone).date()
        instants: list[datetime] = []
        for day in self._days(after.astimezone(zone).date()):
            if day > last:
                break
            instants.append(datetime.combine(day, self.at, zone).astimezone(UTC))
        return [instant for instant in instants if after < instant <= until]

    def next_after(self, after: datetime, zone: ZoneInfo) -> datetime:
        """The next instant (UTC) at which the job is due."""
        if self.at is None:
            return after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._days(after.astimezone(zone).date()):
            instant = datetime.combine(day, self.at, zone).astimezone(UTC)
            if instant > after:
                return instant
        raise AssertionError("days do not end")

    def _days(self, first: date) -> Iterator[date]:
        day = first
        while True:
            last_of_month = calendar.monthrange(day.year, day.month)[1]
            is_its_weekday = self.weekday in {None, day.weekday()}
            if is_its_weekday and (self.day is None or day.day == min(self.day, last_of_month)):
                yield day
            day += timedelta(days=1)
