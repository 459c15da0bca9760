"""An account that a person confirmed for a unit is a second sign for it, and for no other (M5)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.payments import StatementRow
from office.payments import corrections, payer_accounts, statement_queue, statements
from office.payments.statements import Entry
from tests.factories.estate import NOW, add_staff, add_unit, assert_books_hold, at

ACCOUNT = "6222000011112222"


@pytest.fixture
def units(session):
    """Two units whose codes are digits only, so that a memo alone speaks for neither."""
    return {
        code: add_unit(session, code, payer=name).id for code, name in (("1011", "周五"), ("1012", "吴六"))
    }


@pytest.fixture
def clerk(session):
    return add_staff(session, "clerk", "cashier").id


def bring(session, number, memo, *, day=10, account=ACCOUNT):
    """One payment without a name; the state of its row and, where it waits, its id."""
    row = Entry(number, at(f"2026-06-{day}"), Decimal(day), "bank_transfer", memo, counter_account=account)
    statements.post_statement(session, [row], "bank", NOW)
    session.expire_all()
    stored = session.scalars(select(StatementRow).where(StatementRow.number == number)).one()
    return stored.state, stored.id


def confirm(session, units, number, code, staff_id, *, day=10, account=ACCOUNT):
    """A person posts a row of the account to a unit."""
    state, row_id = bring(session, number, "物业费", day=day, account=account)
    assert state == "waiting"
    return statement_queue.match_row(session, row_id, unit_id=units[code], staff_id=staff_id, now=NOW)


def test_it_speaks_for_the_one_unit_that_it_was_confirmed_for(session, units, clerk):
    assert bring(session, "A1", "1011 物业费", day=11)[0] == "waiting"
    confirm(session, units, "A2", "1011", clerk)

    assert bring(session, "A3", "1011 物业费", day=12)[0] == "posted"
    assert bring(session, "A4", "1012 物业费", day=13)[0] == "waiting"
    assert bring(session, "A5", "1011 物业费", day=14, account="6222000011113333")[0] == "waiting"
    assert_books_hold(session)


def test_one_confirmed_for_two_units_speaks_for_neither(session, units, clerk):
    first = confirm(session, units, "A1", "1011", clerk)
    confirm(session, units, "A2", "1012", clerk, day=11)

    assert bring(session, "A3", "1011 物业费", day=12)[0] == "waiting"
    assert bring(session, "A4", "1012 物业费", day=13)[0] == "waiting"

    other = add_staff(session, "other", "cashier").id
    corrections.void_payment(session, first.id, reason="wrong unit", staff_id=other, now=NOW)
    assert bring(session, "A5", "1012 物业费", day=14)[0] == "posted"
    assert_books_hold(session)


def test_one_that_paid_for_another_unit_besides_speaks_for_neither(session, units, clerk):
    add_unit(session, "B座0702", payer="郑七")
    confirm(session, units, "A1", "1011", clerk)
    assert bring(session, "A2", "B座0702 物业费", day=11)[0] == "posted"

    assert bring(session, "A3", "1011 物业费", day=12)[0] == "waiting"


def test_the_control_without_the_rule_it_posts_for_either(session, units, clerk, monkeypatch):
    confirm(session, units, "A1", "1011", clerk)
    confirm(session, units, "A2", "1012", clerk, day=11)
    monkeypatch.setattr(
        payer_accounts, "confirmed", lambda _session, some: {unit_id: set(some) for unit_id in units.values()}
    )

    assert bring(session, "A3", "1011 物业费", day=12)[0] == "posted"


def test_a_masked_account_is_never_remembered(session, units, clerk):
    confirm(session, units, "A1", "1011", clerk, account="6222****2222")

    assert bring(session, "A2", "1011 物业费", day=11, account="6222****2222")[0] == "waiting"
