"""What a late payer owes besides, to the day, and how it came about (B7, C13)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from rules.money import ZERO, rounded
from rules.policy_values import Amount, Checked, NotNegative
from rules.reasons import Reason

DAY = timedelta(days=1)


@dataclass(frozen=True)
class LateFeePolicy(Checked):
    """The late fee's row: rate a day, days of grace, cap as a part of the principal, first day charged."""

    is_on: bool
    daily_rate: Amount
    grace_days: NotNegative
    cap_rate: Amount | None = None
    charged_from: date | None = None
    waiver_second_from: Amount | None = None  # waivers of so many yuan need another who asked

    def needs_two_people(self, amount: Decimal) -> bool:
        """Whether a waiver of so many yuan must be asked for by another person (B7)."""
        return self.waiver_second_from is not None and amount >= self.waiver_second_from


@dataclass(frozen=True)
class LateFeeDocument:
    """The policy document late_fee.toml."""

    late_fee: LateFeePolicy


@dataclass(frozen=True)
class LateFeePolicies:
    """The late fee's rows with the day from which each holds, the oldest first."""

    versions: tuple[tuple[date, LateFeePolicy], ...]

    def charging(self, on: date) -> tuple[LateFeePolicy, date] | None:
        """The policy that charged the fees that stood on a day, and the day up to which it did.

        Where none had charged anything yet, None; where the last one that did has ended for good, the one
        that is off: what was charged before stays.
        """
        until = [(starts_on, policy) for starts_on, policy in self.versions if starts_on <= on]
        in_force = until[-1][1] if until else None
        later = self.versions[len(until) :]
        if in_force is not None and (in_force.is_on or not any(policy.is_on for _, policy in later)):
            return in_force, on
        ended_on = on
        for starts_on, policy in reversed(until):
            if policy.is_on:
                return policy, ended_on
            ended_on = starts_on - DAY
        return None


def late_fee_problems(policy: LateFeePolicy) -> tuple[Reason, ...]:
    """What is wrong with an edited late fee, for checking on saving (§9)."""
    return () if policy.daily_rate < 1 else (Reason("rate_impossible"),)


def charged_days(policy: LateFeePolicy, due_on: date, on: date) -> int:
    """How many days the late fee of what was due on a day has run until the end of `on` (D6)."""
    first_on = _first_day(policy, due_on)
    return (on - first_on).days + 1 if policy.is_on and on >= first_on else 0


def _first_day(policy: LateFeePolicy, due_on: date) -> date:
    """The first day that is charged: after the due day and the grace, and none before the fee came."""
    first_on = due_on + DAY * (policy.grace_days + 1)
    return first_on if policy.charged_from is None else max(first_on, policy.charged_from)


@dataclass(frozen=True)
class Reduction:
    """Principal paid or credited on a day, in yuan; below zero when a reversal brings it back."""

    on: date
    amount: Decimal


@dataclass(frozen=True)
class Segment:
    """Days, both ends included, on each of which the same principal in yuan was outstanding."""

    from_on: date
    to_on: date
    principal: Decimal

    @property
    def days(self) -> int:
        return (self.to_on - self.from_on).days + 1


@dataclass(frozen=True)
class LateFee:
    """An invoice's late fee in yuan to a day, with the segments that make it up."""

    amount: Decimal
    segments: tuple[Segment, ...]
    is_capped: bool
    reason: Reason


def late_fee(
    policy: LateFeePolicy, principal: Decimal, due_on: date, reductions: Iterable[Reduction], on: date
) -> LateFee:
    """The late fee of one invoice to the end of `on`: every charged day's principal × rate, half-up once.

    Charged are the days after the due day and the grace. An amount paid on a day is not charged for that
    day nor later; what has accrued stays when the principal is paid (contract "Allocation", C13). To know
    what a payment of today would leave, put it among the reductions.
    """
    first_on = _first_day(policy, due_on)
    if not policy.is_on or on < first_on:
        return LateFee(ZERO, (), is_capped=False, reason=Reason("no_late_fee", {"from": first_on}))
    segments = _segments(principal, list(reductions), first_on, on)
    exact = sum((Fraction(one.principal) * one.days for one in segments), Fraction(0)) * Fraction(
        policy.daily_rate
    )
    amount, is_capped = rounded(exact), False
    if policy.cap_rate is not None:
        cap = rounded(Fraction(principal) * Fraction(policy.cap_rate))
        amount, is_capped = min(amount, cap), amount > cap
    inputs = {
        "daily_rate": policy.daily_rate,
        "due_on": due_on,
        "grace_days": policy.grace_days,
        "days": " + ".join(f"{one.principal} × {one.days} ({one.from_on}…{one.to_on})" for one in segments),
        "is_capped": is_capped,
        "amount": amount,
    }
    return LateFee(amount, segments, is_capped, Reason("late_fee", inputs))


def _segments(
    principal: Decimal, reductions: list[Reduction], first_on: date, last_on: date
) -> tuple[Segment, ...]:
    starts = sorted({first_on} | {one.on for one in reductions if first_on < one.on <= last_on})
    ends = [start - DAY for start in starts[1:]] + [last_on]
    segments: list[Segment] = []
    for start, end in zip(starts, ends, strict=True):
        left = principal - sum((one.amount for one in reductions if one.on <= start), ZERO)
        if left > 0:
            segments.append(Segment(start, end, left))
    return tuple(segments)
