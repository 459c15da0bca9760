"""A movement of money posts once, whichever file, form or screen brings it (M5, contract "Imports")."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.engine import writing
from models.payments import Payment, StatementLayout, StatementRow
from models.property import Unit
from office.core import clock
from office.core.errors import Refused
from office.exchange import imports
from office.payments import corrections, day_close, statement_queue
from office.payments.statement_matching import refuse_posted
from office.receivables.integrity import money_adds_up
from office.rooms import IMPORTS
from rules import movements
from rules.reasons import Reason
from tests.factories.estate import add_staff, add_unit, assert_books_hold
from tests.factories.spreadsheets import csv_file, xlsx_file

NOW = datetime(2026, 11, 30, 1, tzinfo=UTC)
SHORT = ("交易时间", "流水号", "收入金额", "摘要", "对方户名")
PLAIN = ("序号", "交易时间", "收入金额", "余额", "摘要", "对方户名")


@pytest.fixture
def bring(session, tmp_path):
    add_unit(session, "1-101", payer="张伟")
    add_unit(session, "1-102", payer="李娜")
    add_unit(session, "1-103", payer="王芳")
    count = iter(range(1000))

    def take_in(header, *rows, kind="statement", name="file.csv", **more):
        make = xlsx_file if name.endswith("xlsx") else csv_file
        path = make(tmp_path / f"{next(count)}-{name}", header, rows)
        table = imports.read(path, has_header=imports.header_test(session, IMPORTS[kind]))
        return imports.take_in(session, kind, IMPORTS[kind], table, now=NOW, **more)

    return take_in


def posted(session):
    session.expire_all()
    rows = session.scalars(select(Payment).where(Payment.state == "posted", Payment.kind == "payment"))
    return sorted((one.unit.code, str(one.amount)) for one in rows)


def reasons(session):
    session.expire_all()
    waiting = select(StatementRow.reason).where(StatementRow.state == "waiting").order_by(StatementRow.id)
    return [Reason.from_json(one).code for one in session.scalars(waiting)]


def test_overlapping_exports_whose_rows_are_numbered_anew(session, bring):
    bring(PLAIN, ["1", "2026-11-20 09:00:00", "168.00", "1168.00", "1-101 物业费", "张伟"],
          ["2", "2026-11-21 09:00:00", "253.00", "1421.00", "1-102 物业费", "李娜"])  # fmt: skip
    again = bring(PLAIN, ["1", "2026-11-21 09:00:00", "253.00", "1421.00", "1-102 物业费", "李娜"],
                  ["2", "2026-11-22 10:00:00", "99.00", "1520.00", "1-103 物业费", "王芳"])  # fmt: skip

    assert (again.new, again.skipped) == (1, 1)
    assert posted(session) == [("1-101", "168.00"), ("1-102", "253.00"), ("1-103", "99.00")]
    assert_books_hold(session)


TWO_AMOUNTS = ("交易日期", "收入", "支出", "摘要", "对方户名")
DIRECTED = ("交易日期", "借贷", "金额", "备注", "交易对手")
ROW = ["2026-11-20 09:00:00", "B1001", "168.00", "1-101 物业费", "张伟"]


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        (SHORT, ROW, "again.csv"),
        (SHORT, ROW, "again.xlsx"),
        (SHORT, ["2026/11/20 9:00", "B1001", "168", "1-101 物业费", "张伟"], "saved.csv"),
        ((*SHORT, "余额"), [*ROW, "1168.00"], "more.csv"),
        (TWO_AMOUNTS, ["2026-11-20", "168.00", "", "1-101 物业费", "张伟"], "other.csv"),
        (DIRECTED, ["20261120", "贷", "168.00", "1-101 物业费", "张*"], "masked.csv"),
    ],
)  # fmt: skip
def test_one_movement_in_another_form(session, bring, header, row, name):
    bring(SHORT, ROW)

    again = bring(header, row, name=name)

    assert (again.new, again.skipped) == (0, 1)
    assert posted(session) == [("1-101", "168.00")]


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        (SHORT, ["2026-11-20 09:00:00", "B1001", "169.00", "1-101 物业费", "张伟"], "same_number"),
        (SHORT, ["2026-11-25 09:00:00", "B1001", "168.00", "1-101 物业费", "张伟"], "same_number"),
        (("交易日期", "收入", "附言"), ["2026-11-20", "168.00", "1-101"], "maybe_same"),
    ],
)
def test_what_may_be_the_same_waits(session, bring, header, row, reason):
    bring(SHORT, ROW)

    bring(header, row)

    assert posted(session) == [("1-101", "168.00")]
    assert reasons(session) == [reason]


def test_a_voucher_number_of_nothing_is_no_identity(session, bring):
    header = ("凭证号", "交易时间", "贷方发生额", "借方发生额", "摘要", "对方户名")
    rows = [
        ["0", "2026-11-20 09:00:00", "168.00", "0.00", "1-101", "张伟"],
        ["0", "2026-11-20 09:01:00", "253.00", "0.00", "1-102", "李娜"],
        ["0", "2026-11-20 09:02:00", "0.00", "99.00", "1-103", "王芳"],
    ]

    first, again = bring(header, *rows), bring(header, *rows)

    assert (first.new, again.new, again.skipped) == (3, 0, 3)
    assert posted(session) == [("1-101", "168.00"), ("1-102", "253.00")]
    assert reasons(session) == ["outgoing"]


def test_a_batch_number_on_differing_rows_is_no_identity(session, bring):
    rows = [
        ["2026-11-20 09:00:00", "BATCH-77", "168.00", "1-101", "张伟"],
        ["2026-11-20 09:00:00", "BATCH-77", "168.00", "1-102", "李娜"],
    ]

    first, again = bring(SHORT, *rows), bring(SHORT, *rows)

    assert (first.new, again.new) == (2, 0)
    assert posted(session) == [("1-101", "168.00"), ("1-102", "168.00")]


PAYMENTS = ("unit_code", "amount", "paid_at", "method", "reference")
PAID = ["1-101", "168.00", "2026-11-20 09:00", "bank_transfer", "B1001"]


def test_a_payment_that_was_imported_is_not_posted_by_a_statement(session, bring):
    bring(PAYMENTS, PAID, kind="payments")
    bring(SHORT, ROW)

    assert posted(session) == [("1-101", "168.00")]
    assert reasons(session) == ["posted_by_other_way"]
    row_id = session.scalars(select(StatementRow.id)).one()
    unit_id = session.scalars(select(Payment.unit_id)).one()
    with pytest.raises(Refused, match="has this money already"):
        statement_queue.match_row(session, row_id, unit_id=unit_id, staff_id=None, now=NOW)


def test_one_transfer_that_was_imported_for_two_units_is_not_posted_again(session, bring):
    bring(PAYMENTS, ["1-101", "100.00", *PAID[2:]], ["1-102", "68.00", *PAID[2:]], kind="payments")
    bring(SHORT, ROW)

    assert posted(session) == [("1-101", "100.00"), ("1-102", "68.00")]
    assert reasons(session) == ["posted_by_other_way"]


@pytest.mark.parametrize(("unit", "skipped"), [("1-101", 1), ("1-102", 0)])
def test_a_payment_that_a_statement_posted_is_not_imported(session, bring, unit, skipped):
    bring(SHORT, ROW)
    again = bring(PAYMENTS, [unit, *PAID[1:]], kind="payments")

    assert (again.new, again.skipped) == (0, skipped)
    assert posted(session) == [("1-101", "168.00")]


def test_the_cashier_desk_refuses_what_a_statement_posted(session, bring):
    bring(SHORT, ROW)
    unit_id = session.scalars(select(Payment.unit_id)).one()

    with pytest.raises(Refused, match="B1001"):
        refuse_posted(session, "B1001", unit_id, Decimal("168.00"))
    refuse_posted(session, "B1001", unit_id, Decimal("167.99"))
    refuse_posted(session, "B1002", unit_id, Decimal("168.00"))
    refuse_posted(session, "", unit_id, Decimal("168.00"))


ALIPAY = (
    "交易时间",
    "交易分类",
    "交易对方",
    "对方账号",
    "商品说明",
    "收/支",
    "金额",
    "交易状态",
    "交易订单号",
)
TRANSFER = ["2026-11-20 10:00:00", "转账红包", "王芳", "x", "1-103物业费", "收入", "99.00"]


def test_a_movement_posts_when_a_later_file_says_it_is_final(session, bring):
    bring(ALIPAY, [*TRANSFER, "等待确认收货", "20261120000001\t"])
    assert (posted(session), reasons(session)) == ([], ["not_successful"])

    done = bring(ALIPAY, [*TRANSFER, "交易成功", "20261120000001\t"])
    again = bring(ALIPAY, [*TRANSFER, "交易成功", "20261120000001\t"])

    assert (done.new, again.new) == (1, 0)
    assert posted(session) == [("1-103", "99.00")]
    assert session.scalars(select(Payment.method)).one() == "alipay"
    assert reasons(session) == []


def test_a_posted_movement_that_was_refunded_since_is_told(session, bring):
    bring(ALIPAY, [*TRANSFER, "交易成功", "20261120000001"])

    later = bring(ALIPAY, [*TRANSFER, "已全额退款", "20261120000001"])

    assert (later.new, later.skipped, later.differs) == (0, 0, 1)
    assert posted(session) == [("1-103", "99.00")]


def test_a_voided_receipt_gives_its_row_back(session, bring):
    bring(SHORT, ROW)
    clerk = add_staff(session, "clerk", "cashier")
    payment = session.scalars(select(Payment)).one()

    corrections.void_payment(session, payment.id, reason="wrong unit", staff_id=clerk.id, now=NOW)

    assert (posted(session), reasons(session)) == ([], ["receipt_voided"])
    assert list(money_adds_up(session)) == []
    row_id = session.scalars(select(StatementRow.id)).one()
    statement_queue.match_row(session, row_id, unit_id=payment.unit_id, staff_id=clerk.id, now=NOW)
    assert posted(session) == [("1-101", "168.00")]
    assert bring(SHORT, ROW).new == 0
    assert_books_hold(session)


def test_check_names_a_posted_row_without_a_live_payment(session, bring):
    bring(SHORT, ROW)
    row = session.scalars(select(StatementRow)).one()
    row.payment_id = None
    session.flush()

    assert [one.check for one in money_adds_up(session)] == ["posted_statement_row_has_its_payment"]


def test_who_brings_a_statement_is_its_cashier(session, bring):
    clerk = add_staff(session, "clerk", "cashier")
    bring(SHORT, ROW, staff_id=clerk.id)

    payment = session.scalars(select(Payment)).one()
    assert payment.cashier_id == clerk.id
    with pytest.raises(Refused, match="yourself"):
        corrections.void_payment(session, payment.id, reason="x", staff_id=clerk.id, now=NOW)


def test_a_weak_code_needs_a_second_sign_and_a_clerk_gives_one_for_the_next_time(session, bring):
    add_unit(session, "1011", payer="甲一")
    header = (*SHORT, "对方账号")

    def row(day, payer, account):
        return [f"2026-11-{day} 09:00:00", f"C20261{day}", "100.00", "1011物业费", payer, account]

    bring(header, row(20, "甲一", "6222000000000001"), row(21, "甲二", "6222000000000002"))
    assert (posted(session), reasons(session)) == ([("1011", "100.00")], ["weak_code"])
    waiting = session.scalars(select(StatementRow).where(StatementRow.state == "waiting")).one()
    unit_id = session.scalars(select(Payment.unit_id)).one()
    statement_queue.match_row(session, waiting.id, unit_id=unit_id, staff_id=None, now=NOW)

    bring(header, row(22, "某某", "6222000000000002"), row(23, "某某", "6222000000000003"))

    assert len(posted(session)) == 3
    assert reasons(session) == ["weak_code"]


def test_a_contradicted_balance_holds_its_row(session, bring):
    header = ("交易时间", "流水号", "收入金额", "余额", "摘要", "对方户名")
    bring(
        header,
        ["2026-11-20 09:00:00", "D00000001", "168.00", "1168.00", "1-101", "张伟"],
        ["2026-11-20 09:01:00", "D00000002", "253.00", "1421.00", "1-102", "李娜"],
        ["2026-11-20 09:02:00", "D00000003", "99.00", "1322.00", "1-103", "王芳"],  # went out, in truth
        ["2026-11-20 09:03:00", "D00000004", "1.00", "1323.00", "1-103", "王芳"],
    )

    assert posted(session) == [("1-101", "168.00"), ("1-102", "253.00"), ("1-103", "1.00")]
    assert reasons(session) == ["balance"]


def test_a_file_that_its_balances_contradict_waits_as_a_whole(session, bring):
    bring(
        ("交易时间", "收入金额", "余额", "摘要"),
        ["2026-11-20 09:00:00", "168.00", "832.00", "1-101"],
        ["2026-11-20 09:01:00", "253.00", "579.00", "1-102"],
    )

    assert (posted(session), reasons(session)) == ([], ["balance", "balance"])


# --- numbers that a spreadsheet has cut ----------------------------------------------------------------

CUT = "2026112000000010000"  # of two numbers that differ in their last digits
BY_DAY = ("交易日期", "流水号", "收入金额", "摘要", "对方户名")


def bring_cut_numbers(bring):
    """Two payments of one day that say the same, and on another day one of another household."""
    twice = ["2026-11-20", CUT, "168.00", "1-101 物业费", "张伟"]
    bring(BY_DAY, twice, twice)
    bring(BY_DAY, ["2026-11-21", CUT, "253.00", "1-102 物业费", "李娜"])


def test_a_number_cut_after_fifteen_digits_identifies_nothing(session, bring):
    bring_cut_numbers(bring)

    assert posted(session) == [("1-101", "168.00"), ("1-101", "168.00"), ("1-102", "253.00")]
    assert reasons(session) == []
    again = bring(BY_DAY, ["2026-11-21", CUT, "253.00", "1-102 物业费", "李娜"])
    assert (again.new, again.skipped) == (0, 1)


def test_the_control_taken_for_whole_such_numbers_lose_payments(session, bring, monkeypatch):
    monkeypatch.setattr(movements, "_CUT", re.compile("never"))

    bring_cut_numbers(bring)

    assert posted(session) == [("1-101", "168.00")]
    assert reasons(session) == ["same_number"]


# --- closed days ---------------------------------------------------------------------------------------

TODAY = date(2026, 11, 30)
THREE = (
    ["2026-11-20 09:00:00", "B1", "168.00", "1-101 物业费", "张伟"],
    ["2026-11-21 09:00:00", "B2", "5.00", "红包", ""],
    ["2026-11-22 09:00:00", "B3", "99.00", "1-103 物业费", "王芳"],
)


def close(session, staff_id, day):
    day_close.close_day(session, cashier_id=staff_id, day=day, counted={}, closed_by_id=staff_id, now=NOW)


def test_each_sure_row_into_a_closed_day_is_refused_with_the_next_open_day(session, bring):
    one, other = (add_staff(session, login, "cashier").id for login in ("one", "other"))
    close(session, one, TODAY)

    with pytest.raises(imports.RowsRefused) as refusal, session.begin_nested():
        bring(SHORT, *THREE, staff_id=one)

    told = [(problem.row, problem.values) for problem in refusal.value.problems]
    assert told == [(row, {"day": TODAY, "open_day": TODAY + timedelta(days=1)}) for row in (2, 4)]
    assert (posted(session), reasons(session)) == ([], [])
    taken = bring(SHORT, *THREE, staff_id=other)
    assert taken.details == {"posted": 2, "waiting": 1}, "another person's day is open"
    assert_books_hold(session)


def test_rows_that_only_wait_may_come_on_a_closed_day(session, bring):
    one = add_staff(session, "one", "cashier").id
    close(session, one, TODAY)

    assert bring(SHORT, THREE[1], staff_id=one).details == {"posted": 0, "waiting": 1}

    (row_id,) = session.scalars(select(StatementRow.id))
    with pytest.raises(Refused, match="is closed"):
        match_to(session, row_id, "1-101", one)


def match_to(session, row_id, code, staff_id):
    unit_id = session.scalars(select(Unit.id).where(Unit.code == code)).one()
    statement_queue.match_row(session, row_id, unit_id=unit_id, staff_id=staff_id, now=NOW)


def test_the_command_s_money_is_in_nobody_s_day(office, tmp_path):
    """The command knows no cashier: their closed day neither stops it nor holds its money."""
    with writing(), office.session() as session:
        now = clock.now(session)
        add_unit(session, "1-101", payer="张伟")
        one, today = add_staff(session, "one", "cashier").id, clock.office_day(session, now)
        day_close.close_day(session, cashier_id=one, day=today, counted={}, closed_by_id=one, now=now)
        session.commit()
    path = csv_file(tmp_path / "a.csv", SHORT, THREE[:1])

    done = office.run("import", "statement", path, "--json")

    assert json.loads(done.stdout)["details"] == {"posted": 1, "waiting": 0}
    with office.session() as session:
        assert session.scalars(select(Payment.cashier_id)).all() == [None]
        assert day_close.drawers(session, one, today) == {}


# --- cash ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["cash", "现金", "現金"])
def test_cash_is_refused_for_every_row_by_set_and_by_map(office, tmp_path, word):
    path, said = csv_file(tmp_path / "a.csv", SHORT, THREE[:2]), tmp_path / "map.toml"
    said.write_text(f'[set]\nmethod = "{word}"\n')
    with writing(), office.session() as session:
        add_unit(session, "1-101", payer="张伟")
        session.commit()

    for more in (("--set", f"method={word}"), ("--map", said)):
        done = office.run("import", "statement", path, *more, "--json")
        assert done.exit_code == 1
        told = json.loads(done.stdout)
        assert [one["row"] for one in told["errors"]] == [2, 3]
        assert all("cash stands in no statement" in one["problem"] for one in told["errors"])
    with office.session() as session:
        assert session.scalars(select(StatementRow)).all() == []
    done = office.run("import", "statement", path, "--set", "method=银行转账", "--json")
    assert json.loads(done.stdout)["details"] == {"posted": 1, "waiting": 1}


def test_a_layout_of_cash_is_refused_by_the_database_and_by_the_posting(session, bring):
    layout = StatementLayout(
        name="Till",
        header=json.dumps(SHORT),
        columns=json.dumps({"paid_at": SHORT[0], "amount_in": SHORT[2], "memo": SHORT[3]}),
        method="cash",
    )
    session.add(layout)
    session.flush()

    with pytest.raises(Refused, match="Cash"), session.begin_nested():
        bring(SHORT, *THREE)

    assert (posted(session), reasons(session)) == ([], [])
