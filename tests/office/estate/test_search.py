"""The search box: each kind by its beginning, a phone by its whole value only (S17, P3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.people import Occupancy, Owner, OwnerPhone
from models.property import Area, Building, Unit
from models.secrets import fingerprint
from office.estate import household_file
from office.estate.search import search


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


def test_the_household_file(session: Session, household: Unit) -> None:
    file = household_file.household(session, household.id, date(2026, 6, 1))

    assert file is not None
    assert (file.unit.code, file.area, file.building, file.balance) == ("3-2-1201", "East", "3", Decimal(0))
    assert [name for _, name, _ in file.payers] == ["单志远"]


def test_no_such_unit_has_no_file(session: Session) -> None:
    assert household_file.household(session, 999_999, date(2026, 6, 1)) is None
