"""Random histories: judged daily, in leaps, late in one go, and by the rules alone: the same rows (C13).

GATEHOUSE_HISTORIES says how many of each preset on each database (6, on PostgreSQL 2, by default;
GATEHOUSE_FULL=1: 200). The controls take the catching up, then the looking back, away.
"""

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from models.property import Estate
from office.arrears import contacts, debts, dunning
from office.arrears.contacts import NewContact
from rules.dunning import DayFacts
from tests.factories.arrears import DAY, add_bill, add_unit, at, pay, reminders
from tests.factories.ladders import CALENDAR, ladder
from tests.oracles.ladder import OwedInvoice, judge_days

FIRST = date(2026, 3, 1)
DAYS = [FIRST + number * DAY for number in range(60)]
HOURS = (0, 8, 9, 10, 23)
FULL = "200" if os.environ.get("GATEHOUSE_FULL") else ""
HISTORIES = os.environ.get("GATEHOUSE_HISTORIES", FULL)


@dataclass(frozen=True)
class Bill:
    due_on: date
    amount: Decimal


@dataclass(frozen=True)
class Paid:
    day: date
    hour: int
    amount: Decimal


@dataclass(frozen=True)
class Promised:
    day: date
    hour: int
    days: int


@dataclass(frozen=True)
class Held:
    day: date
    hour: int
    days: int


days = st.sampled_from(DAYS)
hours = st.sampled_from(HOURS)
amounts = st.sampled_from([Decimal(text) for text in ("0.40", "1.00", "30", "99.50", "100", "150")])
bills = st.lists(
    st.builds(
        Bill,
        st.sampled_from([date(2026, 1, 15), date(2026, 3, 15), date(2026, 3, 20), date(2026, 4, 15)]),
        st.sampled_from([Decimal("0.80"), Decimal(100)]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda bill: bill.due_on,
)
events = st.lists(
    st.one_of(
        st.builds(Paid, days, hours, amounts),
        st.builds(Promised, days, hours, st.integers(0, 9)),
        st.builds(Held, days, hours, st.integers(0, 9)),
    ),
    max_size=6,
)


def by_the_rules(preset, owed, happened):
    """Worked out beside the program: balances by simple subtraction, oldest first."""

    def situation(day):
        judged_at = at(day)
        known = [one for one in happened if at(one.day, one.hour) < judged_at]
        left = {bill.due_on: bill.amount for bill in sorted(owed, key=lambda bill: bill.due_on)}
        for event in sorted(known, key=lambda one: at(one.day, one.hour)):
            rest = event.amount if isinstance(event, Paid) else Decimal(0)
            for due_on, balance in left.items():
                part = min(rest, balance)
                left[due_on] = balance - part
                rest -= part
        promised = [one.day + one.days * DAY for one in known if isinstance(one, Promised)]
        facts = DayFacts(
            day,
            promised_on=max(promised, default=None),
            is_on_hold=any(isinstance(one, Held) and day <= one.day + one.days * DAY for one in known),
            reachable=frozenset({"print", "visit"}),
        )
        invoices = [
            OwedInvoice(f"{due_on:%Y%m%d}", due_on, balance)
            for due_on, balance in left.items()
            if due_on.replace(day=1) <= day
        ]
        return facts, invoices

    return judge_days(ladder(preset), CALENDAR, DAYS, situation)


def happen(session, debtor, event):
    instant = at(event.day, event.hour)
    if isinstance(event, Paid):
        pay(session, debtor, event.amount, instant)
    elif isinstance(event, Promised):
        promise = NewContact(
            debtor[0], "phone", instant, promised_on=event.day + event.days * DAY, promised_amount=Decimal(5)
        )
        contacts.record_contact(session, promise, now=instant)
    else:
        contacts.hold_ladder(
            session, debtor, reason="x", until_on=event.day + event.days * DAY, now=instant, staff_id=None
        )


def rows(session):
    return sorted(
        (row.planned_on, row.stage, row.subject.number, row.due_on, row.debt, row.reason_code, row.channel)
        for is_made in (True, False)
        for row in reminders(session, is_made=is_made)
    )


def run(session, owed, happened, ups, *, is_forgetful=False):
    """The rows of a history whose clock runs on some days only; then everything is taken back.

    People enter what happens all the while. On a day that the clock runs it judges each day since the last,
    unless it is forgetful.
    """
    point = session.begin_nested()
    debtor = add_unit(session)
    session.execute(update(Estate).values(is_sandbox=True))
    for bill in owed:
        add_bill(session, debtor, bill.due_on, bill.amount, number=f"{bill.due_on:%Y%m%d}")
    timeline = [(at(one.day, one.hour), number, one) for number, one in enumerate(happened)]
    waiting = sorted(timeline, key=lambda entry: entry[:2])
    judged = FIRST - DAY
    for up in ups:
        session.execute(update(Estate).values(present_at=at(up)))
        while waiting and waiting[0][0] < at(up):
            happen(session, debtor, waiting.pop(0)[2])
        for day in [up] if is_forgetful else DAYS[(judged - FIRST).days + 1 : (up - FIRST).days + 1]:
            dunning.judge_day(session, at(day))
        judged = up
    session.flush()
    found = rows(session)
    session.expire_all()
    point.rollback()
    return found


leaps = st.sets(st.sampled_from(DAYS[:-1]), max_size=12).map(lambda some: [*sorted(some), DAYS[-1]])


@pytest.mark.parametrize("preset", ["residential", "tower"])
def test_any_pattern_of_judging_gives_the_rows_of_the_rules(session_of, preset, dialect):
    session = session_of(preset)
    count = int(HISTORIES or (6 if dialect == "sqlite" else 2))

    @settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(owed=bills, happened=events, ups=leaps)
    def holds(owed, happened, ups):
        wanted = sorted(
            (
                one.planned_on,
                one.stage,
                one.number,
                one.due_on,
                one.debt,
                "" if one.is_made else one.reason.code,
                one.channel,
            )
            for one in by_the_rules(preset, owed, happened).judgements
        )

        daily = run(session, owed, happened, DAYS)

        assert [row[:-1] for row in daily] == [row[:-1] for row in wanted]
        assert run(session, owed, happened, ups) == daily
        assert run(session, owed, happened, DAYS[-1:]) == daily

    holds()


UNPAID = [Bill(date(2026, 3, 15), Decimal(100))]
PAID_LATE = [Paid(date(2026, 4, 10), 10, Decimal(100))]
EVERY_TENTH = [*DAYS[9::10]]


@pytest.mark.parametrize("preset", ["residential", "tower"])
def test_the_control_a_clock_that_forgets_its_down_time_misses_stages(session_of, preset):
    session = session_of(preset)

    daily = run(session, UNPAID, [], DAYS)
    forgetful = run(session, UNPAID, [], EVERY_TENTH, is_forgetful=True)

    assert run(session, UNPAID, [], EVERY_TENTH) == daily
    assert forgetful != daily


@pytest.mark.parametrize("preset", ["residential", "tower"])
def test_the_control_who_does_not_look_back_forgives_what_was_paid_later(session_of, preset, monkeypatch):
    session = session_of(preset)

    daily = run(session, UNPAID, PAID_LATE, DAYS)
    late = run(session, UNPAID, PAID_LATE, DAYS[-1:])
    monkeypatch.setattr(debts, "_paid_since", lambda *_given: {})
    forgiving = run(session, UNPAID, PAID_LATE, DAYS[-1:])

    assert late == daily
    assert len(forgiving) < len(daily)
