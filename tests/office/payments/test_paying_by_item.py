"""Ticked lines, the order inside a bill, credit for an item or days (M8, M10); each with its control."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import triggers
from models.billing import FeeItem, Invoice, InvoiceLine
from models.complaints import Ticket
from models.payments import Earmark, Payment
from models.property import Unit
from office.billing.invoices import NewCreditNote, credit_note
from office.core.errors import Refused
from office.payments import corrections, earmarks
from office.payments.earmarks import PutAside
from office.policies import store
from office.rooms import findings
from rules.allocation import Pick
from tests.conftest import Office
from tests.factories.estate import (
    LONG_AGO,
    NOW,
    add_item,
    add_staff,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    item,
    pay,
    turn_on_late_fee,
)
from tests.factories.rows import add_ticket

MAY, JUNE = "2026-05", "2026-06"


def two_bills(session: Session) -> None:
    """A unit of 100 m² with two months of three items: 250.00 management, 30.00 lift, 20.00 water."""
    add_item(session, "lift_fee", "fixed", rates={"residence": "30"})
    add_item(session, "water_fee", "fixed", rates={"residence": "20"})
    add_unit(session)
    add_staff(session, "cashier", "cashier")
    add_staff(session, "manager", "manager")
    bill(session, MAY, now=at("2026-05-01"))
    bill(session, JUNE, now=at("2026-06-01"))


@pytest.fixture
def books(office_of: Callable[..., Office]) -> Any:
    office = office_of("residential", fills=(two_bills,))
    with office.session() as session:
        yield session


def unit(session: Session) -> Unit:
    return session.scalars(select(Unit)).one()


def number(session: Session, period: str) -> str:
    return session.scalars(select(Invoice.number).where(Invoice.period == period)).one()


def line(session: Session, period: str, code: str) -> int:
    found = select(InvoiceLine.id).join(Invoice).join(FeeItem)
    return session.scalars(found.where(Invoice.period == period, FeeItem.code == code)).one()


def paid(session: Session, period: str) -> list[str]:
    """What is paid of management, lift and water of a month."""
    session.expire_all()
    found = select(InvoiceLine.paid).join(Invoice).where(Invoice.period == period).order_by(InvoiceLine.id)
    return [f"{amount:.2f}" for amount in session.scalars(found)]


def policy(session: Session, **rows: Any) -> None:
    stored = store.document(session, "allocation", day("2026-06-20"))
    store.store(session, "allocation", {**stored, **rows}, valid_from=LONG_AGO, now=NOW)
    session.flush()


ALONG_LINES = [
    # policy, paid, May's lines, June's lines
    ({}, "260", "250.00 10.00 0.00", "0.00 0.00 0.00"),
    ({"first_items": ["water_fee"]}, "25", "5.00 0.00 20.00", "0.00 0.00 0.00"),
    ({"inside_bill": "in_proportion"}, "100", "83.33 10.00 6.67", "0.00 0.00 0.00"),
    ({"whole_items": ["lift_fee"]}, "279.99", "250.00 0.00 20.00", "9.99 0.00 0.00"),
    ({"whole_items": ["lift_fee"]}, "310", "250.00 30.00 20.00", "10.00 0.00 0.00"),
]


@pytest.mark.parametrize(("rows", "amount", "may", "june"), ALONG_LINES)
def test_the_order_inside_a_bill_is_the_policys(
    books: Session, rows: dict[str, Any], amount: str, may: str, june: str
) -> None:
    policy(books, **rows)

    pay(books, unit(books), amount)

    assert paid(books, MAY) == may.split()
    assert paid(books, JUNE) == june.split()
    assert_books_hold(books)


def test_ticked_items_are_paid_and_nothing_else_of_their_bill(books: Session) -> None:
    picks = tuple(
        Pick(number(books, JUNE), None, line(books, JUNE, code)) for code in ("water_fee", "lift_fee")
    )

    payment = pay(books, unit(books), "50", picks=picks)

    assert paid(books, JUNE) == ["0.00", "30.00", "20.00"]
    assert paid(books, MAY) == ["0.00", "0.00", "0.00"]
    assert_books_hold(books)
    corrections.void_payment(
        books, payment.id, reason="x", staff_id=add_staff(books, "other", "manager").id, now=NOW
    )
    assert paid(books, JUNE) == ["0.00", "0.00", "0.00"]
    assert_books_hold(books)


def test_an_item_paid_whole_refuses_a_part_and_says_the_sum(books: Session) -> None:
    policy(books, whole_items=["lift_fee"])

    with pytest.raises(Refused, match=r"30\.00") as refused:
        pay(books, unit(books), "29", picks=(Pick(number(books, JUNE), None, line(books, JUNE, "lift_fee")),))

    assert "in full or not at all" in str(refused.value)
    assert books.scalars(select(Payment)).all() == []


CREDITS = [
    # credited item or None, amount, paid lines afterwards, credit of the payment that had paid 250 + 30
    ("water_fee", "20", "250.00 30.00 0.00", "0.00"),
    ("lift_fee", "30", "250.00 0.00 20.00", "10.00"),
    ("lift_fee", "10", "250.00 20.00 10.00", "0.00"),
    (None, "20", "250.00 30.00 0.00", "0.00"),
    (None, "48", "225.00 27.00 0.00", "28.00"),
]


@pytest.mark.parametrize(("code", "amount", "lines", "credit"), CREDITS)
def test_what_was_paid_of_a_credited_item_pays_the_rest_of_its_bill(
    books: Session, code: str | None, amount: str, lines: str, credit: str
) -> None:
    payment = pay(books, unit(books), "280")
    wanted = NewCreditNote(
        payment.allocations[0].invoice_id,
        Decimal(amount),
        "wrong",
        None,
        "error",
        item(books, code).id if code else None,
    )

    credit_note(books, wanted, now=NOW)

    assert paid(books, MAY) == lines.split()
    assert f"{payment.credit:.2f}" == credit
    assert_books_hold(books)


def aside(
    session: Session, amount: str, code: str | None = None, from_on: str = "", to_on: str = ""
) -> PutAside:
    return PutAside(
        Decimal(amount),
        item(session, code).id if code else None,
        day(from_on) if from_on else None,
        day(to_on) if to_on else None,
    )


ASIDE = [
    # paid, what of it is put aside, May's lines, June's lines, credit left
    ("50", ("50", "water_fee"), "0.00 0.00 20.00", "0.00 0.00 20.00", "10.00"),
    ("80", ("30", "water_fee"), "50.00 0.00 20.00", "0.00 0.00 10.00", "0.00"),
    ("400", ("400", None, "2026-06-01", "2026-06-30"), "0.00 0.00 0.00", "250.00 30.00 20.00", "100.00"),
    ("100", ("100", "lift_fee", "2026-06-30"), "0.00 0.00 0.00", "0.00 30.00 0.00", "70.00"),
    ("100", ("100", "lift_fee", "", "2026-05-01"), "0.00 30.00 0.00", "0.00 0.00 0.00", "70.00"),
    ("100", ("100", None, "2026-07-01"), "0.00 0.00 0.00", "0.00 0.00 0.00", "100.00"),
]


@pytest.mark.parametrize(("amount", "kept", "may", "june", "credit"), ASIDE)
def test_credit_for_an_item_or_days_pays_only_that(
    books: Session, amount: str, kept: tuple[str, ...], may: str, june: str, credit: str
) -> None:
    payment = pay(books, unit(books), amount, aside=(aside(books, *kept),))

    assert paid(books, MAY) == may.split()
    assert paid(books, JUNE) == june.split()
    assert f"{payment.credit:.2f}" == credit
    assert_books_hold(books)


def test_what_is_put_aside_pays_the_next_bill_before_free_credit(books: Session) -> None:
    pay(books, unit(books), "600")
    pay(books, unit(books), "45", aside=(aside(books, "45", "water_fee"),))
    free = pay(books, unit(books), "255")

    bill(books, "2026-07", now=at("2026-07-01"))
    bill(books, "2026-08", now=at("2026-08-01"))

    books.expire_all()
    assert paid(books, "2026-07") == ["250.00", "5.00", "20.00"]
    assert paid(books, "2026-08") == ["0.00", "0.00", "20.00"]
    assert free.credit == 0
    left = earmarks.of_payments(books, [payment.id for payment in books.scalars(select(Payment))])
    assert [f"{one.amount:.2f}" for rows in left.values() for one in rows] == ["5.00"]
    assert_books_hold(books)


@pytest.mark.parametrize("is_allowed", [False, True])
def test_it_pays_no_disputed_bill_unless_the_policy_says_so(books: Session, is_allowed: bool) -> None:
    policy(books, is_disputed_paid_by_earmarked=is_allowed)
    invoice_id = books.scalars(select(Invoice.id).where(Invoice.period == MAY)).one()
    add_ticket(books, at("2026-06-01"), unit(books).id, invoice_id=invoice_id)

    pay(books, unit(books), "40", aside=(aside(books, "40", "water_fee"),))

    assert paid(books, MAY)[2] == ("20.00" if is_allowed else "0.00")
    assert paid(books, JUNE)[2] == "20.00"
    books.execute(update(Ticket).values(closed_at=NOW))  # no longer disputed: the next bill lets it pay
    bill(books, "2026-07", now=at("2026-07-01"))
    assert paid(books, MAY)[2] == "20.00"


@pytest.mark.parametrize("is_allowed", [False, True])
def test_it_pays_no_late_fee_unless_the_policy_says_so(books: Session, is_allowed: bool) -> None:
    turn_on_late_fee(books, daily_rate="0.001")
    policy(books, is_late_fee_paid_by_earmarked=is_allowed)
    whole = aside(books, "400", None, "2026-05-01", "2026-05-31")

    payment = pay(books, unit(books), "400", "2026-06-14", aside=(whole,))

    fee = Decimal("8.70") if is_allowed else Decimal(0)  # 300.00 × 0.001 × 29 days
    assert payment.allocated == 300 + fee
    assert_books_hold(books)


def test_it_is_refunded_or_spent_otherwise_only_once_set_free(books: Session) -> None:
    payment = pay(books, unit(books), "700", aside=(aside(books, "100", None, "2026-09-01"),))
    given = {"reason": "moves", "staff_id": None, "now": NOW}
    cashier, manager = (add_staff(books, login, "manager") for login in ("one", "two"))

    with pytest.raises(Refused, match=r"Only 0\.00"):
        corrections.refund_payment(books, payment.id, amount=Decimal(1), **given)
    (row,) = books.scalars(select(Earmark))
    row_id, made_by = row.id, cashier.id
    with pytest.raises(Refused, match="free credit"):
        earmarks.put_aside(books, payment.id, aside(books, "1", "water_fee"), staff_id=made_by, now=NOW)
    earmarks.set_free(books, row_id, staff_id=manager.id, now=NOW)
    with pytest.raises(Refused, match="free already"):
        earmarks.set_free(books, row_id, staff_id=manager.id, now=NOW)
    mine = earmarks.put_aside(books, payment.id, aside(books, "60", "water_fee"), staff_id=made_by, now=NOW)
    with pytest.raises(Refused, match="yourself"):
        earmarks.set_free(books, mine.id, staff_id=made_by, now=NOW)
    corrections.refund_payment(books, payment.id, amount=Decimal(40), **given)

    assert_books_hold(books)
    corrections_left = earmarks.free_credit(books, payment.id)
    assert corrections_left == 0


REFUSED = [
    (PutAside(Decimal(1)), "which item or which days"),
    (PutAside(Decimal(0), 1), "zero|above|more than"),
    (PutAside(Decimal(1), 999_999), "no such fee item"),
    (PutAside(Decimal(1), None, date(2026, 2, 1), date(2026, 1, 1)), "after the last"),
]


@pytest.mark.parametrize(("wanted", "said"), REFUSED)
def test_money_is_put_aside_for_something_there_is(books: Session, wanted: PutAside, said: str) -> None:
    with pytest.raises(Refused):
        pay(books, unit(books), "700", aside=(wanted,))


def test_no_more_is_put_aside_than_is_paid(books: Session) -> None:
    with pytest.raises(Refused, match="More is put aside"):
        pay(books, unit(books), "10", aside=(aside(books, "10.01", "water_fee"),))


OVERPAID = [
    # what the database refuses, and by which protection
    (
        "INSERT INTO allocation_line (allocation_id, invoice_line_id, amount) SELECT MIN(a.id), MAX(l.id), 1 "
        "FROM allocation a, invoice_line l",
        "allocation_line_is_of_its_invoice",
    ),
    ("UPDATE invoice SET paid = paid + 1, balance = balance - 1", "invoice_sums_are_those_of_its_lines"),
    ("UPDATE invoice SET credited = 1, balance = balance - 1", "invoice_sums_are_those_of_its_lines"),
    ("UPDATE invoice_line SET paid = paid + 1000000", "invoice_line_never_overpaid"),
    ("UPDATE allocation_line SET amount = amount + 1", "allocation_line_is_never_rewritten"),
    ("DELETE FROM allocation_line", "allocation_line_is_never_deleted"),
    (
        "INSERT INTO allocation (payment_id, invoice_id, amount, allocated_on, allocated_at, effective_at, "
        "earmark_id) SELECT payment_id, invoice_id, 999900, allocated_on, allocated_at, effective_at, "
        "(SELECT MIN(id) FROM earmark) FROM allocation",
        "earmark_is_never_overdrawn",
    ),
]


@pytest.mark.parametrize(("statement", "protection"), OVERPAID)
def test_the_database_refuses(books: Session, statement: str, protection: str) -> None:
    pay(books, unit(books), "260", aside=(aside(books, "10", "water_fee"),))

    with pytest.raises(DBAPIError, match=protection):
        books.execute(text(statement))


def test_control_without_the_protections_the_check_names_it(books: Session) -> None:
    pay(books, unit(books), "260", aside=(aside(books, "10", "water_fee"),))
    triggers.drop(books.connection())
    books.execute(text("UPDATE invoice SET paid = paid + 1, balance = balance - 1 WHERE balance > 1"))
    books.execute(text("UPDATE allocation_line SET amount = amount + 1"))

    found = {one.check for one in findings(books)}

    assert {"line_paid_is_what_was_allocated", "allocation_lies_on_lines"} <= found
