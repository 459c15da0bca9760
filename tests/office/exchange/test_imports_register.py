"""Tickets, contacts, readings and slips that offices bring in files (contract: Imports, B1, B3, C6, T1)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.billing import Meter, MeterReading, ServiceSlip
from models.collection import Contact
from models.complaints import Ticket
from office.exchange import imports
from office.rooms import EXPORTS, IMPORTS
from tests.factories.estate import bill
from tests.factories.spreadsheets import csv_file, names, xlsx_file

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
ROSTER = ("房号", "楼栋", "类型", "面积", "业主姓名")
HOUSEHOLDS = [["3-2-1201", "3", "住宅", "80", "王一"], ["V-1", "3", "住宅", "9", ""]]


@pytest.fixture
def bring(session, tmp_path):
    def take_in(kind, header, rows, name="file.csv"):
        make = xlsx_file if name.endswith("xlsx") else csv_file
        return imports.take_in(
            session, kind, IMPORTS[kind], imports.read(make(tmp_path / name, header, rows)), now=NOW
        )

    take_in("roster", ROSTER, HOUSEHOLDS)
    return take_in


def refused(bring, kind, header, row):
    with pytest.raises(imports.RowsRefused) as refusal:
        bring(kind, header, [row])
    return [(one.row, one.column, one.message % one.values) for one in refusal.value.problems]


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


TICKETS = names(
    "number registered_at channel unit_code complainant category statement severity resolved_at "
    "followed_up_at satisfaction household_count is_media is_injury loss_amount is_legal_letter is_repeat "
    "is_written from_authority about_staff_conduct happening_now"
)


def ticket(**values):
    said = {
        "registered_at": "2026-07-01T09:00:00+08:00",
        "channel": "phone",
        "category": "engineering",
        "statement": "漏水",
        **values,
    }
    return [said.get(code, "") for code in TICKETS]


def test_an_old_register_comes_in_once_with_severities_judged(session, bring):
    rows = [
        ticket(number="A-1", unit_code="3-2-1201", household_count="3"),
        ticket(number="A-2", severity="minor", is_media="true"),
        ticket(number="A-3", loss_amount="10000", is_injury="否"),
        ticket(
            number="A-4", resolved_at="2026-07-01 15:00", followed_up_at="2026-07-02 10:00", satisfaction="5"
        ),
        ticket(statement="没有编号"),
    ]

    first, second = bring("tickets", TICKETS, rows), bring("tickets", TICKETS, rows)

    assert (first.new, second.new, second.skipped) == (5, 0, 5)
    found = {row.number: row for row in session.scalars(select(Ticket))}
    assert [found[number].severity for number in ("A-1", "A-2", "A-3", "A-4")] == [
        "major",
        "minor",
        "major",
        "minor",
    ]
    assert found["A-1"].registered_at == datetime(2026, 7, 1, 1, tzinfo=UTC)
    header, exported = EXPORTS["tickets"](session)
    assert next(exported)[header.index("registered_at")] == "2026-07-01T09:00:00+08:00"


def test_a_chinese_register_in_a_workbook(session, bring):
    header = (
        "投诉编号",
        "登记时间",
        "投诉渠道",
        "房号",
        "投诉人",
        "投诉类别",
        "投诉内容",
        "户数",
        "媒体曝光",
        "正在发生",
    )
    row = [
        "T1",
        datetime(2026, 7, 1, 9, 30),  # noqa: DTZ001 -- a workbook knows no zone
        "电话投诉",
        "3-2-1201",
        "王一",
        "工程维修",
        "=停电",
        4,
        "是",
        "否",
    ]

    bring("tickets", header, [row], "投诉.xlsx")

    (stored,) = session.scalars(select(Ticket))
    assert (stored.channel, stored.category.code, stored.household_count) == ("phone", "engineering", 4)
    assert (stored.is_media, stored.happening_now, stored.statement) == (True, False, "=停电")
    assert stored.registered_at == datetime(2026, 7, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "column", "problem"),
    [
        ({"registered_at": ""}, "registered_at", "empty"),
        ({"registered_at": "2026-02-30 09:00"}, "registered_at", "not a date"),
        ({"channel": "pigeon"}, "channel", "unknown: pigeon"),
        ({"category": "weather"}, "category", "unknown category: weather"),
        ({"unit_code": "9-9"}, "unit_code", "unknown unit"),
        ({"statement": ""}, "statement", "empty"),
        ({"household_count": "2.5"}, "household_count", "not a whole number"),
        ({"household_count": "-1"}, "household_count", "not between 0 and 1000000"),
        ({"loss_amount": "1.001"}, "loss_amount", "finer than a fen"),
        ({"loss_amount": "nan"}, "loss_amount", "not a finite number"),
        ({"is_media": "maybe"}, "is_media", "neither true nor false"),
        ({"satisfaction": "6"}, "satisfaction", "not between 1 and 5"),
        ({"severity": "terrible"}, "severity", "unknown: terrible"),
        ({"resolved_at": "2026-07-01 08:59"}, "resolved_at", "before the registration"),
    ],
)
def test_wrong_tickets(session, bring, change, column, problem):
    assert refused(bring, "tickets", TICKETS, ticket(**change)) == [(2, column, problem)]
    assert count(session, Ticket) == 0


@pytest.mark.parametrize("change", [{"statement": "停水"}, {"registered_at": "2026-07-02 09:00"}])
def test_one_number_with_two_contents_is_refused(session, bring, change):
    """contract "Settled besides": also within one file."""
    first, other = ticket(number="A-1"), ticket(number="A-1", **change)
    with pytest.raises(imports.RowsRefused) as refusal:
        bring("tickets", TICKETS, [first, other])
    assert [(one.row, one.column) for one in refusal.value.problems] == [(3, "number")]
    assert count(session, Ticket) == 0

    bring("tickets", TICKETS, [first, first])
    assert refused(bring, "tickets", TICKETS, other) == [(2, "number", "another complaint has this number")]
    assert count(session, Ticket) == 1


CONTACTS = ("at", "unit_code", "method", "outcome", "promised_on", "promised_amount", "note")


def test_contacts_and_promises(session, bring):
    rows = [
        ["2026-07-01 10:00", "3-2-1201", "电话", "承诺缴费", "2026-07-10", "100", "月底前"],
        ["2026-07-02 10:00", "3-2-1201", "visit", "nobody in", "", "", ""],
    ]

    first, second = bring("contacts", CONTACTS, rows), bring("contacts", CONTACTS, rows)

    assert (first.new, second.new) == (2, 0)
    call, visit = session.scalars(select(Contact).order_by(Contact.at))
    assert (call.method, call.outcome, call.promised_on) == ("phone", "promised", date(2026, 7, 10))
    assert (call.promised_amount, call.promise_state, call.payer.name) == (Decimal(100), "open", "王一")
    assert (visit.outcome, visit.promise_state) == ("nobody in", "")


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (["2026-07-01", "V-1", "phone", "", "", "", ""], "unit_code", "nobody pays for this unit"),
        (["2026-07-01", "3-2-1201", "drum", "", "", "", ""], "method", "unknown: drum"),
        (["", "3-2-1201", "phone", "", "", "", ""], "at", "empty"),
        (
            ["2026-07-01", "3-2-1201", "phone", "", "2026-06-30", "1", ""],
            "promised_on",
            "before the contact itself",
        ),
        (
            ["2026-07-01", "3-2-1201", "phone", "", "2099-12-31", "1", ""],
            "promised_on",
            "further ahead than a promise may be",
        ),
        (["2026-07-01", "3-2-1201", "phone", "", "", "1", ""], "promised_on", "empty"),
        (["2026-07-01", "3-2-1201", "phone", "", "2026-07-09", "-1", ""], "promised_amount", "below zero"),
    ],
)
def test_wrong_contacts(bring, row, column, problem):
    assert refused(bring, "contacts", CONTACTS, row) == [(2, column, problem)]


READINGS = ("unit_code", "meter", "read_on", "value")


def test_readings_make_their_meters(session, bring):
    rows = [
        ["3-2-1201", "water", "2026-06-30", "120.5"],
        ["3-2-1201", "电表01", "2026-06-30", "7"],
        ["3-2-1201", "water", "2026-05-31", "100"],
    ]

    first, second = bring("readings", READINGS, rows), bring("readings", READINGS, rows)

    assert (first.new, second.new, count(session, MeterReading)) == (3, 0, 3)
    assert {meter.code: meter.fee_item.code for meter in session.scalars(select(Meter))} == {
        "water": "water",
        "电表01": "electricity",
    }


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (["3-2-1201", "M1", "2026-06-30", "1"], "meter", "unknown meter"),
        (["3-2-1201", "water", "2026-06-31", "1"], "read_on", "not a date"),
        (["3-2-1201", "water", "2026-06-30", "-1"], "value", "below zero"),
        (["3-2-1201", "water", "2026-06-30", "1.23456"], "value", "more than 4 decimal places"),
        (["9", "water", "2026-06-30", "1"], "unit_code", "unknown unit"),
    ],
)
def test_wrong_readings(bring, row, column, problem):
    assert refused(bring, "readings", READINGS, row) == [(2, column, problem)]


def test_a_reading_of_days_that_a_bill_counts_is_refused(session, bring):
    """It would be counted twice, or never: the next reading corrects what was read before (B18)."""
    rows = [["3-2-1201", "water", "2026-05-01", "100"], ["3-2-1201", "water", "2026-05-31", "112"]]
    bring("readings", READINGS, rows)
    bill(session)
    header, meters = EXPORTS["meters"](session)
    assert (header[:4], [row[1:4] for row in meters]) == (
        ["unit_code", "meter", "fee_item", "factor"],
        [["water", "water", 1]],
    )

    said = refused(bring, "readings", READINGS, ["3-2-1201", "water", "2026-05-15", "106"])

    assert said == [(2, "read_on", "a bill counts up to the reading of 2026-05-31")]
    assert bring("readings", READINGS, rows).new == 0
    assert bring("readings", READINGS, [["3-2-1201", "water", "2026-06-30", "120"]]).new == 1


def test_two_values_of_one_meter_and_day_contradict_each_other(session, bring):
    row = ["3-2-1201", "water", "2026-06-30"]

    with pytest.raises(imports.RowsRefused) as refusal:
        bring("readings", READINGS, [[*row, "120"], [*row, "121"]])

    told = refusal.value.problems[0]
    assert (told.row, told.column) == (3, "value")
    assert (told.message % told.values).startswith("another value of that day is there: 120")


def test_an_exchange_is_two_readings_of_one_day_and_comes_back_as_it_was_exported(session, bring):
    header = [*READINGS, "kind", "factor"]
    unit, days = "3-2-1201", ("2026-05-31", "2026-06-10", "2026-06-30")
    rows = [
        [unit, "water", days[0], "120", "", ""],
        [unit, "water", days[1], "131", "换表止码", ""],
        [unit, "water", days[1], "0", "exchange_start", "40"],
        [unit, "water", days[2], "2.5", "估抄", ""],
    ]

    first, second = bring("readings", header, rows), bring("readings", header, rows)

    assert (first.new, second.new, second.differs) == (4, 0, 0)
    codes, exported = EXPORTS["readings"](session)
    stored = [dict(zip(codes, row, strict=True)) for row in exported]
    assert [(str(one["read_on"]), one["kind"], one["factor"]) for one in stored] == [
        (days[0], "read", None),
        (days[1], "exchange_end", None),
        (days[1], "exchange_start", Decimal(40)),
        (days[2], "estimated", None),
    ]
    back = [["" if one[name] is None else str(one[name]) for name in header] for one in stored]
    assert bring("readings", header, [[unit, *row[1:]] for row in back]).new == 0
    changed = [[unit, "water", days[2], "2.5", "read", ""]]
    assert bring("readings", header, changed).differs == 1


def test_a_reading_that_is_there_with_another_value_is_told_and_left_alone(session, bring):
    """contract "Imports: what a row is": differs."""
    row = ["3-2-1201", "water", "2026-06-30"]
    bring("readings", READINGS, [[*row, "120"]])

    report = bring("readings", READINGS, [["３－２－１２０１", "ＷＡＴＥＲ", "2026-06-30", "121"]])

    assert [(one.row, one.column, one.there, one.here) for one in report.differences] == [
        (2, "value", "120", "121")
    ]
    assert (report.new, report.skipped, report.differs) == (0, 0, 1)


def test_a_slip_that_is_there_with_other_values_is_told_and_left_alone(session, bring):
    row = ["W-1", "3-2-1201", "repair", "2026-06-20", "2", "pump"]
    bring("slips", SLIPS, [row])

    same = bring("slips", SLIPS, [["ｗ－１", *row[1:]]])
    other = bring("slips", SLIPS, [[*row[:4], "3", "tap"]])

    assert (same.new, same.skipped, same.differs) == (0, 1, 0)
    assert [(one.column, one.there, one.here) for one in other.differences] == [
        ("quantity", "2", "3"),
        ("note", "pump", "tap"),
    ]


SLIPS = ("slip_no", "unit_code", "fee_item", "used_on", "quantity", "note")


def test_slips_come_in_once(session, bring):
    rows = [
        ["S1", "3-2-1201", "空调加时", "2026-06-20", "2.5", "会议"],
        ["S2", "3-2-1201", "repair", "2026-06-26", "1", ""],
        ["S1", "3-2-1201", "overtime_ac", "2026-06-20", "2.50", "会议"],
    ]

    first, second = bring("slips", SLIPS, rows), bring("slips", SLIPS, rows)

    assert (first.new, first.skipped, second.new, count(session, ServiceSlip)) == (2, 1, 0, 2)


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (["S1", "3-2-1201", "levy", "2026-06-20", "1", ""], "fee_item", "unknown fee item: levy"),
        (["S1", "3-2-1201", "repair", "2026-06-20", "0", ""], "quantity", "zero"),
        (["", "3-2-1201", "repair", "2026-06-20", "1", ""], "slip_no", "empty"),
    ],
)
def test_wrong_slips(bring, row, column, problem):
    assert refused(bring, "slips", SLIPS, row) == [(2, column, problem)]


def test_two_different_slips_under_one_number_are_refused(bring):
    rows = [
        ["S1", "3-2-1201", "repair", "2026-06-20", "1", ""],
        ["S1", "V-1", "repair", "2026-06-20", "1", ""],
    ]

    with pytest.raises(imports.RowsRefused, match="stands in row 2 already"):
        bring("slips", SLIPS, rows)


# days of one column → as they are stored; None: the file is refused, naming the row (rules/dates.py)
COLUMNS_OF_DAYS = [
    (["13/03/2026", "05/03/2026"], [date(2026, 3, 13), date(2026, 3, 5)]),
    (["03/13/2026", "05/03/2026"], [date(2026, 3, 13), date(2026, 5, 3)]),
    (["115/03/05", "2026.3.6"], [date(2026, 3, 5), date(2026, 3, 6)]),
    (["12/03/2026", "05/03/2026"], None),
]


@pytest.mark.parametrize(("written", "stored"), COLUMNS_OF_DAYS)
def test_a_column_of_days_tells_the_order_of_day_and_month(session, bring, written, stored):
    rows = [["3-2-1201", "水表", day, str(place)] for place, day in enumerate(written, 1)]
    header = ("房号", "仪表", "抄表日期", "读数")

    if stored is None:
        with pytest.raises(imports.RowsRefused) as refusal:
            bring("readings", header, rows)
        assert [problem.message for problem in refusal.value.problems] == [
            "day and month can't be told apart"
        ] * len(written)
    else:
        bring("readings", header, rows)
        assert list(session.scalars(select(MeterReading.read_on).order_by(MeterReading.id))) == stored
