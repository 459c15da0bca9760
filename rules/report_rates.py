"""The figures managers look at: rates, ages, times (K1–K3). Every rate is in percent with one decimal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from rules.money import ZERO
from rules.reasons import Reason


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """The share of part in whole in percent, half-up to one decimal; None of nothing.

    590 of 943 is 62.6 (K1).
    """
    if whole == 0:
        return None
    exact = Fraction(part) / Fraction(whole) * 1000
    tenths = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return Decimal(tenths if exact >= 0 else -tenths).scaleb(-1)


def mean(total: Decimal | int, count: int) -> Decimal | None:
    """The mean, total ÷ count, half-up to one decimal; None of nothing (K3)."""
    return percent(total, count * 100)


def hours(total_seconds: int, count: int = 1) -> Decimal | None:
    """The mean of seconds in hours, half-up to one decimal; None of nothing (K3)."""
    return mean(total_seconds, count * 3600)


@dataclass(frozen=True)
class Times:
    """How long things took, in hours with one decimal; None of nothing (K8)."""

    median: Decimal | None
    ninetieth: Decimal | None
    mean: Decimal | None


Span = tuple[datetime, datetime | None]


def working_seconds(since: datetime, until: datetime, waits: Iterable[Span] = ()) -> int:
    """The whole seconds between two instants without the times of waiting in them, each second once (T6, K8).

    A wait without an end lasts to `until`.
    """
    seconds, begun = 0.0, since
    for from_at, to_at in sorted(waits, key=lambda wait: wait[0]):
        seconds += max((min(from_at, until) - begun).total_seconds(), 0)
        begun = max(begun, min(to_at or until, until))
    return int(seconds + (until - begun).total_seconds())


def times(seconds: Iterable[int]) -> Times:
    """Median, 90th percentile and mean of times in seconds (K8).

    The median of an even number is the mean of the two in the middle; the 90th percentile is the smallest
    time within which at least nine of ten lay.
    """
    ordered = sorted(seconds)
    count = len(ordered)
    if not count:
        return Times(None, None, None)
    middle = ordered[(count - 1) // 2] + ordered[count // 2]
    return Times(hours(middle, 2), hours(ordered[-(-9 * count // 10) - 1]), hours(sum(ordered), count))


@dataclass(frozen=True)
class Collected:
    """What a period's invoices brought, in yuan: credits taken off, late fees and deposits apart (K1)."""

    billed: Decimal = ZERO
    paid: Decimal = ZERO
    households_billed: int = 0
    households_paid: int = 0
    late_fees: Decimal = ZERO  # paid
    deposits_billed: Decimal = ZERO
    deposits_paid: Decimal = ZERO

    def __add__(self, other: Collected) -> Collected:
        return Collected(
            self.billed + other.billed,
            self.paid + other.paid,
            self.households_billed + other.households_billed,
            self.households_paid + other.households_paid,
            self.late_fees + other.late_fees,
            self.deposits_billed + other.deposits_billed,
            self.deposits_paid + other.deposits_paid,
        )

    @property
    def rate_amount(self) -> Decimal | None:
        return percent(self.paid, self.billed)

    @property
    def rate_households(self) -> Decimal | None:
        return percent(self.households_paid, self.households_billed)


@dataclass(frozen=True)
class YearSplit:
    """What some bills asked for and what was paid of them in a year; yuan of principal (K1, 当年款/往年款).

    Of the year's own bills `asked` is what was billed, of older ones what was open when the year began.
    """

    asked: Decimal = ZERO
    paid: Decimal = ZERO

    def __add__(self, other: YearSplit) -> YearSplit:
        return YearSplit(self.asked + other.asked, self.paid + other.paid)

    @property
    def rate(self) -> Decimal | None:
        return percent(self.paid, self.asked)


def billed(amounts: Iterable[Decimal], credited: Iterable[Decimal]) -> Decimal:
    """What was billed for a period with the credits taken off, in yuan (K1)."""
    return sum(amounts, ZERO) - sum(credited, ZERO)


def distance(rate: Decimal | None, target: Decimal) -> Decimal | None:
    """How many percentage points a rate lies above its target, below zero when under it (K1)."""
    return None if rate is None else rate - target


def missing_to_target(collected: Collected, target: Decimal) -> Decimal:
    """How many yuan are still to come until the rate by amount reaches the target (K1)."""
    wanted = Fraction(collected.billed) * Fraction(target) / 100 - Fraction(collected.paid)
    fen = -(-wanted * 100 // 1)  # upwards: one fen less would miss it
    return max(Decimal(int(fen)).scaleb(-2), ZERO)


@dataclass(frozen=True)
class AgeBand:
    """A column of the ageing table in days past due, both ends included; `to_days` None in the last (K2)."""

    from_days: int
    to_days: int | None

    @property
    def code(self) -> str:
        return f"{self.from_days}+" if self.to_days is None else f"{self.from_days}-{self.to_days}"


def age_bands(bounds: Sequence[int]) -> tuple[AgeBand, ...]:
    """The columns that the policy's upper ends make: 0–30, 31–60, … and one open (K2)."""
    starts = [0, *(bound + 1 for bound in bounds)]
    return tuple(AgeBand(start, end) for start, end in zip(starts, [*bounds, None], strict=True))


def age_band(bands: Sequence[AgeBand], due_on: date, today: date) -> AgeBand | None:
    """The column of a debt due on a day; None while it is not past due (K2)."""
    days = (today - due_on).days
    if days <= 0:
        return None
    return next((band for band in bands if band.to_days is None or days <= band.to_days), None)


def bound_problems(bounds: Sequence[int]) -> tuple[Reason, ...]:
    """What is wrong with edited ageing columns: they must ascend from above 0 (§9)."""
    is_ascending = all(low < high for low, high in zip([0, *bounds], bounds, strict=False))
    return () if is_ascending else (Reason("bounds_not_ascending", {"bounds": " ".join(map(str, bounds))}),)


def on_time_rate(met: int, breached: int) -> Decimal | None:
    """The share of stopped or broken clocks that were met; running, paused and void ones don't count (K3)."""
    return percent(met, met + breached)


def kept_rate(kept: int, broken: int) -> Decimal | None:
    """The share of promises that were kept among those whose day has passed (K2)."""
    return percent(kept, kept + broken)


def is_effect(sent_on: date, paid_on: date, within_days: int) -> bool:
    """Whether a payment counts as the effect of a message: on its day or up to so many days later (K2)."""
    return 0 <= (paid_on - sent_on).days <= within_days


def is_judged(sent_on: date, today: date, within_days: int) -> bool:
    """Whether a message is old enough to be a success or a failure; a younger one is neither (K2)."""
    return (today - sent_on).days >= within_days


def is_unprompted(paid_on: date, first_reminder_on: date | None) -> bool:
    """Whether a bill was paid before any reminder of the ladder went out; bill notices are none (K2)."""
    return first_reminder_on is None or paid_on < first_reminder_on


def is_old_arrears(period_year: int, year: int) -> bool:
    """Whether a bill counts as old arrears (往年款) in a year's figures (K1)."""
    return period_year < year
