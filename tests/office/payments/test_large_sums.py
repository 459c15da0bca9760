"""Large sums wait for a second yes at every door: verbs, files, statements (F21)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Deposit, Invoice
from models.payments import StatementRow
from models.people import Staff
from office.billing import deposits, invoices
from office.billing.invoices import Charge, NewCreditNote
from office.exchange import imports
from office.exchange.imports import RowsRefused
from office.payments import corrections, payments, statement_queue, statements
from office.payments.payments import NewPayment
from office.payments.statements import Entry
from office.policies import large_sums, store
from office.policies.large_sums import ANY, NotConfirmed, confirmed
from office.receivables import late_fees
from office.rooms import IMPORTS
from rules.large_sums import LargeSums
from tests.factories.estate import (
    LONG_AGO,
    NOW,
    accrue,
    add_staff,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    turn_on_late_fee,
)

Verb = Callable[[Session, Decimal], object]
LIMIT = Decimal(40)
LARGE, SMALL = Decimal("40.01"), Decimal("40.00")


@pytest.fixture
def office(session: Session) -> Session:
    """An office in which every entry above 40.00 yuan is asked about; one bill of 250.00, late and unpaid."""
    turn_on_late_fee(session, daily_rate="0.05")
    limits = dict.fromkeys(("payment", "refund", "credit", "waiver", "charge"), str(LIMIT))
    store.store(session, "large_sums", limits, valid_from=LONG_AGO, now=NOW)
    add_unit(session)
    bill(session)
    accrue(session, at("2026-06-20", 0, 15))
    for login in ("one", "two"):
        add_staff(session, login, "manager", "cashier")
    session.flush()
    return session


def unit_and_payer(session: Session) -> tuple[int, int]:
    first = session.scalars(select(Invoice).order_by(Invoice.id)).first()
    assert first is not None
    return first.unit_id, first.payer_id


def new_payment(session: Session, amount: Decimal, **more: Any) -> NewPayment:
    unit_id, _ = unit_and_payer(session)
    return NewPayment(unit_id=unit_id, amount=amount, method="wechat", paid_at=NOW, **more)


def payment(session: Session, amount: Decimal) -> object:
    return payments.record_payment(session, new_payment(session, amount), now=NOW)


def refund(session: Session, amount: Decimal) -> object:
    with confirmed(session, ANY):
        paid = payments.record_payment(session, new_payment(session, Decimal(5000)), now=NOW)
    return corrections.refund_payment(session, paid.id, amount=amount, reason="x", staff_id=None, now=NOW)


def credit(session: Session, amount: Decimal) -> object:
    invoice_id = session.scalars(select(Invoice.id)).one()
    return invoices.credit_note(session, NewCreditNote(invoice_id, amount, "x", None), now=NOW)


def waiver(session: Session, amount: Decimal) -> object:
    return late_fees.ask_for_waiver(
        session,
        session.scalars(select(Invoice.id)).one(),
        amount=amount,
        reason="x",
        staff_id=session.scalars(select(Staff.id).where(Staff.login == "two")).one(),
        now=NOW,
    )


def charge(session: Session, amount: Decimal) -> object:
    unit_id, payer_id = unit_and_payer(session)
    return invoices.charge(
        session,
        unit_id=unit_id,
        payer_id=payer_id,
        charges=[Charge("overtime_ac", Decimal(1), amount)],
        due_on=day("2026-07-01"),
        now=NOW,
    )


def deposit(session: Session, amount: Decimal) -> Deposit:
    unit_id, payer_id = unit_and_payer(session)
    return deposits.take_deposit(
        session,
        unit_id=unit_id,
        payer_id=payer_id,
        fee_item="decoration_deposit",
        amount=amount,
        method="card",
        paid_at=NOW,
        now=NOW,
    )


def deposit_back(session: Session, amount: Decimal) -> object:
    with confirmed(session, ANY):
        taken = deposit(session, Decimal(5000))
    return deposits.return_deposit(session, taken.id, amount=amount, reason="x", staff_id=None, now=NOW)


VERBS: tuple[Verb, ...] = (payment, refund, credit, waiver, charge, deposit, deposit_back)


class TestVerbs:
    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
    def test_a_large_sum_is_asked_about_and_taken_once_it_is_confirmed(
        self, office: Session, verb: Verb
    ) -> None:
        with pytest.raises(NotConfirmed) as asked:
            verb(office, LARGE)
        assert asked.value.amount == LARGE
        with confirmed(office, LARGE + 1), pytest.raises(NotConfirmed):
            verb(office, LARGE)

        with confirmed(office, LARGE):
            verb(office, LARGE)

        assert_books_hold(office)
        with pytest.raises(NotConfirmed):  # the yes was for that once
            large_sums.ask_again(office, "payment", LARGE, day("2026-06-20"))

    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
    def test_a_usual_sum_is_taken_at_once(self, office: Session, verb: Verb) -> None:
        verb(office, SMALL)

        assert_books_hold(office)

    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
    def test_the_control_without_the_rule_any_sum_is_taken(
        self, office: Session, verb: Verb, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LargeSums, "asks", lambda *_given: False)

        verb(office, LARGE)


class TestFiles:
    def bring(self, session: Session, folder: Path, *amounts: str) -> imports.Report:
        lines = [f"1-101,{amount},2026-06-18 10:00,wechat,W{amount}" for amount in amounts]
        file = folder / "payments.csv"
        file.write_text("unit_code,amount,paid_at,method,reference\n" + "\n".join(lines), encoding="utf-8")
        kind = IMPORTS["payments"]
        table = imports.read(file, "", has_header=imports.header_test(session, kind))
        return imports.take_in(session, "payments", kind, table, now=NOW)

    def test_nothing_is_taken_in_until_the_large_rows_are_confirmed(
        self, office: Session, tmp_path: Path
    ) -> None:
        with pytest.raises(RowsRefused) as refused:
            self.bring(office, tmp_path, "10.00", "40.01", "40.00", "99.00")
        told = refused.value.problems
        with confirmed(office, Decimal("40.01")), pytest.raises(RowsRefused):
            self.bring(office, tmp_path, "10.00", "40.01", "99.00")

        with confirmed(office, ANY):
            report = self.bring(office, tmp_path, "10.00", "40.01", "40.00", "99.00")
        again = self.bring(office, tmp_path, "10.00", "40.01", "40.00", "99.00")

        assert [(one.row, one.column) for one in told] == [(3, "amount"), (5, "amount")]
        assert (report.new, report.large) == (4, ("40.01", "99.00"))
        assert (again.new, again.skipped, again.large) == (0, 4, ())
        assert_books_hold(office)

    def test_a_statement_row_waits_and_is_posted_by_a_person(self, office: Session) -> None:
        rows = [Entry(f"t{amount}", NOW, amount, "wechat", "1-101") for amount in (SMALL, LARGE)]
        statements.post_statement(office, rows, "wechat", NOW)

        small, large = office.scalars(select(StatementRow).order_by(StatementRow.amount)).all()
        assert (small.state, large.state) == ("posted", "waiting")
        assert "large_sum" in large.reason
        unit_id, _ = unit_and_payer(office)
        made = statement_queue.match_row(office, large.id, unit_id=unit_id, staff_id=None, now=NOW)
        assert made.amount == LARGE
        assert_books_hold(office)


def test_every_preset_knows_the_policy_and_asks_about_no_usual_sum(
    session_of: Callable[[str], Session],
) -> None:
    for preset in ("residential", "tower", "project"):
        policy = large_sums.policy_on(session_of(preset), day("2026-06-20"))

        assert policy.asks("payment", Decimal(1_000_000))
        assert not policy.asks("payment", Decimal(20_000))


class TestKindsOfCreditNotes:
    """An error takes the late fee that it caused, also one that was paid; goodwill doesn't (B5, B7)."""

    @pytest.mark.parametrize(
        ("kind", "fee", "credit_left"), [("error", "30.00", "20.00"), ("goodwill", "50.00", "0.00")]
    )
    def test_a_paid_late_fee(self, office: Session, kind: Any, fee: str, credit_left: str) -> None:
        invoice_id = office.scalars(select(Invoice.id)).one()
        with confirmed(office, ANY):
            paid = payments.record_payment(office, new_payment(office, Decimal(300)), now=NOW)
            assert office.get_one(Invoice, invoice_id).balance == 0

            note = NewCreditNote(invoice_id, Decimal(100), "wrong area", None, kind)
            invoices.credit_note(office, note, now=NOW)

        office.expire_all()
        invoice = office.get_one(Invoice, invoice_id)
        assert str(invoice.late_fee) == fee
        assert str(paid.credit - 100) == credit_left
        assert invoice.balance == 0
        assert_books_hold(office)
