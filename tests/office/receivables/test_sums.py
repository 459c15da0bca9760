"""One source for sums: papers, pages, explanations and exports say the same of every day (D2, M7, B7).

GATEHOUSE_TEST_SUMS_EXAMPLES says how many random histories are tried (default 12).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Payment
from models.property import Estate, Unit
from office.arrears import explain
from office.billing import exports, final_account, invoices
from office.core.errors import Refused
from office.core.exports import Table
from office.documents import archive
from office.estate import exports as estate_exports
from office.estate import household_file, unit_grid
from office.payments import cashier_desk, corrections, payments, statement_queue
from office.payments.payments import NewPayment
from office.receivables import late_fees, ledger, sums
from rules import receivables
from rules.late_fee import LateFeeByItem
from rules.money import ZERO
from rules.receivables import Apart, Owed, Receivable
from tests.factories.estate import (
    accrue,
    add_item,
    add_staff,
    add_unit,
    at,
    bill,
    day,
    occupy,
    turn_on_late_fee,
)
from tests.oracles import debts as oracle

EXAMPLES = int(os.environ.get("GATEHOUSE_TEST_SUMS_EXAMPLES", "12"))
RATE, CAP = Decimal("0.01"), Decimal("0.25")
RENT = oracle.Terms(Decimal("0.02"), Decimal("0.4"), 2)
OWN = {"lease": RENT}  # and the lift bears none (B22)
START = day("2026-01-02")
Debtor = tuple[int, int]

STEP = st.one_of(
    st.tuples(st.just("days"), st.integers(1, 25), st.just(0), st.just("")),
    st.tuples(st.just("bill"), st.just(0), st.just(0), st.just("")),
    st.tuples(st.just("pay"), st.integers(0, 2), st.integers(1, 30_000), st.sampled_from(["", "late"])),
    st.tuples(st.just("pay what is shown"), st.integers(0, 2), st.just(0), st.just("")),
    st.tuples(
        st.just("credit"), st.integers(0, 9), st.integers(1, 4), st.sampled_from(["error", "goodwill"])
    ),
    st.tuples(st.just("undo"), st.integers(0, 9), st.just(0), st.sampled_from(["void", "reverse"])),
    st.tuples(st.just("waive"), st.integers(0, 9), st.integers(1, 400), st.just("")),
)


class Lived:
    """A small estate that lives through steps, and is asked everywhere what is owed."""

    def __init__(self, session: Session) -> None:
        session.rollback()
        self.session, self.today, self.period, self.count = session, START, 0, 0
        rent = {"daily_rate": str(RENT.rate), "grace_days": RENT.grace, "cap_rate": str(RENT.cap)}
        turn_on_late_fee(session, {"fee_item": "lease", **rent}, daily_rate=str(RATE), cap_rate=str(CAP))
        add_item(session, "lift", "fixed", rates={"residence": "37.77"}, bears_late_fee=False)
        add_item(session, "lease", "fixed", rates={"residence": "88.90"})
        self.one = add_staff(session, "one", "manager", "cashier").id
        self.two = add_staff(session, "two", "manager").id
        self.units = [add_unit(session, f"1-10{number}", area="60") for number in (1, 2)]
        shared = add_unit(session, "1-109", payer="")
        occupy(session, shared, "旧", day("2020-01-01"), day("2026-02-10"))
        occupy(session, shared, "新", day("2026-02-11"))
        self.units.append(shared)
        self.step("bill", 0, 0, "")
        self.step("days", 16, 0, "")

    @property
    def now(self) -> datetime:
        return at(self.today.isoformat(), 10) + timedelta(seconds=self.count)

    def step(self, what: str, place: int, number: int, kind: str) -> None:
        self.count += 1
        verbs: dict[str, Callable[[int, int, str], object]] = {
            "days": self.pass_days,
            "bill": self.bill,
            "pay": self.pay,
            "pay what is shown": self.pay_what_is_shown,
            "credit": self.credit,
            "undo": self.undo,
            "waive": self.waive,
        }
        try:
            verbs[what](place, number, kind)
        except Refused:  # such as a credit above what is left
            return

    def pass_days(self, days: int, _number: int, _kind: str) -> None:
        self.today += timedelta(days=days)
        accrue(self.session, at(self.today.isoformat(), 0, 15))

    def bill(self, _place: int, _number: int, _kind: str) -> None:
        self.period += 1
        bill(self.session, f"2026-{(self.period - 1) % 12 + 1:02d}", now=self.now)
        accrue(
            self.session, self.now
        )  # a bill that goes out after its due day bears its fee from the next night

    def pay(self, unit: int, fen: int, kind: str, payer_id: int | None = None) -> Payment:
        new = NewPayment(
            unit_id=self.units[unit].id,
            amount=Decimal(fen) / 100,
            method="wechat",
            paid_at=self.now - timedelta(days=7 if kind else 0),
            cashier_id=self.one,
            payer_id=payer_id,
        )
        return payments.record_payment(self.session, new, now=self.now)

    def pay_what_is_shown(self, unit: int, _number: int, _kind: str) -> None:
        """The control of the contract's sentence: paying the sum that is shown leaves 0.00."""
        unit_id = self.units[unit].id
        shown = self.session.execute(
            select(Invoice.payer_id, Invoice.balance).where(Invoice.unit_id == unit_id, Invoice.balance > 0)
        ).all()
        owed: dict[int, Decimal] = defaultdict(lambda: ZERO)
        for payer_id, balance in shown:
            owed[payer_id] += balance
        for payer_id, amount in owed.items():
            made = self.pay(unit, int(amount * 100), "", payer_id)
            assert (made.allocated, made.credit) == (amount, 0)
            assert sums.owed_by(self.session, (unit_id, payer_id), self.today) == []

    def one_of(self, model: type[Any], place: int, *conditions: Any) -> int | None:
        found = self.session.scalars(select(model.id).where(*conditions).order_by(model.id)).all()
        return found[place % len(found)] if found else None

    def credit(self, place: int, part: int, kind: str) -> None:
        invoice_id = self.one_of(Invoice, place, Invoice.amount > Invoice.credited)
        if invoice_id is None:
            return
        invoice = self.session.get_one(Invoice, invoice_id)
        amount = ((invoice.amount - invoice.credited) / part).quantize(Decimal("0.01"))
        note = invoices.NewCreditNote(
            invoice_id, amount, "x", self.two, "error" if kind == "error" else "goodwill"
        )
        invoices.credit_note(self.session, note, now=self.now)

    def undo(self, place: int, _number: int, kind: str) -> None:
        payment_id = self.one_of(Payment, place, Payment.kind == "payment", Payment.state == "posted")
        if payment_id is not None:
            verb = corrections.void_payment if kind == "void" else corrections.reverse_payment
            verb(self.session, payment_id, reason="x", staff_id=self.two, now=self.now)

    def waive(self, place: int, fen: int, _kind: str) -> None:
        invoice_id = self.one_of(Invoice, place, Invoice.late_fee > 0)
        if invoice_id is not None:
            given: dict[str, Any] = {"reason": "x", "staff_id": self.two, "now": self.now}
            late_fees.waive_late_fee(self.session, invoice_id, amount=Decimal(fen) / 100, **given)

    # --- what is said of today, and of a day that has passed -----------------------------------------------

    def assert_all_agree(self) -> None:
        session = self.session
        session.flush()
        session.scalars(select(Estate)).one().present_at = self.now
        session.flush()
        found = oracle.debts(session, self.today, daily_rate=RATE, cap_rate=CAP, own=OWN)
        by_number = {one.number: one for one in found}
        exported = {row["number"]: row["balance"] for row in _rows(exports.invoices(session))}
        assert exported == {one.number: one.total for one in found}, "lists and exports"
        debtors: dict[Debtor, list[oracle.Debt]] = defaultdict(list)
        for one in found:
            if one.total:
                debtors[one.unit_id, one.payer_id].append(one)
        for unit in self.units:
            self.assert_unit(unit, {debtor: owed for debtor, owed in debtors.items() if debtor[0] == unit.id})
        for debtor, owed in debtors.items():
            self.assert_debtor(debtor, owed)
        self.assert_notices(by_number)
        for ago in (0, 1, 9, 30):
            self.assert_demands(self.today - timedelta(days=ago))

    def assert_unit(self, unit: Unit, debtors: dict[Debtor, list[oracle.Debt]]) -> None:
        owed = [one for debts in debtors.values() for one in debts]
        total = sum((one.total for one in owed), ZERO)
        file = household_file.household(self.session, unit.id, self.today)
        desk = cashier_desk.desk(self.session, unit.id, self.today, "en")
        assert file is not None
        assert desk is not None
        assert file.owed == _sum(owed), "household file"
        late = _sum(one for one in owed if one.due_on < self.today)
        assert file.overdue == late.total, "household file"
        assert {bill.number: (bill.principal, bill.late_fee) for bill in desk.here} == {
            one.number: (one.principal, one.late_fee) for one in owed
        }, "cashier desk"
        assert statement_queue.owed(self.session, unit.id) == total, "statement queue"
        squares = unit_grid._owed(self.session, [Unit.id == unit.id], self.today, self.now)
        assert squares.get(unit.id, ("", ZERO))[1] == total, "grid"
        exported = _rows(estate_exports.units(self.session))
        codes = {row["unit_code"]: row["balance"] + row["former_balance"] for row in exported}
        unused = ledger.unused_credits(self.session, Payment.unit_id == unit.id)
        credit = sum((one.amount for one in unused), ZERO)
        assert codes[unit.code] == total - credit, "units"

    def assert_debtor(self, debtor: Debtor, owed: list[oracle.Debt]) -> None:
        account = final_account.final_account(self.session, *debtor, self.today)
        assert account.debt == _sum(owed).total, "final account"
        for one in owed:
            told = explain.invoice(self.session, one.number, now=self.now)
            assert [Decimal(told[name]) for name in ("principal", "late_fee", "balance")] == [
                one.principal,
                one.late_fee,
                one.total,
            ], "explain"

    def assert_notices(self, by_number: dict[str, oracle.Debt]) -> None:
        ids = self.session.scalars(select(Invoice.id)).all()
        for invoice, notice in archive.payment_notices(self.session, ids, on=self.today):
            own = by_number[invoice.number]
            older = [
                one
                for one in by_number.values()
                if (one.unit_id, one.payer_id) == (own.unit_id, own.payer_id)
                and (one.due_on, one.number) < (own.due_on, own.number)
            ]
            assert notice.previous_balance == _sum(older).total, "payment notice"
            assert notice.total == own.total + _sum(older).total, "payment notice"

    def assert_demands(self, on: date) -> None:
        """Letters of a day list what is still open as it stood on that day."""
        still_open = set(self.session.scalars(select(Invoice.number).where(Invoice.balance > 0)))
        wanted: dict[Debtor, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
        for one in oracle.debts(self.session, on, daily_rate=RATE, cap_rate=CAP, own=OWN):
            if one.number in still_open and one.due_on < on and one.total:
                wanted[one.unit_id, one.payer_id][one.number] = (one.principal, one.late_fee)
        letters = [(*debtor, f"L{place}", on) for place, debtor in enumerate(wanted)]
        drawn = list(archive.demands(self.session, letters, issued_on=on))
        assert [
            {line.invoice_number: (line.amount, line.late_fee) for line in letter.debts} for letter in drawn
        ] == list(wanted.values()), f"demand of {on}"


def _rows(table: Table) -> list[dict[str, Any]]:
    names, rows = table
    return [dict(zip(names, row, strict=True)) for row in rows]


def _sum(owed: Iterable[oracle.Debt]) -> Owed:
    return sum((Owed(one.principal, one.late_fee) for one in owed), Owed())


def live(session: Session, examples: int, *, steps: int = 14) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEP, min_size=steps, max_size=steps))
    def lived(history: list[tuple[str, int, int, str]]) -> None:
        estate = Lived(session)
        for place, step in enumerate(history):
            estate.step(*step)
            if place % 4 == 3:
                estate.assert_all_agree()
        estate.assert_all_agree()
        session.rollback()

    lived()


