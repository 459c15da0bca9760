"""Statements: each transaction once, sure matches posted, the rest waiting with reasons (M5)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.payments import Payment, StatementRow
from office.core.errors import Refused
from office.payments import exports, statement_queue, statements
from office.payments.statements import Entry
from rules.reasons import Reason
from tests.factories.estate import NOW, add_unit, assert_books_hold, at, bill, invoices, paid, pay


def entry(transaction_id, memo, amount="250", **more):
    return Entry(
        transaction_id, more.pop("paid_at", at("2026-06-10")), Decimal(amount), "wechat", memo, **more
    )


def read(session, *entries, source="wechat"):
    return statements.post_statement(session, entries, source, NOW)


def states(session):
    session.expire_all()
    return [
        (one.transaction_id, one.state, Reason.from_json(one.reason).code if one.reason else "")
        for one in session.scalars(select(StatementRow).order_by(StatementRow.transaction_id))
    ]


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (entry("1", "物业费 1-101"), ("1", "posted", "")),
        (entry("1", "物业费 1-101 1-101"), ("1", "posted", "")),
        (entry("1", "物业费"), ("1", "waiting", "no_known_code")),
        (entry("1", "1-101 1-102"), ("1", "waiting", "several_codes")),
        (entry("1", "1-103"), ("1", "waiting", "no_payer")),
        (entry("1", "1-101", state="refund"), ("1", "waiting", "refund")),
        (entry("1", "1-101", state="not_successful"), ("1", "waiting", "not_successful")),
        (entry("1", "1-101", direction="out"), ("1", "waiting", "outgoing")),
        (entry("1", "1-101", "-1"), ("1", "waiting", "outgoing")),
        (entry("1", "1-101", "0"), ("1", "waiting", "no_amount")),
        (entry("1", "1-101", paid_at=None), ("1", "waiting", "no_time")),
    ],
)
def test_only_what_is_sure_posts(session, row, state):
    add_unit(session)
    add_unit(session, "1-102", payer="李四")
    add_unit(session, "1-103", payer=None)
    bill(session)

    read(session, row)

    assert states(session) == [state]
    assert len(paid(session)) == (state[1] == "posted")
    assert_books_hold(session)


def test_a_transaction_posts_once_within_a_file_and_over_files(session):
    add_unit(session)
    one, two, three = "4200001", "4200002", "4200003"
    rows = [entry(f"{one}1", "1-101", "100"), entry(f"{two}1", "1-101", "150")]
    rows.append(rows[0])

    first = read(session, *rows)
    again = read(session, *rows, entry(f"{three}1", "1-101", "1"))

    assert (first.posted, first.known, again.posted, again.known) == (2, 1, 1, 3)
    assert [one.reference for one in session.scalars(select(Payment).order_by(Payment.id))] == [
        "42000011",
        "42000021",
        "42000031",
    ]
    assert_books_hold(session)


def test_the_same_short_number_twice_in_a_file_waits(session):
    add_unit(session)
    rows = [entry("1", "1-101"), entry("1", "1-101")]

    first, again = read(session, *rows), read(session, *rows)

    assert (first.posted, first.waiting, again.known) == (1, 1, 2)
    assert {state[1:] for state in states(session)} == {("posted", ""), ("waiting", "maybe_same")}


def test_the_export_names_a_row_by_the_banks_number(session):
    """Also one that waits because an earlier row has the number; a row without one has a name of its own."""
    read(session, entry("4200001", "1-101"))
    read(session, entry("4200001", "1-101", "99"), entry("", "x"), entry("", "y"))

    _header, rows = exports.statement_rows(session)
    names = [row[0] for row in rows]

    assert names[:2] == ["4200001", "4200001"]
    assert len(set(names[2:])) == 2
    assert all(names)


def test_another_service_may_use_the_same_number(session):
    add_unit(session)

    read(session, entry("1", "1-101"))
    read(session, replace(entry("1", "1-101", "249"), method="alipay"), source="alipay")

    assert len(paid(session)) == 2


def test_a_person_matches_a_waiting_row_once(session):
    unit = add_unit(session)
    bill(session)
    read(session, entry("1", "?"))
    row_id = session.scalars(select(StatementRow.id)).one()

    statement_queue.match_row(session, row_id, unit_id=unit.id, staff_id=None, now=NOW)

    assert states(session)[0][1] == "posted"
    assert [one[3] for one in invoices(session)] == ["0.00"]
    with pytest.raises(Refused, match="no longer waiting"):
        statement_queue.match_row(session, row_id, unit_id=unit.id, staff_id=None, now=NOW)
    assert_books_hold(session)


def test_a_person_ignores_a_row_with_a_reason(session):
    read(session, entry("1", "?"))
    row_id = session.scalars(select(StatementRow.id)).one()

    with pytest.raises(Refused, match="Say why"):
        statement_queue.ignore_row(session, row_id, reason=" ", staff_id=None, now=NOW)
    statement_queue.ignore_row(session, row_id, reason="not ours", staff_id=None, now=NOW)

    assert states(session) == [("1", "ignored", "staff")]


def test_suggestions_are_ranked_with_their_reasons(session):
    add_unit(session, "1-101", payer="王小明")
    add_unit(session, "1-102", payer="李四", area="80")
    paying = add_unit(session, "1-103", payer="赵六", area="80")
    bill(session)
    pay(session, paying, "1")
    read(session, entry("1", "钱", "200", payer_name="王小明"))
    row = session.scalars(select(StatementRow)).one()

    found = statement_queue.suggestions(session, row)

    assert [(one.unit_code, one.reasons[0].code) for one in found] == [
        ("1-101", "payer_name"),
        ("1-102", "amount_of_all"),
    ]
