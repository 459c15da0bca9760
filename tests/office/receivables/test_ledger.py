"""Every fen accounted for (M7): what `flask check` finds, and a machine of random office days (F3).

GATEHOUSE_TEST_MONEY_EXAMPLES says how many random histories are tried (default 8, goals.md: 1000).
"""

import itertools
import json
import os
from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select, text, type_coerce
from sqlalchemy.exc import DBAPIError

from models import triggers
from models.base import Money
from models.billing import CreditNote, Invoice, InvoiceLine
from models.engine import writing
from models.payments import Earmark, Payment
from models.property import Unit
from office.billing import deposits
from office.billing import invoices as billed
from office.core import numbering
from office.core.errors import Refused
from office.estate.owners import payers_on
from office.payments import corrections, day_close, earmarks, payments, statements
from office.payments.day_close import Counted
from office.payments.earmarks import PutAside
from office.payments.statements import Entry
from office.policies import store
from office.receivables import late_fees, ledger
from office.rooms import findings
from rules import allocation
from rules.allocation import Pick
from rules.money import FEN, ZERO
from rules.receivables import Receivable
from tests.conftest import IS_FULL
from tests.factories.estate import (
    LONG_AGO,
    NOW,
    accrue,
    add_item,
    add_staff,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    item,
    occupy,
    pay,
    turn_on_late_fee,
)

EXAMPLES = int(os.environ.get("GATEHOUSE_TEST_MONEY_EXAMPLES", "8"))
STEPS = 30
ALL_EVERY = 5  # every so many steps, and at the end, `flask check` asks all it knows; the sums each time
AMOUNTS = st.one_of(
    st.sampled_from([1, 24999, 25000, 25001, 50000, 120000]), st.integers(min_value=1, max_value=80000)
).map(lambda fen: Decimal(fen).scaleb(-2))


