"""What a period charges a unit for: monthly items, meters, slips: lines, or the reason why not (B1–B5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from rules.billing import (
    MONTHLY,
    Basis,
    Coverage,
    Period,
    Quote,
    Share,
    Tariff,
    Timing,
    consumption,
    is_charged,
    monthly_quantity,
    quote,
    service_period,
    tariff,
)
from rules.money import MoneyError, split_by_days
from rules.reasons import Reason

_quote = lru_cache(65_536)(quote)  # each distinct combination is asked once


@dataclass(frozen=True)
class BillableItem:
    """A fee item with its tariffs by kind of unit; `position` is the place of its lines on a bill."""

    id: int
    code: str
    basis: Basis
    timing: Timing
    is_required: bool
    position: int
    tariffs: Mapping[str, tuple[Tariff, ...]]

    def tariff(self, kind: str, day: date) -> Tariff | None:
        """The tariff of a kind of unit on a day, if there is one."""
        return tariff(self.tariffs.get(kind, ()), day)

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


Rates = list[tuple[BillableItem, Tariff]]


def monthly_rates(
    items: Iterable[BillableItem], period: Period, kind: str, first_days: Mapping[Period, date]
) -> Rates | Reason:
    """The monthly items of a kind of unit with their tariffs, or the reason `no_tariff` (B2).

    The tariff is that of the first day billed: of `first_days` for a service month, else the month's first.
    """
    found: Rates = []
    for item in monthly(items):
        service = service_period(item.timing, period)
        rate = item.tariff(kind, first_days.get(service, service.first_on))
        if rate is not None:
            found.append((item, rate))
        elif item.applies(kind):
            return Reason("no_tariff", {"fee_item": item.code, "unit_kind": kind})
    return found or Reason("no_tariff", {"unit_kind": kind})


def month_price(
    item: BillableItem, rate: Tariff, area_m2: Decimal, residents: int | None, share: Share | None = None
) -> Quote | Reason | None:
    """A month of an item for a unit, or a payer's share of it: none where it charges nothing (B1, P5).

    The reason when it can't be reckoned, such as `no_residents`.
    """
    quantity = monthly_quantity(item.basis, area_m2, residents)
    if isinstance(quantity, Reason):
        return Reason(quantity.code, {"fee_item": item.code})
    return _quote(item.basis, quantity, rate.rate, share=share) if is_charged(item.basis, quantity) else None


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
    rates: Rates,
    period: Period,
    area_m2: Decimal,
    coverages: Mapping[Period, Coverage],
    paid_ahead: Collection[int],
) -> list[BillLine] | Reason:
    """The monthly lines of a unit whose payers share the month by days, or why there are none (P5).

    `coverages` says who pays for each service month; items whose id is in `paid_ahead` are left out (B6).
    """
    found = []
    for item, rate in rates:
        covered = coverages.get(service_period(item.timing, period))
        if covered is None or item.id in paid_ahead:
            continue
        for part in covered.payers:
            price = month_price(item, rate, area_m2, part.segment.residents, part.share)
            if isinstance(price, Reason):
                return price
            if price is not None and part.segment.payer is not None:
                found.append(BillLine(part.segment.payer, item, price))
    return found


@dataclass(frozen=True)
class MeterMonth:
    """What a meter showed at both ends of a service month; None where it was not read."""

    meter: str
    base: Decimal | None
    base_on: date | None
    value: Decimal | None
    read_on: date | None


def meter_lines(
    item: BillableItem, service: Period, kind: str, month: MeterMonth, payers: Sequence[tuple[int, int]]
) -> list[BillLine] | Reason:
    """What a meter counted in a service month, shared by the payers' days, or why there is no line (B1, P5).

    `payers` are pairs of payer and days.
    """
    named = {"meter": month.meter, "fee_item": item.code, "period": str(service)}
    if month.value is None or month.read_on is None or month.base is None or month.base_on is None:
        return Reason("no_reading", named)
    if month.base_on >= month.read_on:
        return Reason("no_reading", named)
    rate = item.tariff(kind, service.first_on)
    if rate is None:
        return Reason("no_tariff", named | {"unit_kind": kind})
    try:
        used = consumption(month.base, month.value)
    except MoneyError:
        return Reason("reading_runs_backwards", named)
    whole = _quote(item.basis, used, rate.rate, tiers=rate.tiers)
    read = {
        "meter": month.meter,
        "from": f"{month.base} ({month.base_on})",
        "to": f"{month.value} ({month.read_on})",
    }
    days = [own_days for _, own_days in payers]
    lines = []
    for (payer, own_days), amount in zip(payers, split_by_days(whole.amount, days, sum(days)), strict=True):
        shared = {"days": own_days, "of_days": sum(days), "amount": amount} if len(payers) > 1 else {}
        reason = Reason(whole.reason.code, {**read, **whole.reason.inputs, **shared})
        lines.append(BillLine(payer, item, replace(whole, amount=amount, reason=reason)))
    return lines


@dataclass(frozen=True)
class Slip:
    """A signed service slip: what was used when; `amount` in yuan where its price was agreed (B3)."""

    slip_no: str
    used_on: date
    quantity: Decimal
    amount: Decimal | None


def slip_line(item: BillableItem | None, kind: str, slip: Slip, payer: int) -> BillLine | Reason:
    """A slip at the price agreed on it, else at the tariff of the day of use, or why it waits (B3)."""
    if item is not None and slip.amount is not None:
        price = _quote(Basis.ONE_OFF, Decimal(1), slip.amount)
    elif item is not None and (rate := item.tariff(kind, slip.used_on)) is not None:
        price = _quote(item.basis, slip.quantity, rate.rate)
    else:
        return Reason("no_tariff", {"slip_no": slip.slip_no, "unit_kind": kind})
    inputs = {"slip_no": slip.slip_no, "used_on": slip.used_on, **price.reason.inputs}
    return BillLine(payer, item, replace(price, reason=Reason(price.reason.code, inputs)))
