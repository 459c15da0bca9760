"""Rewards for paying ahead: earned, credited once, explained, taken back (B8)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import CreditNote, Incentive, IncentiveGrant
from office.billing import incentives
from office.core.errors import Refused
from office.payments import corrections
from rules.reasons import Reason
from tests.factories.estate import add_staff, add_unit, assert_books_hold, at, bill, day, paid, pay

NOW = at("2026-06-20")
SINCE = day("2026-05-01")
YEAR = {"months_ahead": 12, "percent": Decimal(5)}
EARLY = {"pay_before_on": date(2026, 6, 12), "percent": Decimal(1)}
GIFT = {"months_ahead": 6, "gift": "rice 5 kg"}


def offer(session, **terms):
    row = Incentive(name_en="Reward", name_zh_hans="优惠", name_zh_hant="優惠", valid_from=date(2026, 1, 1))
    for name, value in terms.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    return row


def granted(session):
    return [
        (str(one.amount), one.taken_back_on is not None)
        for one in session.scalars(select(IncentiveGrant).order_by(IncentiveGrant.id))
    ]


# a bill of 250.00 due on 15 June; what is offered, what is paid on which day → what is granted
CASES = [
    (YEAR, "2999.99", "2026-06-10", []),
    (YEAR, "3000.00", "2026-06-10", [("150.00", False)]),
    (YEAR, "3000.00", "2026-06-15", [("150.00", False)]),
    (YEAR, "3000.00", "2026-06-16", []),  # the bill of June was late: only 11 months are ahead
    (EARLY, "250.00", "2026-06-12", [("2.50", False)]),
    (EARLY, "250.00", "2026-06-13", []),
    (GIFT, "1500.00", "2026-06-10", [("0.00", False)]),
]


def test_what_is_paid_ahead_earns_it(session_of):
    for terms, amount, on, expected in CASES:
        session = session_of("residential")
        unit = add_unit(session)
        bill(session, "2026-06", now=at("2026-06-01"))
        offer(session, **terms)
        pay(session, unit, amount, on)

        incentives.grant_rewards(session, since=SINCE, now=NOW)
        incentives.grant_rewards(session, since=SINCE, now=NOW)

        assert granted(session) == expected, (terms, amount, on)
        assert_books_hold(session)


@pytest.fixture
def earned(session):
    unit = add_unit(session)
    bill(session, "2026-06", now=at("2026-06-01"))
    offer(session, **YEAR)
    payment = pay(session, unit, "3000", "2026-06-10")
    incentives.judge_rewards(session, NOW)
    return unit, payment


def test_it_is_credited_explained_and_pays_the_next_bill(session, earned):
    assert [str(one) for one in session.scalars(select(CreditNote.amount))] == ["150.00"]
    assert paid(session) == [("3000.00", "100.00", "2900.00", "posted")]
    reason = Reason.from_json(session.scalars(select(IncentiveGrant.explanation)).one())
    assert (reason.code, reason.inputs["months"]) == ("incentive", 12)
    assert reason.inputs["receipt_no"] == earned[1].receipt_no


def test_a_reward_of_a_voided_receipt_is_charged_again_and_may_be_earned_anew(session, earned):
    unit, payment = earned
    other = add_staff(session, "other", "cashier")
    corrections.void_payment(session, payment.id, reason="cheque bounced", staff_id=other.id, now=NOW)

    incentives.judge_rewards(session, NOW)
    incentives.judge_rewards(session, NOW)

    assert granted(session) == [("150.00", True)]
    assert_books_hold(session)
    pay(session, unit, "3250", "2026-06-12")
    waiting = incentives.judge_rewards(session, NOW).result["waiting"]
    assert len(waiting) == 1, "the bills there are can't take so much credit yet"
    bill(session, "2026-07", now=at("2026-07-01"))
    incentives.judge_rewards(session, at("2026-07-01"))
    assert granted(session) == [("155.00", False)]
    assert_books_hold(session)


def test_a_gift_is_handed_over_once(session):
    unit = add_unit(session)
    bill(session, "2026-06", now=at("2026-06-01"))
    offer(session, **GIFT)
    pay(session, unit, "1500", "2026-06-10")
    (grant,) = incentives.grant_rewards(session, since=SINCE, now=NOW).made

    incentives.hand_over(session, grant.id, staff_id=None, now=NOW)

    assert grant.handed_over_on == day("2026-06-20")
    with pytest.raises(Refused, match="handed over on 2026-06-20"):
        incentives.hand_over(session, grant.id, staff_id=None, now=NOW)
