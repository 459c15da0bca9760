"""The office's time: its days, its hours, and what is left of them (T5)."""

from __future__ import annotations

import calendar as months
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rules.policy_values import PolicyValueError

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

Span = tuple[time, time]
Instants = tuple[datetime, datetime]


@dataclass(frozen=True)
class PublicDays:
    """One year's published days: those off although a weekday, and those worked although a weekend."""

    holidays: frozenset[date]
    make_up_days: frozenset[date]


@lru_cache(maxsize=256)
def public_days(country: str, year: int) -> PublicDays:
    """Answer the public holidays and make-up days of `year` in `country` (ISO 3166 code; T5).

    A make-up day may be ordered by the next year's notice (31 December 2011), so that year is read too.
    Years outside the published range answer what is known, often nothing; they never raise.
    """
    import holidays

    known = holidays.country_holidays(country, years=year, expand=False)
    following = holidays.country_holidays(country, years=year + 1, expand=False)
    worked = known.weekend_workdays | following.weekend_workdays
    return PublicDays(frozenset(known), frozenset(day for day in worked if day.year == year))


def has_public_days(country: str) -> bool:
    """Answer whether the holidays of `country` (ISO 3166 code) are known (T5)."""
    import holidays

    return country in holidays.list_supported_countries()


@lru_cache(maxsize=8)
def published_years(country: str) -> frozenset[int] | None:
    """Answer the years whose holiday notice is in the library; None where holidays follow from law alone."""
    if country != "CN":
        return None
    from holidays.countries.china import ChinaStaticHolidays

    return frozenset(ChinaStaticHolidays.special_public_holidays)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def check_spans(spans: Iterable[Span]) -> None:
    """Raise ValueError unless the spans of a day are in order and apart."""
    edges = [edge for span in spans for edge in span]
    if any(later <= earlier for earlier, later in itertools.pairwise(edges)):
        raise PolicyValueError("hours_not_in_order")


@dataclass(frozen=True)
class OfficeCalendar:
    """The office's calendar: one policy row set (P1, T5).

    `hours` holds the spans of Monday … Sunday (a day without spans is no regular working day);
    `make_up_hours` those of a day that is worked although its weekday has none.
    `overrides` says of single days whether they are worked, above all published holidays.
    All instants are aware; answers are in UTC. Raises ValueError for hours that can't be.
    """

    zone: str
    hours: tuple[tuple[Span, ...], ...]
    make_up_hours: tuple[Span, ...]
    country: str | None = "CN"
    overrides: Mapping[date, bool] = field(default_factory=dict)
    _cache: dict[date, tuple[Instants, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    def __post_init__(self) -> None:
        if len(self.hours) != 7:
            raise PolicyValueError("not_seven_weekdays")
        if not any(self.hours):
            raise PolicyValueError("no_office_hours")
        if not self.make_up_hours:
            raise PolicyValueError("no_make_up_hours")
        for spans in (*self.hours, self.make_up_hours):
            check_spans(spans)

    def local(self, at: datetime) -> datetime:
        """Answer the instant on the office's wall clock."""
        return at.astimezone(_zone(self.zone))

    def local_day(self, at: datetime) -> date:
        """Answer the office's date at the instant."""
        return self.local(at).date()

    def instant(self, day: date, at: time) -> datetime:
        """Answer the UTC instant at which the office's clock shows `day` and `at`.

        A wall time that a clock change skips is the instant as far after the change; of a time that
        comes twice the first is meant.
        """
        return datetime.combine(day, at.replace(fold=0), tzinfo=_zone(self.zone)).astimezone(UTC)

    def months_later(self, at: datetime, count: int) -> datetime:
        """Answer the instant `count` calendar months later at the same wall time (31 Jan → 28/29 Feb; T8)."""
        wall = self.local(at)
        year, month = divmod(wall.year * 12 + wall.month - 1 + count, 12)
        last = months.monthrange(year, month + 1)[1]
        return self.instant(date(year, month + 1, min(wall.day, last)), wall.time())

    def is_provisional(self, year: int) -> bool:
        """Answer whether the year's holidays aren't published yet: its days may still change (T5)."""
        published = published_years(self.country) if self.country else None
        return published is not None and year > max(published)

    def is_working_day(self, day: date) -> bool:
        """Answer whether the office works on the day: overrides, make-up days, holidays, weekdays (T5)."""
        if day in self.overrides:
            return self.overrides[day]
        if self.country:
            public = public_days(self.country, day.year)
            if day in public.make_up_days:
                return True
            if day in public.holidays:
                return False
        return bool(self.hours[day.weekday()])

    def next_working_day(self, day: date, *, is_inclusive: bool = True) -> date:
        """Answer the first working day from `day` on, or after it when not inclusive."""
        if not is_inclusive:
            day += DAY
        while not self.is_working_day(day):
            day += DAY
        return day

    def nth_working_day_after(self, day: date, count: int) -> date:
        """Answer the `count`-th working day after `day`, which itself is not counted; 0 is `day`."""
        for _ in range(count):
            day = self.next_working_day(day, is_inclusive=False)
        return day

    def working_days_between(self, after: date, through: date) -> int:
        """Count the working days later than `after` and not later than `through`."""
        days = (through - after).days
        return sum(self.is_working_day(after + number * DAY) for number in range(1, days + 1))

    def day_hours(self, day: date) -> tuple[Span, ...]:
        """Answer the wall-clock spans of the day, as if it were worked when it is not."""
        return self.hours[day.weekday()] or self.make_up_hours

    def opening(self, day: date) -> datetime:
        """Answer the UTC instant at which the office opens on the day (were it a working day)."""
        return self.instant(day, self.day_hours(day)[0][0])

    def closing(self, day: date) -> datetime:
        """Answer the UTC instant at which the office closes on the day (were it a working day)."""
        return self.instant(day, self.day_hours(day)[-1][1])

    def is_open(self, at: datetime) -> bool:
        """Answer whether an office minute runs from the instant on."""
        return any(opens <= at < closes for opens, closes in self._open_instants(self.local_day(at)))

    def add_office_minutes(self, at: datetime, minutes: float) -> datetime:
        """Answer the first UTC instant by which `minutes` office minutes have run since `at`.

        Raises ValueError for negative minutes.
        """
        if minutes < 0:
            raise ValueError("office minutes can't be added backwards")
        left = minutes * MINUTE
        if not left:
            return at.astimezone(UTC)
        for opens, closes in self._open_from(at):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise AssertionError("unreachable: the days never end")

    def office_minutes_between(self, after: datetime, until: datetime) -> float:
        """Answer how many office minutes run from `after` to `until`; 0 when `until` is not later."""
        total = timedelta()
        for opens, closes in self._open_from(after):
            if opens >= until:
                break
            total += min(closes, until) - opens
        return total / MINUTE

    def _open_from(self, at: datetime) -> Iterator[Instants]:
        """Yield the open UTC spans from the instant on, the first cut to begin there."""
        at = at.astimezone(UTC)
        day = self.local_day(at)
        while True:
            for opens, closes in self._open_instants(day):
                if closes > at:
                    yield max(opens, at), closes
            day = self.next_working_day(day, is_inclusive=False)

    def _open_instants(self, day: date) -> tuple[Instants, ...]:
        spans = self._cache.get(day)
        if spans is None:
            worked = self.day_hours(day) if self.is_working_day(day) else ()
            spans = tuple((self.instant(day, opens), self.instant(day, closes)) for opens, closes in worked)
            self._cache[day] = spans
        return spans