@pytest.mark.timeout(900)
def test_everything_that_shows_a_sum_agrees_on_every_day(session: Session) -> None:
    is_sqlite = session.get_bind().dialect.name == "sqlite"

    live(session, EXAMPLES if is_sqlite else max(EXAMPLES // 4, 2))


def twice_counted(self: Receivable, policies: Any, on: date) -> Owed:
    return Owed(self.balance, self.charged_on(policies, on))


def with_the_day_itself(self: Receivable, policy: Any, today: date) -> None:
    self.late_fee = self.late_fee_on(policy, today + timedelta(days=1))


def goodwill_always(self: Receivable, amount: Decimal, on: date, *, is_error: bool, **_lines: Any) -> None:
    self.credited += amount
    self.reductions.append(receivables.Reduction(on, amount))


def whole_bill(self: LateFeeByItem, _fee_item: str) -> None:
    """Items have no terms of their own."""


def of_one_line(self: Apart, on: date, lines: Any, *, is_error: bool = False) -> None:
    """What is paid of lines that bear no fee, or have their own, lowers the others."""


FAULTS = {
    "an item's own terms are forgotten": (LateFeeByItem, "of_item", whole_bill),
    "what pays a line lowers the others": (Apart, "lower", of_one_line),
    "the late fee is counted twice": (Receivable, "owed_on", twice_counted),
    "lists charge the day of payment too": (Receivable, "accrue", with_the_day_itself),
    "an error leaves its late fee": (Receivable, "credit", goodwill_always),
    "a day that has passed is told as today": (receivables, "sum_after", lambda *_given: ZERO),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_control_each_fault_is_found(
    session: Session, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("the same in both")
    place, name, wrong = FAULTS[fault]
    monkeypatch.setattr(place, name, wrong)

    with pytest.raises(BaseException):  # noqa: B017, PT011 -- an assertion or a constraint
        live(session, 20)


def test_the_demand_that_counted_the_late_fee_twice(session: Session) -> None:
    """687.50 were owed, of it 14.36 of late fee: 701.86 were demanded."""
    turn_on_late_fee(session, daily_rate="0.001")
    unit = add_unit(session, area="359.168")
    bill(session, "2026-01", now=at("2026-01-02"))
    invoice = session.scalars(select(Invoice)).one()
    accrue(session, at("2026-02-06", 0, 15))
    session.refresh(invoice)

    debtor = (unit.id, invoice.payer_id, "L1", day("2026-02-20"))
    (letter,) = archive.demands(session, [debtor], issued_on=day("2026-02-06"))

    (line,) = letter.debts
    assert line.amount == invoice.amount
    assert line.late_fee == invoice.late_fee > 0
    assert line.amount + line.late_fee == invoice.balance
