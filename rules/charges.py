"""What a period charges a unit for: monthly items, meters, slips: lines, or the reason why not (B1–B5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import zip_longest

from rules.billing import (
    MONTHLY,
    ONE,
    Basis,
    Coverage,
    PayerShare,
    Period,
    Quote,
    Share,
    Tariff,
    TierSpan,
    Timing,
    household_tiers,
    is_charged,
    monthly_quantity,
    quote,
    service_period,
)
from rules.cycles import PLAIN, Cycle, Months, due
from rules.liability import DAY, PayerRule, Segment
from rules.meters import MeterError, MeterMonth, Step, how_counted, parts_of_month, told, used
from rules.money import TO_FEN, ZERO, Rounding, split_by_days
from rules.rates import Exempt, ItemRate, Place, Rated, rated
from rules.reasons import Reason

_quote = lru_cache(65_536)(quote)  # each distinct combination is asked once


@dataclass(frozen=True)
class BillableItem:
    """A fee item with its tariffs by kind of unit; `position` is the place of its lines on a bill.

    `rates` are the rows for more than one unit; those of a unit alone are given with it (B14).
    """

    id: int
    code: str
    basis: Basis
    timing: Timing
    is_required: bool
    position: int
    tariffs: Mapping[str, tuple[Tariff, ...]]
    rates: tuple[ItemRate, ...] = ()
    cycle: Cycle = PLAIN
    rounding: Rounding = TO_FEN
    payer: PayerRule = PayerRule.DEFAULT
    bears_late_fee: bool = True

    def rated(self, place: Place, day: date, own: Sequence[ItemRate] = ()) -> Rated | Exempt | None:
        """What it costs a unit on a day, with the unit's own rows; None where nothing says it (B14)."""
        return rated((*own, *self.rates), self.tariffs.get(place.kind, ()), place, day)

    def applies(self, kind: str) -> bool:
        """Whether this kind of unit owes it: always when required, else when it ever had a tariff."""
        return self.is_required or kind in self.tariffs


@dataclass(frozen=True)
class BillLine:
    """A line of a bill: who pays it, for which item, its price and how that came about."""

    payer: int
    item: BillableItem
    price: Quote


def by_service(items: Iterable[BillableItem], period: Period) -> dict[Period, list[BillableItem]]:
    """The items by the month whose service the period's bill charges (B1)."""
    found: dict[Period, list[BillableItem]] = {}
    for item in items:
        found.setdefault(service_period(item.timing, period), []).append(item)
    return found


def monthly(items: Iterable[BillableItem]) -> list[BillableItem]:
    """The items that are owed for time."""
    return [item for item in items if item.basis in MONTHLY]


@dataclass(frozen=True)
class MonthlyRate:
    """What a month of an item costs a unit, and the months that are charged together (B14, B15)."""

    months: Months
    rated: Rated


Rates = list[tuple[BillableItem, MonthlyRate]]
OwnRates = Mapping[int, Sequence[ItemRate]]  # the rows of one unit alone, by item


def monthly_rates(
    items: Iterable[BillableItem],
    period: Period,
    place: Place,
    first_days: Mapping[Months, date],
    *,
    anchor_on: date | None = None,
    own: OwnRates | None = None,
    charged: Mapping[int, Sequence[Months]] | None = None,
) -> Rates | Reason:
    """The monthly items that a period charges a unit, with their rates (B2, B14, B15).

    The rate is that of the first day billed: of `first_days`, else of the months' first. `charged` says of
    some items which months, else those that are due. Reason `no_tariff` or `no_anchor`; `no_tariff` without
    an item when no item at all is for such units. An exempt item, or one that is not due, is nothing to say.
    """
    found: Rates = []
    is_any = False
    for item in monthly(items):
        rows = own.get(item.id, ()) if own else ()
        months = due(item.cycle, item.timing, period, anchor_on)
        if isinstance(months, Reason):
            if isinstance(item.rated(place, period.first_on, rows), Rated):
                return Reason(months.code, {"fee_item": item.code})
            continue
        wanted = months if charged is None else charged.get(item.id, months)
        if not wanted:
            is_any |= item.applies(place.kind) or item.rated(place, period.first_on, rows) is not None
        for one in wanted:
            rate = item.rated(place, first_days.get(one, one.first_on), rows)
            if isinstance(rate, Rated):
                found.append((item, MonthlyRate(one, rate)))
            elif isinstance(rate, Exempt):
                is_any = True
            elif item.applies(place.kind):
                return Reason("no_tariff", {"fee_item": item.code, "unit_kind": place.kind})
    return found if found or is_any else Reason("no_tariff", {"unit_kind": place.kind})


