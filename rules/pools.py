"""Costs that several units share (公摊): what a pool comes to, who shares it, and each unit's share (B16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum

from rules.billing import ONE, Basis, Coverage, Period, Quote, raw_amount
from rules.money import EXACT, ZERO, MoneyError, rounded, shared_out, split_by_days
from rules.reasons import Reason

_PRICE = Decimal("0.000001")  # to which a unit price is told
_WIDE = Context(prec=60)


class PoolScope(StrEnum):
    """Over which units a pool is shared."""

    ESTATE = "estate"
    AREA = "area"
    BUILDING = "building"
    UNITS = "units"


class PoolKey(StrEnum):
    """By what it is shared."""

    AREA = "area"
    HOUSEHOLD = "household"
    CONSUMPTION = "consumption"  # of the unit's own meter
    COEFFICIENT = "coefficient"  # the factor of the item's own rates; 0 where a unit does not share


class Bears(StrEnum):
    """Whether units of a sort share."""

    SHARE = "share"
    NONE = "none"


@dataclass(frozen=True)
class MainReading:
    """A main meter's readings at both ends, its factor, what sub-meters counted, and the price in yuan."""

    start: Decimal
    end: Decimal
    price: Decimal
    factor: Decimal = ONE
    sub_meters: Decimal = ZERO

    @property
    def quantity(self) -> Decimal:
        """What is shared of it: (end − start) × factor − sub-meters."""
        return EXACT.subtract(EXACT.multiply(self.end - self.start, self.factor), self.sub_meters)


def metered_amount(reading: MainReading) -> Decimal:
    """What a main meter's part of nobody's own costs, in yuan, half-up to the fen (B16).

    Raises MoneyError with code `negative` where the meter ran backwards or the sub-meters counted more.
    """
    if reading.end < reading.start or reading.quantity < 0:
        raise MoneyError("negative", reading.quantity)
    return rounded(EXACT.multiply(reading.quantity, reading.price))


@dataclass(frozen=True)
class Sharer:
    """A unit that must share, and how much of the key it has; None where nobody knows."""

    unit_id: int
    unit_code: str
    key: Decimal | None


@dataclass(frozen=True)
class Share:
    """What a unit bears of a pool, in yuan; `key` 0 is a unit that should share and can't."""

    unit_id: int
    unit_code: str
    key: Decimal
    amount: Decimal


def denominator(sharers: Sequence[Sharer | Share]) -> Decimal:
    """The sum of all keys."""
    return sum((one.key or ZERO for one in sharers), ZERO)


def shares(amount: Decimal, sharers: Sequence[Sharer]) -> tuple[Share, ...]:
    """Each unit's share of an amount in yuan, by unit code; together they are the amount, to the fen (B16).

    Each share is rounded down; the fen left go to the largest remainders, of equal ones to the first by unit
    code. A unit without a key, or with one of 0, gets a share of 0. Raises ValueError where none has any.
    Example: 1,000.00 over 89.50, 120.30 and 66.66 m² is 323.74, 435.14 and 241.12.
    """
    ordered = sorted(sharers, key=lambda one: one.unit_code)
    keys = [max(one.key or ZERO, ZERO) for one in ordered]
    parts = shared_out(amount, keys)
    return tuple(
        Share(one.unit_id, one.unit_code, key, part)
        for one, key, part in zip(ordered, keys, parts, strict=True)
    )


def unit_price(amount: Decimal, keys: Decimal) -> Decimal:
    """Yuan for each unit of the key, as a notice tells it; half-up to 6 places, 0 without keys."""
    if not keys:
        return ZERO
    return _WIDE.divide(amount, keys).quantize(_PRICE, ROUND_HALF_UP, _WIDE)


@dataclass(frozen=True)
class SharedPool:
    """A pool as its lines tell it: its month, what is shared in yuan, by which key, the sum of the keys."""

    period: Period
    amount: Decimal
    key: PoolKey
    denominator: Decimal


def share_price(pool: SharedPool, key: Decimal, amount: Decimal) -> Quote:
    """A share as a line of a bill: the key × the unit price, with how it came about."""
    price = unit_price(pool.amount, pool.denominator)
    inputs = {
        "period": str(pool.period),
        "pool": pool.amount,
        "key": str(pool.key),
        "quantity": key,
        "of": pool.denominator,
        "rate": price,
        "amount": amount,
    }
    return Quote(
        key,
        price,
        amount,
        Reason(str(Basis.SHARED), inputs),
        raw=raw_amount(_WIDE.divide(_WIDE.multiply(pool.amount, key), pool.denominator)),
        from_on=pool.period.first_on,
        to_on=pool.period.last_on,
    )


def payers_parts(price: Quote, covered: Coverage) -> list[tuple[int, Quote]]:
    """A share split over the payers of the month by their days (P5): pairs of payer and price."""
    parts = [part for part in covered.payers if part.segment.payer is not None]
    days = [part.share.own_days for part in parts]
    if not parts:
        return []
    found = []
    for part, amount in zip(parts, split_by_days(price.amount, days, sum(days)), strict=True):
        inputs = dict(price.reason.inputs)
        if len(parts) > 1:
            inputs |= {"days": part.share.own_days, "of_days": sum(days), "amount": amount}
        first_on: date = part.segment.from_on
        assert part.segment.payer is not None
        own = Quote(
            price.quantity,
            price.rate,
            amount,
            Reason(price.reason.code, inputs),
            raw=price.raw,
            from_on=first_on,
            to_on=part.segment.to_on,
        )
        found.append((part.segment.payer, own if len(parts) > 1 else price))
    return found
