"""The household file: whose rows, sums at the due day, and everything newest first (P8)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.people import Occupancy, Owner
from office.estate.household_file import NEWEST, Household, household
from tests.factories.rows import (
    LONG_AGO,
    Debtor,
    add_contact,
    add_household,
    add_invoice,
    add_paper,
    add_payment,
    add_reminder,
    add_ticket,
    add_visit,
    added,
    at,
)

TODAY = date(2026, 3, 19)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NOW = at("2026-03-19 10:00")


@pytest.fixture
def debtor(session: Session) -> Debtor:
    return add_household(session, "1-101")


@pytest.fixture
def neighbour(session: Session, debtor: Debtor) -> Debtor:
    """A household with one row of each kind, none of which may show elsewhere."""
    other = add_household(session, "1-102", "李四")
    invoice = add_invoice(session, other, TODAY)
    add_reminder(session, invoice, TODAY)
    add_payment(session, other, NOW)
    add_contact(session, other, NOW)
    add_ticket(session, NOW, other[0])
    add_visit(session, NOW, unit_id=other[0])
    add_paper(session, other[0], NOW)
    return other


def file_of(session: Session, debtor: Debtor) -> Household:
    found = household(session, debtor[0], TODAY)
    assert found
    return found


@pytest.mark.usefixtures("neighbour")
def test_a_household_without_history_has_an_empty_file(session: Session, debtor: Debtor) -> None:
    found = file_of(session, debtor)

    assert (found.owed.total, found.credits, found.overdue) == (0, [], 0)
    assert (found.open_invoices, found.events) == ([], [])


@pytest.mark.usefixtures("neighbour")
def test_payers_are_newest_first(session: Session, debtor: Debtor) -> None:
    unit_id, first = debtor
    (lived,) = file_of(session, debtor).payers
    lived[0].to_on = TODAY - DAY
    session.flush()
    for name, from_on, is_payer in [("乙", TODAY, True), ("丙", LONG_AGO, False)]:
        owner = added(session, Owner(name=name))
        added(session, Occupancy(unit_id=unit_id, owner_id=owner.id, from_on=from_on, is_payer=is_payer))
    add_invoice(session, debtor, TODAY, "70")
    add_invoice(session, debtor, TODAY + DAY, "5.50")

    payers = file_of(session, debtor).payers

    assert [(name, owed) for _, name, owed in payers] == [
        ("乙", 0),
        ("丙", 0),
        ("王小明", Decimal("75.50")),
    ]
    assert payers[2][0].owner_id == first


@pytest.mark.usefixtures("neighbour")
def test_what_is_owed_is_overdue_from_the_day_after_the_due_day(session: Session, debtor: Debtor) -> None:
    later = add_invoice(session, debtor, TODAY + DAY, "1")
    today = add_invoice(session, debtor, TODAY, "20")
    late = add_invoice(session, debtor, TODAY - DAY, "300")
    twin = add_invoice(session, debtor, TODAY - DAY, "4000", "0.01")
    add_invoice(session, debtor, TODAY - DAY, "7", "0.00")

    found = file_of(session, debtor)

    assert [row.id for row in found.open_invoices] == [late.id, twin.id, today.id, later.id]
    assert (found.owed.total, found.overdue) == (Decimal("321.01"), Decimal("300.01"))


@pytest.mark.usefixtures("neighbour")
def test_credit_is_the_sum_over_payments_of_each_payer(session: Session, debtor: Debtor) -> None:
    for amount in ("10", "20.50", "1", "-5"):
        add_payment(session, debtor, NOW, amount)
    former = added(session, Owner(name="旧业主"))
    add_payment(session, (debtor[0], former.id), NOW, "70")

    credits_of = dict(file_of(session, debtor).credits)

    assert list(credits_of.values()) == [Decimal("26.50"), Decimal("70.00")]
    assert credits_of["旧业主"] == 70


@pytest.mark.usefixtures("neighbour")
def test_everything_that_happened_is_newest_first(session: Session, debtor: Debtor) -> None:
    unit_id = debtor[0]
    invoice = add_invoice(session, debtor, TODAY, number="F-1", issued_on=date(2026, 3, 1))
    add_reminder(session, invoice, date(2026, 3, 2), stage="notice", state="planned")
    add_payment(session, debtor, at("2026-03-02 09:01"), receipt_no="R-1", note="n")
    add_contact(session, debtor, at("2026-03-02 08:59"), note="called")
    add_ticket(session, at("2026-02-28 12:00"), unit_id, number="T-1")
    add_visit(session, at("2026-03-05 08:00"), at("2026-03-09 08:00"), unit_id, number="V-1")
    add_visit(
        session,
        at("2026-03-04 08:00"),
        at("2026-03-09 08:00"),
        unit_id,
        number="V-2",
        done_at=at("2026-03-06 08:00"),
    )
    add_paper(session, unit_id, at("2026-03-05 08:01"), number="P-1")

    events = file_of(session, debtor).events

    assert [(event.kind, event.title, event.at) for event in events] == [
        ("visit", "V-2", at("2026-03-06 08:00")),
        ("paper", "P-1", at("2026-03-05 08:01")),
        ("visit", "V-1", at("2026-03-05 08:00")),
        ("payment", "R-1", at("2026-03-02 09:01")),
        ("reminder", "notice", at("2026-03-02 09:00")),
        ("contact", "phone", at("2026-03-02 08:59")),
        ("invoice", "F-1", at("2026-03-01 09:00")),
        ("ticket", "T-1", at("2026-02-28 12:00")),
    ]


def test_of_each_kind_the_newest_are_shown(session: Session, debtor: Debtor) -> None:
    unit_id = debtor[0]
    for number in reversed(range(21)):  # the first made is too old
        day = TODAY - number * DAY
        instant = NOW - number * MINUTE
        invoice = add_invoice(session, debtor, day, issued_on=day, number=f"F-{number:02}")
        add_reminder(session, invoice, day, stage=f"s-{number:02}")
        add_payment(session, debtor, instant, receipt_no=f"R-{number:02}")
        add_contact(session, debtor, instant, note=f"c-{number:02}")
        add_ticket(session, instant, unit_id, number=f"T-{number:02}")
        add_visit(session, instant - DAY, instant, unit_id, number=f"V-{number:02}")
        add_paper(session, unit_id, instant, number=f"P-{number:02}")

    events = file_of(session, debtor).events

    shown: dict[str, list[str]] = {}
    for event in events:
        shown.setdefault(event.kind, []).append((event.note if event.kind == "contact" else event.title)[-2:])
    newest = [f"{number:02}" for number in range(20)]
    kinds = ("invoice", "reminder", "payment", "contact", "ticket", "visit", "paper")
    assert shown == dict.fromkeys(kinds, newest)


def test_of_bills_and_reminders_of_one_day_the_last_made_is_first(session: Session, debtor: Debtor) -> None:
    made = [add_invoice(session, debtor, TODAY, issued_on=TODAY) for _ in range(NEWEST + 1)]
    reminders = [add_reminder(session, invoice, TODAY) for invoice in made]

    events = file_of(session, debtor).events

    for kind, rows in (("invoice", made), ("reminder", reminders)):
        ids = [event.row_id for event in events if event.kind == kind]
        assert ids == [row.id for row in reversed(rows)][:NEWEST]


def test_the_file_names_the_unit_and_its_place(session: Session, debtor: Debtor) -> None:
    found = file_of(session, debtor)

    assert (found.unit.code, found.area, found.building) == ("1-101", "East", "1")
    assert household(session, 999_999, TODAY) is None