class Books(RuleBasedStateMachine):
    """A small estate lived through at random; after each step the books must hold."""

    session = None  # set by the test; nothing is ever committed

    def __init__(self):
        super().__init__()
        self.session.rollback()
        self.today = day("2026-01-01")
        self.period = 0
        self.taken = self.billed = self.credited = ZERO
        self.count = self.steps = 0

    @property
    def now(self):
        return at(self.today.isoformat(), 10) + timedelta(seconds=self.count)

    def teardown(self):
        if self.steps:
            assert_books_hold(self.session)
        self.session.rollback()

    @initialize(order=st.sampled_from(["in_order", "in_proportion"]), is_whole=st.booleans())
    def open(self, order, is_whole):
        turn_on_late_fee(self.session, daily_rate="0.01")
        lift = add_item(self.session, "lift_fee", "fixed", rates={"residence": "33.33"})
        self.items = [item(self.session, "management_fee"), lift]
        policy = {"inside_bill": order, "whole_items": ["lift_fee"] if is_whole else []}
        store.store(self.session, "allocation", policy, valid_from=LONG_AGO, now=NOW)
        self.cashier = add_staff(self.session, "cashier", "cashier", "manager")
        self.other = add_staff(self.session, "other", "manager")
        self.units = [add_unit(self.session, f"1-10{number}", area="100") for number in range(2)]
        shared = add_unit(self.session, "1-109", payer=None)
        occupy(self.session, shared, "旧", day("2020-01-01"), day("2026-03-10"))
        occupy(self.session, shared, "新", day("2026-03-11"))
        self.units.append(shared)

    def one_of(self, model, pick, *conditions):
        found = self.session.scalars(select(model.id).where(*conditions).order_by(model.id)).all()
        return found[pick % len(found)] if found else None

    @rule()
    def issue_a_month(self):
        self.period += 1
        made = bill(self.session, f"2026-{(self.period - 1) % 12 + 1:02d}", now=self.now)
        self.billed += made.amount

    @rule(days=st.integers(min_value=1, max_value=40))
    def time_passes(self, days):
        self.today += timedelta(days=days)
        accrue(self.session, at(self.today.isoformat(), 0, 15))

    @rule(
        unit=st.integers(0, 2),
        amount=AMOUNTS,
        ago=st.integers(0, 20),
        is_again=st.booleans(),
        by_cashier=st.booleans(),
    )
    def pay_some(self, unit, amount, ago, is_again, by_cashier):
        self.count += 1
        for _ in range(2 if is_again else 1):
            try:
                payments.record_payment(
                    self.session,
                    payments.NewPayment(
                        unit_id=self.units[unit].id,
                        amount=amount,
                        method="cash",
                        paid_at=self.now - timedelta(days=ago),
                        cashier_id=self.cashier.id if by_cashier else None,
                        form_key=f"form {self.count}",
                    ),
                    now=self.now,
                )
            except Refused:  # the cashier's day is closed
                return
        self.taken += amount

    @rule(pick=st.integers(0, 100), part=st.integers(1, 3), more=st.sampled_from([ZERO, FEN, Decimal(50)]))
    def pay_an_item(self, pick, part, more):
        """A ticked line gets what is meant for it, whatever is older (M8)."""
        still_open = type_coerce(InvoiceLine.amount - InvoiceLine.credited - InvoiceLine.paid, Money())
        line_id = self.one_of(InvoiceLine, pick, still_open > ZERO)
        if line_id is None:
            return
        line = self.session.get_one(InvoiceLine, line_id)
        bill, before = self.session.get_one(Invoice, line.invoice_id), line.paid
        wanted = ((line.amount - line.credited - before) / part).quantize(FEN, ROUND_DOWN)
        if not wanted:
            return
        self.count += 1
        new = payments.NewPayment(
            unit_id=bill.unit_id,
            payer_id=bill.payer_id,
            amount=wanted + more,
            method="card",
            paid_at=self.now,
            picks=(Pick(bill.number, wanted, line.id),),
            form_key=f"form {self.count}",
        )
        try:
            payments.record_payment(self.session, new, now=self.now)
        except Refused:  # the item is paid whole or not at all
            return
        self.taken += wanted + more
        self.session.refresh(line)
        assert before + wanted <= line.paid <= before + wanted + more

    @rule(
        unit=st.integers(0, 2),
        amount=AMOUNTS,
        part=st.integers(1, 3),
        which=st.integers(0, 2),
        months=st.integers(0, 3),
    )
    def pay_ahead(self, unit, amount, part, which, months):
        """Money for an item, for days, or for both, and the rest free (M10)."""
        self.count += 1
        from_on = self.today.replace(day=1) + timedelta(days=31 * months) if which else None
        item_id = None if which == 1 else self.items[self.count % 2].id
        aside = (amount / part).quantize(FEN, ROUND_DOWN)
        new = payments.NewPayment(
            unit_id=self.units[unit].id,
            amount=amount,
            method="wechat",
            paid_at=self.now,
            aside=(PutAside(aside, item_id, from_on),) if aside else (),
        )
        payments.record_payment(self.session, new, now=self.now)
        self.taken += amount

    @rule(pick=st.integers(0, 100), part=st.integers(1, 3), is_again=st.booleans())
    def put_credit_aside(self, pick, part, is_again):
        payment_id = self.one_of(Payment, pick, Payment.kind == "payment", Payment.credit > 0)
        if payment_id is None:
            return
        amount = (self.session.get_one(Payment, payment_id).credit / part).quantize(FEN, ROUND_DOWN)
        for _ in range(2 if is_again else 1):
            try:
                earmarks.put_aside(
                    self.session,
                    payment_id,
                    PutAside(amount, self.items[pick % 2].id),
                    staff_id=self.cashier.id,
                    now=self.now,
                )
            except Refused:  # put aside already, refunded, or nothing
                return

    @rule(pick=st.integers(0, 100))
    def set_credit_free(self, pick):
        earmark_id = self.one_of(Earmark, pick, Earmark.ended_at.is_(None))
        if earmark_id is not None:
            earmarks.set_free(self.session, earmark_id, staff_id=self.other.id, now=self.now)

    @rule(unit=st.integers(0, 2), what=st.sampled_from(["principal", "balance", "balance and a fen"]))
    def pay_what_is_owed(self, unit, what):
        """The oldest debt to the fen: paid without its late fee, that alone is left."""
        unit_id = self.units[unit].id
        payer_id = payers_on(self.session, [(unit_id, self.today)])[0]
        owed = [one for one in ledger.open_receivables(self.session, [unit_id]) if one.payer_id == payer_id]
        if not owed:
            return
        oldest = min(owed, key=lambda one: (one.due_on, one.id))
        amount = oldest.balance if what.startswith("balance") else oldest.principal
        if amount:
            self.pay_some(unit, amount + (FEN if what.endswith("fen") else 0), 0, False, False)

    @rule(days=st.integers(min_value=16, max_value=60))
    def a_month_falls_due(self, days):
        self.issue_a_month()
        self.time_passes(days)

    @rule(unit=st.integers(0, 2), amount=AMOUNTS, copies=st.integers(1, 2))
    def read_a_statement(self, unit, amount, copies):
        self.count += 1
        code = self.units[unit].code
        entry = Entry(f"t{self.count}", self.now, amount, "wechat", f"物业费 {code}")
        for _ in range(copies):
            statements.post_statement(self.session, [entry, entry], "wechat", self.now)
        self.taken += amount

    @rule(pick=st.integers(0, 100), is_void=st.booleans())
    def undo_a_payment(self, pick, is_void):
        payment_id = self.one_of(Payment, pick, Payment.kind == "payment")
        if payment_id is None:
            return
        amount = self.session.get_one(Payment, payment_id).amount
        try:
            if is_void:
                corrections.void_payment(
                    self.session, payment_id, reason="x", staff_id=self.other.id, now=self.now
                )
            else:
                corrections.reverse_payment(self.session, payment_id, reason="x", now=self.now)
        except Refused:  # undone before, or refunded in part
            return
        self.taken -= amount

    @rule(pick=st.integers(0, 100), part=st.integers(1, 4))
    def refund_some(self, pick, part):
        payment_id = self.one_of(Payment, pick, Payment.kind == "payment", Payment.credit > 0)
        if payment_id is None:
            return
        amount = (self.session.get_one(Payment, payment_id).credit / part).quantize(Decimal("0.01"))
        try:
            corrections.refund_payment(
                self.session, payment_id, amount=amount, reason="x", staff_id=None, now=self.now
            )
        except Refused:
            return
        self.taken -= amount

    @rule(pick=st.integers(0, 100), part=st.integers(1, 3), kind=st.sampled_from(["error", "goodwill"]))
    def credit_an_invoice(self, pick, part, kind):
        invoice_id = self.one_of(Invoice, pick, Invoice.amount > Invoice.credited)
        if invoice_id is None:
            return
        invoice = self.session.get_one(Invoice, invoice_id)
        amount = ((invoice.amount - invoice.credited) / part).quantize(Decimal("0.01"))
        if amount:
            item_id = self.items[pick % 2].id if pick % 3 == 0 else None
            note = billed.NewCreditNote(invoice_id, amount, "x", None, kind, item_id)
            try:
                billed.credit_note(self.session, note, now=self.now)
            except Refused:  # more than the item asks for
                return
            self.credited += amount

    @rule(pick=st.integers(0, 100))
    def waive(self, pick):
        invoice_id = self.one_of(Invoice, pick, Invoice.late_fee > 0)
        if invoice_id is None:
            return
        try:
            late_fees.waive_late_fee(
                self.session,
                invoice_id,
                amount=Decimal("0.50"),
                reason="x",
                staff_id=self.other.id,
                now=self.now,
            )
        except Refused:
            return

    @rule(unit=st.integers(0, 2), amount=AMOUNTS, end=st.sampled_from(["keep", "return", "set off"]))
    def hold_a_deposit(self, unit, amount, end):
        self.count += 1
        taken = deposits.take_deposit(
            self.session,
            unit_id=self.units[unit].id,
            payer_id=payers_on(self.session, [(self.units[unit].id, self.today)])[0],
            fee_item="decoration_deposit",
            amount=amount,
            method="card",
            paid_at=self.now,
            now=self.now,
        )
        self.billed += amount
        self.taken += amount
        given = {"amount": amount, "reason": "x", "staff_id": None, "now": self.now}
        if end == "return":
            deposits.return_deposit(self.session, taken.id, **given)
            self.taken -= amount
        elif end == "set off":
            deposits.set_off_deposit(self.session, taken.id, **given)
        if end != "keep":
            self.credited += amount

    @rule()
    def close_the_day(self):
        drawers = day_close.drawers(self.session, self.cashier.id, self.today)
        counted = {method: Counted(one.expected) for method, one in drawers.items()}
        try:
            day_close.close_day(
                self.session,
                cashier_id=self.cashier.id,
                day=self.today,
                counted=counted,
                closed_by_id=self.cashier.id,
                now=self.now,
            )
        except Refused:  # closed already
            return

    @rule(
        table=st.sampled_from(
            ["invoice_line", "allocation", "allocation_line", "credit_note", "credit_note_line", "payment"]
        )
    )
    def tamper(self, table):
        """Posted rows refuse it."""
        if not self.session.scalar(text(f"SELECT COUNT(*) FROM {table}")):
            return
        with pytest.raises(DBAPIError, match="is_never_rewritten"), self.session.begin_nested():
            self.session.execute(text(f"UPDATE {table} SET amount = amount + 1"))

    @invariant()
    def the_books_hold(self):
        if not hasattr(self, "units"):
            return
        self.steps += 1
        if self.steps % ALL_EVERY == 0:
            assert_books_hold(self.session)
        assert self.total(Payment.amount) == self.taken
        assert self.total(InvoiceLine.amount) == self.billed
        assert self.total(CreditNote.amount) == self.credited
        # what is owed = billed + late fees − credited − taken, wherever the money lies
        owed = self.total(Invoice.balance) - self.total(Payment.credit)
        assert owed == self.billed + self.total(Invoice.late_fee) - self.credited - self.taken

    def total(self, column):
        return self.session.scalar(select(func.coalesce(func.sum(column), 0)))


