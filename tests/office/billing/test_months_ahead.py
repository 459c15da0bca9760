"""Months billed before their run: real bills with their days, which the run leaves out (B15, M9)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.billing import Invoice, InvoiceLine
from models.people import Occupancy
from office.billing import months_ahead, runs
from office.core.errors import Refused
from tests.factories.estate import (
    NOW,
    add_item,
    add_meter,
    add_unit,
    assert_books_hold,
    bill,
    day,
    item,
    pay,
)

FEE = "management_fee"


def bills(session):
    rows = session.scalars(select(Invoice).order_by(Invoice.period, Invoice.id)).all()
    return [(row.period, row.part, str(row.amount), str(row.due_on)) for row in rows]


def days(session):
    rows = session.scalars(select(InvoiceLine).order_by(InvoiceLine.id)).all()
    return [(str(row.service_from), str(row.service_to)) for row in rows]


def test_the_next_months_get_bills_which_their_runs_leave_out(session):
    unit = add_unit(session)
    bill(session, "2026-06")
    made = months_ahead.issue(session, unit.id, 3, now=NOW)

    assert [row.period for row in made] == ["2026-07", "2026-08", "2026-09"]
    assert [one[0] for one in days(session)[1:]] == ["2026-07-01", "2026-08-01", "2026-09-01"]
    for period in ("2026-07", "2026-08", "2026-09", "2026-10"):
        assert runs.preview(session, period, now=NOW).invoices == (1 if period == "2026-10" else 0)
        bill(session, period)

    assert bills(session) == [
        ("2026-06", "", "250.00", "2026-06-15"),
        ("2026-07", "ahead", "250.00", "2026-07-15"),
        ("2026-08", "ahead", "250.00", "2026-08-15"),
        ("2026-09", "ahead", "250.00", "2026-09-15"),
        ("2026-10", "", "250.00", "2026-10-15"),
    ]
    assert_books_hold(session)


def test_a_month_that_has_no_bill_yet_is_the_first_and_credit_pays(session):
    unit = add_unit(session)
    pay(session, unit, "400")

    made = months_ahead.issue(session, unit.id, 2, now=NOW)
    again = months_ahead.issue(session, unit.id, 1, now=NOW)

    assert [(row.period, str(row.balance)) for row in (*made, *again)] == [
        ("2026-06", "0.00"),
        ("2026-07", "100.00"),
        ("2026-08", "250.00"),
    ]
    assert made[0].due_on.isoformat() == "2026-06-20", "never before the day on which it is made"
    assert_books_hold(session)


def test_a_quarter_is_billed_once_and_a_meter_is_left_to_its_run(session):
    unit = add_unit(session)
    item(session, FEE).cycle_months = 3
    add_meter(session, unit, "water", ("2026-06-30", "0"), ("2026-07-31", "10"))

    made = months_ahead.issue(session, unit.id, 6, now=NOW)
    bill(session, "2026-08")

    assert [(row.period, str(row.amount)) for row in made] == [("2026-07", "750.00"), ("2026-10", "750.00")]
    assert [one[:3] for one in bills(session)] == [
        ("2026-07", "ahead", "750.00"),
        ("2026-08", "", "34.50"),  # the water of July
        ("2026-10", "ahead", "750.00"),
    ]


def test_an_item_entered_later_is_charged_by_the_run(session):
    unit = add_unit(session)
    months_ahead.issue(session, unit.id, 2, now=NOW)
    add_item(session, "lift", "fixed", rates={"residence": "30"})

    bill(session, "2026-07")

    assert [one[1:3] for one in bills(session) if one[0] == "2026-07"] == [
        ("ahead", "250.00"),
        ("", "30.00"),
    ]


@pytest.mark.parametrize("months", [0, 61])
def test_a_number_of_months_that_cannot_be_is_refused(session, months):
    unit = add_unit(session)

    with pytest.raises(Refused, match="Between 1 and"):
        months_ahead.issue(session, unit.id, months, now=NOW)


def test_a_unit_without_payer_or_whose_payer_leaves_is_refused(session):
    empty, left = add_unit(session, payer=""), add_unit(session, "1-102", payer="李四")
    session.scalars(select(Occupancy).where(Occupancy.unit_id == left.id)).one().to_on = day("2026-07-10")
    session.flush()

    with pytest.raises(Refused, match="Nobody pays"):
        months_ahead.issue(session, empty.id, 1, now=NOW)
    made = months_ahead.issue(session, left.id, 3, now=NOW)

    assert [row.period for row in made] == ["2026-06"], "July is shared by two payers: its run splits it"
