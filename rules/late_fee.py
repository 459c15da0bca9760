"""What a late payer owes besides, to the day, and how it came about (B7, C13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from rules.money import ZERO, rounded
from rules.policy_values import Amount, Checked, FeeItemCode, NotNegative
from rules.reasons import Reason

DAY = timedelta(days=1)


@dataclass(frozen=True)
class LateFeePolicy(Checked):
    """The late fee's row: rate a day, days of grace, cap as a part of the principal, first day charged.

    `flat_amount` is charged once a bill in place of the rate a day; days on which less than `least_balance`
    is open are not charged (B22); both yuan.
    """

    is_on: bool
    daily_rate: Amount
    grace_days: NotNegative
    cap_rate: Amount | None = None
    charged_from: date | None = None
    waiver_second_from: Amount | None = None  # waivers of so many yuan need another who asked
    flat_amount: Amount | None = None
    least_balance: Amount | None = None

    def needs_two_people(self, amount: Decimal) -> bool:
        """Whether a waiver of so many yuan must be asked for by another person (B7)."""
        return self.waiver_second_from is not None and amount >= self.waiver_second_from

    def of_item(self, _fee_item: str) -> LateFeePolicy | None:
        """What a fee item's late fee is by, where it is not by these terms (B22)."""
        return None


@dataclass(frozen=True)
class ItemLateFee(Checked):
    """Terms of a fee item's own; what is empty is as for all others (B22)."""

    fee_item: FeeItemCode
    daily_rate: Amount | None = None
    grace_days: NotNegative | None = None
    cap_rate: Amount | None = None
    flat_amount: Amount | None = None
    least_balance: Amount | None = None


@dataclass(frozen=True)
class LateFeeByItem(LateFeePolicy):
    """The late fee's row with the items that have terms of their own."""

    items: tuple[ItemLateFee, ...] = ()

    def of_item(self, fee_item: str) -> LateFeePolicy | None:
        own = next((one for one in self.items if one.fee_item == fee_item), None)
        if own is None:
            return None
        said = {name: value for name, value in vars(own).items() if value is not None and name != "fee_item"}
        if own.daily_rate is not None and own.flat_amount is None:
            said["flat_amount"] = None
        return replace(self, **said)


@dataclass(frozen=True)
class LateFeeDocument:
    """The policy document late_fee.toml."""

    late_fee: LateFeePolicy
    item: tuple[ItemLateFee, ...] = ()

    @property
    def policy(self) -> LateFeeByItem:
        return LateFeeByItem(**vars(self.late_fee), items=self.item)


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


def late_fee_problems(policy: LateFeePolicy, items: Sequence[ItemLateFee] = ()) -> tuple[Reason, ...]:
    """What is wrong with an edited late fee, for checking on saving (§9)."""
    rates = (policy.daily_rate, *(one.daily_rate for one in items))
    found = [Reason("rate_impossible")] if any(rate is not None and rate >= 1 for rate in rates) else []
    named = [one.fee_item for one in items]
    again = sorted({name for name in named if named.count(name) > 1})
    return (*found, *(Reason("fee_item_twice", {"fee_item": name}) for name in again))


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
    terms: LateFeePolicy | None = None
    item: str = ""  # whose own terms these are
    exact: Fraction = Fraction(0)  # before it is rounded, not above the cap
    parts: tuple[LateFee, ...] = field(default=(), compare=False)  # where items have terms of their own


def late_fee(
    policy: LateFeePolicy,
    principal: Decimal,
    due_on: date,
    reductions: Iterable[Reduction],
    on: date,
    item: str = "",
) -> LateFee:
    """The late fee of one invoice to the end of `on`: every charged day's principal × rate, half-up once.

    Charged are the days after the due day and the grace. An amount paid on a day is not charged for that
    day nor later; what has accrued stays when the principal is paid (contract "Allocation", C13). To know
    what a payment of today would leave, put it among the reductions.
    """
    first_on = _first_day(policy, due_on)
    if not policy.is_on or on < first_on:
        return LateFee(ZERO, (), is_capped=False, reason=Reason("no_late_fee", {"from": first_on}))
    least = policy.least_balance or ZERO
    segments = tuple(
        one for one in _segments(principal, list(reductions), first_on, on) if one.principal >= least
    )
    if policy.flat_amount is not None:
        exact = Fraction(policy.flat_amount) if segments else Fraction(0)
    else:
        exact = sum((Fraction(one.principal) * one.days for one in segments), Fraction(0)) * Fraction(
            policy.daily_rate
        )
    amount, is_capped = rounded(exact), False
    if policy.cap_rate is not None:
        exact_cap = Fraction(principal) * Fraction(policy.cap_rate)
        cap = rounded(exact_cap)
        exact, amount, is_capped = min(exact, exact_cap), min(amount, cap), amount > cap
    inputs = {
        "daily_rate": policy.daily_rate,
        "due_on": due_on,
        "grace_days": policy.grace_days,
        "days": " + ".join(f"{one.principal} × {one.days} ({one.from_on}…{one.to_on})" for one in segments),
        "is_capped": is_capped,
        "amount": amount,
    }
    if policy.flat_amount is not None:
        inputs = {"flat_amount": policy.flat_amount, **inputs}
        del inputs["daily_rate"]
    code = "late_fee" if policy.flat_amount is None else "late_fee_flat"
    return LateFee(amount, segments, is_capped, Reason(code, inputs), policy, item, exact)


def together(parts: Sequence[LateFee]) -> LateFee:
    """The late fee of an invoice whose items have terms of their own: the exact sum, rounded once (B22)."""
    charged = [one for one in parts if one.exact]
    if len(charged) <= 1:
        return replace((charged or list(parts))[0], parts=tuple(charged))
    amount = rounded(sum((one.exact for one in charged), Fraction(0)))
    said = " + ".join(f"{one.item} {one.amount}".strip() for one in charged)
    segments = tuple(segment for one in charged for segment in one.segments)
    reason = Reason("late_fee_of_items", {"parts": said, "amount": amount})
    return LateFee(amount, segments, any(one.is_capped for one in charged), reason, parts=tuple(charged))


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
