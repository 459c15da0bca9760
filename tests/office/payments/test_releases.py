"""What an undone payment or bill had consumed is free again (M2, M6; house: an undo also releases).

| undone | released |
|---|---|
| receipt of a statement row | the row waits again; the account confirmed by it is forgotten |
| receipt of a direct debit | its answer can be taken in again, or it failed when the bank took it back |
| receipt that a collected debit waits for | the debit's answer can be taken in again |
| receipt that brought a deposit | the deposit is no longer held, also when part of it was set off |
| receipt that kept a plan or a promise | the plan goes on or is broken, the promise is broken |
| receipt that earned a reward | the discount is charged again (tests/office/billing/test_incentives.py) |
| bill credited in full | its service slips wait for the next bill |
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import Deposit, InstalmentPlan, ServiceSlip
from models.collection import Contact
from models.payments import DebitMandate, DirectDebit, PayerAccount, Payment
from models.people import Occupancy
from office.arrears import contacts, instalment_plans
from office.billing import deposits, invoices
from office.core.errors import Refused
from office.payments import corrections, deposit_entries, direct_debit, releases, statement_queue
from office.receivables.integrity import money_adds_up
from rules.promises import DatedAmount
from rules.reasons import Reason
from tests.factories.estate import add_item, add_slip, add_staff, add_unit, assert_books_hold, at, bill, pay
from tests.factories.rows import add_statement_row

NOW = at("2026-06-20")
UNDOES = [corrections.void_payment, corrections.reverse_payment]


@pytest.fixture
def unit(session):
    made = add_unit(session)
    bill(session, now=at("2026-06-01"))
    return made


@pytest.fixture
def clerk(session):
    return add_staff(session, "clerk", "cashier").id


@pytest.fixture
def other(session):
    return add_staff(session, "other", "cashier").id


def payer_of(session, unit):
    return session.scalars(select(Occupancy.owner_id).where(Occupancy.unit_id == unit.id)).one()


def void(session, payment_id, staff_id, now=NOW):
    corrections.void_payment(session, payment_id, reason="wrong", staff_id=staff_id, now=now)


# --- statement rows and the accounts confirmed by them ------------------------------------------------


def posted_row(session, unit, clerk, account="6222000000000001", **more):
    row = add_statement_row(session, "250", counter_account=account, paid_at=NOW, **more)
    payment = statement_queue.match_row(session, row.id, unit_id=unit.id, staff_id=clerk, now=NOW)
    return row, payment


@pytest.mark.parametrize("undo", UNDOES)
def test_a_statement_row_waits_again(session, unit, clerk, other, undo):
    row, payment = posted_row(session, unit, clerk)

    undo(session, payment.id, reason="wrong", staff_id=other, now=NOW)

    assert (row.state, row.payment_id, Reason.from_json(row.reason).code) == (
        "waiting",
        None,
        "receipt_voided",
    )
    assert_books_hold(session)


def test_a_posted_row_is_undone_by_another_person_and_says_why(session, unit, clerk, other):
    row, payment = posted_row(session, unit, clerk)
    for staff_id, reason, said in ((clerk, "wrong unit", "entered this yourself"), (other, " ", "Say why")):
        with pytest.raises(Refused, match=said):
            statement_queue.undo(session, row.id, reason=reason, staff_id=staff_id, now=NOW)
        assert (row.state, payment.state) == ("posted", "posted")

    statement_queue.undo(session, row.id, reason="wrong unit", staff_id=other, now=NOW)

    assert (row.state, row.payment_id, payment.state, payment.reason) == (
        "waiting",
        None,
        "void",
        "wrong unit",
    )
    assert session.scalars(select(PayerAccount)).all() == []
    assert_books_hold(session)
    again = statement_queue.match_row(session, row.id, unit_id=unit.id, staff_id=clerk, now=NOW)
    assert again.id != payment.id
    assert_books_hold(session)


@pytest.mark.parametrize("by", ["clerk", "other"])
def test_an_ignored_row_is_undone_by_anybody_and_waits_as_before(session, request, clerk, by):
    why = Reason("no_known_code", {"memo": "红包"}).to_json()
    row = add_statement_row(session, "250", reason=why)
    statement_queue.ignore_row(session, row.id, reason="not ours", staff_id=clerk, now=NOW)

    statement_queue.undo(session, row.id, staff_id=request.getfixturevalue(by), now=NOW)

    assert (row.state, row.reason) == ("waiting", why)
    with pytest.raises(Refused, match="waits already"):
        statement_queue.undo(session, row.id, staff_id=clerk, now=NOW)
    with pytest.raises(Refused, match="no such row"):
        statement_queue.undo(session, row.id + 1, staff_id=clerk, now=NOW)


def test_a_confirmed_account_is_forgotten_unless_another_receipt_stands_for_it(session, unit, clerk, other):
    _, first = posted_row(session, unit, clerk, number="A1")
    _, second = posted_row(session, unit, clerk, number="A2")

    void(session, first.id, other)
    assert len(session.scalars(select(PayerAccount)).all()) == 1
    void(session, second.id, other)

    assert session.scalars(select(PayerAccount)).all() == []


# --- direct debits ------------------------------------------------------------------------------------


@pytest.fixture
def debit(session, unit):
    """One debit of 250.00 that is with the bank."""
    payer_id = payer_of(session, unit)
    mandate = {"bank": "工商银行", "account": "6222", "account_name": "王", "signed_on": date(2020, 1, 1)}
    session.add(DebitMandate(unit_id=unit.id, owner_id=payer_id, **mandate))
    session.flush()
    direct_debit.export_batch(session, period="2026-06", layout="unionpay_csv", now=NOW)
    return session.scalars(select(DirectDebit)).one()


def reference(debit):
    return direct_debit.reference(debit.batch.number, debit.invoice.number)


def answer(session, debit, staff_id=None):
    file = f"流水号,处理结果,失败原因\r\n{reference(debit)},成功,\r\n".encode("gb18030")
    return direct_debit.import_results(session, debit.batch_id, file, now=NOW, staff_id=staff_id)


def test_a_voided_debit_awaits_its_answer_and_one_taken_back_has_failed(session, debit, other):
    answer(session, debit)
    void(session, debit.payment_id, other)
    assert (debit.state, debit.payment_id, debit.batch.state) == ("sent", None, "exported")

    assert answer(session, debit).collected == 1
    corrections.reverse_payment(session, debit.payment_id, reason="refused", staff_id=other, now=NOW)

    assert (debit.state, debit.bank_reason) == ("failed", "refused")
    assert_books_hold(session)


def by_cashier(session, unit, debit, clerk):
    return pay(
        session, unit, "250", "2026-06-20", reference=reference(debit), cashier_id=clerk, method="card"
    )


def by_statement(session, unit, debit, clerk):
    row = add_statement_row(session, "250", number=reference(debit), paid_at=NOW)
    return statement_queue.match_row(session, row.id, unit_id=unit.id, staff_id=clerk, now=NOW)


@pytest.mark.parametrize("undo", UNDOES)
@pytest.mark.parametrize("first", [by_cashier, by_statement])
def test_a_debit_that_a_receipt_has_already_waits_and_is_never_paid_twice(
    session, unit, debit, clerk, other, first, undo
):
    receipt = first(session, unit, debit, clerk)

    told, again = answer(session, debit), answer(session, debit)

    assert (told.collected, told.waiting, again.collected, again.waiting) == (0, 1, 0, 0)
    assert (debit.state, debit.payment_id, debit.batch.state) == ("waiting", receipt.id, "answered")
    assert Reason.from_json(debit.bank_reason).code == "posted_by_other_way"
    assert len(session.scalars(select(Payment)).all()) == 1
    assert_books_hold(session)
    undo(session, receipt.id, reason="wrong", staff_id=other, now=NOW)
    assert (debit.state, debit.payment_id, debit.batch.state) == ("sent", None, "exported")
    assert answer(session, debit).collected == 1
    assert_books_hold(session)


def test_a_person_says_that_the_debit_is_the_receipts_money(session, unit, debit, clerk, other):
    receipt = by_cashier(session, unit, debit, clerk)
    answer(session, debit)

    direct_debit.accept_receipt(session, debit.id, staff_id=clerk, now=NOW)

    assert (debit.state, debit.payment_id) == ("collected", receipt.id)
    assert_books_hold(session)
    with pytest.raises(Refused, match="not waiting"):
        direct_debit.accept_receipt(session, debit.id, staff_id=clerk, now=NOW)
    void(session, receipt.id, other)
    assert (debit.state, debit.payment_id) == ("sent", None)


def test_a_receipt_with_another_reference_or_sum_holds_no_debit(session, unit, debit, clerk):
    pay(session, unit, "249.99", "2026-06-20", reference=reference(debit), cashier_id=clerk)
    pay(session, unit, "250", "2026-06-20", reference="another", cashier_id=clerk)

    assert answer(session, debit).collected == 1


def test_a_statement_row_with_the_number_of_a_debit_waits(session, unit, debit):
    answer(session, debit)
    row = add_statement_row(session, "250", number=reference(debit), paid_at=NOW)

    with pytest.raises(Refused, match="has this money already"):
        statement_queue.match_row(session, row.id, unit_id=unit.id, staff_id=None, now=NOW)


def test_the_control_a_debit_would_be_paid_twice(session, unit, debit, clerk, monkeypatch):
    by_cashier(session, unit, debit, clerk)
    monkeypatch.setattr(direct_debit, "payments_with", lambda *_: {})

    assert answer(session, debit).collected == 1


def test_who_brings_the_answer_is_its_cashier(session, debit, clerk):
    answer(session, debit, clerk)

    assert session.scalars(select(Payment.cashier_id)).one() == clerk
    with pytest.raises(Refused, match="another person must do it"):
        void(session, debit.payment_id, clerk)


# --- deposits -----------------------------------------------------------------------------------------


@pytest.fixture
def deposit(session, unit, clerk):
    fee_item = "decoration_deposit"
    payer_id = payer_of(session, unit)
    return deposits.take_deposit(
        session, unit_id=unit.id, payer_id=payer_id, fee_item=fee_item, amount=Decimal(2000), method="card",
        paid_at=NOW, now=NOW, cashier_id=clerk,
    )  # fmt: skip


@pytest.mark.parametrize("set_off", [None, "150"])
def test_a_deposit_is_no_longer_held(session, unit, deposit, clerk, other, set_off):
    if set_off:
        told = {"amount": Decimal(set_off), "reason": "owed", "staff_id": other}
        deposits.set_off_deposit(session, deposit.id, **told, now=NOW)

    void(session, deposit.payment_id, other)

    assert (deposits.held(session, unit.id), deposit_entries.deposit_left(session, deposit)) == (0, 0)
    entries = [(one.entry, str(one.amount)) for one in session.scalars(select(Deposit).order_by(Deposit.id))]
    taken_off = [("set_off", "150.00"), ("void", "1850.00")] if set_off else [("void", "2000.00")]
    assert entries == [("taken", "2000.00"), *taken_off]
    with pytest.raises(Refused):
        deposits.return_deposit(session, deposit.id, amount=Decimal(1), reason="x", staff_id=clerk, now=NOW)
    assert_books_hold(session)


def test_a_deposit_that_was_given_back_keeps_its_receipt(session, deposit, other):
    told = {"amount": Decimal(2000), "reason": "done", "staff_id": other}
    deposits.return_deposit(session, deposit.id, **told, now=NOW)

    with pytest.raises(Refused, match="refunded in part"):
        void(session, deposit.payment_id, other)


# --- plans and promises -------------------------------------------------------------------------------

DAY = timedelta(days=1)


@pytest.mark.parametrize(("due_on", "state"), [(date(2026, 7, 10), "running"), (date(2026, 6, 21), "broken")])
def test_a_plan_that_was_done_goes_on_or_is_broken(session, unit, clerk, other, due_on, state):
    debtor = (unit.id, payer_of(session, unit))
    told = {"now": at("2026-06-20", 8), "staff_id": None}
    plan = instalment_plans.propose_plan(session, debtor, [DatedAmount(due_on, Decimal(250))], **told)
    head = add_staff(session, "head", "station_head").id
    instalment_plans.approve_plan(session, plan.id, now=at("2026-06-20", 9), staff_id=head)
    payment = pay(session, unit, "250", "2026-06-20", cashier_id=clerk)
    instalment_plans.check_plans(session, at("2026-06-21", 0))
    assert (plan.state, plan.ended_on) == ("kept", date(2026, 6, 21))

    void(session, payment.id, other, at("2026-06-21", 10))
    instalment_plans.check_plans(session, at("2026-06-22", 0))

    assert session.get_one(InstalmentPlan, plan.id).state == state
    assert plan.ended_on == (None if state == "running" else date(2026, 6, 22))
    assert plan.instalments[0].state == ("open" if state == "running" else "missed")


def test_a_kept_promise_is_broken(session, unit, clerk, other):
    debtor = {"unit_id": unit.id, "payer_id": payer_of(session, unit)}
    said = {"method": "phone", "outcome": "promised", "promise_state": "open"}
    promise = Contact(
        at=at("2026-06-18"),
        recorded_at=at("2026-06-18"),
        promised_on=date(2026, 6, 20),
        promised_amount=Decimal(250),
        **debtor,
        **said,
    )
    session.add(promise)
    payment = pay(session, unit, "250", "2026-06-20", cashier_id=clerk)
    contacts.check_promises(session, at("2026-06-21", 0))
    session.refresh(promise)
    assert promise.promise_state == "kept"

    void(session, payment.id, other, at("2026-06-21", 10))
    contacts.check_promises(session, at("2026-06-22", 0))

    session.refresh(promise)
    assert promise.promise_state == "broken"


# --- bills --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "state"), [("99.99", "billed"), ("100", "open")])
def test_slips_of_a_bill_that_is_credited_in_full_wait_for_the_next_bill(session, amount, state):
    unit = add_unit(session)
    add_item(session, "job", "per_job")
    add_slip(session, unit, "2026-05-20", code="job", amount="100")
    bill(session, now=at("2026-06-01"))
    slip = session.scalars(select(ServiceSlip)).one()
    billed = session.get_one(invoices.Invoice, slip.invoice_id)
    credit = billed.amount - Decimal(100) + Decimal(amount)

    invoices.credit_note(session, invoices.NewCreditNote(billed.id, credit, "wrong", None), now=NOW)

    session.refresh(slip)
    assert (slip.state, slip.invoice_id is None) == (state, state == "open")
    assert_books_hold(session)
    bill(session, "2026-07", now=at("2026-07-01"))
    session.refresh(slip)
    assert slip.state == "billed"


def test_a_reward_asks_for_no_slip_again(session):
    unit = add_unit(session)
    add_slip(session, unit, "2026-05-20", code="repair", amount="100")
    bill(session, now=at("2026-06-01"))
    slip = session.scalars(select(ServiceSlip)).one()
    amount = session.get_one(invoices.Invoice, slip.invoice_id).amount

    note = invoices.NewCreditNote(slip.invoice_id, amount, "reward", None, "goodwill")
    invoices.write_credit_note(session, note, now=NOW)

    session.refresh(slip)
    assert slip.state == "billed"


# --- the controls -------------------------------------------------------------------------------------


def test_without_the_release_the_books_tell(session, unit, debit, clerk, other, monkeypatch):
    _, payment = posted_row(session, unit, clerk)
    answer(session, debit)
    monkeypatch.setattr(corrections, "release", lambda *_args, **_more: None)

    void(session, payment.id, other)
    void(session, debit.payment_id, other)

    assert sorted({one.check for one in money_adds_up(session)}) == [
        "collected_debit_has_its_payment",
        "posted_statement_row_has_its_payment",
    ]


def test_without_the_withdrawal_a_deposit_stays_held(session, unit, deposit, other, monkeypatch):
    monkeypatch.setattr(releases, "_withdraw_deposits", lambda *_: None)

    void(session, deposit.payment_id, other)

    assert deposit_entries.deposit_left(session, deposit) == 2000
