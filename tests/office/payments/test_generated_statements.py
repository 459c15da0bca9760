"""Statements in all forms that banks write, overlapping and saved again: none wrong, twice or lost (R2, M5).

The oracle is the list of true movements. GATEHOUSE_FULL=1 runs the number of goals.md: 5,000 statements.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.payments import Payment, StatementRow
from office.exchange import imports
from office.exchange.imports.reader import Line, Table
from office.rooms import IMPORTS
from rules import movements
from tests.conftest import IS_FULL
from tests.factories.bank_files import FILES, Told, said
from tests.factories.estate import add_unit, assert_books_hold

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 8, 1, tzinfo=ZONE)
UNITS = {"1-101": "李某", "1-102": "王某", "1-1-1001": "赵某", "B座0702": "钱某"}
OUR_ACCOUNT = {"本方账号", "帐号", "账号", "借记卡号"}  # all files here are of one account
BANKS = sorted(code for code in FILES if not code.startswith(("wechat", "alipay")))
MEMOS = ("{unit}物业费", "{unit} 8月物业费", "缴费 {unit} 房", "8月物业费350元", "转账", "订单号{unit}")
AMOUNTS = ("350.00", "350.00", "360.50", "1.00", "2100.00")
EXAMPLES = 1700 if IS_FULL else 25  # of three statements each, on both databases


@st.composite
def truths(draw):
    """The true movements of ten days in their order, with numbers and balances."""
    found, balance = [], Decimal("1000.00")
    for number in range(draw(st.integers(2, 9))):
        unit, payer = draw(st.sampled_from(sorted(UNITS.items())))
        amount = Decimal(draw(st.sampled_from(AMOUNTS))) * draw(st.sampled_from((1, 1, 1, -1)))
        at = FIRST + timedelta(days=draw(st.integers(0, 5)), hours=9, minutes=7 * number, seconds=13)
        memo = draw(st.sampled_from(MEMOS)).format(unit=unit)
        found.append(
            Told(at, amount, payer, f"62220000000{ord(payer[0])}", memo, f"20260800{number:06}", balance)
        )
    found.sort(key=lambda one: one.at)
    for place, one in enumerate(found):
        balance += one.amount
        found[place] = replace(one, balance=balance)
    return found


@dataclass(frozen=True)
class Export:
    """A bank's file of some days; saved again by a spreadsheet, dates and numbers are written otherwise."""

    bank: str
    first_day: int
    last_day: int
    is_saved_again: bool

    def lines(self, told):
        days = [one for one in told if self.first_day <= (one.at - FIRST).days <= self.last_day]
        bank = FILES[self.bank]
        one_account = {name: said("6217000000001") for name in bank.cells if name in OUR_ACCOUNT}
        lines = replace(bank, above=(), cells={**bank.cells, **one_account}).lines(days)
        return [[self._again(cell) for cell in line] for line in lines] if self.is_saved_again else lines

    def _again(self, cell):
        if not self.is_saved_again:
            return cell
        if cell[:4] == "2026" and cell[4:5] == "-" and len(cell) in {10, 19}:
            return cell.replace("-", "/")
        return cell.removesuffix(".00") if cell.endswith(".00") and "," not in cell else cell


EXPORTS = st.lists(
    st.builds(
        lambda bank, days, again: Export(bank, min(days), max(days), again),
        st.sampled_from(BANKS),
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        st.booleans(),
    ),
    min_size=2,
    max_size=4,
)


def bring(session, lines):
    table = Table("bank.csv", tuple(Line(number, tuple(line)) for number, line in enumerate(lines, start=1)))
    now = FIRST + timedelta(days=30)
    return imports.take_in(session, "statement", IMPORTS["statement"], table, now=now)


def wrong(session, told, exports):
    """What contradicts the truth: posted to another, posted out, posted twice, or lost."""
    session.expire_all()
    came = Counter((one.at.date(), one.amount, unit_of(one)) for one in told if one.amount > 0)
    posted = Counter(
        (one.paid_at.astimezone(ZONE).date(), one.amount, one.unit.code)
        for one in session.scalars(select(Payment).where(Payment.kind == "payment"))
    )
    covered = Counter(
        (one.at.date(), one.amount)
        for one in told
        if any(each.first_day <= (one.at - FIRST).days <= each.last_day for each in exports)
    )
    stored = Counter(
        (one.paid_at.astimezone(ZONE).date(), one.amount) for one in session.scalars(select(StatementRow))
    )
    return posted - came, covered - stored


def unit_of(one):
    return next((unit for unit, payer in UNITS.items() if payer == one.payer), "")


@pytest.fixture
def estate(session):
    for code, payer in UNITS.items():
        add_unit(session, code, payer=payer)
    session.flush()
    return session


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=truths(), exports=EXPORTS)
def test_overlapping_files_of_any_bank_post_each_movement_once(estate, told, exports):
    with estate.begin_nested() as kept:
        for export in exports:
            lines = export.lines(told)
            bring(estate, lines)
            assert bring(estate, lines).new == 0, "the file again adds none"
        assert wrong(estate, told, exports) == (Counter(), Counter())
        assert_books_hold(estate)
        kept.rollback()


def test_the_oracle_sees_a_program_that_does_not_know_movements_again(estate, monkeypatch):
    told = [
        Told(
            FIRST + timedelta(hours=9), Decimal("350.00"), "李某", "6222", "1-101物业费", "1", Decimal(1350)
        ),
        Told(FIRST + timedelta(hours=10), Decimal("-1.00"), "王某", "6223", "1-102", "2", Decimal(1349)),
    ]
    exports = [Export("njcb", 0, 5, False), Export("ccb", 0, 5, False)]
    monkeypatch.setattr(movements, "likeness", lambda *_: "other")

    for export in exports:
        bring(estate, export.lines(told))

    double, lost = wrong(estate, told, exports)
    assert double == {(FIRST.date(), Decimal("350.00"), "1-101"): 1}
    assert lost == Counter()
