"""What a period's bills should have asked for by what is known now, against what they asked for (B21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from rules import billing
from rules.billing import BillingPolicy, Period
from rules.money import ZERO
from rules.reasons import Reason


class Charged(NamedTuple):
    """Who is charged for what: ids of the unit, the payer and the fee item."""

    unit: int
    payer: int
    item: int


@dataclass(frozen=True)
class Difference:
    """What one payer of a unit was billed for an item in a period, and what it should be; yuan."""

    charged: Charged
    billed: Decimal
    should: Decimal

    @property
    def amount(self) -> Decimal:
        """What is asked for besides; below zero: what is given back."""
        return self.should - self.billed

    def reason(self, period: Period) -> Reason:
        """What the line or the credit note says."""
        return Reason("difference", {"period": str(period), "billed": self.billed, "should": self.should})


def differences(
    billed: Mapping[Charged, Decimal], should: Mapping[Charged, Decimal]
) -> tuple[Difference, ...]:
    """Where the two are not the same, in the order of their ids; what one of them lacks is 0.00 there."""
    found = (Difference(key, billed.get(key, ZERO), should.get(key, ZERO)) for key in {*billed, *should})
    return tuple(sorted((one for one in found if one.amount), key=lambda one: one.charged))


def due_on(policy: BillingPolicy, today: date) -> date:
    """The day a bill for differences is due: the next due day of the office, today included."""
    this = Period.of(today)
    days = (billing.due_on(policy, period) for period in (this, this.plus(1)))
    return next(day for day in days if day >= today)
