"""A row that is there with other values is told in every kind, and written only where that is safe.

contract "Imports: what a row is"; posted money is never written.
"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models.billing import FeeItem, Invoice, MeterReading, ServiceSlip
from models.collection import Contact
from models.complaints import Ticket
from models.office import Audit
from models.payments import Payment
from models.rates import ItemRate, UnitItemPayer
from office.exchange import imports
from office.rooms import IMPORTS
from tests.factories.spreadsheets import csv_file

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
ROSTER = ("房号", "楼栋", "类型", "面积", "业主姓名")
HOUSEHOLDS = [["A-101", "A", "住宅", "80", "王一"], ["A-102", "A", "住宅", "80", "李二"]]
HEADERS = {
    "readings": ("unit_code", "meter", "read_on", "value"),
    "slips": ("slip_no", "unit_code", "fee_item", "used_on", "quantity", "note"),
    "contacts": ("unit_code", "at", "method", "outcome", "promised_on", "promised_amount", "note"),
    "tickets": ("number", "registered_at", "channel", "unit_code", "category", "statement", "complainant"),
    "opening-balances": ("unit_code", "period", "fee_item", "amount", "due_on"),
    "payments": ("unit_code", "amount", "paid_at", "method", "reference"),
    "fee-items": ("code", "name", "basis", "cycle_months", "rounding", "payer", "bears_late_fee"),
    "rates": ("unit_code", "fee_item", "rate", "amount", "factor", "valid_from", "valid_to", "reason"),
    "payers": ("unit_code", "fee_item", "payer_name", "valid_from", "valid_to"),
}
READING = ["A-101", "water", "2026-06-01", "120.5"]
SLIP = ["S-1", "A-101", "management_fee", "2026-06-03", "2", "空调加时"]
CONTACT = ["A-101", "2026-06-25 10:00", "phone", "promised", "2026-07-20", "100", "下月交"]
TICKET = ["K-1", "2026-07-01 09:00", "phone", "A-101", "engineering", "漏水", "王一"]
OPENING = ["A-101", "2026-05", "management_fee", "200.00", "2026-05-15"]
PAYMENT = ["A-101", "200.00", "2026-06-03 10:00", "bank_transfer", "20260603001"]
FEE_ITEM = ["lift", "电梯费", "fixed", "3", "jiao", "owner", "false"]
RATE = ["A-101", "management_fee", "2.5", "", "0.7", "2026-08-01", "", "空置"]
PAYER = ["A-101", "management_fee", "李二", "2026-08-01", ""]
ROWS = {
    "fee-items": FEE_ITEM,
    "rates": RATE,
    "payers": PAYER,
    "readings": READING,
    "slips": SLIP,
    "contacts": CONTACT,
    "tickets": TICKET,
    "opening-balances": OPENING,
    "payments": PAYMENT,
}
WRITTEN = [
    ("readings", 3, "121", ("value", "120.5", "121")),
    ("slips", 4, "3", ("quantity", "2", "3")),
    ("slips", 1, "A-102", ("unit_code", "A-101", "A-102")),
    ("slips", 5, "改约", ("note", "空调加时", "改约")),
    ("contacts", 3, "reached", ("outcome", "promised", "reached")),
    ("contacts", 4, "2026-07-25", ("promised_on", "2026-07-20", "2026-07-25")),
    ("contacts", 6, "本月交", ("note", "下月交", "本月交")),
    ("tickets", 2, "desk", ("channel", "phone", "desk")),
    ("tickets", 3, "A-102", ("unit_code", "A-101", "A-102")),
    ("tickets", 6, "王小一", ("complainant", "**", "***")),
]
WRITTEN += [
    ("fee-items", 1, "电梯运行费", ("name", "电梯费", "电梯运行费")),
    ("fee-items", 2, "按面积", ("basis", "fixed", "per_m2")),
    ("fee-items", 6, "是", ("bears_late_fee", "false", "true")),
    ("rates", 2, "2.6", ("rate", "2.5", "2.6")),
    ("rates", 4, "", ("factor", "0.7", "")),
    ("rates", 6, "2027-07-31", ("valid_to", "", "2027-07-31")),
    ("payers", 2, "王一", ("payer_name", "李二", "王一")),
]
NEVER = [
    ("opening-balances", 3, "210.00", ("amount", "200", "210")),
    ("opening-balances", 4, "2026-05-20", ("due_on", "2026-05-15", "2026-05-20")),
    ("payments", 1, "210.00", ("amount", "200", "210")),
    ("payments", 0, "A-102", ("unit_code", "A-101", "A-102")),
    ("payments", 2, "2026-06-04 10:00", ("paid_at", "2026-06-03 10:00+08:00", "2026-06-04 10:00+08:00")),
    ("payments", 3, "cash", ("method", "bank_transfer", "cash")),
    ("tickets", 4, "security", ("category", "engineering", "security")),
]
TABLES = (MeterReading, ServiceSlip, Contact, Ticket, Invoice, Payment, FeeItem, ItemRate, UnitItemPayer)


@pytest.fixture
def bring(session, tmp_path):
    def take_in(kind, *rows, header=None, **more):
        path = csv_file(tmp_path / f"{kind}.csv", header or HEADERS[kind], rows)
        return imports.take_in(session, kind, IMPORTS[kind], imports.read(path), now=NOW, **more)

    take_in("roster", *HOUSEHOLDS, header=ROSTER)
    return take_in


def changed(row, place, value):
    return [*row[:place], value, *row[place + 1 :]]


def told(report):
    return [(one.column, one.there, one.here) for one in report.differences]


def rows_of(session):
    return [len(session.scalars(select(table.id)).all()) for table in TABLES]


@pytest.mark.parametrize("kind", ROWS)
def test_the_same_file_again_is_equal(bring, kind):
    first = bring(kind, ROWS[kind])
    second = bring(kind, ROWS[kind], wanted=imports.EVERY_DIFFERENCE)

    assert (first.new, second.new, second.skipped, second.differs, second.updated) == (1, 0, 1, 0, 0)


@pytest.mark.parametrize(("kind", "place", "value", "difference"), WRITTEN)
def test_a_correction_is_told_then_written_and_in_the_history(session, bring, kind, place, value, difference):
    bring(kind, ROWS[kind])
    before = rows_of(session)
    corrected = changed(ROWS[kind], place, value)

    first = bring(kind, corrected)
    second = bring(kind, corrected, wanted=frozenset(first.differences), staff_id=None)
    third = bring(kind, corrected)

    assert told(first) == [difference]
    assert (first.new, first.skipped, first.differs, first.updated) == (0, 0, 1, 0)
    assert (second.updated, second.differences) == (1, ())
    assert (third.skipped, third.differs) == (1, 0)
    assert rows_of(session) == before
    edits = session.scalars(select(Audit).where(Audit.action == "edit")).all()
    assert [f"{kind}.csv" in edit.changes for edit in edits] == [True]


@pytest.mark.parametrize(("kind", "place", "value", "difference"), NEVER)
def test_what_is_posted_or_decides_is_told_and_never_written(session, bring, kind, place, value, difference):
    bring(kind, ROWS[kind])
    before = rows_of(session)

    report = bring(kind, changed(ROWS[kind], place, value), wanted=imports.EVERY_DIFFERENCE)

    assert told(report) == [difference]
    assert all(one.never for one in report.differences)
    assert (report.new, report.updated, report.differs) == (0, 0, 1)
    assert rows_of(session) == before


def test_only_the_differences_that_were_ticked_are_written(session, bring):
    bring("slips", SLIP)
    first = bring("slips", [*SLIP[:4], "3", "改约"])
    ticked = [one for one in first.differences if one.column == "note"]

    second = bring("slips", [*SLIP[:4], "3", "改约"], wanted=frozenset(ticked))

    slip = session.scalars(select(ServiceSlip)).one()
    assert (slip.quantity, slip.note) == (2, "改约")
    assert told(second) == [("quantity", "2", "3")]


def test_a_reference_on_rows_that_differ_is_no_key(bring):
    """“Cash” beside many payments stands for none of them."""
    rows = [changed(PAYMENT, 4, "现金"), ["A-102", "90.00", "2026-06-04 10:00", "cash", "现金"]]

    first, second = bring("payments", *rows), bring("payments", *rows)

    assert (first.new, second.new, second.skipped) == (2, 0, 2)


def test_two_calls_of_one_minute_are_two_and_stay_two(bring):
    other = changed(changed(CONTACT, 6, "又打一次"), 3, "reached")

    first, second = bring("contacts", CONTACT, other), bring("contacts", other, CONTACT)

    assert (first.new, second.new, second.skipped) == (2, 0, 2)


def test_another_due_day_beside_the_one_that_is_there_is_another_debt(bring):
    bring("opening-balances", OPENING)

    report = bring("opening-balances", OPENING, changed(OPENING, 4, "2026-05-25"))

    assert (report.new, report.skipped, report.differs) == (1, 1, 0)
