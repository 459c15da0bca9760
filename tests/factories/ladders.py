"""The presets' ladders and the office's calendar, as the tests of collection need them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rules.dunning import DayFacts
from rules.gates import Gates
from rules.ladder import Ladder, LadderDocument
from rules.working_time import OfficeCalendar
from tests.factories.policies import policy
from tests.oracles.ladder import History, OwedInvoice, judge_days

CALENDAR = policy("tower", OfficeCalendar)


def ladder(preset: str) -> Ladder:
    return policy(preset, LadderDocument).ladder(policy(preset, Gates))


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def owed(number: str, due_on: date, balance: str = "100", **more: Any) -> OwedInvoice:
    return OwedInvoice(number, due_on, Decimal(balance), **more)


def climb(
    preset: str,
    first: date,
    count: int,
    *invoices: OwedInvoice,
    facts: Callable[[date], DayFacts] = DayFacts,
    history: History | None = None,
    known_from: date = date.min,
) -> History:
    """The history of a payer and unit that pays nothing of `invoices`."""

    def situation(day: date) -> tuple[DayFacts, tuple[OwedInvoice, ...]]:
        return facts(day), invoices if day >= known_from else ()

    return judge_days(ladder(preset), CALENDAR, days(first, count), situation, history or History())


def made(history: History) -> list[tuple[str, str]]:
    return [(one.stage, one.planned_on.isoformat()) for one in history.judgements if one.is_made]


def not_made(history: History) -> list[tuple[str, str, str]]:
    return [
        (one.stage, one.planned_on.isoformat(), one.reason.code)
        for one in history.judgements
        if not one.is_made
    ]