def month_price(
    item: BillableItem,
    rate: MonthlyRate,
    area_m2: Decimal,
    residents: int | None,
    share: Share | None = None,
    days: tuple[date, date] | None = None,
) -> Quote | Reason | None:
    """The months of an item for a unit, or a payer's share of them: none where it charges nothing (B1, P5).

    `days` are the first and last of the share's. The reason when it can't be reckoned, such as
    `no_residents`.
    """
    basis, quantity = item.basis, monthly_quantity(item.basis, area_m2, residents)
    if rate.rated.is_amount:
        basis, quantity = Basis.FIXED, ONE
    if isinstance(quantity, Reason):
        return Reason(quantity.code, {"fee_item": item.code})
    if not is_charged(basis, quantity):
        return None
    price = _quote(
        basis,
        quantity,
        rate.rated.rate,
        share=share,
        months=rate.months.months,
        factor=rate.rated.factor,
        rounding=item.rounding,
        row=rate.rated.row,
    )
    from_on, to_on = days or (rate.months.first_on, rate.months.last_on)
    return replace(price, from_on=from_on, to_on=to_on)


def month_prices(
    rates: Rates, area_m2: Decimal, residents: int | None
) -> list[tuple[BillableItem, Quote]] | Reason:
    """The monthly lines of a unit that one payer holds for the whole time, or why there are none."""
    found = []
    for item, rate in rates:
        price = month_price(item, rate, area_m2, residents)
        if isinstance(price, Reason):
            return price
        if price is not None:
            found.append((item, price))
    return found


def shared_month(
    rates: Rates, area_m2: Decimal, coverages: Mapping[Months, Coverage], paid_ahead: Collection[int]
) -> list[BillLine] | Reason:
    """The monthly lines of a unit whose payers share the months by days, or why there are none (P5).

    `coverages` says who pays for the months; items whose id is in `paid_ahead` are left out (B6).
    """
    found = []
    for item, rate in rates:
        covered = coverages.get(rate.months)
        if covered is None or item.id in paid_ahead:
            continue
        for part in covered.payers:
            days = (part.segment.from_on, part.segment.to_on)
            price = month_price(item, rate, area_m2, part.segment.residents, part.share, days)
            if isinstance(price, Reason):
                return price
            if price is not None and part.segment.payer is not None:
                found.append(BillLine(part.segment.payer, item, price))
    return found


@dataclass(frozen=True)
class MeterRead:
    """A meter, what it counted in a service month, and in the months of the year before it (B18).

    `month` is None where it was not read.
    """

    meter: str
    month: MeterMonth | None
    counted_before: Decimal = Decimal(0)


def has_yearly_tiers(item: BillableItem) -> bool:
    """Whether any of its tariffs has tiers that go on over the year."""
    return any(
        one.tiers and one.tier_span == TierSpan.YEAR for tariffs in item.tariffs.values() for one in tariffs
    )


def whole_month(payer: int, service: Period, residents: int | None = None) -> tuple[PayerShare, ...]:
    """One payer for all days of a month."""
    segment = Segment(payer, service.first_on, service.last_on, residents)
    return (PayerShare(segment, Share((service.days,), 0, service.days)),)


def moves(service: Period, payers: Sequence[PayerShare]) -> set[date]:
    """The days within a month on which another pays than the day before, or nobody does any more."""
    days = {part.segment.from_on for part in payers} | {part.segment.to_on + DAY for part in payers}
    return {day for day in days if service.first_on < day <= service.last_on}


