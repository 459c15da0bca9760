"""A year of vouchers is the year's bills, credits and money, to the fen, each document in one of them (M12).

GATEHOUSE_TEST_VOUCHERS says how many busy histories are lived (default 1 a database).
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.vouchers import Voucher, VoucherLine
from office.core.errors import Refused
from office.vouchers import accounts, files, integrity, making
from rules.billing import Period
from rules.vouchers import Use
from tests.factories.busy_histories import BusyOffice
from tests.factories.estate import NOW, add_staff, add_unit, at, bill, item, pay
from tests.factories.ledger import export_to, make_months, read
from tests.oracles import vouchers as oracle

HISTORIES = int(os.environ.get("GATEHOUSE_TEST_VOUCHERS", "1"))
JUNE = Period(2026, 6)


def months(first: str, count: int) -> list[str]:
    begin = Period.parse(first)
    return [str(begin.plus(number)) for number in range(count)]


def net(session: Session, use: Use) -> Decimal:
    lines = session.scalars(select(VoucherLine).where(VoucherLine.use == use.value))
    return sum((one.debit - one.credit for one in lines), Decimal(0))


def faults(session: Session) -> list[str]:
    return sorted({one.check for one in integrity.all_hold(session)})


def test_vouchers_of_a_busy_history_equal_its_documents(session: Session, tmp_path: Path) -> None:
    for seed in range(HISTORIES):
        office = BusyOffice(session, seed)
        office.live()
        begin = str(Period.of(office.today).plus(-14))

        make_months(session, months(begin, 15), now=office.now)
        export_to(session, tmp_path)

        assert oracle.differences(tmp_path) == []
        assert oracle.differences(tmp_path, "2025-01", "2025-12") == []
        assert faults(session) == []
        assert making.plan(session, Period.of(office.today)).documents == 0
        first = session.scalars(select(Voucher).where(Voucher.kind == "bills").order_by(Voucher.id)).first()
        assert first is not None
        making.reverse(session, first.id, reason="wrong account", staff_id=None, now=office.now)
        assert making.make(session, Period.of(office.today), staff_id=None, now=office.now)
        export_to(session, tmp_path)
        assert oracle.differences(tmp_path) == []
        assert faults(session) == []


@pytest.fixture
def june(session: Session) -> Session:
    """Two flats billed in June, one of which has paid more than it owes."""
    unit = add_unit(session, "1-101")
    add_unit(session, "1-102")
    bill(session, "2026-06")
    pay(session, unit, "500.00")
    return session


def test_what_has_no_account_is_named_and_nothing_is_made(june: Session) -> None:
    with pytest.raises(Refused, match="no account"):
        making.make(june, JUNE, staff_id=None, now=NOW)

    missing = making.plan(june, JUNE).missing
    assert {one.use for one in missing} == {"item", "method", "receivable", "advances", "deferred"}
    assert [one.fee_item.code for one in missing if one.fee_item] == ["management_fee"]
    assert june.scalar(select(Voucher.id)) is None


def test_a_month_is_made_once_exported_once_and_reversed_in_red(june: Session) -> None:
    staff = add_staff(june, "accountant", "cashier")
    made = make_months(june, ["2026-06"], now=NOW)

    assert [one.number for one in made] == ["VCH202606-000001", "VCH202606-000002"]
    assert [one.kind for one in made] == ["bills", "receipts"]
    assert making.make(june, JUNE, staff_id=None, now=NOW) == []
    assert net(june, Use.METHOD) == Decimal(500)

    assert files.export(june, "2026-06", staff_id=staff.id, now=NOW) == 2
    with pytest.raises(Refused, match="has been exported"):
        files.export(june, "2026-06", staff_id=staff.id, now=NOW)
    for layout in files.layouts().values():
        header, rows = files.table(june, layout, "2026-06", NOW)
        lines = [dict(zip(header, row, strict=True)) for row in rows]
        debit, credit = (
            {"kingdee": ("借方", "贷方"), "yonyou": ("借方金额", "贷方金额")}.get(layout.code)
            or ("debit", "credit")
        )  # fmt: skip
        assert sum(one[debit] or 0 for one in lines) == sum(one[credit] or 0 for one in lines) > 0

    back = making.reverse(june, made[0].id, reason="wrong account", staff_id=staff.id, now=NOW)
    assert (back.amount, back.exported_at) == (-made[0].amount, None)
    assert net(june, Use.ITEM) == 0
    with pytest.raises(Refused, match="reversed already"):
        making.reverse(june, made[0].id, reason="again", staff_id=staff.id, now=NOW)
    anew = making.make(june, JUNE, staff_id=None, now=NOW)
    assert [one.number for one in anew] == ["VCH202606-000004"]
    assert faults(june) == []


def test_a_late_document_comes_into_the_month_that_is_made(june: Session) -> None:
    make_months(june, ["2026-05", "2026-06"], now=NOW)
    making.make(june, Period(2026, 7), staff_id=None, now=at("2026-07-01"))
    add_unit(june, "1-103")
    bill(june, "2026-06", now=NOW)

    planned = making.plan(june, Period(2026, 7))

    assert (planned.late, planned.documents) == (1, 1)
    assert planned.drafts[0].on == Period(2026, 7).first_on


def test_a_month_that_has_not_begun_is_refused(june: Session) -> None:
    with pytest.raises(Refused, match="not begun"):
        making.make(june, Period(2026, 7), staff_id=None, now=NOW)


BROKEN = {
    "UPDATE voucher_line SET debit = debit + 100 WHERE id = (SELECT MIN(id) FROM voucher_line)": {
        "voucher_amount_is_that_of_its_lines", "voucher_debits_are_its_credits",
        "voucher_receivable_is_its_documents",
    },
    "DELETE FROM voucher_source WHERE source = 'payment'": {
        "voucher_advances_are_its_payments", "voucher_money_is_its_payments",
    },
    "UPDATE voucher_source SET is_live = (1 = 0) WHERE source = 'invoice'": {
        "voucher_documents_are_in_force"
    },
    "UPDATE voucher SET running_no = 9 WHERE running_no = 2": {"voucher_numbers_have_no_gap"},
}  # fmt: skip


@pytest.mark.parametrize("statement", BROKEN)
def test_control_a_voucher_that_is_off_is_found(june: Session, statement: str) -> None:
    make_months(june, ["2026-06"], now=NOW)
    assert faults(june) == []
    for table in ("voucher", "voucher_line", "voucher_source"):
        for rule in ("rewritten", "deleted"):
            name = f"{table}_is_never_{rule}"
            on_table = "" if june.get_bind().dialect.name == "sqlite" else f" ON {table}"
            june.execute(text(f"DROP TRIGGER IF EXISTS {name}{on_table}"))

    june.execute(text(statement))

    assert set(faults(june)) == BROKEN[statement]


def test_the_database_refuses_to_rewrite_a_voucher_or_to_book_a_document_twice(june: Session) -> None:
    make_months(june, ["2026-06"], now=NOW)
    for statement in (
        "UPDATE voucher_line SET debit = debit + 1",
        "DELETE FROM voucher",
        "INSERT INTO voucher_source (voucher_id, source, source_id, is_live) "
        "SELECT voucher_id, source, source_id, (1 = 1) FROM voucher_source",
    ):
        with pytest.raises(DBAPIError), june.begin_nested():
            june.execute(text(statement))


def test_an_account_that_cannot_be_is_refused(june: Session) -> None:
    accounts.fill_usual(june, staff_id=None, now=NOW)
    assert accounts.fill_usual(june, staff_id=None, now=NOW) == []
    row = accounts.LedgerAccount(
        use="receivable", account=" ", tax_rate=Decimal(0), valid_from=NOW.date(), method=""
    )
    for change, match in (
        ({"account": " "}, "number of the account"),
        ({"account": "1122", "method": "cash"}, "way to pay"),
        ({"method": "", "fee_item_id": item(june, "management_fee").id}, "fee item"),
        ({"fee_item_id": None, "tax_rate": Decimal("0.06")}, "include tax"),
        ({"tax_rate": Decimal(0), "valid_from": accounts.BEGINNING}, "already"),
    ):
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(Refused, match=match):
            accounts.check(june, row)


def test_the_export_names_lines_and_documents(june: Session, tmp_path: Path) -> None:
    make_months(june, ["2026-06"], now=NOW)
    export_to(june, tmp_path)

    assert {one["use"] for one in read(tmp_path, "vouchers")} == {
        "receivable", "item", "output_tax", "method", "advances"
    }  # fmt: skip
    assert {one["source"] for one in read(tmp_path, "voucher_documents")} == {
        "invoice", "payment", "allocation"
    }  # fmt: skip
