"""Statements in all forms that banks write, overlapping and saved again: none wrong, twice or lost (R2, M5).

The oracle is the list of true movements. GATEHOUSE_FULL=1 runs the number of goals.md, 5,000 statements, in
parts that each end within a test's time and can be begun again alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.payments import Payment, StatementRow
from office.exchange import imports
from office.exchange.imports.columns import RowsRefused
from office.exchange.imports.reader import Line, Table
from office.rooms import IMPORTS
from rules import movements
from tests.conftest import IS_FULL
from tests.factories.bank_files import FILES, Told, said
from tests.factories.estate import add_unit, assert_books_hold

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 8, 1, tzinfo=ZONE)
UNITS = {
    "1-101": "李某",
    "1-102": "王某",
    "1-1-1001": "赵某",
    "B座0702": "钱某",
    "1-3": "孙某",
    "1011": "周某",
}
OUR_ACCOUNT = {"本方账号", "帐号", "账号", "借记卡号"}  # all files here are of one account
BANKS = sorted(code for code in FILES if not code.startswith(("wechat", "alipay")))
SERVICES = {"wechat-personal": "当前状态", "alipay-personal": "交易状态", "alipay-web": "交易状态"}
MEMOS = (
    "{unit}物业费", "{unit} 8月物业费", "缴费 {unit} 房", "８月 {unit}　物业费", "转账", "8月物业费350元",
    "订单号{unit}", "1-3月物业费", "{unit} 1-3月", "2026年8月 1011元", "工号1011 {unit}室",
    "B座0702和{unit}", "尾号1-102",
)  # fmt: skip
AMOUNTS = ("350.00", "350.00", "360.50", "1.00", "2100.00")
PARTS = range(50) if IS_FULL else range(1)
EXAMPLES = 40 if IS_FULL else 25  # of a part, each of two to four overlapping statements
PHASES = (Phase.explicit, Phase.generate, Phase.shrink)  # to explain takes longer than a test may
OF_SERVICES = 8 if IS_FULL else 5  # of a part, each of three


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
            Told(
                at,
                amount,
                payer,
                f"62220000000{ord(payer[0])}",
                memo,
                f"202608000000{number + 1:06}",
                balance,
            )
        )
    found.sort(key=lambda one: one.at)
    for place, one in enumerate(found):
        balance += one.amount
        found[place] = replace(one, balance=balance)
    return found


@dataclass(frozen=True)
class Export:
    """A bank's file of some days; saved again by a spreadsheet, dates and numbers are written otherwise.

    The spreadsheet may damage the bank's numbers: `shortened` to 2.026E+17, or `zeros` after 15 digits.
    """

    bank: str
    first_day: int
    last_day: int
    is_saved_again: bool
    is_turned: bool = False  # the other order of time
    damage: str = ""

    def covers(self, one):
        return self.first_day <= (one.at - FIRST).days <= self.last_day

    def lines(self, told):
        days = [self._damaged(one) for one in told if self.covers(one)]
        bank = FILES[self.bank]
        one_account = {name: said("6217000000001") for name in bank.cells if name in OUR_ACCOUNT}
        order = bank.is_latest_first != self.is_turned
        own = replace(bank, above=(), cells={**bank.cells, **one_account}, is_latest_first=order)
        lines = own.lines(days)
        return [[self._again(cell) for cell in line] for line in lines] if self.is_saved_again else lines

    def _damaged(self, one):
        damaged = {"shortened": f"{float(one.number):.5E}", "zeros": f"{one.number[:15]}000"}
        return replace(one, number=damaged.get(self.damage, one.number))

    @property
    def is_refused(self):
        """Whether the file must be refused, for a number in it can't be read."""
        return self.damage == "shortened" and "number" not in FILES[self.bank].lacks

    def _again(self, cell):
        if not self.is_saved_again:
            return cell
        if cell[:4] == "2026" and cell[4:5] == "-" and len(cell) in {10, 19}:
            return cell[:16].replace("-", "/")  # without seconds
        return cell.removesuffix(".00") if cell.endswith(".00") and "," not in cell else cell


@st.composite
def exports_of(draw, banks):
    """Two to four overlapping files of one or two of the banks, or of a bank and whoever copies its rows."""
    some = draw(st.lists(st.sampled_from(banks), min_size=1, max_size=2))
    written = (st.booleans(), st.booleans(), st.sampled_from(("", "", "", "zeros", "shortened")))
    one = st.builds(
        lambda bank, days, *how: Export(bank, min(days), max(days), *how),
        st.sampled_from(some),
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        *written,
    )
    return draw(st.lists(one, min_size=2, max_size=4))


