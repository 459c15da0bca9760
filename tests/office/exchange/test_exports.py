"""Every table as it leaves the office: codes, order, values, no live formula (contract: Exports)."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from models.people import Owner
from models.property import Estate
from office.core import exports as core_exports
from office.exchange import exports, imports, spreadsheets
from office.rooms import EXPORTS, IMPORTS
from rules.reasons import Reason
from tests.factories.estate import add_unit, at, bill
from tests.factories.spreadsheets import csv_file

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")

CONTRACT = """
units: `unit_code, building, area_name, unit_kind, area_m2, state, payer_name, balance`
invoices: `number, unit_code, payer_name, period, issued_on, due_on, amount, paid, credited, late_fee, balance, state, stage, is_overdue`
invoice_lines: `invoice_number, fee_item, quantity, rate, amount, explanation`
payments: `receipt_no, paid_at, posted_on, unit_code, payer_name, method, amount, allocated, credit, state, reference`
reminders: `batch, stage, unit_code, payer_name, debt, due_on, planned_on, channel, state, sent_at, reason`
contacts: `at, unit_code, payer_name, method, staff, outcome, promised_on, promised_amount, promise_state, note`
plans: `unit_code, payer_name, amount, instalments, state`
restrictions: `unit_code, payer_name, service, state, requested_on, approved_by, effective_on, lifted_on, reason`
legal_cases: `unit_code, payer_name, state, opened_on, amount, missing`
tickets: `number, registered_at, channel, unit_code, category, department, severity, severity_reason, state, level, resolved_at, closed_at, satisfaction, reopen_count`
ticket_clocks: `number, clock, started_at, warn_at, due_at, stopped_at, state, rule`
escalations: `number, clock, level, at, to_role, reason`
visits: `number, ticket, unit_code, planned_from, due_at, assignee_role, done_at, method, satisfaction, outcome`
tariffs: `fee_item, unit_kind, rate, valid_from, valid_to`
statement_rows: `transaction_id, source, paid_at, amount, memo, state, receipt_no, reason`
collection_rate: `period, area_name, building, billed, paid, rate_amount, households_billed, households_paid, rate_households`
job_runs: `job, due_for, started_at, finished_at, attempts, state, done, failed`
fee_items: `code, name, basis, cycle_months, anchor, rounding, rounding_mode, is_refundable, bears_late_fee, payer, season_from, season_to`
rates: `unit_code, building, floor_from, floor_to, tag, unit_kind, fee_item, rate, amount, factor, is_exempt, valid_from, valid_to, reason`
payers: `unit_code, fee_item, payer_name, valid_from, valid_to`
audit: `at, staff, action, table, row, changes`
"""  # noqa: E501 -- quoted from the contract
ADDED = {
    "contacts": ["arrears_reason"],
    "units": ["handed_over_on", "residents", "former_balance", "credit"],
    "collection_rate": ["late_fees", "deposits_billed", "deposits_paid"],
    "invoice_lines": [
        "paid",
        "credited",
        "months",
        "factor",
        "raw_amount",
        "service_from",
        "service_to",
        "bears_late_fee",
    ],
    "invoices": ["kind"],
    "payments": ["kind"],
    "tariffs": ["tiers", "tier_span", "tier_people"],
    "fee_items": ["timing", "days_ahead", "is_active", "is_restrictable", "position", "vacancy_factor"],
}
PROMISED = [line.split(": ") for line in CONTRACT.strip().splitlines()]


@pytest.mark.parametrize(("kind", "codes"), PROMISED, ids=[kind for kind, _ in PROMISED])
def test_codes_stand_in_the_promised_order_and_the_query_runs(session, kind, codes):
    header, found = EXPORTS[kind](session)

    assert header == codes.strip("`").split(", ") + ADDED.get(kind, [])
    assert all(len(row) == len(header) for row in found)


def brought(session, tmp_path):
    session.execute(update(Estate).values(present_at=NOW))
    roster = csv_file(
        tmp_path / "roster.csv",
        ("unit_code", "building", "area_name", "unit_kind", "area_m2", "payer_name"),
        [
            ["1-1", "1", "东", "residence", "80.50", "=王"],
            ["1-2", "1", "东", "residence", "9", "李"],
            ["2-1", "2", "东", "shop", "9", ""],
        ],
    )
    opening = csv_file(
        tmp_path / "opening.csv",
        ("unit_code", "period", "fee_item", "amount", "due_on"),
        [
            ["1-1", "2026-06", "management_fee", "200.10", "2026-06-15"],
            ["1-2", "2026-06", "management_fee", "100", "2026-06-15"],
            ["1-2", "2026-07", "management_fee", "100", "2026-07-15"],
        ],
    )
    payments = csv_file(
        tmp_path / "payments.csv",
        ("unit_code", "amount", "paid_at", "method", "reference"),
        [["1-1", "250", "2026-07-05 10:00", "cash", "-5"]],
    )
    for kind, path in (("roster", roster), ("opening-balances", opening), ("payments", payments)):
        imports.take_in(session, kind, IMPORTS[kind], imports.read(path), now=NOW)


def by(session, kind, code):
    header, found = EXPORTS[kind](session)
    place = header.index(code)
    return {row[place]: dict(zip(header, row, strict=True)) for row in found}


def test_values_are_those_of_the_contract(session, tmp_path):
    brought(session, tmp_path)

    units, invoices = by(session, "units", "unit_code"), by(session, "invoices", "period")
    (payment,) = by(session, "payments", "unit_code").values()

    assert (units["1-1"]["balance"], units["1-2"]["balance"]) == (Decimal("-49.90"), Decimal("200.00"))
    assert (units["1-1"]["area_m2"], units["2-1"]["payer_name"]) == (Decimal("80.5"), None)
    assert (invoices["2026-06"]["is_overdue"], invoices["2026-07"]["is_overdue"]) == (True, False)
    assert payment["paid_at"] == "2026-07-05T10:00:00+08:00"
    assert (payment["posted_on"], payment["allocated"], payment["credit"]) == (
        "2026-07-06",
        Decimal("200.10"),
        Decimal("49.90"),
    )


def test_the_collection_rate_of_each_building_and_its_area(session, tmp_path):
    brought(session, tmp_path)

    _, found = EXPORTS["collection_rate"](session)

    nothing = [Decimal("0.00")] * 3  # late fees, deposits billed and paid
    assert [row[:3] + row[5:] for row in found] == [
        ["2026-06", "东", "1", Decimal("66.7"), 2, 1, Decimal("50.0"), *nothing],
        ["2026-06", "东", "", Decimal("66.7"), 2, 1, Decimal("50.0"), *nothing],
        ["2026-07", "东", "1", Decimal("0.0"), 1, 0, Decimal("0.0"), *nothing],
        ["2026-07", "东", "", Decimal("0.0"), 1, 0, Decimal("0.0"), *nothing],
    ]


def test_who_pays_shows_today_or_who_will(session, tmp_path):
    roster = csv_file(
        tmp_path / "r.csv",
        ("unit_code", "building", "unit_kind", "area_m2", "payer_name", "occupancy_from"),
        [["1", "1", "residence", "8", "张", "2099-01-01"]],
    )
    imports.take_in(session, "roster", IMPORTS["roster"], imports.read(roster), now=NOW)

    assert by(session, "units", "unit_code")["1"]["payer_name"] == "张"


LIVE = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\rx", "=", "+", "-x", "+86 139"]
HARMLESS = ["-", "-5", "+5", "-5.20", "1-1", "王", "", "'=1", "5", "+8613900000000"]


@pytest.mark.parametrize(
    ("text", "is_live"), [*((text, True) for text in LIVE), *((text, False) for text in HARMLESS)]
)
def test_formulas_are_made_harmless_and_numbers_stay(text, is_live):
    assert spreadsheets.neutral(text) == ("'" + text if is_live else text)


@pytest.mark.parametrize("name", ["units.csv", "units.xlsx"])
def test_no_file_holds_a_live_formula(session, tmp_path, name):
    brought(session, tmp_path)
    path = tmp_path / name

    exports.write(*EXPORTS["units"](session), file=path, out=io.StringIO())

    if name.endswith("csv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, first, *_ = csv.reader(file)
    else:
        header, first, *_ = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert header[0] == "unit_code"
    assert first[6] == "'=王"
    assert Decimal(str(first[7])) == Decimal("-49.9")
    assert session.query(Owner).order_by(Owner.id).first().name == "=王"  # stored as it was given


def test_json_keeps_texts_fens_and_flags(session, tmp_path):
    brought(session, tmp_path)
    out = io.StringIO()

    exports.write(*EXPORTS["invoices"](session), file=None, out=out, file_format="json")

    rows = json.loads(out.getvalue())
    assert rows[0]["payer_name"] == "=王"
    assert [(row["balance"], row["is_overdue"]) for row in rows] == [
        ("0.00", False),
        ("100.00", True),
        ("100.00", False),
    ]


def test_nothing_to_export_is_an_empty_array_and_a_bare_header(session):
    for file_format, expected in (("json", []), ("csv", "batch,stage")):
        out = io.StringIO()
        exports.write(*EXPORTS["reminders"](session), file=None, out=out, file_format=file_format)
        text = out.getvalue()
        assert (json.loads(text) == expected) if file_format == "json" else text.startswith(expected)


@pytest.mark.parametrize(
    ("say", "stored", "said"),
    [
        (core_exports.amount, Decimal("1234.5"), Decimal("1234.50")),
        (core_exports.rate, Decimal("2.500000"), Decimal("2.50")),
        (core_exports.rate, Decimal("0.588000"), Decimal("0.588")),
        (core_exports.decimal, Decimal("80.5000"), Decimal("80.5")),
        (core_exports.decimal, Decimal("100.0000"), Decimal(100)),
        (core_exports.day, date(2026, 7, 1), "2026-07-01"),
        (core_exports.instant, datetime(2026, 6, 30, 16, tzinfo=UTC), "2026-07-01T00:00:00+08:00"),
        (core_exports.reason, Reason("paid", {"on": date(2026, 7, 1)}).to_json(), "paid: on=2026-07-01"),
        (core_exports.reason, '["a", {"code": "b", "inputs": {}}]', "a; b"),
        (core_exports.reason, "words of a person", "words of a person"),
        (core_exports.reason, "{broken", "{broken"),
        (core_exports.flag, 1, True),
    ],
)
def test_how_values_are_said(say, stored, said):
    found = say(stored, SHANGHAI)

    assert (found, str(found)) == (said, str(said))


def test_the_command_writes_to_the_terminal_or_a_file(office, tmp_path):
    printed = office.run("export", "tariffs")
    office.run("export", "tariffs", tmp_path / "t.csv")
    office.run("export", "tariffs", tmp_path / "t.xlsx")
    as_json = office.run("export", "tariffs", "--format", "json")

    assert (
        printed.stdout.splitlines()[0]
        == "fee_item,unit_kind,rate,valid_from,valid_to,tiers,tier_span,tier_people"
    )
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == printed.stdout
    assert len(json.loads(as_json.stdout)) == len(printed.stdout.splitlines()) - 1
    assert (tmp_path / "t.xlsx").read_bytes().startswith(b"PK")
    areas = office.run("export", "areas")
    assert areas.stdout.splitlines()[0] == "name,position,opened_on"
    assert office.run("export", "weather").exit_code == 2
    assert office.run("export", "complainants").exit_code == 2
    assert office.run("export", "tariffs", "--format", "xlsx").exit_code == 2


def test_a_statement_of_account_is_of_one_account(office):
    with office.session() as session:
        for code in ("1-101", "1-102"):
            add_unit(session, code, payer="王")
        bill(session, "2026-01", now=at("2026-01-02"))
        session.commit()
    asked = ("export", "statement_of_account", "--format", "json")

    of_unit = json.loads(office.run(*asked, "--unit", "1－101").stdout)
    of_payer = json.loads(office.run(*asked, "--unit", "1-102", "--payer", "王", "--to", "2026-01-05").stdout)

    assert [row["kind"] for row in of_unit] == ["opening", "payer", "bill", "closing"]
    assert of_unit[-1]["balance"] == of_unit[2]["billed"] == "250.00"
    assert {row["unit_code"] for row in of_payer[1:-1]} == {"1-102"}
    refused = office.run(*asked, "--payer", "王")
    assert refused.exit_code == 1
    assert "1-101, 1-102" in refused.stderr
    assert office.run(*asked, "--unit", "9").exit_code == 1
    assert office.run(*asked, "--unit", "1-101", "--from", "2199-01-01").exit_code == 1
    assert office.run(*asked, "--unit", "1-101", "--from", "yesterday").exit_code == 2
    assert office.run(*asked).exit_code == 2
    assert office.run("export", "units", "--unit", "1-101").exit_code == 2
