"""Instalment plans: kept out of reminders while kept, back at their stage when broken (B9)."""

from datetime import date
from decimal import Decimal

import pytest

from office.arrears import instalment_plans
from office.core.errors import Refused
from rules.promises import DatedAmount
from tests.factories.arrears import DAY, add_bill, add_unit, at, judge, made, not_made, pay
from tests.factories.estate import add_staff

DUE = date(2026, 3, 15)
PARTS = [DatedAmount(date(2026, 4, 10), Decimal(40)), DatedAmount(date(2026, 5, 10), Decimal(60))]


def running_plan(session, debtor):
    plan = instalment_plans.propose_plan(session, debtor, PARTS, now=at(date(2026, 3, 25), 10), staff_id=None)
    head = add_staff(session, "head", "station_head").id
    return instalment_plans.approve_plan(session, plan.id, now=at(date(2026, 3, 25), 11), staff_id=head)


def run(session, first, last, payments):
    day = first
    while day <= last:
        instalment_plans.check_plans(session, at(day, 0, 10))
        judge(session, day, day)
        for amount, on in payments:
            if on == day:
                pay(session, debtor_of(session), amount, at(day, 15))
        day += DAY


def debtor_of(session):
    from sqlalchemy import select

    from models.billing import InstalmentPlan

    plan = session.scalars(select(InstalmentPlan)).one()
    return plan.unit_id, plan.payer_id


# payments (amount, day) and the plan's state, its end, and the stages after it began
ENDS = [
    ([("40", date(2026, 4, 10)), ("60", date(2026, 5, 10))], "kept", date(2026, 5, 11), []),
    ([("100", date(2026, 4, 1))], "kept", date(2026, 4, 2), []),
    ([("39.99", date(2026, 4, 10))], "broken", date(2026, 4, 11), [("letter", "2026-04-13")]),
    ([("40", date(2026, 4, 11))], "broken", date(2026, 4, 11), [("letter", "2026-04-13")]),
    ([("40", date(2026, 4, 10))], "broken", date(2026, 5, 11), [("letter", "2026-05-11")]),
]


@pytest.mark.parametrize(("payments", "state", "ended_on", "stages"), ENDS)
def test_a_plan_keeps_its_bills_out_of_reminders_until_it_ends(session, payments, state, ended_on, stages):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 25))  # friendly, call, visit
    plan = running_plan(session, debtor)

    run(session, date(2026, 3, 26), date(2026, 5, 12), payments)

    assert (plan.state, plan.ended_on) == (state, ended_on)
    assert made(session)[3:5] == stages
    assert not_made(session)[:1] == ([("letter", "2026-03-30", "plan_kept")])


def test_a_plan_that_nobody_approved_holds_nothing(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 25))
    instalment_plans.propose_plan(session, debtor, PARTS, now=at(date(2026, 3, 25), 10), staff_id=None)

    judge(session, date(2026, 3, 26), date(2026, 3, 31))

    assert made(session)[-1] == ("letter", "2026-03-30")


def test_a_new_debt_beside_a_plan_climbs_by_itself(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 25))
    running_plan(session, debtor)
    add_bill(session, debtor, date(2026, 4, 5), "70")

    judge(session, date(2026, 4, 6), date(2026, 4, 7))

    assert made(session)[-1] == ("friendly", "2026-04-06")


WRONG = [
    ([DatedAmount(date(2026, 4, 10), Decimal(99))], "add up"),
    ([DatedAmount(date(2026, 3, 24), Decimal(100))], "day of its own"),
    (
        [DatedAmount(date(2026, 4, 10), Decimal(50)), DatedAmount(date(2026, 4, 10), Decimal(50))],
        "day of its own",
    ),
    ([DatedAmount(date(2026, 4, 10), Decimal(101)), DatedAmount(date(2026, 4, 11), Decimal(-1))], "add up"),
]


@pytest.mark.parametrize(("parts", "message"), WRONG)
def test_an_impossible_plan_is_refused(session, parts, message):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)

    with pytest.raises(Refused, match=message):
        instalment_plans.propose_plan(session, debtor, parts, now=at(date(2026, 3, 25)), staff_id=None)


def test_a_steward_can_not_approve_a_plan(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    plan = instalment_plans.propose_plan(session, debtor, PARTS, now=at(date(2026, 3, 25)), staff_id=None)

    with pytest.raises(Refused, match="station head"):
        instalment_plans.approve_plan(
            session, plan.id, now=at(date(2026, 3, 25)), staff_id=add_staff(session, "s", "steward").id
        )
