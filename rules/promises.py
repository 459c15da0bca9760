"""Promises and instalment plans: what can be agreed, and whether it is kept (C6, B9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal

from rules.calendar_months import months_later
from rules.money import ZERO
from rules.reasons import Reason


def promise_state(promised_on: date, amount: Decimal, paid: Decimal, today: date) -> str:
    """`open`, `kept` or `broken`: kept when `amount` was paid from the promise to the end of its day (C6).

    `paid` is what came in yuan between the promise and the end of `promised_on`.
    """
    if paid >= amount:
        return "kept"
    return "broken" if today > promised_on else "open"


def promise_problem(promised_on: date, made_on: date, entered_on: date, longest_days: int) -> str:
    """Why a promise can't be taken: `past`, `too_far`, or nothing (C6).

    It is too far when it would hold the stages for longer from the day it is entered on; an old contact whose
    promise has passed holds nothing.
    """
    if promised_on < made_on:
        return "past"
    return "too_far" if (promised_on - entered_on).days > longest_days else ""


@dataclass(frozen=True)
class DatedAmount:
    """An amount in yuan and its day: an instalment and when it is due, or what was paid and when."""

    on: date
    amount: Decimal


def even_parts(amount: Decimal, count: int, first_on: date) -> list[DatedAmount]:
    """The amount in so many monthly parts to the fen, the last one with the remainder (B9). `count` >= 1."""
    each = (amount / count).quantize(Decimal("0.01"), ROUND_DOWN)
    days = [months_later(first_on, number) for number in range(count)]
    return [
        *(DatedAmount(day, each) for day in days[:-1]),
        DatedAmount(days[-1], amount - each * (count - 1)),
    ]


def plan_problem(parts: Sequence[DatedAmount], debt: Decimal, today: date) -> str:
    """Why these parts are no plan for a debt in yuan: `no_debt`, `sum`, `days`, or nothing (B9).

    Each part is above zero and has a day of its own, today or later; together they are the debt.
    """
    days = [part.on for part in parts]
    if not debt:
        return "no_debt"
    if any(part.amount <= 0 for part in parts) or sum((part.amount for part in parts), ZERO) != debt:
        return "sum"
    return "days" if min(days) < today or len(set(days)) < len(days) else ""


def instalment_states(
    parts: Sequence[DatedAmount], payments: Sequence[DatedAmount], today: date
) -> list[str]:
    """`kept`, `missed` or `open` for each part in the order of their days (B9).

    A part is kept when all paid by the end of its day is at least all due by then.
    """
    states, wanted = [], ZERO
    for part in parts:
        wanted += part.amount
        came = sum((one.amount for one in payments if one.on <= part.on), ZERO)
        states.append("kept" if came >= wanted else "missed" if part.on < today else "open")
    return states


def plan_state(instalments: Sequence[DatedAmount], payments: Sequence[DatedAmount], today: date) -> Reason:
    """`plan_kept`, `plan_done` or `plan_broken` with the missed day (B9).

    `payments` are the sums that came in since the plan, by their day; an instalment is missed when all paid
    by the end of its day is less than all due by then.
    """
    paid = sum((one.amount for one in payments if one.on <= today), ZERO)
    if paid >= sum((one.amount for one in instalments), ZERO):
        return Reason("plan_done")
    wanted = ZERO
    for part in sorted(instalments, key=lambda one: one.on):
        if part.on >= today:
            break
        wanted += part.amount
        came = sum((one.amount for one in payments if one.on <= part.on), ZERO)
        if came < wanted:
            return Reason("plan_broken", {"due_on": part.on, "amount": part.amount, "missing": wanted - came})
    return Reason("plan_kept")
