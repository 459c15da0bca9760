"""Which months a bill charges an item for: cycles of 1, 3, 6 or 12 months, and seasons (B14, B15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rules.billing import Period, Timing, service_period
from rules.calendar_months import months_later
from rules.reasons import Reason

CYCLES = (1, 3, 6, 12)  # months that an item may be billed for at once
DAY = timedelta(days=1)
_NEW_YEAR = date(2000, 1, 1)  # calendar cycles are counted from one


class Anchor(StrEnum):
    """Where an item's cycles begin."""

    CALENDAR = "calendar"  # in January
    UNIT = "unit"  # on the unit's own day


@dataclass(frozen=True)
class Cycle:
    """Every how many months an item is billed, counted from where, how many days ahead, in which season.

    `season` are the first and the last month of the year, also over New Year; None all the year.
    """

    months: int = 1
    anchor: Anchor = Anchor.CALENDAR
    days_ahead: int = 0
    season: tuple[int, int] | None = None

    @property
    def is_plain(self) -> bool:
        """Each calendar month for itself, in its own bill."""
        return self == PLAIN

    def is_in_season(self, month: int) -> bool:
        if self.season is None:
            return True
        first, last = self.season
        return first <= month <= last if first <= last else month >= first or month <= last


PLAIN = Cycle()


@dataclass(frozen=True)
class Span:
    """Whole months that are charged together: the first day of each, and the last day of all."""

    starts: tuple[date, ...]
    last_on: date

    @property
    def first_on(self) -> date:
        return self.starts[0]

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def months(self) -> int:
        return len(self.starts)

    def __str__(self) -> str:
        return f"{self.first_on}–{self.last_on}"


Months = Period | Span


def since(months: Months, day: date) -> Months:
    """Of months that are charged together, the one that a day lies in and those after it."""
    if isinstance(months, Period) or day <= months.first_on:
        return months
    starts = [start for start in months.starts if start <= day]
    return _together((starts[-1], *(start for start in months.starts if start > day)), months.last_on)


def _together(starts: tuple[date, ...], last_on: date) -> Months:
    """Months as they are charged; one whole calendar month is that period."""
    period = Period.of(starts[0])
    return period if starts == (period.first_on,) and last_on == period.last_on else Span(starts, last_on)


def _in_season(cycle: Cycle, anchor_on: date, index: int) -> list[Months]:
    """What of a cycle, counted from its anchor, lies in the season: runs of months that follow each other."""
    bounds = [months_later(anchor_on, index * cycle.months + month) for month in range(cycle.months + 1)]
    runs: list[list[int]] = []
    for month in range(cycle.months):
        if not cycle.is_in_season(bounds[month].month):
            continue
        if runs and runs[-1][-1] == month - 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return [_together(tuple(bounds[month] for month in run), bounds[run[-1] + 1] - DAY) for run in runs]


def _anchored(cycle: Cycle, anchor_on: date | None) -> date | Reason:
    if cycle.anchor == Anchor.CALENDAR:
        return _NEW_YEAR
    return Reason("no_anchor") if anchor_on is None else anchor_on


def _starts_between(cycle: Cycle, anchor_on: date, first_on: date, last_on: date) -> Iterator[int]:
    """The cycles that begin on one of these days, counted from the anchor."""
    passed = (first_on.year - anchor_on.year) * 12 + first_on.month - anchor_on.month
    index = passed // cycle.months - 1
    while (start := months_later(anchor_on, index * cycle.months)) <= last_on:
        if start >= first_on:
            yield index
        index += 1


def due(cycle: Cycle, timing: Timing, period: Period, anchor_on: date | None) -> tuple[Months, ...] | Reason:
    """The months that a period's bill charges an item for: of the cycles whose bill goes out in it (B15).

    A cycle's bill goes out on its first day, in arrears on the day after its last, less the days ahead. From
    the unit's own day on, which is the month's last day where the month has none. Reason `no_anchor` where
    the unit has no day. Example: 31 January, then 28 February, then 31 March.
    """
    if cycle.is_plain:
        return (service_period(timing, period),)
    anchored_on = _anchored(cycle, anchor_on)
    if isinstance(anchored_on, Reason):
        return anchored_on
    ahead = timedelta(days=cycle.days_ahead)
    found: list[Months] = []
    for begun in _starts_between(cycle, anchored_on, period.first_on + ahead, period.last_on + ahead):
        index = begun if timing == Timing.ADVANCE else begun - 1
        if cycle.anchor == Anchor.CALENDAR or index >= 0:
            found += _in_season(cycle, anchored_on, index)
    return tuple(found)


def running(
    cycle: Cycle, timing: Timing, period: Period, anchor_on: date | None
) -> tuple[date, tuple[Months, ...]] | None:
    """The cycle that runs at a period's end and whose bill went out before it: its first day and its months.

    Who becomes the first payer in the middle of it is charged for the rest of it (B15). None where that can't
    be: charged in arrears, or month by month in its own bill.
    """
    if cycle.is_plain or timing == Timing.ARREARS:
        return None
    anchored_on = _anchored(cycle, anchor_on)
    if isinstance(anchored_on, Reason):
        return None
    before = months_later(period.first_on, -cycle.months - 1)
    begun = list(_starts_between(cycle, anchored_on, before, period.last_on))
    if not begun or (cycle.anchor == Anchor.UNIT and begun[-1] < 0):
        return None
    first_on = months_later(anchored_on, begun[-1] * cycle.months)
    if first_on - timedelta(days=cycle.days_ahead) >= period.first_on:
        return None  # its bill goes out in this period
    return first_on, tuple(_in_season(cycle, anchored_on, begun[-1]))


def reach(cycle: Cycle, timing: Timing, period: Period) -> tuple[date, date]:
    """The first and the last day that a period's bill can charge an item for, whatever the unit's own day."""
    if cycle.is_plain or cycle.anchor == Anchor.CALENDAR:
        months = due(cycle, timing, period, None)
        if isinstance(months, Reason) or not months:
            return period.first_on, period.first_on
        return months[0].first_on, months[-1].last_on
    ahead = timedelta(days=cycle.days_ahead)
    first_on, last_on = period.first_on + ahead, period.last_on + ahead
    if timing == Timing.ADVANCE:
        return first_on, months_later(last_on, cycle.months)
    return months_later(first_on, -cycle.months) - 3 * DAY, last_on
