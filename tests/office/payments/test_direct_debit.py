"""Direct debits: which bills are in the bank's file, in which order, and what the bank still owes (M4)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.office import Audit
from models.payments import DebitMandate, DirectDebit, DirectDebitBatch, Payment
from models.people import Owner
from models.property import Unit
from office.core.errors import Refused
from office.payments import direct_debit
from rules.reasons import Reason
from tests.factories.estate import pay
from tests.factories.rows import Debtor, add_household, add_invoice, added, at

TODAY = date(2026, 6, 20)
DAY = timedelta(days=1)
NOW = at("2026-06-20 10:00")


def add_mandate(
    session: Session, debtor: Debtor, signed_on: date = TODAY, ended_on: date | None = None
) -> DebitMandate:
    mandate = DebitMandate(
        unit_id=debtor[0],
        owner_id=debtor[1],
        bank="工商银行",
        account=f"6222{debtor[0]:04}",
        account_name="王小明",
        signed_on=signed_on,
        ended_on=ended_on,
    )
    return added(session, mandate)


def export(session: Session, *, layout: str = "icbc_text", period: str = "2026-06") -> list[list[str]]:
    """The fields of each line of the bank's file; none when nothing is left to debit."""
    try:
        _, file = direct_debit.export_batch(session, period=period, layout=layout, now=NOW)
    except Refused:
        return []
    return [line.split("|" if layout == "icbc_text" else ",") for line in file.decode("gb18030").splitlines()]


def references(lines: list[list[str]]) -> list[str]:
    return [line[0].partition("/")[2] for line in lines]


MANDATES = [
    (TODAY, None, True),
    (TODAY + DAY, None, False),
    (TODAY - DAY, TODAY, False),
    (TODAY - DAY, TODAY + DAY, True),
    (TODAY - 9 * DAY, TODAY - DAY, False),
]


@pytest.mark.parametrize(("signed_on", "ended_on", "is_debited"), MANDATES)
def test_a_mandate_holds_from_the_day_it_is_signed_until_before_its_end(
    session: Session, signed_on: date, ended_on: date | None, *, is_debited: bool
) -> None:
    debtor = add_household(session)
    add_invoice(session, debtor, TODAY, number="F")
    add_mandate(session, debtor, signed_on, ended_on)

    assert references(export(session)) == (["F"] if is_debited else [])


def test_open_bills_up_to_the_period_are_debited_of_who_gave_the_mandate(session: Session) -> None:
    debtor, other = add_household(session, "1-101"), add_household(session, "1-102")
    add_mandate(session, debtor)
    stranger = added(session, Owner(name="旧业主"))
    add_invoice(session, debtor, TODAY, number="may", period="2026-05")
    add_invoice(session, debtor, TODAY, number="june", period="2026-06")
    add_invoice(session, debtor, TODAY, number="july", period="2026-07")
    add_invoice(session, debtor, TODAY, number="paid", balance="0.00")
    add_invoice(session, debtor, TODAY, number="part", amount="10", balance="2.50")
    add_invoice(session, (debtor[0], stranger.id), TODAY, number="of the owner before")
    add_invoice(session, other, TODAY, number="without a mandate")

    lines = export(session)

    assert references(lines) == ["may", "june", "part"]
    assert [line[3] for line in lines] == ["10000", "10000", "250"]
    assert export(session) == []


def test_bills_stand_by_unit_then_by_due_day_and_again_in_the_same_file(session: Session) -> None:
    later, first = add_household(session, "1-102"), add_household(session, "1-101")
    for debtor in (later, first):
        add_mandate(session, debtor)
        for day in (TODAY, TODAY - DAY, TODAY - DAY):
            add_invoice(session, debtor, day)
    wanted = [
        number
        for unit in (first, later)
        for number in session.scalars(
            select(direct_debit.Invoice.number)
            .where(direct_debit.Invoice.unit_id == unit[0])
            .order_by(direct_debit.Invoice.due_on, direct_debit.Invoice.id)
        )
    ]

    batch, file = direct_debit.export_batch(session, period="2026-06", layout="unionpay_csv", now=NOW)
    _, again = direct_debit.batch_file(session, batch.id)

    header, *lines = [line.split(",") for line in file.decode("gb18030").splitlines()]
    assert (header[0], references(lines)) == ("流水号", wanted)
    assert again == file
    (audit,) = session.scalars(select(Audit).where(Audit.action == "export_debits"))
    assert json.loads(audit.changes) == {"rows": [None, 6]}


def test_a_batch_is_written_again_as_it_was_sent(session: Session) -> None:
    debtors = [add_household(session, "1-101"), add_household(session, "1-102")]
    for debtor in debtors:
        add_mandate(session, debtor)
    add_invoice(session, debtors[0], TODAY, number="first")
    first, file = direct_debit.export_batch(session, period="2026-06", layout="icbc_text", now=NOW)
    add_invoice(session, debtors[1], TODAY, number="second")
    second, _ = direct_debit.export_batch(session, period="2026-06", layout="icbc_text", now=NOW)

    assert direct_debit.batch_file(session, first.id) == (first, file)
    assert references(export(session)) == []
    assert second.number > first.number
    with pytest.raises(Refused, match="no such batch"):
        direct_debit.batch_file(session, 999)


@pytest.mark.parametrize("layout", ["icbc_text", "unionpay_csv"])
def test_a_file_fetched_again_carries_the_sum_that_was_sent(session: Session, layout: str) -> None:
    debtor = add_household(session)
    add_mandate(session, debtor)
    invoice = add_invoice(session, debtor, TODAY, amount="100")
    batch, file = direct_debit.export_batch(session, period="2026-06", layout=layout, now=NOW)

    pay(session, session.get_one(Unit, debtor[0]), "40", now=NOW)
    session.expire_all()
    assert invoice.balance == 60

    assert direct_debit.batch_file(session, batch.id) == (batch, file)