def live(session, examples, *, steps=STEPS):
    machine = type("BooksHere", (Books,), {"session": session})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


@pytest.mark.timeout(3600 + 15 * EXAMPLES)
def test_random_days_keep_the_books_whole(session):
    is_sqlite = session.get_bind().dialect.name == "sqlite"

    live(session, EXAMPLES if is_sqlite else max(EXAMPLES // 5, 2))


def mutants():
    """What could be wrong in the code, one at a time; the machine must find each."""

    def always_open(_self, **_more):
        return "open"

    def forget_late_fee(self, principal, _fee, _on):
        self.paid += principal

    def nothing(*_args, **_more):
        return None

    real_write, real_pay, real_take = ledger.write_allocations, payments.pay_receivables, numbering.take
    real_credits, real_checked = ledger.unused_credits, payments._checked
    real_paid = Receivable.pay

    def bills_only(session, entries, _now):
        ledger.write_receivables(session, [entry.part.receivable for entry in entries])

    def principal_only(session, entries, now):
        real_write(session, [entry for entry in entries if entry.part.principal], now)

    def a_fen_more(*given):
        parts, credit = real_pay(*given)
        return parts, credit + (Decimal("0.01") if parts else 0)

    def not_among_the_reductions(self, principal, late_fee, on):
        real_paid(self, principal, late_fee, on)
        if principal:
            self.reductions.pop()

    def with_gaps(session, series, year, count=1):
        return real_take(session, series, year, count + 1)

    def refunds_forgotten(session, *conditions):
        return [
            ledger.UnusedCredit(
                one.payment_id,
                one.unit_id,
                one.payer_id,
                session.get_one(Payment, one.payment_id).credit,
                one.known_at,
            )
            for one in real_credits(session, *conditions)
        ]

    def no_keys(_session, _rows):
        return {}

    def a_fen_less(row):
        checked = real_checked(row)
        return (
            checked
            if checked.amount < 1
            else type(row)(**{**vars(checked), "amount": checked.amount - Decimal("0.01")})
        )

    def counter_of_nothing(*_args, **_more):
        return Payment(id=0)

    def whatever_its_state(session, payment_id, _reason):
        return session.get_one(Payment, payment_id)

    def nothing_back(*_args, **_more):
        return []

    real_turns, real_aside = allocation._turns, earmarks.of_payments

    def without_lines(open_now, picks):
        return ((number, amount, None) for number, amount, _line in real_turns(open_now, picks))

    def all_lines(_one, bills, _periods, _disputed):
        return {line.id for bill in bills for line in bill.lines}

    def nothing_aside(session, payment_ids):
        return defaultdict(list, {key: rows[:-1] for key, rows in real_aside(session, payment_ids).items()})

    def all_unused(session, payment_id):
        found = ledger.unused_credits(session, ledger.PAYMENT.c.id == payment_id)
        return sum((one.amount for one in found), ZERO)

    def nothing_off(_amount, _lines):
        return {}

    return {
        "states never change": (Receivable, "settled_state", always_open),
        "late fees are not counted as paid": (Receivable, "pay", forget_late_fee),
        "credit stays where it was": (ledger, "write_credit", nothing),
        "allocations are not written": (ledger, "write_allocations", bills_only),
        "bills are not written": (ledger, "write_receivables", nothing),
        "parts on late fees only are lost": (ledger, "write_allocations", principal_only),
        "late fees stand still": (Receivable, "accrue", nothing),
        "late fees go on for what was paid": (Receivable, "pay", not_among_the_reductions),
        "a fen from nowhere": (payments, "pay_receivables", a_fen_more),
        "receipt numbers have gaps": (numbering, "take", with_gaps),
        "what was refunded is used again": (ledger, "unused_credits", refunds_forgotten),
        "a form posts twice": (payments, "known_keys", no_keys),
        "a fen is lost": (payments, "_checked", a_fen_less),
        "void leaves no counter-entry": (corrections, "_counter_entry", counter_of_nothing),
        "void leaves what was paid": (corrections, "give_back_allocated", nothing),
        "a paid invoice is credited as an open one": (corrections, "free_lines", nothing_back),
        "lines are not written": (ledger, "_write_lines", nothing),
        "a ticked item pays the whole bill": (allocation, "_turns", without_lines),
        "money for an item pays any": (earmarks, "lines_for", all_lines),
        "free credit is all of it": (earmarks, "of_payments", nothing_aside),
        "a refund takes what is put aside": (earmarks, "free_credit", all_unused),
        "void leaves what is put aside": (earmarks, "end_all", nothing),
        "a credit note lies on no line": (billed, "credited_on", nothing_off),
        "a void receipt is voided again": (corrections, "_posted", whatever_its_state),
    }


# For mutants that random days find late: the days that show them. GATEHOUSE_FULL=1 leaves all to chance.
MONEY_AHEAD = {"unit": 0, "amount": Decimal(500)}
VOID, HALF = {"pick": 0, "is_void": True}, {"pick": 0, "part": 2}
PAY = {**MONEY_AHEAD, "ago": 0, "is_again": False, "by_cashier": False}
TELLING_DAYS = {
    "void leaves what is put aside": (
        ("pay_ahead", {**MONEY_AHEAD, "part": 1, "which": 0, "months": 0}),
        ("undo_a_payment", VOID),
    ),
    "a void receipt is voided again": (("pay_some", PAY), ("undo_a_payment", VOID), ("undo_a_payment", VOID)),
    "void leaves what was paid": (("issue_a_month", {}), ("pay_some", PAY), ("undo_a_payment", VOID)),
    "what was refunded is used again": (("pay_some", PAY), ("refund_some", HALF), ("issue_a_month", {})),
}


def live_through(session, days):
    """These days one after another; the books must hold after each."""
    books = type("BooksHere", (Books,), {"session": session})()
    books.open(order="in_order", is_whole=False)
    for step, given in days:
        getattr(books, step)(**given)
        books.the_books_hold()
        assert_books_hold(session)
    session.rollback()


@pytest.mark.parametrize("days", TELLING_DAYS.values(), ids=TELLING_DAYS)
def test_the_telling_days_hold_where_nothing_is_wrong(session, days):
    live_through(session, days)


@pytest.mark.kill
@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("mutant", mutants())
@pytest.mark.timeout(1800)
def test_the_machine_finds_every_mutant(session, monkeypatch, mutant):
    place, name, wrong = mutants()[mutant]
    monkeypatch.setattr(place, name, wrong)

    is_told = mutant in TELLING_DAYS and not IS_FULL
    days = partial(live_through, session, TELLING_DAYS[mutant]) if is_told else partial(live, session, 300)
    with pytest.raises(BaseException):  # noqa: B017, PT011 -- an assertion, a constraint or a group of them
        days()


class TestFindings:
    """What is tampered with once its protection is off is named."""

    @pytest.fixture
    def books(self, session):
        unit = add_unit(session)
        bill(session)
        pay(session, unit, "300")
        statements.post_statement(session, [Entry("t1", NOW, Decimal(5), "wechat", "1-101")], "wechat", NOW)
        session.commit()
        assert_books_hold(session)
        triggers.drop(session.connection())
        return session

    @pytest.mark.parametrize(
        ("tampering", "check", "name"),
        [
            ("UPDATE invoice_line SET amount = amount + 1", "invoice_lines_add_up", "I202606-000001"),
            (
                "DELETE FROM allocation_line; DELETE FROM invoice_line",
                "invoice_lines_add_up",
                "I202606-000001",
            ),
            (
                "UPDATE invoice SET paid = paid - 1, balance = balance + 1",
                "invoice_paid_is_what_was_allocated",
                "I202606-000001",
            ),
            (
                "UPDATE invoice SET credited = 1, paid = paid - 1",
                "invoice_credited_is_what_was_credited",
                "I202606-000001",
            ),
            ("UPDATE invoice SET state = 'open'", "invoice_state_tells_its_balance", "I202606-000001"),
            (
                "UPDATE payment SET allocated = allocated - 1, credit = credit + 1 WHERE id = 1",
                "payment_allocated_is_what_was_allocated",
                "R2026-000001",
            ),
            (
                "UPDATE allocation_line SET amount = amount + 1",
                "line_paid_is_what_was_allocated",
                "I202606-000001",
            ),
            ("UPDATE allocation_line SET amount = amount + 1", "allocation_lies_on_lines", "I202606-000001"),
            (
                "UPDATE invoice_line SET credited = 1, paid = paid - 1",
                "line_credited_is_what_was_credited",
                "I202606-000001",
            ),
            ("UPDATE allocation_line SET amount = 90000", "line_within_bounds", "I202606-000001"),
            ("DELETE FROM allocation_line", "allocation_lies_on_lines", "I202606-000001"),
            (
                "DELETE FROM allocation_line; DELETE FROM allocation",
                "payment_allocated_is_what_was_allocated",
                "R2026-000001",
            ),
            (
                "UPDATE payment SET state = 'void', allocated = 0, credit = 0 WHERE id = 1",
                "undone_payment_has_its_counter_entry",
                "R2026-000001",
            ),
            ("UPDATE payment SET running_no = 7 WHERE id = 1", "numbers_have_no_gap", "R2026-000002"),
            ("UPDATE counter SET value = 9 WHERE series = 'R'", "counter_stands_at_the_last_number", "R"),
            ("UPDATE statement_row SET amount = 4", "posted_statement_row_has_its_payment", "t1"),
            ("UPDATE allocation SET amount = amount + 1", "ledger_adds_up", "sum"),
        ],
    )
    def test_the_row_is_named(self, books, tampering, check, name):
        for statement in tampering.split(";"):
            books.execute(text(statement))

        found = {(one.check, one.name) for one in findings(books)}

        assert (check, name) in found
        assert ("trigger_missing", "invoice_is_never_rewritten") in found


class TestLateFeeFindings:
    """A fee that is not what accrued is named, also past the triggers and with the row's own sum right."""

    @pytest.fixture
    def late(self, session):
        turn_on_late_fee(session, daily_rate="0.001")
        for number in range(1, 5):
            add_unit(session, f"1-10{number}", area="400")
        bill(session)
        units = session.scalars(select(Unit).order_by(Unit.code)).all()
        pay(session, units[0], "1004", "2026-06-20")  # paid five days late, with its fee
        pay(session, units[1], "1000", "2026-06-20")  # the fee alone is left
        pay(session, units[2], "400", "2026-06-20")
        accrue(session, at("2026-06-25", 0, 15))
        session.commit()
        fees = dict(session.execute(select(Invoice.number, Invoice.late_fee).order_by(Invoice.id)).all())
        assert [str(fee) for fee in fees.values()] == ["4.00", "4.00", "7.00", "9.00"]
        assert_books_hold(session)
        triggers.drop(session.connection())
        return session

    def test_a_fen_more_or_less(self, late):
        for number, by in itertools.product((2, 3, 4), ("+ 1", "- 1")):
            name = f"I202606-{number:06d}"
            change = f"late_fee = late_fee {by}, balance = balance {by}"
            with late.begin_nested() as tampered:
                late.execute(text(f"UPDATE invoice SET {change} WHERE number = '{name}'"))
                found = [one for one in findings(late) if one.check != "trigger_missing"]
                tampered.rollback()

            assert [(one.check, one.name) for one in found] == [("late_fee_is_what_accrued", name)]

    def test_one_that_was_never_charged(self, late):
        late.execute(text("DELETE FROM allocation WHERE part = 'late_fee'"))
        late.execute(text("UPDATE invoice SET late_fee = 0, paid = 100000 WHERE number = 'I202606-000001'"))
        late.execute(text("UPDATE payment SET amount = 100000, allocated = 100000 WHERE id = 1"))

        found = [one for one in findings(late) if one.check != "trigger_missing"]

        assert [(one.says, one.should) for one in found] == [("0.00", "4.00")]

    def test_one_that_the_office_never_turned_on(self, late):
        late.execute(
            text("DELETE FROM policy_version WHERE policy = 'late_fee' AND valid_from > '2000-01-01'")
        )

        assert len([one for one in findings(late) if one.check == "late_fee_is_what_accrued"]) == 4


def test_the_command_names_what_is_wrong(office):
    result = office.run("check", "--json")
    assert (result.exit_code, json.loads(result.output)) == (0, {"ok": True, "findings": []})

    with writing(), office.session() as session:
        triggers.drop(session.connection())
        session.commit()
    result = office.run("check")

    assert result.exit_code == 1
    assert "trigger_missing: trigger payment_is_never_deleted" in result.output
