"""The search box: each kind by its beginning, a phone by its whole value only (S17, P3)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.people import Occupancy, Owner, OwnerPhone
from models.property import Area, Building, Unit
from models.secrets import fingerprint
from office.estate.search import search
from tests.factories.rows import (
    add_household,
    add_invoice,
    add_payment,
    add_ticket,
    add_unit,
    added,
    at,
)

TODAY = date(2026, 3, 19)
NOW = at("2026-03-19 10:00")


@pytest.fixture(autouse=True)
def household(session: Session) -> Unit:
    unit = Unit(
        code="3-2-1201",
        building=Building(name="3", area=Area(name="East")),
        kind="residence",
        area_m2=Decimal(80),
    )
    owner = Owner(name="单志远", pinyin_initials="szy")
    owner.phones = [OwnerPhone(number="13800000001", number_mac=fingerprint("13800000001"))]
    session.add(Occupancy(unit=unit, owner=owner, from_on=date(2026, 1, 1)))
    session.commit()
    return unit


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("3-2", ["unit"]),
        ("3-2-1201", ["unit"]),
        ("单", ["owner"]),
        ("SZ", ["owner"]),
        ("13800000001", ["owner"]),
        ("1380000000", []),
        ("志远", []),
        ("", []),
        ("\x00", []),
        ("%", []),
        ("x" * 500, []),
    ],
)
def test_what_is_found(session: Session, text: str, kinds: list[str]) -> None:
    assert [hit.kind for hit in search(session, text)] == kinds


def test_only_kinds_the_reader_may_see(session: Session) -> None:
    assert search(session, "单", frozenset({"unit"})) == []


def test_a_unit_says_who_pays_only_to_whom_may_see_owners(session: Session) -> None:
    details = [
        [hit.detail for hit in search(session, "3-2", kinds)]
        for kinds in (None, frozenset({"unit", "owner"}), frozenset({"unit"}))
    ]

    assert details == [["单志远"], ["单志远"], [""]]


def test_an_owner_leads_to_the_unit(session: Session, household: Unit) -> None:
    (hit,) = search(session, "szy")

    assert (hit.title, hit.detail, hit.unit_id) == ("单志远", "3-2-1201", household.id)


def titles(session: Session, text: str) -> list[tuple[str, str]]:
    return [(hit.kind, hit.title) for hit in search(session, text)]


def test_codes_are_found_by_their_beginning_in_their_order_and_eight_at_most(session: Session) -> None:
    debtor = add_household(session, "5-001")
    for number in reversed(range(1, 10)):
        add_unit(session, f"4-00{number}")
        add_invoice(session, debtor, TODAY, number=f"G-00{number}")
        add_ticket(session, NOW, debtor[0], number=f"K-00{number}")
    for code in ("3-9", "40-1", "5"):
        add_unit(session, code)

    for kind, text in (("unit", "4-"), ("invoice", "g-"), ("ticket", "k-")):
        wanted = [(kind, f"{text.upper()}00{number}") for number in range(1, 9)]
        assert titles(session, text) == wanted
    assert titles(session, "4-009") == [("unit", "4-009")]
    assert titles(session, "4") == [*(("unit", f"4-00{number}") for number in range(1, 9))]
    assert titles(session, "5") == [("unit", "5"), ("unit", "5-001")]


def test_each_hit_says_its_unit(session: Session) -> None:
    debtor = add_household(session, "5-001", "孙三")
    invoice = add_invoice(session, debtor, TODAY, number="G-1")
    payment = add_payment(session, debtor, NOW, receipt_no="Q-1", reference="wx 77")
    ticket = add_ticket(session, NOW, debtor[0], number="K-1")
    nowhere = add_ticket(session, NOW, number="K-2")

    found = {
        text: [(hit.id, hit.detail, hit.unit_id) for hit in search(session, text)]
        for text in ("5-001", "G-1", "q-1", "wx 77", "wx", "K-1", "K-2")
    }

    assert found == {
        "5-001": [(debtor[0], "孙三", debtor[0])],
        "G-1": [(invoice.id, "5-001", debtor[0])],
        "q-1": [(payment.id, "5-001", debtor[0])],
        "wx 77": [(payment.id, "5-001", debtor[0])],
        "wx": [],
        "K-1": [(ticket.id, "", debtor[0])],
        "K-2": [(nowhere.id, "", None)],
    }


def test_eight_receipts_are_found_at_most(session: Session) -> None:
    debtor = add_household(session, "5-001")
    made = {
        add_payment(session, debtor, NOW, receipt_no=f"Q-{number}", reference="same").id
        for number in range(9)
    }

    for text in ("q-", "same"):
        found = [hit.id for hit in search(session, text)]
        assert len(found) == len(set(found)) == 8
        assert set(found) < made


def test_owners_stand_by_name_with_each_unit_where_they_live_now(session: Session) -> None:
    unit_id, owner_id = add_household(session, "5-001", "孙三")
    second, former = add_unit(session, "4-001"), add_unit(session, "3-001")
    for unit, to_on in ((second, None), (former, TODAY)):
        added(session, Occupancy(unit_id=unit.id, owner_id=owner_id, from_on=date(2020, 1, 1), to_on=to_on))
    homeless = added(session, Owner(name="孙三丰"))
    namesake = add_household(session, "1-001", "孙三")

    found = [(hit.id, hit.title, hit.detail, hit.unit_id) for hit in search(session, "孙三")]

    assert found == [
        (owner_id, "孙三", "4-001", second.id),
        (owner_id, "孙三", "5-001", unit_id),
        (namesake[1], "孙三", "1-001", namesake[0]),
        (homeless.id, "孙三丰", "", None),
    ]


def test_a_phone_needs_seven_digits(session: Session) -> None:
    for name, number in (("甲", "123456"), ("乙", "1234567")):
        phone = OwnerPhone(number=number, number_mac=fingerprint(number))
        added(session, Owner(name=name, phones=[phone]))

    assert titles(session, "123456") == []
    assert titles(session, "1234567") == [("owner", "乙")]


def test_a_unit_names_who_pays_now(session: Session) -> None:
    unit_id, _ = add_household(session, "5-001", "旧")
    session.query(Occupancy).filter_by(unit_id=unit_id).one().to_on = TODAY - timedelta(days=1)
    vacant = add_unit(session, "5-002")
    for name, is_payer in (("新", True), ("客", False)):
        owner = added(session, Owner(name=name))
        added(session, Occupancy(unit_id=unit_id, owner_id=owner.id, from_on=TODAY, is_payer=is_payer))

    assert [(hit.id, hit.detail) for hit in search(session, "5-00")] == [(unit_id, "新"), (vacant.id, "")]
