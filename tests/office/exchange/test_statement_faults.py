"""Faults by which other programs' statement imports posted what they must not, each in a small file (M5, R2).

Every kind is one that public bug reports tell of; the rows are our own.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy.orm import Session

from office.core.errors import Refused
from office.exchange import imports
from office.exchange.imports import statement
from office.exchange.imports.reader import Line, Table
from office.rooms import IMPORTS
from tests.factories.estate import NOW, add_unit

PAYER = {"1-101": "张伟", "1-102": "李娜"}


@pytest.fixture
def estate(session: Session) -> Session:
    for code, payer in PAYER.items():
        add_unit(session, code, payer=payer)
    session.flush()
    return session


def brought(session: Session, *lines: str) -> imports.Report:
    """What becomes of a file, given line by line with cells between semicolons."""
    cut = [Line(number, tuple(line.split(";"))) for number, line in enumerate(lines, start=1)]
    return imports.take_in(session, "statement", IMPORTS["statement"], Table("f.csv", tuple(cut)), now=NOW)


def outcomes(report: imports.Report) -> list[str]:
    """Of each row its direction, amount, and unit or reason."""
    return [
        f"{row['direction']} {row['amount']} {row['reason'] or row['unit_code']}"
        for row in report.preview["rows"]
    ]


TWO = "交易日期;摘要;收入金额;支出金额"
ONE = "交易日期;摘要;{};金额"
KINDS = {
    "a sign repeats the column of what went out": (
        (TWO, "2026-07-01;1-101;350.00;0.00", "2026-07-01;1-102;;-2100.00", "2026-07-02;1-102;0;-1"),
        ["in 350.00 1-101", "out -2100.00 outgoing", "out -1.00 outgoing"],
    ),
    "a correction in red comes in": (
        (TWO, "2026-07-01;1-102;;2100.00", "2026-07-02;1-102;;-2100.00", "2026-07-02;1-101;350;"),
        ["out -2100.00 outgoing", "in 2100.00 refund", "in 350.00 1-101"],
    ),
    "a dash stands for no amount": (
        (TWO, "2026-07-01;1-101;350.00;-", "2026-07-01;1-102;—;100"),
        ["in 350.00 1-101", "out -100.00 outgoing"],
    ),
    "directions under a header that is not known": (
        (ONE.format("性质"), "2026-07-01;1-101;贷方;9", "2026-07-01;1-102;借方;8", "2026-07-01;1-102;转;1"),
        ["in 9.00 1-101", "out -8.00 outgoing", "unknown 1.00 direction_unknown"],
    ),
    "directions under the header of kinds": (
        (ONE.format("交易类型"), "2026-07-01;1-101;来账;350", "2026-07-01;1-102;往账;100"),
        ["in 350.00 1-101", "out -100.00 outgoing"],
    ),
    "a dash in a column that tells nothing": (
        (ONE.format("网点"), "2026-07-01;1-101;-;350", "2026-07-01;1-102;-;100"),
        ["in 350.00 1-101", "in 100.00 1-102"],
    ),
    "a refund that comes in, told by its kind": (
        (ONE.format("交易分类"), "2026-07-01;1-101;退款;350", "2026-07-01;1-102;转账;100"),
        ["in 350.00 refund", "in 100.00 1-102"],
    ),
    "a refund that comes in, told by its memo": (
        (ONE.format("业务类型"), "2026-07-01;退款-1-101物业费;转账;350", "2026-07-01;1-102;转账;100"),
        ["in 350.00 refund", "in 100.00 1-102"],
    ),
    "lines of balances": (
        (
            "Date;Details;Deposits;Withdrawals;Balance",
            "2026-07-01;B/F BALANCE;;;1000.00",
            "2026-07-01;1-101;350.00;;1350.00",
            "2026-07-31;C/F BALANCE;;;1350.00",
        ),
        ["in 350.00 1-101"],
    ),
    "pages are counted below the table": (
        (TWO, "2026-07-01;1-101;350.00;", "第1页;;共1页;"),
        ["in 350.00 1-101"],
    ),
    "equal rows are as many movements": (
        (TWO, "2026-07-01;1-101;13;", "2026-07-01;1-101;;13", "2026-07-01;1-101;13;"),
        ["in 13.00 1-101", "out -13.00 outgoing", "in 13.00 1-101"],
    ),
    "a building written with a hash": (
        (TWO, "2026-07-01;1#-101;1;", "2026-07-01;1#102;2;"),
        ["in 1.00 1-101", "in 2.00 1-102"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_is_what_it_is(estate: Session, kind: str) -> None:
    lines, expected = KINDS[kind]

    assert outcomes(brought(estate, *lines)) == expected


def test_a_day_without_an_amount_is_refused_where_no_balance_is_told(estate: Session) -> None:
    with pytest.raises(Refused):
        brought(estate, TWO, "2026-07-01;1-101;;")


@pytest.mark.parametrize(
    ("kind", "rule", "off"),
    [
        ("a sign repeats the column of what went out", "_signs", lambda *_: statement.Signs()),
        ("a correction in red comes in", "is_correction", lambda *_: False),
        ("directions under a header that is not known", "looks_like_directions", lambda *_: False),
    ],
)
def test_control_without_the_rule_money_out_is_posted(
    estate: Session, monkeypatch: pytest.MonkeyPatch, kind: str, rule: str, off: object
) -> None:
    monkeypatch.setattr(statement, rule, off)
    lines, expected = KINDS[kind]

    assert outcomes(brought(estate, *lines)) != expected


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n1 0 obj",
        b"OFXHEADER:100\n<OFX>",
        b'\xef\xbb\xbf<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        b"MIME-Version: 1.0\nContent-Type: multipart/related",
        b":20:START\n:25:1/2\n",
    ],
)
def test_what_is_no_table_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bank.xls"
    path.write_bytes(content)

    with pytest.raises(Refused, match="not a table: save it as CSV or XLSX"):
        imports.read(path)


def test_days_of_a_workbook_that_counts_from_1904(estate: Session, tmp_path: Path) -> None:
    """Date cells are what they show; a bare number there would be four years off, and is refused."""
    days = (datetime(2026, 6, 20), 44731)  # noqa: DTZ001 -- office time, as in the sheet
    paths = [tmp_path / f"{number}.xlsx" for number in range(2)]
    for path, day in zip(paths, days, strict=True):
        with xlsxwriter.Workbook(path, {"date_1904": True}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, TWO.split(";"))
            sheet.write_row(1, 1, ("1-101", 350))
            if isinstance(day, datetime):
                sheet.write_datetime(1, 0, day, book.add_format({"num_format": "yyyy/m/d"}))
            else:
                sheet.write_number(1, 0, day)

    tables = [imports.read(path) for path in paths]
    report = imports.take_in(estate, "statement", IMPORTS["statement"], tables[0], now=NOW)

    assert report.preview["rows"][0]["paid_at"].startswith("2026-06-20")
    with pytest.raises(imports.RowsRefused):
        imports.take_in(estate, "statement", IMPORTS["statement"], tables[1], now=NOW)
