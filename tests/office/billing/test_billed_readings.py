"""Readings and the bills that count with them: none comes in between, none is lost (B18, M7)."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import MeterReading
from office.billing import billed_usage, difference_runs, meter_usage
from office.core.errors import Refused
from office.estate import owners
from rules.meters import how_chained
from tests.factories.estate import NOW, add_meter, add_unit, at, bill, day, occupy

MAY = (("2026-04-30", "100"), ("2026-05-31", "112"))


@pytest.mark.parametrize(
    ("read_on", "kind", "is_refused"),
    [
        ("2026-05-30", "read", True),
        ("2026-05-31", "estimated", True),
        ("2026-05-31", "exchange_start", False),
        ("2026-06-01", "read", False),
    ],
)
def test_a_new_reading_up_to_a_billed_one_is_refused(session, read_on, kind, is_refused):
    meter = add_meter(session, add_unit(session), "water", *MAY)
    row = MeterReading(meter_id=meter.id, read_on=day(read_on), value=Decimal(112), kind=kind)
    meter_usage.check_new(session, row)  # no bill counts with any yet
    bill(session)

    if is_refused:
        with pytest.raises(Refused, match="counts up to the reading"):
            meter_usage.check_new(session, row)
    else:
        meter_usage.check_new(session, row)


def test_the_round_refuses_it_too(session):
    meter = add_meter(session, add_unit(session), "water", *MAY)
    bill(session)

    with pytest.raises(Refused, match="counts up to the reading"):
        meter_usage.enter(
            session,
            meter,
            day("2026-05-15"),
            Decimal(105),
            is_estimated=False,
            may_change=True,
            now=NOW,
            staff_id=None,
        )


def names(session):
    return [one.name for one in billed_usage.gaps(session)]


def test_what_no_bill_holds_is_found_until_a_difference_run_asks_for_it(session):
    """The bill of May counted to the 20th, that of June from the 31st on."""
    meter = add_meter(session, add_unit(session), "water", ("2026-04-30", "100"), ("2026-05-20", "110"))
    bill(session)
    session.add(MeterReading(meter_id=meter.id, read_on=day("2026-05-31"), value=Decimal(115)))
    session.add(MeterReading(meter_id=meter.id, read_on=day("2026-06-30"), value=Decimal(125)))
    session.flush()
    assert names(session) == []

    bill(session, "2026-07", now=at("2026-07-02"))
    assert names(session) == [f"1-101 {meter.code} 2026-07"]

    difference_runs.issue(session, "2026-06", now=at("2026-07-02"))
    assert names(session) == []


def test_months_that_follow_each_other_are_in_order(session):
    unit = add_unit(session, payer=None)
    occupy(session, unit, "旧", day("2020-01-01"), day("2026-05-10"))
    occupy(session, unit, "新", day("2026-05-11"))
    meter = add_meter(session, unit, "water", *MAY, ("2026-06-30", "130"))
    add_meter(session, add_unit(session, "1-102", payer="李"), "water", *MAY, ("2026-06-30", "130"))
    bill(session)
    bill(session, "2026-07", now=at("2026-07-02"))

    assert names(session) == []
    assert session.scalars(select(MeterReading.invoice_id).where(MeterReading.meter_id == meter.id)).all()[1]


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        ([], []),
        ([("5", "9"), ("9", "12"), ("13", "20")], [2]),
        ([("5", "9"), ("5", "9"), ("9", "12")], []),
        ([("5", "9"), ("8", "12")], [1]),
    ],
)
def test_spans_that_begin_where_nothing_ended(spans, wanted):
    assert how_chained(spans) == wanted


def test_of_namesakes_the_one_of_the_unit(session):
    """One rule for contracts, vehicles, payers of items and complainants."""
    here, there = add_unit(session, "1-101", payer="王"), add_unit(session, "1-102", payer="王")
    nobody = add_unit(session, "1-103", payer="李")

    found = [owners.only_one_named(session, "王", unit.id) for unit in (here, there)]

    assert len(set(found)) == 2
    assert owners.only_one_named(session, "李", here.id) == owners.named_at(session, "李", nobody.id)
    with pytest.raises(Refused, match="Several people"):
        owners.only_one_named(session, "王", nobody.id)
    occupy(session, nobody, "王", day("2000-01-01"), day("2001-01-01"))
    assert owners.named_at(session, "王", nobody.id) not in found