def meter_lines(
    item: BillableItem,
    service: Period,
    place: Place,
    read: MeterRead,
    payers: Sequence[PayerShare],
    own: Sequence[ItemRate] = (),
) -> list[BillLine] | Reason:
    """What a meter counted in a service month, by payer, or why there is no line (B1, B18, P5).

    Who comes or goes within the month is charged by the reading of that day; where there is none, the
    payers share what was counted by their days. `own` are the unit's own rows.
    """
    named = {"meter": read.meter, "fee_item": item.code, "period": str(service)}
    rate = item.rated(place, service.first_on, own)
    if isinstance(rate, Exempt):
        return []
    if read.month is None:
        return Reason("no_reading", named)
    if rate is None:
        return Reason("no_tariff", named | {"unit_kind": place.kind})
    lines: list[BillLine] = []
    before = read.counted_before if rate.tier_span == TierSpan.YEAR else Decimal(0)
    parts = parts_of_month(read.month, moves(service, payers))
    try:
        for (first_on, steps), until in zip_longest(parts, [day for day, _ in parts[1:]]):
            counted = used(steps)
            paying = [one for one in payers if first_on <= one.segment.from_on < (until or date.max)]
            if paying:
                lines += _part_lines(item, service, read.meter, steps, before, paying, rate)
            before += counted
    except MeterError as wrong:
        return Reason(wrong.code, named | {"to": told(wrong.reading)})
    return lines


def _part_lines(
    item: BillableItem,
    service: Period,
    meter: str,
    steps: Sequence[Step],
    before: Decimal,
    payers: Sequence[PayerShare],
    rate: Rated,
) -> list[BillLine]:
    """A line for each payer of what some steps counted, split by their days."""
    tiers = household_tiers(rate.tiers, payers[0].segment.residents, rate.tier_people)
    whole = _priced(item, used(steps), replace(rate, tiers=tiers), before)
    read = {"meter": meter, **how_counted(steps)}
    days = [part.share.own_days for part in payers]
    amounts = split_by_days(whole.amount, days, sum(days), item.rounding)
    lines = []
    for part, amount in zip(payers, amounts, strict=True):
        if part.segment.payer is None:
            continue
        shared = {"days": part.share.own_days, "of_days": sum(days), "amount": amount}
        reason = Reason(
            whole.reason.code, {**read, **whole.reason.inputs, **(shared if len(payers) > 1 else {})}
        )
        price = replace(whole, amount=amount, reason=reason, from_on=service.first_on, to_on=service.last_on)
        lines.append(BillLine(part.segment.payer, item, price))
    return lines


def _priced(
    item: BillableItem, quantity: Decimal, rate: Rated, counted_before: Decimal = Decimal(0)
) -> Quote:
    """A quantity of an item that is not charged by the month, at its rate, or its own amount."""
    if rate.is_amount:
        return _quote(Basis.FIXED, ONE, rate.rate, factor=rate.factor, rounding=item.rounding, row=rate.row)
    return _quote(
        item.basis,
        quantity,
        rate.rate,
        tiers=rate.tiers,
        counted_before=counted_before if rate.tiers else Decimal(0),
        factor=rate.factor,
        rounding=item.rounding,
        row=rate.row,
    )


@dataclass(frozen=True)
class Slip:
    """A signed service slip: what was used when; `amount` in yuan where its price was agreed (B3)."""

    slip_no: str
    used_on: date
    quantity: Decimal
    amount: Decimal | None


def slip_line(
    item: BillableItem | None, place: Place, slip: Slip, payer: int, own: Sequence[ItemRate] = ()
) -> BillLine | Reason:
    """A slip at the price agreed on it, else at the rate of the day of use, or why it waits (B3)."""
    rate = None if item is None else item.rated(place, slip.used_on, own)
    if item is not None and slip.amount is not None:
        price = _quote(Basis.ONE_OFF, ONE, slip.amount)
    elif item is not None and isinstance(rate, Rated):
        price = _priced(item, slip.quantity, replace(rate, tiers=()))
    elif item is not None and isinstance(rate, Exempt):
        price = _quote(Basis.ONE_OFF, ONE, ZERO, row=rate.row)
    else:
        return Reason("no_tariff", {"slip_no": slip.slip_no, "unit_kind": place.kind})
    inputs = {"slip_no": slip.slip_no, "used_on": slip.used_on, **price.reason.inputs}
    reason = Reason(price.reason.code, inputs)
    return BillLine(payer, item, replace(price, reason=reason, from_on=slip.used_on, to_on=slip.used_on))
