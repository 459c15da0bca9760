"""Which meters' usage of a month is looked at before it is billed (B18)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

from rules.billing import OddUsage
from rules.reasons import Reason

_PLACES = Decimal("0.01")  # to which a mean is told
_WIDE = Context(prec=60)


def odd_usage(policy: OddUsage, used: Decimal | None, last: Sequence[Decimal]) -> Reason | None:
    """Why a month's usage is odd: missing, zero, high or low; None when it is as usual.

    `used` is None where the meter was not read. `last` are the months before, the newest first; a meter
    without any is odd only where it was not read or counted nothing.
    Example: of 10 and 12 the mean is 11, so that 16.5 is as usual and 16.6 is high.
    """
    if used is None:
        return Reason("no_reading")
    known = last[: policy.usage_months]
    total, count = sum(known, Decimal(0)), len(known)
    said: dict[str, object] = {"used": used}
    if count:
        said["mean"] = _WIDE.divide(total, count).quantize(_PLACES, ROUND_HALF_UP)
    if not used:
        return Reason("usage_zero", said)
    if not count:
        return None
    if used * 100 * count > total * policy.above_percent:
        return Reason("usage_high", said)
    return Reason("usage_low", said) if used * 100 * count < total * policy.below_percent else None
