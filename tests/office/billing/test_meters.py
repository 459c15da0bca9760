"""Metered lines of a bill: kinds of readings, meters that count otherwise, moves, years, the lock (B18)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from models.billing import FeeItem, Invoice, InvoiceLine, MeterReading, Tariff
from models.people import Owner
from models.property import Unit
from office.billing.meter_months import used_by_unit
from rules.billing import Period
from rules.reasons import Reason
from tests.factories.estate import (
    add_meter,
    add_unit,
    assert_books_hold,
    bill,
    day,
    item,
    occupy,
)

MAY = Period(2026, 5)
BEFORE, AFTER = ("2026-04-30", "100"), ("2026-05-31", "112")
UNITS = [
    # unit, traits, readings, what May counts
    ("plain", {}, (BEFORE, AFTER), "12"),
    ("factor", {"factor": Decimal(40)}, (BEFORE, AFTER), "480"),
    ("down", {"counts_down": True}, (("2026-04-30", "100"), ("2026-05-31", "88")), "12"),
    ("wraps", {"wraps_at": Decimal(1000)}, (("2026-04-30", "995"), ("2026-05-31", "7")), "12"),
    (
        "exchanged",
        {},
        (BEFORE, ("2026-05-10", "108", "exchange_end"), ("2026-05-10", "3", "exchange_start"), AFTER),
        "117",
    ),
    (
        "of another factor",
        {"factor": Decimal(40)},
        (
            BEFORE,
            ("2026-05-10", "101", "exchange_end"),
            ("2026-05-10", "0", "exchange_start", "1"),
            ("2026-05-31", "7"),
        ),
        "47",
    ),
    (
        "on the last day",
        {},
        (BEFORE, ("2026-06-01", "112", "exchange_end"), ("2026-06-01", "0", "exchange_start")),
        "12",
    ),
    (
        "on the first day",
        {},
        (("2026-05-01", "100", "exchange_end"), ("2026-05-01", "0", "exchange_start"), AFTER),
        "112",
    ),
    ("estimated", {}, (BEFORE, ("2026-05-31", "120", "estimated")), "20"),
    ("too high", {}, (("2026-03-31", "50"), ("2026-04-30", "110", "estimated"), AFTER), "2"),
    ("far too high", {}, (("2026-03-31", "50"), ("2026-04-30", "120", "estimated"), AFTER), "0"),
    ("out of use", {"out_of_use_from": date(2026, 5, 12)}, (BEFORE, ("2026-05-11", "106")), "6"),
    ("long out of use", {"out_of_use_from": date(2026, 5, 1)}, (("2026-03-01", "1"),), None),
    ("half an exchange", {}, (BEFORE, ("2026-05-10", "3", "exchange_start"), AFTER), "no_exchange_end"),
]


def test_what_a_month_counts_is_billed_and_told(session):
    for place, (code, traits, readings, _) in enumerate(UNITS):
        add_meter(session, add_unit(session, code, payer=f"P{place}"), "water", *readings, **traits)

    issued = bill(session)

    quantities = dict(
        session.execute(
            select(Unit.code, InvoiceLine.quantity)
            .join(Invoice, Invoice.unit_id == Unit.id)
            .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
            .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
            .where(FeeItem.code == "water")
        ).all()
    )
    expected = {code: used for code, *_, used in UNITS}
    left_out = {one.unit_code: one.reason.code for one in issued.unbilled}
    assert {code: str(Decimal(used).normalize()) for code, used in quantities.items()} == {
        code: str(Decimal(used).normalize()) for code, used in expected.items() if used and used[0].isdigit()
    }
    assert left_out == {"half an exchange": "no_exchange_end"}
    ids = dict(session.execute(select(Unit.code, Unit.id)).all())
    used = used_by_unit(session, MAY, item(session, "water").id, list(ids.values()))
    assert used[ids["exchanged"]] == 117
    assert used[ids["of another factor"]] == 47
    assert ids["half an exchange"] not in used
    told = session.scalars(
        select(InvoiceLine.explanation)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.unit_id == ids["of another factor"], InvoiceLine.explanation.contains("meter"))
    ).one()
    inputs = Reason.from_json(told).inputs
    assert inputs["counted"] == "(101 − 100) × 40 + (7 − 0)"
    assert inputs["to"] == "7.0000 (2026-05-31)"
    assert_books_hold(session)


def test_who_moves_is_charged_by_the_reading_of_the_day_where_there_is_one(session):
    for code, middle in (("read", [("2026-05-11", "104")]), ("unread", [])):
        unit = add_unit(session, code, payer=None)
        occupy(session, unit, f"{code} old", date(2020, 1, 1), day("2026-05-10"))
        occupy(session, unit, f"{code} new", day("2026-05-11"))
        add_meter(session, unit, "water", BEFORE, *middle, ("2026-05-31", "131"))

    bill(session)

    found = session.execute(
        select(InvoiceLine.quantity, InvoiceLine.amount)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(InvoiceLine.fee_item_id == item(session, "water").id)
        .join(Owner, Owner.id == Invoice.payer_id)
        .order_by(Owner.name.desc())
    ).all()
    assert [(int(quantity), str(amount)) for quantity, amount in found] == [
        (31, "34.50"),
        (31, "72.45"),
        (4, "13.80"),
        (27, "93.15"),
    ]


def test_tiers_of_a_year_go_on_from_its_first_reading(session):
    tariff = session.scalars(
        select(Tariff).where(Tariff.fee_item_id == item(session, "water").id, Tariff.unit_kind == "residence")
    ).one()
    tariff.tiers, tariff.tier_span = '[["100", "2.00"], [null, "3.00"]]', "year"
    readings = [("2025-11-30", "0"), ("2025-12-31", "50"), ("2026-04-30", "140"), ("2026-05-31", "170")]
    add_meter(session, add_unit(session), "water", *readings)
    exchanged = [*readings[:2], ("2026-02-01", "100", "exchange_end"), ("2026-02-01", "0", "exchange_start")]
    add_meter(session, add_unit(session, "1-102"), "water", *exchanged, ("2026-04-30", "40"), AFTER)

    bill(session)

    told = session.scalars(
        select(InvoiceLine.amount)
        .where(InvoiceLine.fee_item_id == item(session, "water").id)
        .order_by(InvoiceLine.id)
    ).all()
    # counted before: 90, then 10 × 2 + 20 × 3; of the other 50 + 40, then 10 × 2 + 62 × 3
    assert [str(one) for one in told] == ["80.00", "206.00"]


def test_a_billed_reading_stays_until_its_bill_is_credited(session):
    meter = add_meter(session, add_unit(session), "water", ("2026-03-31", "90"), BEFORE, AFTER)
    later = MeterReading(meter_id=meter.id, read_on=day("2026-06-30"), value=Decimal(120))
    session.add(later)
    bill(session)
    ids = session.scalars(
        select(MeterReading.id).where(MeterReading.meter_id == meter.id).order_by(MeterReading.read_on)
    ).all()

    for id_ in ids[:3]:
        for change in (
            update(MeterReading).where(MeterReading.id == id_).values(value=Decimal(1)),
            update(MeterReading).where(MeterReading.id == id_).values(factor=Decimal(2)),
            delete(MeterReading).where(MeterReading.id == id_),
        ):
            with pytest.raises(DBAPIError, match="meter_reading_stays_once_billed"), session.begin_nested():
                session.execute(change.execution_options(synchronize_session=False))
    session.execute(update(MeterReading).where(MeterReading.id == ids[3]).values(value=Decimal(121)))
    session.execute(update(MeterReading).where(MeterReading.id == ids[2]).values(invoice_id=None))
    session.execute(delete(MeterReading).where(MeterReading.id == ids[0]))

    assert session.get_one(MeterReading, ids[3], populate_existing=True).value == 121
