"""The limitation period (诉讼时效): the last day to sue for a debt, and what began it anew (C21)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from rules.calendar_months import months_later
from rules.policy_values import Checked, Range

ENDS_SOON_DAYS = 90  # the list "ends within 90 days" (C21)


class RestartedBy(StrEnum):
    """What the period runs from; a notice to all residents is none of these."""

    DUE_DAY = "due_day"
    DEMAND = "demand"  # to this payer alone, and delivered
    PART_PAYMENT = "part_payment"
    PROMISE = "promise"  # in writing, kept or broken
    PLAN = "plan"  # signed


ACKNOWLEDGED = frozenset({RestartedBy.PROMISE, RestartedBy.PLAN})
"""What begins the period anew even after it has ended: the debtor agreed in writing to pay."""


@dataclass(frozen=True)
class LimitationPolicy(Checked):
    """How many years a debt can be sued for, counted from its restart day."""

    years: Annotated[int, Range(1, 30)] = 3


@dataclass(frozen=True)
class Restart:
    """A day from which the period runs, and its proof: the number of a letter or receipt, the row's id."""

    on: date
    by: RestartedBy
    proof: str = ""
    row_id: int | None = None


@dataclass(frozen=True)
class Limitation:
    """The last day to sue and the restart that it counts from.

    `lapsed_on` is a last day that had passed before the next letter or payment came: the debtor may object,
    unless a written promise or a plan came after it.
    """

    restart: Restart
    last_day: date
    lapsed_on: date | None = None

    def days_left(self, today: date) -> int:
        """Days until the last day; below zero once it has passed."""
        return (self.last_day - today).days


def last_day(restart_on: date, years: int) -> date:
    """The same day so many years later, 28 February for the 29th (contract "Charging, exactly")."""
    return months_later(restart_on, 12 * years)


def limitation(due_on: date, events: Iterable[Restart], years: int) -> Limitation:
    """The limitation of a debt: it runs from the due day, or from the latest of the events after it."""
    latest = Restart(due_on, RestartedBy.DUE_DAY)
    lapsed_on = None
    for event in sorted(events, key=lambda one: one.on):
        if event.on <= latest.on:
            continue
        if event.by in ACKNOWLEDGED:
            lapsed_on = None
        elif event.on > last_day(latest.on, years):
            lapsed_on = lapsed_on or last_day(latest.on, years)
        latest = event
    return Limitation(latest, last_day(latest.on, years), lapsed_on)
