"""The queue of statement rows: the next one, how many, and the units that may be meant (M5)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from models.payments import StatementRow
from models.people import Occupancy, Owner
from office.payments import statement_queue
from tests.factories.rows import (
    LONG_AGO,
    Debtor,
    add_household,
    add_invoice,
    add_payment,
    add_statement_row,
    added,
    at,
)

TODAY = date(2026, 3, 19)
NOW = at("2026-03-19 10:00")


def suggested(session: Session, amount: str = "1", **row: str) -> dict[str, list[str]]:
    """The units suggested for a waiting row in their order, each with the codes of its reasons."""
    waiting = add_statement_row(session, amount, **row)
    return {
        one.unit_code: [reason.code for reason in one.reasons]
        for one in statement_queue.suggestions(session, waiting)
    }


def pay_before(session: Session, debtor: Debtor, payer_name: str) -> StatementRow:
    """A payment for a unit that came from an account of this name."""
    payment = add_payment(session, debtor, NOW)
    return add_statement_row(session, payer_name=payer_name, state="posted", payment_id=payment.id)


def test_an_empty_queue_has_no_next_row(session: Session) -> None:
    add_statement_row(session, state="ignored")

    assert (statement_queue.next_waiting(session), statement_queue.count_waiting(session)) == (None, 0)
    assert statement_queue.next_waiting(session, after=1) is None


def test_waiting_rows_follow_in_turn_and_begin_again(session: Session) -> None:
    first, ignored, second, third = (
        add_statement_row(session, state=state).id for state in ("waiting", "ignored", "waiting", "waiting")
    )

    order = {}
    for after in (None, first, ignored, second, third):
        found = statement_queue.next_waiting(session, after=after)
        order[after] = found.id if found else None

    assert order == {None: first, first: second, ignored: second, second: third, third: first}
    assert statement_queue.count_waiting(session) == 3


def test_the_only_row_is_not_followed_by_itself(session: Session) -> None:
    only = add_statement_row(session)

    assert statement_queue.next_waiting(session, after=only.id) is None


def test_what_is_owed_is_the_open_bills_of_the_unit(session: Session) -> None:
    debtor, other = add_household(session, "1-101"), add_household(session, "1-102")
    add_invoice(session, debtor, TODAY, "10.50")
    add_invoice(session, debtor, TODAY, "20", "5.00")
    add_invoice(session, other, TODAY, "99")

    assert str(statement_queue.owed(session, debtor[0])) == "15.50"
    assert statement_queue.owed(session, 999) == 0


def test_units_are_suggested_by_what_speaks_for_them(session: Session) -> None:
    for code, name in (
        ("1-101", "赵一"),
        ("1-102", "钱二"),
        ("1-103", "孙三"),
        ("1-104", "李四"),
        ("1-105", "周五"),
    ):
        debtor = add_household(session, code, name)
        if code == "1-102":
            pay_before(session, debtor, "孙三")
        if code == "1-104":
            add_invoice(session, debtor, TODAY, "40")

    found = suggested(session, "40", memo="赵一 物业费 1-105", payer_name="孙三")

    assert found == {
        "1-105": ["code_in_memo"],
        "1-102": ["name_paid_before"],
        "1-101": ["payer_name"],
        "1-103": ["payer_name"],
        "1-104": ["amount_of_all"],
    }


def test_nothing_speaks_for_a_unit_nothing_is_suggested(session: Session) -> None:
    debtor = add_household(session, "1-101", "赵一")
    add_invoice(session, debtor, TODAY, "40")
    pay_before(session, debtor, "")

    assert suggested(session, "41") == {}
    assert suggested(session, "41", memo="物业费", payer_name="钱二") == {}


def test_a_masked_name_finds_its_payers_and_stars_alone_nobody(session: Session) -> None:
    add_household(session, "1-101", "张小明")
    add_household(session, "1-102", "李小明")

    assert suggested(session, payer_name="张**") == {"1-101": ["payer_name"]}
    assert suggested(session, payer_name="*小明") == {"1-101": ["payer_name"], "1-102": ["payer_name"]}
    assert suggested(session, payer_name="***") == {}


def test_the_last_payer_stands_for_a_unit_and_who_does_not_pay_does_not(session: Session) -> None:
    unit_id, _ = add_household(session, "1-101", "张三")
    session.query(Occupancy).one().to_on = date(2025, 12, 31)
    for name, from_on, is_payer in [("李四", date(2026, 1, 1), True), ("王五", LONG_AGO, False)]:
        owner = added(session, Owner(name=name))
        added(session, Occupancy(unit_id=unit_id, owner_id=owner.id, from_on=from_on, is_payer=is_payer))

    found = {name: suggested(session, payer_name=name) for name in ("张三", "李四", "王五")}

    assert found == {"张三": {}, "李四": {"1-101": ["payer_name"]}, "王五": {}}
    assert suggested(session, memo="李四 3月") == {"1-101": ["payer_name"]}
    assert suggested(session, memo="王五 3月") == {}


AMOUNTS = {"30": "amount_of_oldest", "50": "amount_of_oldest", "20": "amount_of_one", "60": "amount_of_all"}


def test_open_bills_are_added_up_from_the_oldest(session: Session) -> None:
    debtor = add_household(session, "1-101", "张三")
    for day, amount, balance in ((19, "10", "10"), (17, "30", "30"), (18, "20", "20"), (16, "30", "0.00")):
        add_invoice(session, debtor, date(2026, 3, day), amount, balance)

    found = {amount: suggested(session, amount, payer_name="张三") for amount in AMOUNTS}

    assert found == {amount: {"1-101": ["payer_name", reason]} for amount, reason in AMOUNTS.items()}
    assert suggested(session, "25", payer_name="张三") == {"1-101": ["payer_name"]}


def test_only_one_open_bill_of_the_amount_speaks_without_a_name(session: Session) -> None:
    debtor = add_household(session, "1-101")
    add_invoice(session, debtor, TODAY, "40", "0.00")
    add_invoice(session, debtor, TODAY, "30", "20")

    assert suggested(session, "40") == {}
    assert suggested(session, "30") == {}
    assert suggested(session, "20") == {"1-101": ["amount_of_all"]}


def test_five_units_are_suggested_at_most(session: Session) -> None:
    for number in range(6):
        add_household(session, f"1-10{6 - number}", "张三")

    assert list(suggested(session, payer_name="张三")) == [f"1-10{number}" for number in range(1, 6)]
