"""The day-end: what a cashier took on a day, which past days are open, what closing asks for (M3)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.people import Staff
from office.core.errors import Refused
from office.payments import day_close
from office.payments.day_close import Counted
from tests.factories.rows import Debtor, add_household, add_payment, added, at

TODAY = date(2026, 3, 19)
DAY = timedelta(days=1)
NOW = at("2026-03-19 18:00")


@pytest.fixture
def debtor(session: Session) -> Debtor:
    return add_household(session)


@pytest.fixture
def anne(session: Session) -> int:
    return added(session, Staff(login="anne", name="Anne")).id


@pytest.fixture
def bert(session: Session) -> int:
    return added(session, Staff(login="bert", name="Bert")).id


def close(session: Session, cashier_id: int, day: date, **counted: str) -> day_close.DayClose:
    return day_close.close_day(
        session,
        cashier_id=cashier_id,
        day=day,
        counted={method: Counted(Decimal(amount)) for method, amount in counted.items()},
        closed_by_id=cashier_id,
        now=NOW,
    )


def test_what_is_expected_is_taken_less_given_back_by_method(
    session: Session, debtor: Debtor, anne: int, bert: int
) -> None:
    for amount, method in (("30", "wechat"), ("100.10", "cash"), ("-40", "cash")):
        add_payment(session, debtor, NOW, amount, method=method, cashier_id=anne)
    add_payment(session, debtor, NOW, "7", cashier_id=bert)
    for day in (TODAY - DAY, TODAY + DAY):
        add_payment(session, debtor, NOW, "9", cashier_id=anne, posted_on=day)

    drawers = day_close.drawers(session, anne, TODAY)

    assert [(method, one.expected, one.entries) for method, one in drawers.items()] == [
        ("cash", Decimal("60.10"), 2),
        ("wechat", Decimal(30), 1),
    ]
    assert day_close.drawers(session, anne, TODAY - 2 * DAY) == {}


def test_past_days_with_entries_are_open_until_closed_the_newest_first(
    session: Session, debtor: Debtor, anne: int, bert: int
) -> None:
    for days, cashier, amount in (
        (3, bert, "1"),
        (1, bert, "2"),
        (1, anne, "3"),
        (1, anne, "4"),
        (0, anne, "9"),
    ):
        add_payment(session, debtor, NOW, amount, cashier_id=cashier, posted_on=TODAY - days * DAY)
    add_payment(session, debtor, NOW, posted_on=TODAY - DAY)  # by nobody: a bank's

    def still_open(cashier_id: int | None) -> list[tuple[date, str, Decimal]]:
        rows = day_close.still_open(session, cashier_id, TODAY)
        assert {row.cashier_id for row in rows} <= {anne, bert}
        return [(row.day, row.cashier, row.amount) for row in rows]

    annes, berts, older = ((TODAY - DAY, "Anne", 7), (TODAY - DAY, "Bert", 2), (TODAY - 3 * DAY, "Bert", 1))
    assert still_open(None) == [annes, berts, older]
    assert still_open(anne) == [annes]
    close(session, bert, TODAY - DAY, cash="2")
    assert still_open(None) == [annes, older]
    assert still_open(bert) == [older]
    close(session, anne, TODAY - 3 * DAY)
    assert still_open(None) == [annes, older]


def test_a_month_of_open_days_is_shown(session: Session, debtor: Debtor, anne: int) -> None:
    for days in range(1, 34):
        add_payment(session, debtor, NOW, cashier_id=anne, posted_on=TODAY - days * DAY)

    rows = day_close.still_open(session, None, TODAY)

    assert [row.day for row in rows] == [TODAY - days * DAY for days in range(1, 32)]


@pytest.mark.usefixtures("debtor")
def test_a_day_can_be_closed_once_and_from_the_day_itself_on(session: Session, anne: int, bert: int) -> None:
    with pytest.raises(Refused, match="has not come"):
        close(session, anne, TODAY + DAY)

    closed = close(session, anne, TODAY)

    assert (closed.day, closed.cashier_id, closed.closed_by_id, closed.closed_at) == (TODAY, anne, anne, NOW)
    with pytest.raises(Refused, match="closed already"):
        close(session, anne, TODAY)
    close(session, bert, TODAY)
    close(session, anne, TODAY - DAY)


def test_each_method_that_was_expected_or_counted_has_a_line_in_order(
    session: Session, debtor: Debtor, anne: int
) -> None:
    add_payment(session, debtor, NOW, "30", method="wechat", cashier_id=anne)
    counted = {
        "wechat": Counted(Decimal(30)),
        "cash": Counted(Decimal(5), " found "),
        "alipay": Counted(Decimal(0)),
    }

    closed = day_close.close_day(
        session, cashier_id=anne, day=TODAY, counted=counted, closed_by_id=anne, now=NOW
    )

    assert [(line.method, line.expected, line.counted, line.reason) for line in closed.lines] == [
        ("alipay", 0, 0, ""),
        ("cash", 0, 5, "found"),
        ("wechat", 30, 30, ""),
    ]


def test_what_nobody_counted_differs_by_all_of_it(session: Session, debtor: Debtor, anne: int) -> None:
    add_payment(session, debtor, NOW, "30", cashier_id=anne)

    with pytest.raises(Refused, match="say why"):
        close(session, anne, TODAY)