def test_the_same_file_comes_again_whatever_the_mandate_says_now(session: Session) -> None:
    """The bank has the account as exported; a later account, bank, unit code or owner changes no old file."""
    debtor = add_household(session)
    mandate = add_mandate(session, debtor)
    add_invoice(session, debtor, TODAY, number="F")
    batch, file = direct_debit.export_batch(session, period="2026-06", layout="unionpay_csv", now=NOW)
    assert b"6222" in file

    mandate.account, mandate.account_name, mandate.bank = "9999", "李四", "建设银行"
    mandate.owner_id = added(session, Owner(name="新业主")).id
    session.get_one(Unit, debtor[0]).code = "renamed"
    session.flush()
    assert direct_debit.batch_file(session, batch.id) == (batch, file)
    session.delete(mandate)
    session.flush()

    assert direct_debit.batch_file(session, batch.id) == (batch, file)


def test_a_bill_is_debited_again_once_the_bank_has_answered(session: Session) -> None:
    debtor = add_household(session)
    add_mandate(session, debtor)
    add_invoice(session, debtor, TODAY, number="F")
    batch, _ = direct_debit.export_batch(session, period="2026-06", layout="icbc_text", now=NOW)
    assert export(session) == []

    batch.state = "answered"
    session.flush()

    assert references(export(session)) == ["F"]
    assert session.scalars(select(DirectDebit.amount)).all() == [Decimal(100)] * 2


def test_batches_without_an_answer_are_named_in_their_order(session: Session) -> None:
    for number, exported_at, state in [
        ("D3", NOW - DAY, "exported"),
        ("D1", NOW - timedelta(seconds=1), "exported"),
        ("D2", NOW - DAY, "answered"),
        ("D4", NOW, "exported"),
    ]:
        batch = {"period": "2026-06", "layout": "icbc_text"}
        added(session, DirectDebitBatch(number=number, exported_at=exported_at, state=state, **batch))

    found = direct_debit.remind_direct_debit(session, NOW)

    assert (found.done, found.result) == (2, {"unanswered": ["D1", "D3"]})


ANSWERS = [
    # layout, amount in the answer's own column, state, why it waits, what the bank collected
    ("unionpay_csv", "100.00", "collected", None, None),
    ("unionpay_csv", "100", "collected", None, None),
    ("unionpay_csv", "99.99", "waiting", "debit_amount_differs", "99.99"),
    ("unionpay_csv", "1,000.00", "waiting", "debit_amount_differs", "1000.00"),
    ("unionpay_csv", "", "waiting", "debit_amount_unread", None),
    ("unionpay_csv", "?", "waiting", "debit_amount_unread", None),
    ("icbc_text", "10000", "collected", None, None),
    ("icbc_text", "100", "waiting", "debit_amount_differs", "1.00"),
    ("icbc_text", "x", "waiting", "debit_amount_unread", None),
]


def answered(session: Session, layout: str, amount: str) -> DirectDebit:
    """The one debit of 100.00 yuan, after the bank's answer, which says that it was collected."""
    debtor = add_household(session)
    add_mandate(session, debtor)
    add_invoice(session, debtor, TODAY, number="F", amount="100")
    batch, _ = direct_debit.export_batch(session, period="2026-06", layout=layout, now=NOW)
    name = direct_debit.reference(batch.number, "F")
    if layout == "icbc_text":
        answer = f"{name}|6222|张三|{amount}|00|成功\n"
    else:
        answer = f'流水号,金额,处理结果,失败原因\n{name},"{amount}",成功,\n'
    for _ in range(2):  # the same file again changes nothing
        direct_debit.import_results(session, batch.id, answer.encode("gb18030"), now=NOW)
    return session.scalars(select(DirectDebit)).one()


@pytest.mark.parametrize(("layout", "amount", "state", "why", "collected"), ANSWERS)
def test_an_answer_with_another_amount_waits(
    session: Session, layout: str, amount: str, state: str, why: str | None, collected: str | None
) -> None:
    debit = answered(session, layout, amount)

    assert debit.state == state
    assert (debit.answered and str(debit.answered)) == collected
    assert (Reason.from_json(debit.bank_reason).code if debit.bank_reason else None) == why
    assert session.scalar(select(func.count()).select_from(Payment)) == (state == "collected")
    assert export(session) == [], "what waits is not debited again"


def test_the_control_without_the_comparison_it_is_booked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_debit, "_is_amount_sent", lambda *_given: True)

    assert answered(session, "unionpay_csv", "99.99").state == "collected"


@pytest.mark.parametrize(
    ("collected", "state", "balance"), [("99.99", "collected", "0.01"), ("0", "failed", "100.00")]
)
def test_a_person_says_what_was_collected(session: Session, collected: str, state: str, balance: str) -> None:
    debit = answered(session, "unionpay_csv", "99.99")
    given: dict[str, Any] = {"staff_id": None, "now": NOW}
    with pytest.raises(Refused, match="not for a receipt"):
        direct_debit.accept_receipt(session, debit.id, **given)

    direct_debit.settle_amount(session, debit.id, collected=Decimal(collected), **given)

    session.expire_all()
    assert debit.state == state
    assert str(debit.invoice.balance) == balance
    with pytest.raises(Refused, match="not waiting"):
        direct_debit.settle_amount(session, debit.id, collected=Decimal(1), **given)
