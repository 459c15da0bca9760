"""Money that comes in files: opening balances, payments, statements (contract: Imports, M1, M5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import Invoice, InvoiceLine
from models.payments import Payment, StatementLayout, StatementRow
from office.exchange import imports
from office.rooms import EXPORTS, IMPORTS
from rules.reasons import Reason
from tests.factories.spreadsheets import csv_file, xlsx_file
from tests.factories.statements import ALIPAY, WECHAT, statement_line, wechat_line

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
ROSTER = ("房号", "楼栋", "类型", "面积", "业主姓名")
HOUSEHOLDS = [
    ["3-2-1201", "3", "住宅", "80", "王一"],
    ["3-2-1202", "3", "住宅", "80", "李二"],
    ["V-1", "3", "住宅", 9, ""],
]


@pytest.fixture
def bring(session, tmp_path):
    def take_in(kind, header, rows, *, name="file.csv", encoding="utf-8", **more):
        make = xlsx_file if name.endswith("xlsx") else csv_file
        path = make(tmp_path / name, header, rows, *([] if name.endswith("xlsx") else [encoding]))
        return imports.take_in(session, kind, IMPORTS[kind], imports.read(path), now=NOW, **more)

    take_in("roster", ROSTER, HOUSEHOLDS)
    return take_in


def exported(session, kind):
    header, found = EXPORTS[kind](session)
    return [dict(zip(header, row, strict=True)) for row in found]


def refused(bring, kind, header, row):
    with pytest.raises(imports.RowsRefused) as refusal:
        bring(kind, header, [row])
    return [(one.row, one.column, one.message % one.values) for one in refusal.value.problems]


# --- opening balances ------------------------------------------------------------------------------

OPENING = ("unit_code", "period", "fee_item", "amount", "due_on")


def test_an_opening_balance_is_an_invoice_of_its_period(session, bring):
    rows = [
        ["3-2-1201", "2026-05", "management_fee", "200.00", "2026-05-15"],
        ["3-2-1201", "2026-05", "水费", "31.40", "2026-05-15"],
        ["3-2-1202", "2026-06", "management_fee", "200", "2026-06-15"],
    ]

    first = bring("opening-balances", OPENING, rows)
    second = bring("opening-balances", OPENING, rows)

    assert (first.new, second.new, second.skipped) == (3, 0, 3)
    invoices = session.scalars(select(Invoice).order_by(Invoice.id)).all()
    assert [(one.kind, one.period, one.balance, one.due_on) for one in invoices] == [
        ("opening", "2026-05", Decimal("200.00"), date(2026, 5, 15)),
        ("opening", "2026-05", Decimal("31.40"), date(2026, 5, 15)),
        ("opening", "2026-06", Decimal("200.00"), date(2026, 6, 15)),
    ]
    lines = session.scalars(select(InvoiceLine).order_by(InvoiceLine.id)).all()
    assert [line.amount for line in lines] == [one.amount for one in invoices]
    assert {row["unit_code"]: row["balance"] for row in exported(session, "units")} == {
        "3-2-1201": Decimal("231.40"),
        "3-2-1202": Decimal("200.00"),
        "V-1": Decimal("0.00"),
    }


def test_chinese_headers_and_a_workbook_with_month_and_date_cells(session, bring):
    header = ("房号", "账期", "收费项目", "欠费金额", "到期日")
    row = ["3-2-1201", date(2026, 5, 1), "物业费", 200.1, date(2026, 5, 15)]

    assert bring("opening-balances", header, [row], name="期初.xlsx").new == 1
    assert session.scalars(select(Invoice.amount)).one() == Decimal("200.10")


@pytest.mark.parametrize(
    ("change", "column", "problem"),
    [
        ({"unit_code": "9-9"}, "unit_code", "unknown unit"),
        ({"unit_code": "V-1"}, "unit_code", "nobody pays for this unit"),
        ({"period": "2026-13"}, "period", "not a month"),
        ({"fee_item": "levy"}, "fee_item", "unknown fee item: levy"),
        ({"amount": "0"}, "amount", "zero"),
        ({"amount": "-1"}, "amount", "below zero"),
        ({"amount": "1.001"}, "amount", "finer than a fen"),
        ({"amount": "NaN"}, "amount", "not a finite number"),
        ({"amount": "1000000000000"}, "amount", "too large a number"),
        ({"amount": "ten"}, "amount", "not a number"),
        ({"due_on": "2026-02-30"}, "due_on", "not a date"),
        ({"due_on": ""}, "due_on", "empty"),
    ],
)
def test_wrong_opening_balances(session, bring, change, column, problem):
    good = {
        "unit_code": "3-2-1201",
        "period": "2026-05",
        "fee_item": "management_fee",
        "amount": "1",
        "due_on": "2026-05-15",
    }

    found = refused(bring, "opening-balances", OPENING, list((good | change).values()))

    assert found == [(2, column, problem)]
    assert session.scalars(select(Invoice)).all() == []


# --- payments --------------------------------------------------------------------------------------

PAYMENTS = ("unit_code", "amount", "paid_at", "method", "reference")


def test_payments_are_posted_once(session, bring):
    bring("opening-balances", OPENING, [["3-2-1201", "2026-05", "management_fee", "200", "2026-05-15"]])
    rows = [
        ["3-2-1201", "150.00", "2026-07-05T10:00:00+08:00", "cash", ""],
        ["3-2-1201", "150.00", "2026-07-05 10:00", "现金", ""],  # the same once more: two notes of cash
        ["3-2-1202", "99.99", "2026-07-05 11:00", "微信支付", "WX1"],
        ["3-2-1202", "99.99", "2026-07-05 11:00", "wechat", "WX1"],  # one transaction told twice
    ]

    first = bring("payments", PAYMENTS, rows)
    second = bring("payments", PAYMENTS, rows[::-1])

    assert (first.new, first.skipped, second.new, second.skipped) == (3, 1, 0, 4)
    assert [(row["amount"], row["allocated"], row["credit"]) for row in exported(session, "payments")] == [
        (Decimal("150.00"), Decimal("150.00"), Decimal("0.00")),
        (Decimal("150.00"), Decimal("50.00"), Decimal("100.00")),
        (Decimal("99.99"), Decimal("0.00"), Decimal("99.99")),
    ]
    assert exported(session, "payments")[0]["paid_at"] == "2026-07-05T10:00:00+08:00"
    assert {row["unit_code"]: row["balance"] for row in exported(session, "units")}["3-2-1201"] == -100


def test_a_cheque_in_a_file_is_refused_by_its_row(session, bring):
    """M13: a file says neither its bank nor its day."""
    rows = [["3-2-1201", "150.00", "2026-07-05T10:00:00+08:00", "支票", "000123"]]

    assert refused(bring, "payments", PAYMENTS, rows[0]) == [(2, "method", "a cheque is no row of a file")]
    assert exported(session, "payments") == []


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (["3-2-1201", "0", "2026-07-05", "cash", ""], "amount", "zero"),
        (["3-2-1201", "1", "yesterday", "cash", ""], "paid_at", "not a date"),
        (["3-2-1201", "1", "2026-07-05", "barter", ""], "method", "unknown: barter"),
        (["3-2-1201", "1", "2026-07-05", "", ""], "method", "empty"),
        (["V-1", "1", "2026-07-05", "cash", ""], "unit_code", "nobody pays for this unit"),
    ],
)
def test_wrong_payments(bring, row, column, problem):
    assert refused(bring, "payments", PAYMENTS, row) == [(2, column, problem)]


# --- statements ------------------------------------------------------------------------------------

GENERIC = ("transaction_id", "paid_at", "amount", "memo", "payer_name", "method")


def statement(session):
    return [
        (row["transaction_id"], row["state"], row["amount"], (row["reason"] or "").split(":")[0])
        for row in exported(session, "statement_rows")
    ]


def test_our_own_codes(session, bring):
    rows = [
        ["T1", "2026-07-05T10:00:00+08:00", "200.00", "物业费 3-2-1201", "王一", "wechat"],
        ["T2", "2026-07-05 10:00", "50", "谢谢", "李二", ""],
        ["T3", "2026-07-05 10:00", "-50", "3-2-1201 退回", "", "alipay"],
        ["T4", "2026-07-05 10:00", "50", "9-9-9", "", "card"],
        ["T1", "2026-07-05 10:00", "200.00", "3-2-1201", "", ""],
    ]

    first = bring("statement", GENERIC, rows)
    second = bring("statement", GENERIC, rows)

    assert (first.new, first.skipped, second.new) == (4, 1, 0)
    assert first.details == {"posted": 1, "waiting": 3}
    assert statement(session) == [
        ("T1", "posted", Decimal("200.00"), ""),
        ("T2", "waiting", Decimal("50.00"), "no_known_code"),
        ("T3", "waiting", Decimal("-50.00"), "outgoing"),
        ("T4", "waiting", Decimal("50.00"), "no_known_code"),
    ]
    (payment,) = session.scalars(select(Payment))
    assert (payment.reference, payment.method, payment.unit.code) == ("T1", "wechat", "3-2-1201")


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (["", "2026-07-05", "1", "", "", ""], "transaction_id", "empty"),
        (["1", "", "1", "", "", ""], "paid_at", "empty"),
        (["1", "2026-07-45", "1", "", "", ""], "paid_at", "not a date"),
        (["1", "2026-07-05", "", "", "", ""], "amount", "empty"),
        (["1", "2026-07-05", "inf", "", "", ""], "amount", "not a finite number"),
        (["1", "2026-07-05", "1.005", "", "", ""], "amount", "finer than a fen"),
        (["1", "2026-07-05", "1", "", "", "barter"], "method", "unknown: barter"),
    ],
)
def test_wrong_statement_rows(bring, row, column, problem):
    assert refused(bring, "statement", GENERIC, row) == [(2, column, problem)]


def test_a_wechat_merchant_bill(session, bring):
    rows = [
        wechat_line("4200000001", "200.00", "物业费3-2-1201"),
        wechat_line("4200000002", "88.00", "停车", 商户数据包="3-2-1202"),
        wechat_line("4200000003", "66.00", "3-2-1201", "REVOKED"),
        wechat_line(
            "4200000001", "0.00", "物业费3-2-1201", "REFUND", 微信退款单号="5030000001", 申请退款金额="200.00"
        ),
        ["总交易单数", "应结订单总金额", "退款总金额"],
        ["`4", "`354.00", "`200.00"],
    ]

    first = bring("statement", WECHAT, rows, encoding="utf-8-sig")
    second = bring("statement", WECHAT, rows, encoding="utf-8-sig")

    assert (first.new, second.new) == (4, 0)
    assert statement(session) == [
        ("4200000001", "posted", Decimal("200.00"), ""),
        ("4200000002", "posted", Decimal("88.00"), ""),
        ("4200000003", "waiting", Decimal("66.00"), "not_successful"),
        ("5030000001", "waiting", Decimal("-200.00"), "refund"),
    ]
    assert {row.source for row in session.scalars(select(StatementRow))} == {"wechat"}
    assert [(p.amount, p.method) for p in session.scalars(select(Payment))] == [
        (200, "wechat"),
        (88, "wechat"),
    ]


def test_an_alipay_bill(session, bring, tmp_path):
    def padded(**values):
        return ",".join(
            f"{value}\t" for value in statement_line(ALIPAY, 完成时间="2026-07-05 10:00:00", **values)
        )

    text = "\r\n".join(
        [
            "#支付宝业务明细查询",
            "#账号：[2088000000000000]",
            "#起始日期：[2026年07月01日 00:00:00]   终止日期：[2026年07月06日 00:00:00]",
            "#-----------------------------------------业务明细列表----------------------------------------",
            ",".join(ALIPAY),
            padded(
                支付宝交易号="2026A",
                业务类型="交易",
                商品名称="3-2-1202物业费",
                **{"订单金额（元）": "200.00", "服务费（元）": "-1.20"},
            ),
            padded(
                支付宝交易号="2026A",
                业务类型="退款",
                商品名称="3-2-1202物业费",
                **{"订单金额（元）": "-200.00", "退款批次号/请求号": "R1"},
            ),
            "#-----------------------------------------业务明细列表结束------------------------------------",
            "#业务明细合计：",
            "#导出时间：[2026年07月06日 09:00:00]",
        ]
    )
    path = tmp_path / "alipay.csv"
    path.write_bytes(text.encode("gbk"))

    imports.take_in(session, "statement", IMPORTS["statement"], imports.read(path), now=NOW)

    assert statement(session) == [
        ("2026A", "posted", Decimal("200.00"), ""),
        ("2026A-R1", "waiting", Decimal("-200.00"), "refund"),
    ]


BANKS = [
    (
        (
            "交易日期",
            "交易时间",
            "摘要",
            "借方发生额",
            "贷方发生额",
            "余额",
            "对方户名",
            "对方账号",
            "流水号",
        ),
        ["20260705", "10:00:00", "3-2-1201物业费", "", "1,200.00", "5,000.00", "王一", "6222", "LS001"],
        ("LS001", Decimal("1200.00"), "posted"),
    ),
    (
        ("记账日期", "收入金额", "支出金额", "附言", "用途", "对方名称"),
        ["2026/7/5", "0.00", "300.00", "3-2-1201", "", "电力公司"],
        (None, Decimal("-300.00"), "waiting"),
    ),
    (
        ("入账时间", "交易金额", "借贷标志", "用途", "备注", "付款人名称", "交易流水号"),
        ["2026-07-05 10:00:00", "75.50", "贷", "物业费", "3-2-1202", "李二", "N-7"],
        ("N-7", Decimal("75.50"), "posted"),
    ),
]


@pytest.mark.parametrize(("header", "row", "expected"), BANKS, ids=["columns", "spent", "flag"])
@pytest.mark.parametrize("name", ["bank.csv", "bank.xlsx"])
def test_banks_with_headers_of_their_own(session, bring, header, row, expected, name):
    rows = [["某某银行账户明细"], list(header), row, ["合计", "", "1"]]

    first = bring(
        "statement", ["查询结果"], rows, name=name, **({} if name.endswith("xlsx") else {"encoding": "gbk"})
    )
    second = bring(
        "statement", ["查询结果"], rows, name=name, **({} if name.endswith("xlsx") else {"encoding": "gbk"})
    )

    assert (first.new, second.new) == (1, 0)
    (stored,) = session.scalars(select(StatementRow))
    number, amount, state = expected
    assert stored.transaction_id == number or number is None
    assert (stored.amount, stored.state) == (amount, state)


def test_lines_without_a_number_are_told_apart_by_counting(session, bring):
    header, row, _ = BANKS[1]

    assert bring("statement", header, [row, row]).new == 2
    assert bring("statement", header, [row, row]).new == 0
    assert bring("statement", header, [row, row, row]).new == 1


def test_a_layout_that_a_person_mapped_is_remembered(session, bring):
    header = ("Buchung", "Betrag", "Text", "Nr")
    session.add(
        StatementLayout(
            name="Bank",
            header='["Buchung", "Betrag", "Text", "Nr"]',
            columns='{"paid_at": "Buchung", "amount": "Betrag", "memo": "Text", "transaction_id": "Nr"}',
            method="card",
        )
    )
    session.flush()

    bring("statement", header, [["2026-07-05", "10", "3-2-1201", "1"]])

    (payment,) = session.scalars(select(Payment))
    assert (payment.method, payment.amount, payment.reference) == ("card", Decimal(10), "1")


def test_reasons_are_exported_as_words_of_a_code(session, bring):
    bring("statement", GENERIC, [["T", "2026-07-05", "1", "3-2-1201 3-2-1202", "", ""]])

    (row,) = exported(session, "statement_rows")
    assert row["reason"] == str(Reason("several_codes", {"codes": "3-2-1201 3-2-1202"}))
