"""Whether a promise or an instalment plan is kept (C6, B9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rules.money import ZERO
from rules.reasons import Reason


def promise_state(promised_on: date, amount: Decimal, paid: Decimal, today: date) -> str:
    """`open`, `kept` or `broken`: kept when `amount` was paid from the promise to the end of its day (C6).

    `paid` is what came in yuan between the promise and the end of `promised_on`.
    """
    if paid >= amount:
        return "kept"
    return "broken" if today > promised_on else "open"


@dataclass(frozen=True)
class Instalment:
    """A part of a plan in yuan and the day by which it is to be paid."""

    due_on: date
    amount: Decimal


def plan_state(instalments: Sequence[Instalment], payments: Sequence[Instalment], today: date) -> Reason:
    """`plan_kept`, `plan_done` or `plan_broken` with the missed day (B9).

    `payments` are the sums that came in since the plan, by their day; an instalment is missed when all paid
    by the end of its day is less than all due by then.
    """
    paid = sum((one.amount for one in payments if one.due_on <= today), ZERO)
    if paid >= sum((one.amount for one in instalments), ZERO):
        return Reason("plan_done")
    wanted = ZERO
    for part in sorted(instalments, key=lambda one: one.due_on):
        if part.due_on >= today:
            break
        wanted += part.amount
        came = sum((one.amount for one in payments if one.due_on <= part.due_on), ZERO)
        if came < wanted:
            return Reason(
                "plan_broken", {"due_on": part.due_on, "amount": part.amount, "missing": wanted - came}
            )
    return Reason("plan_kept")
