"""The presets' ladders and the office's calendar, as the tests of collection need them."""

from datetime import date, timedelta
from decimal import Decimal

from rules.dunning import DayFacts
from rules.gates import Gates
from rules.ladder import LadderDocument
from rules.working_time import OfficeCalendar
from tests.factories.policies import policy
from tests.oracles.ladder import History, OwedInvoice, judge_days

CALENDAR = policy("tower", OfficeCalendar)


def ladder(preset):
    return policy(preset, LadderDocument).ladder(policy(preset, Gates))


def days(first, count):
    return [first + timedelta(days=number) for number in range(count)]


def owed(number, due_on, balance="100", **more):
    return OwedInvoice(number, due_on, Decimal(balance), **more)


def climb(preset, first, count, *invoices, facts=DayFacts, history=None, known_from=date.min):
    """The history of a payer and unit that pays nothing of `invoices`."""

    def situation(day):
        return facts(day), invoices if day >= known_from else ()

    return judge_days(ladder(preset), CALENDAR, days(first, count), situation, history or History())


def made(history):
    return [(one.stage, one.planned_on.isoformat()) for one in history.judgements if one.is_made]


def not_made(history):
    return [
        (one.stage, one.planned_on.isoformat(), one.reason.code)
        for one in history.judgements
        if not one.is_made
    ]
