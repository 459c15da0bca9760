"""Each bank's and service's own file is read right without a mapping (R1, M5)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from office.exchange import imports
from office.exchange.imports import statement
from office.exchange.imports.columns import Known
from office.exchange.imports.mapping import NOTHING_SAID
from office.exchange.imports.reader import Line, Table
from office.rooms import IMPORTS
from tests.factories.bank_files import FILES, Told
from tests.factories.estate import add_unit
from tests.factories.spreadsheets import csv_file, xlsx_file

ZONE = ZoneInfo("Asia/Shanghai")
TOLD = [
    Told(
        datetime(2026, 8, 2, 9, 10, 11, tzinfo=ZONE), Decimal("350.00"), "李某", "6222000000001111",
        "1-101物业费", "2026080200000001", Decimal("1350.00"),
    ),
    Told(
        datetime(2026, 8, 3, 10, 0, 1, tzinfo=ZONE), Decimal("-2100.00"), "王某", "6222000000002222",
        "1-102退装修押金", "2026080300000002", Decimal("-750.00"),
    ),
    Told(
        datetime(2026, 8, 4, 11, 30, 59, tzinfo=ZONE), Decimal("1300.50"), "赵某", "6222000000003333",
        "1-103物业费", "2026080400000003", Decimal("550.50"),
    ),
]  # fmt: skip


def read(session, lines, mapping=NOTHING_SAID):
    table = Table("bank.csv", tuple(Line(number, tuple(line)) for number, line in enumerate(lines, start=1)))
    return statement.read_rows(table, statement.COLUMNS, Known(session), mapping=mapping)


@pytest.mark.parametrize("code", FILES)
def test_a_banks_own_file_is_read_right(session, code):
    bank = FILES[code]

    found = read(session, bank.lines(TOLD))

    assert not found.problems
    entries = [row["entry"] for row in found.rows]
    told = list(reversed(TOLD)) if bank.is_latest_first else TOLD
    assert found.skipped_lines == len(bank.below)
    for entry, one in zip(entries, told, strict=True):
        at = entry.paid_at.astimezone(ZONE)
        assert (entry.amount, entry.direction, entry.state) == (
            one.amount,
            "in" if one.amount > 0 else "out",
            "done",
        )
        assert entry.is_currency_known
        assert one.memo in entry.memo
        assert at.date() == one.at.date()
        assert entry.is_time_known == ("time" not in bank.lacks)
        assert "time" in bank.lacks or at == one.at
        assert entry.payer_name == ("" if "payer" in bank.lacks else one.payer)
        assert entry.counter_account == ("" if "counter_account" in bank.lacks else one.counter_account)
        assert entry.transaction_id == ("" if "number" in bank.lacks else one.number)
        assert entry.balance == (None if "balance" in bank.lacks else one.balance)
        assert entry.method == (code.split("-")[0] if code[:6] in {"wechat", "alipay"} else "bank_transfer")


@pytest.mark.parametrize("code", FILES)
def test_what_came_in_posts_once_in_csv_and_workbook(session, tmp_path, code):
    """The unit code stands in the memo of every bank: incoming rows post, the outgoing one waits."""
    for unit in ("1-101", "1-102", "1-103"):
        add_unit(session, unit)
    bank, kind = FILES[code], IMPORTS["statement"]
    first, *rest = bank.lines(TOLD)
    now = datetime(2026, 8, 5, 9, tzinfo=ZONE)

    taken = []
    for path in (
        csv_file(tmp_path / "a.csv", first, rest, "gb18030"),
        xlsx_file(tmp_path / "a.xlsx", first, rest),
    ):
        table = imports.read(path, has_header=imports.header_test(session, kind))
        taken.append(imports.take_in(session, "statement", kind, table, now=now))

    assert [(one.details["posted"], one.details["waiting"]) for one in taken] == [(2, 1), (0, 0)]
    assert taken[1].skipped == 3


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["交易时间", "交易流水号", "金额(分)", "附言"], ["2026-08-02 09:00:00", "W1", "25650", "1-101"]),
        (["交易时间", "交易流水号", "金额（万元）", "附言"], ["2026-08-02 09:00:00", "W1", "2.5", "1-101"]),
        (["交易时间", "收入(千元)", "支出(千元)", "附言"], ["2026-08-02 09:00:00", "2.5", "", "1-101"]),
    ],
)
def test_amounts_in_another_measure_are_refused_by_name(session, header, row):
    with pytest.raises(imports.Refused, match="measure"):
        read(session, [header, row])


@pytest.mark.parametrize(
    ("word", "direction"),
    [("贷", "in"), ("借", "out"), ("來賬", "in"), ("Dr", "out"), ("转存", "unknown"), ("", "unknown")],
)
def test_an_unsigned_amount_beside_a_word(session, word, direction):
    header = ["交易日期", "借贷", "交易金额", "摘要"]

    (row,) = read(session, [header, ["2026-08-02", word, "350.00", "1-101"]]).rows

    assert row["entry"].direction == direction


@pytest.mark.parametrize(
    ("header", "cell", "state"),
    [
        ("交易状态", "交易成功", "done"),
        ("交易状态", "交易关闭", "not_successful"),
        ("交易状态", "对方已退还", "refund"),
        ("交易状态", "已受理", "state_unknown"),
        ("处理状态", "", "state_unknown"),
        ("退款金额", "50.00", "refund"),
        ("退款金额", "0.00", "done"),
        ("冲正标志", "是", "not_successful"),
        ("冲正标志", "否", "done"),
    ],
)
def test_a_state_column_in_any_layout(session, header, cell, state):
    names = ["交易日期", "收入金额", "摘要", header]

    (row,) = read(session, [names, ["2026-08-02", "350.00", "1-101", cell]]).rows

    assert row["entry"].state == state


def test_a_row_whose_day_is_missing_is_refused_and_a_total_is_not(session):
    header = ["交易日期", "收入金额", "对方户名", "摘要"]
    rows = [
        ["2026-08-02", "350.00", "李某", "1-101"],
        ["", "360.00", "赵某", "1-103"],
        ["", "710.00", "", ""],
    ]

    found = read(session, [header, *rows])

    assert [(one.row, one.column) for one in found.problems] == [(3, "paid_at")]
    assert found.skipped_lines == 1


def test_columns_that_are_not_taken_are_told(session):
    found = read(
        session, [["交易日期", "收入金额", "摘要", "网点号"], ["2026-08-02", "350.00", "1-101", "7"]]
    )

    assert found.unused == ("网点号",)


def test_cash_stands_in_no_statement(session):
    header = ["transaction_id", "paid_at", "amount", "memo", "method"]

    found = read(session, [header, ["T1", "2026-08-02", "350.00", "1-101", "cash"]])

    assert [(one.row, one.column) for one in found.problems] == [(2, "method")]
