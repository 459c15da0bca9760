"""What a period's bill is: whose days, which days, which rate, how much, and why (B1–B6)."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Protocol, Self

from rules.codes import UnitKind
from rules.liability import Occupancy, Segment, liable
from rules.money import EXACT, TO_FEN, ZERO, MoneyError, Rounding, rounded, split_by_days
from rules.policy_values import Amount, Checked, DayOfMonth, FeeItemCode, NotNegative, Positive
from rules.reasons import Reason

ONE = Decimal(1)
_WIDE = Context(prec=200)
_RAW = Decimal("0.00000001")  # to which an amount is kept before it is rounded


class Basis(StrEnum):
    """What a fee item's quantity counts (B1)."""

    PER_M2 = "per_m2"
    PER_PERSON = "per_person"
    FIXED = "fixed"
    METERED = "metered"
    PER_HOUR = "per_hour"
    PER_JOB = "per_job"
    ONE_OFF = "one_off"
    DEPOSIT = "deposit"
    SHARED = "shared"  # a unit's share of a pool (B16)


# owed for time, so a part of a month owes a part
MONTHLY = frozenset({Basis.PER_M2, Basis.PER_PERSON, Basis.FIXED})

# deposits, and what is only passed on by a meter (B22)
WITHOUT_LATE_FEE = frozenset({Basis.DEPOSIT, Basis.METERED})


def bears_late_fee(basis: Basis) -> bool:
    """Whether a new item bears a late fee where nobody says it: deposits and utilities none (B22)."""
    return basis not in WITHOUT_LATE_FEE


def monthly_quantity(basis: Basis, area_m2: Decimal, residents: int | None) -> Decimal | Reason:
    """How much a month of an item charges: m², people or one month; the reason when it isn't known (B1).

    `residents` are the people of the occupancy that is charged, on the first day it is charged for. Raises
    ValueError for an item that is not charged by the month.
    """
    match basis:
        case Basis.PER_M2:
            return area_m2
        case Basis.PER_PERSON:
            return Reason("no_residents") if residents is None else Decimal(residents)
        case Basis.FIXED:
            return Decimal(1)
        case Basis.METERED | Basis.PER_HOUR | Basis.PER_JOB | Basis.ONE_OFF | Basis.DEPOSIT | Basis.SHARED:
            raise ValueError(f"{basis} is not charged by the month")


def is_charged(basis: Basis, quantity: Decimal) -> bool:
    """Whether a bill shows a month of that quantity: where nobody lives, nothing is charged per person."""
    return basis != Basis.PER_PERSON or quantity > 0


class Timing(StrEnum):
    """Whether a bill is for its own month or for the one before (B1)."""

    ADVANCE = "advance"
    ARREARS = "arrears"