def bring(session, lines):
    table = Table("bank.csv", tuple(Line(number, tuple(line)) for number, line in enumerate(lines, start=1)))
    now = FIRST + timedelta(days=30)
    return imports.take_in(session, "statement", IMPORTS["statement"], table, now=now)


def wrong(session, told, exports):
    """What contradicts the truth: posted to another, posted out, posted twice, or lost."""
    session.expire_all()
    came = Counter((one.at.date(), one.amount, unit_of(one)) for one in told if one.amount > 0)
    covered = Counter(
        (one.at.date(), one.amount) for one in told if any(each.covers(one) for each in exports)
    )
    stored = Counter(
        (one.paid_at.astimezone(ZONE).date(), one.amount) for one in session.scalars(select(StatementRow))
    )
    return posted(session) - came, covered - stored


def posted(session):
    """What became payments: day, amount, unit."""
    return Counter(
        (one.paid_at.astimezone(ZONE).date(), one.amount, one.unit.code)
        for one in session.scalars(select(Payment).where(Payment.kind == "payment"))
    )


def unit_of(one):
    return next((unit for unit, payer in UNITS.items() if payer == one.payer), "")


@pytest.fixture
def estate(session):
    for code, payer in UNITS.items():
        add_unit(session, code, payer=payer)
    session.flush()
    return session


def as_often(part, examples):
    """So many examples of a part, other ones than those of the other parts."""

    def drawn(proof):
        return seed(part)(settings(max_examples=examples, deadline=None, phases=PHASES)(proof))

    return drawn


@pytest.mark.parametrize("part", PARTS)
def test_overlapping_files_of_any_bank_post_each_movement_once(estate, part):
    @as_often(part, EXAMPLES)
    @given(told=truths(), exports=exports_of(BANKS))
    def prove(told, exports):
        with estate.begin_nested() as kept:
            for export in exports:
                lines = export.lines(told)
                if export.is_refused and any(map(export.covers, told)):
                    with pytest.raises(RowsRefused):
                        bring(estate, lines)
                    continue
                bring(estate, lines)
                assert bring(estate, lines).new == 0, "the file again adds none"
            taken = [export for export in exports if not export.is_refused]
            assert wrong(estate, told, taken) == (Counter(), Counter())
            assert_books_hold(estate)
            kept.rollback()

    prove()


STATES = {  # as a service's file calls what is under way, final, and taken back
    "wechat-personal": ("等待收款", "已收钱", "已全额退款"),
    "alipay-personal": ("等待确认收货", "交易成功", "退款成功"),
    "alipay-web": ("等待付款", "交易成功", "交易关闭"),
}


@pytest.mark.parametrize("part", PARTS)
def test_files_of_a_service_post_what_was_final_when_they_were_written(estate, part):
    """Each movement goes on from file to file: under way, final, taken back; it may begin or stop late."""

    @as_often(part, OF_SERVICES)
    @given(told=truths(), service=st.sampled_from(sorted(STATES)), data=st.data())
    def prove(told, service, data):
        ages = st.lists(st.integers(0, 2), min_size=len(told), max_size=len(told))
        seen_final = Counter()
        with estate.begin_nested() as kept:
            stages = [0] * len(told)
            for _file in range(3):
                stages = [max(pair) for pair in zip(stages, data.draw(ages), strict=True)]
                calls = (STATES[service][stage] for stage in stages)
                state_of = {one.number: call for one, call in zip(told, calls, strict=True)}
                file = FILES[service]
                column = SERVICES[service]
                cells = {**file.cells, column: lambda one, states=state_of: states[one.number]}
                bring(estate, replace(file, cells=cells).lines(told))
                pairs = zip(told, stages, strict=True)
                final = (one for one, stage in pairs if stage == 1 and one.amount > 0)
                seen_final |= Counter((one.at.date(), one.amount, unit_of(one)) for one in final)
            double, lost = wrong(estate, told, [Export(service, 0, 5, is_saved_again=False)])
            assert (double, lost) == (Counter(), Counter())
            assert posted(estate) - seen_final == Counter()
            assert_books_hold(estate)
            kept.rollback()

    prove()


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