_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, order=True)
class Period:
    """One calendar month, written `YYYY-MM`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The period a text says. Raises ValueError when it says none."""
        found = _PERIOD.fullmatch(text.strip())
        if not found or found[1] == "0000":
            raise ValueError(f"{text!r} is no period; write it as YYYY-MM")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def days(self) -> int:
        return calendar.monthrange(self.year, self.month)[1]

    @property
    def months(self) -> int:
        return 1

    @property
    def first_on(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_on(self) -> date:
        return date(self.year, self.month, self.days)

    def plus(self, months: int) -> Period:
        """The period so many months later (earlier when negative)."""
        count = self.year * 12 + self.month - 1 + months
        return Period(count // 12, count % 12 + 1)

    def day(self, number: int) -> date:
        """That day of the month; the last one where the month is shorter."""
        return date(self.year, self.month, min(number, self.days))


class Days(Protocol):
    """A period, or months that are charged together: first and last day, how many, and of how many months."""

    @property
    def first_on(self) -> date: ...
    @property
    def last_on(self) -> date: ...
    @property
    def days(self) -> int: ...
    @property
    def months(self) -> int: ...


@dataclass(frozen=True)
class BillingPolicy(Checked):
    """The billing row of a preset: days of month, splitting, what is unusual (B3, B4, P5)."""

    issue_day: DayOfMonth
    due_day: DayOfMonth
    cut_off_day: DayOfMonth
    is_split_by_payer: bool
    is_split_by_hand_over: bool
    unusual_percent: Amount
    unusual_least: Amount


@dataclass(frozen=True)
class AgeingColumns(Checked):
    """The upper ends in days of the ageing columns; one open column follows (K2)."""

    bounds: tuple[Positive, ...]


@dataclass(frozen=True)
class ChannelEffect(Checked):
    """Up to how many days after a message a payment counts as its effect (K2)."""

    days: NotNegative


@dataclass(frozen=True)
class HouseholdKinds(Checked):
    """The kinds of units that reports count as households; the others count by amount only (K1)."""

    unit_kinds: tuple[UnitKind, ...] = ("residence",)


@dataclass(frozen=True)
class ContractEnds(Checked):
    """A contract or parking card is on a list of what ends so many days before its last day (B24, B25)."""

    first_days: Positive = 90
    second_days: Positive = 60
    third_days: Positive = 30


@dataclass(frozen=True)
class OddUsage(Checked):
    """A usage is odd over so many percent of the mean of the last months, or under so many (B18)."""

    above_percent: Positive = 150
    below_percent: NotNegative = 50
    usage_months: Positive = 2


@dataclass(frozen=True)
class VacancyChecks(Checked):
    """Somebody looks every so many months whether an empty unit is still empty (B17)."""

    check_months: Positive = 3


@dataclass(frozen=True)
class BillingDocument:
    """The policy document billing.toml."""

    billing: BillingPolicy
    ageing: AgeingColumns
    effect: ChannelEffect
    households: HouseholdKinds = HouseholdKinds()
    contract_ends: ContractEnds = ContractEnds()
    odd_usage: OddUsage = OddUsage()
    vacancies: VacancyChecks = VacancyChecks()
    move_in: tuple[MoveInRow, ...] = ()


def billing_problems(policy: BillingPolicy) -> tuple[Reason, ...]:
    """What is wrong with an edited billing row, for checking on saving (§9)."""
    return (Reason("due_before_issue"),) if policy.due_day < policy.issue_day else ()


def issued_on(policy: BillingPolicy, period: Period) -> date:
    """The day a period's bills go out when nobody says another (B4)."""
    return period.day(policy.issue_day)


def due_on(policy: BillingPolicy, period: Period) -> date:
    """The day a period's bills are due, also when they went out late (contract "Presets and codes")."""
    return period.day(policy.due_day)


def service_period(timing: Timing, period: Period) -> Period:
    """The month whose service a bill charges: its own in advance, the one before in arrears (B1)."""
    return period if timing == Timing.ADVANCE else period.plus(-1)


def slip_cut_off_on(policy: BillingPolicy, period: Period) -> date:
    """The last day of use whose slips the period's bill takes: the cut-off day of the month before (B3)."""
    return period.plus(-1).day(policy.cut_off_day)


@dataclass(frozen=True)
class Tier:
    """A metered price up to and including a quantity; `up_to` None on the last tier (B1).

    `per_person` is how much higher `up_to` is for each person above those that the tariff counts with (B18).
    """

    rate: Decimal
    up_to: Decimal | None = None
    per_person: Decimal = Decimal(0)


def stored_tiers(text: str) -> tuple[Tier, ...]:
    """The tiers that a tariff stores as JSON `[[up to, rate], …]`; none when it is empty (B1).

    A third value is what each further person adds to the bound (B18). Raises ValueError, TypeError or
    ArithmeticError for a text that is none.
    """
    rows = json.loads(text) if text else ()
    return tuple(
        Tier(
            Decimal(str(rate)),
            None if up_to in {None, ""} else Decimal(str(up_to)),
            *(Decimal(str(more)) for more in per_person),
        )
        for up_to, rate, *per_person in rows
    )


class TierSpan(StrEnum):
    """Over which time the tiers of a metered price count (B18)."""

    MONTH = "month"
    YEAR = "year"


def household_tiers(
    tiers: tuple[Tier, ...], people: int | None, counted_with: int | None
) -> tuple[Tier, ...]:
    """The tiers of a household: each bound higher by its `per_person` for every person too many (B18).

    `counted_with` is how many people the bounds are for; nothing changes without it, or where nobody has
    said how many live there.
    """
    if people is None or counted_with is None or people <= counted_with:
        return tiers
    more = people - counted_with
    return tuple(
        one if one.up_to is None else Tier(one.rate, EXACT.add(one.up_to, one.per_person * more))
        for one in tiers
    )


@dataclass(frozen=True)
class Tariff:
    """A rate, or tiers, with the days on which it is valid, both included (B2)."""

    rate: Decimal
    valid_from: date
    valid_to: date | None = None
    tiers: tuple[Tier, ...] = ()
    tier_span: TierSpan = TierSpan.MONTH
    tier_people: int | None = None  # for how many people the tiers are (B18)
    id: int | None = None  # of the stored row

    def is_valid(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def tariff(tariffs: Iterable[Tariff], day: date) -> Tariff | None:
    """The tariff of the first day billed; the youngest when two are valid, None without one (B2)."""
    return max((one for one in tariffs if one.is_valid(day)), key=lambda one: one.valid_from, default=None)


@dataclass(frozen=True)
class Share:
    """A payer's part of a month of `of` days: the days of every payer in order, and whose this is."""

    days: tuple[int, ...]
    index: int
    of: int

    @property
    def own_days(self) -> int:
        return self.days[self.index]

    @property
    def is_whole(self) -> bool:
        return self.own_days == self.of


@dataclass(frozen=True)
class Quote:
    """One line's price: quantity × rate × months × factor = amount in yuan, and how it came about (B5).

    `raw` is what was rounded, exact to 8 places (B19).
    """

    quantity: Decimal
    rate: Decimal
    amount: Decimal
    reason: Reason
    months: int = 1
    factor: Decimal = ONE
    raw: Decimal | None = None
    from_on: date | None = None  # the days that it charges for, both included
    to_on: date | None = None


def quote(
    basis: Basis,
    quantity: Decimal,
    rate: Decimal,
    *,
    tiers: tuple[Tier, ...] = (),
    counted_before: Decimal = Decimal(0),
    share: Share | None = None,
    months: int = 1,
    factor: Decimal = ONE,
    rounding: Rounding = TO_FEN,
    row: str = "",
) -> Quote:
    """The line for a quantity (m², people, months, meter units, hours, jobs, pieces) at a rate in yuan.

    Every argument is hashable and the answer depends on nothing else, so each distinct combination needs
    asking once (B1). Quantity × rate × months × factor, each exact, rounded once as the item says (B19); a
    `share` then takes the payer's days of it (P5). `row` names what says the rate (B14). Tiers go on from
    what was `counted_before` in their year or month (B18).
    Raises MoneyError with code `negative` or `not_finite`, ValueError with the code of tier_problem.
    """
    for number in (quantity, rate, factor, counted_before):
        if not number.is_finite():
            raise MoneyError("not_finite", number)
        if number < 0:
            raise MoneyError("negative", number)
    inputs: dict[str, object] = {"quantity": quantity, "rate": rate}
    if tiers:
        exact, steps = _tiered(quantity, tiers, counted_before)
        inputs = {"quantity": quantity, "tiers": steps}
        if counted_before:
            inputs["counted_before"] = counted_before
    else:
        exact = EXACT.multiply(quantity, rate)
    if months != 1:
        exact = EXACT.multiply(exact, months)
        inputs["months"] = months
    if factor != ONE:
        exact = EXACT.multiply(exact, factor)
        inputs["factor"] = factor
    if row:
        inputs["row"] = row
    amount = rounding.of(exact)
    raw: Decimal | Fraction = exact
    if share is not None and basis in MONTHLY and not share.is_whole:
        inputs |= {"month": amount, "days": share.own_days, "of_days": share.of}
        amount = split_by_days(amount, share.days, share.of, rounding)[share.index]
        raw = Fraction(exact) * share.own_days / share.of
    reason = Reason(str(basis), inputs | {"amount": amount})
    return Quote(quantity, rate, amount, reason, months, factor, raw_amount(raw))


def raw_amount(exact: Decimal | Fraction) -> Decimal:
    """An amount as it is kept before rounding: exact, or half-up to 8 places (B19)."""
    if isinstance(exact, Fraction):
        scaled = exact * 10**8
        return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-8)
    return exact if exact.as_tuple().exponent >= -8 else exact.quantize(_RAW, ROUND_HALF_UP, _WIDE)  # type: ignore[operator]


def _tiered(quantity: Decimal, tiers: Sequence[Tier], before: Decimal) -> tuple[Decimal, str]:
    if problem := tier_problem(tiers):
        raise ValueError(problem.code)
    total, start, steps = Decimal(0), before, []
    end = EXACT.add(before, quantity)
    for tier in tiers:
        part = (end if tier.up_to is None else min(end, tier.up_to)) - start
        if part <= 0:
            continue
        total = EXACT.add(total, EXACT.multiply(part, tier.rate))
        steps.append(f"{part}×{tier.rate}")
        start += part
    return total, "+".join(steps) or "0"


def tier_problem(tiers: Sequence[Tier]) -> Reason | None:
    """What is wrong with a metered tariff's tiers: not ascending, or not open at the end."""
    bounds = [tier.up_to for tier in tiers[:-1]]
    if any(bound is None for bound in bounds) or (tiers and tiers[-1].up_to is not None):
        return Reason("tiers_not_open_ended")
    known = [Decimal(0), *(bound for bound in bounds if bound is not None)]
    if any(later <= earlier for earlier, later in pairwise(known)):
        return Reason("tiers_not_ascending")
    return None


@dataclass(frozen=True)
class PayerShare:
    """A payer of a unit in a service period and the part of it that is theirs."""

    segment: Segment
    share: Share


@dataclass(frozen=True)
class Coverage:
    """Who is billed for a unit in a service period; `reason` when nobody is, `is_part` if it belongs."""

    payers: tuple[PayerShare, ...]
    is_part: bool
    reason: Reason | None = None


def coverage(
    policy: BillingPolicy, period: Days, handed_over_on: date | None, occupancies: Sequence[Occupancy]
) -> Coverage:
    """Whom a unit's monthly items are billed to in a service period, and for how many days (B4, P2, P5).

    A service period is a month, or the months of a cycle, which are split by their days alike (B15).
    Handed over after the period: no part of it. From a hand-over within the month on its days are charged
    when the policy splits there, else the whole month. Between payers the month is split when the policy
    splits, else the payer on day 1 (or on the hand-over day) pays; vacant days are nobody's.
    """
    if handed_over_on is not None and handed_over_on > period.last_on:
        return Coverage((), is_part=False)
    first_on = max(period.first_on, handed_over_on or period.first_on)
    parts = liable(occupancies, first_on, period.last_on, is_split=policy.is_split_by_payer)
    if not parts:
        return Coverage((), is_part=True, reason=Reason("no_payer", {"period": str(period)}))
    days = [part.days for part in parts]
    if not policy.is_split_by_hand_over and parts[0].from_on == first_on:
        days[0] += (first_on - period.first_on).days
    return Coverage(
        tuple(PayerShare(part, Share(tuple(days), index, period.days)) for index, part in enumerate(parts)),
        is_part=True,
    )


def unusual(policy: BillingPolicy, amount: Decimal, last_amount: Decimal | None) -> Reason | None:
    """Why a bill stands out against the month before in the preview, None when it doesn't (B4).

    A change counts from `unusual_percent` of the last amount and `unusual_least` yuan on; a first
    bill is normal.
    """
    if last_amount is None:
        return None
    change = abs(amount - last_amount)
    if change < policy.unusual_least or change * 100 < policy.unusual_percent * last_amount:
        return None
    return Reason("unusual", {"amount": amount, "last": last_amount})


def previous_balance(open_balances: Iterable[Decimal]) -> Decimal:
    """What the payer still owes for the unit from before, as printed on the notice (B5)."""
    return sum(open_balances, ZERO)


@dataclass(frozen=True)
class MoveInItem(Checked):
    """A row of a unit kind's move-in template: months of a fee item, an amount, or yuan for each m² (B6)."""

    fee_item: FeeItemCode
    months: NotNegative = 0
    amount: Amount = ZERO
    per_m2: Amount = ZERO


@dataclass(frozen=True, kw_only=True)
class MoveInRow(MoveInItem):
    """A row of the move-in template and the kind of unit that it is for (B6)."""

    unit_kind: UnitKind


def move_in_problems(rows: Iterable[MoveInRow]) -> tuple[Reason, ...]:
    """What is wrong with an edited move-in template, for checking on saving (§9)."""
    return tuple(
        Reason("move_in_row_unclear", {"fee_item": row.fee_item, "unit_kind": row.unit_kind})
        for row in rows
        if sum(value > 0 for value in (row.months, row.amount, row.per_m2)) != 1
    )


def move_in_line(item: MoveInItem, month_amount: Decimal, area_m2: Decimal = ZERO) -> Quote:
    """A move-in bill's line: months × the item's month at its tariff, area × rate, or the amount (B6)."""
    if not item.months and item.per_m2:
        once = quote(Basis.PER_M2, area_m2, item.per_m2)
        return Quote(once.quantity, once.rate, once.amount, Reason("per_m2_once", once.reason.inputs))
    if not item.months:
        return quote(Basis.ONE_OFF, Decimal(1), item.amount)
    amount = rounded(month_amount * item.months)
    reason = Reason("months_ahead", {"month": month_amount, "months": item.months, "amount": amount})
    return Quote(Decimal(item.months), month_amount, amount, reason)
