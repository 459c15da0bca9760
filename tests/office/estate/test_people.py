"""Names, who pays from when, and who cannot be reached (P3-P6)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import Invoice
from models.people import Occupancy, Owner, OwnerPhone
from models.secrets import fingerprint
from office.billing.change_of_owner import change_of_owner
from office.core.errors import Refused
from office.estate import owners
from tests.factories.estate import NOW, add_unit, assert_books_hold, bill, day

TODAY = day("2026-06-20")


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("王小明", "wxm"),
        ("曾小明", "zxm"),
        ("解小明", "xxm"),
        ("仇和", "qh"),
        ("单雄信", "sxx"),
        ("尉迟恭", "ycg"),
        ("令狐冲", "lhc"),
        ("Anna 李", "annal"),
        ("ABC有限公司", "abcyxgs"),
        ("=1+1", "11"),
        ("", ""),
    ],
)
def test_pinyin_initials(name, initials):
    assert owners.pinyin_initials(name) == initials


@pytest.mark.parametrize(
    ("name", "is_company"),
    [("王小明", False), ("某某有限公司", True), ("市第一医院", True), ("Acme Ltd", True), ("Colin", False)],
)
def test_companies(name, is_company):
    assert owners.is_company(name) is is_company


def test_an_owner_is_found_by_phone_and_initials(session):
    owner = owners.add_owner(session, " 曾雨 ", now=NOW, phones=["139 0000 0001", ""], email="a@example.com")

    assert (owner.name, owner.pinyin_initials, owner.kind) == ("曾雨", "zy", "person")
    assert [phone.number_mac for phone in owner.phones] == [fingerprint("13900000001")]
    with pytest.raises(Refused, match="called"):
        owners.add_owner(session, "  ", now=NOW)


def occupancies(session, unit):
    rows = session.scalars(
        select(Occupancy).where(Occupancy.unit_id == unit.id).order_by(Occupancy.from_on, Occupancy.id)
    )
    return [(row.owner.name, row.kind, row.is_payer, row.from_on, row.to_on) for row in rows]


def change(session, unit, name, on, **more):
    owner = owners.add_owner(session, name, now=NOW)
    return change_of_owner(session, unit.id, owner.id, on=day(on), now=NOW, **more)


def test_a_sale_ends_the_old_owner_the_day_before(session):
    unit = add_unit(session, payer="王", since=day("2020-01-01"))

    made = change(session, unit, "李", "2026-07-01")

    assert occupancies(session, unit) == [
        ("王", "owner", True, day("2020-01-01"), day("2026-06-30")),
        ("李", "owner", True, day("2026-07-01"), None),
    ]
    assert (made.account.debt, made.moved) == (Decimal("0.00"), ())
    assert owners.payer_of(session, unit.id, day("2026-06-30")).owner.name == "王"
    assert owners.payer_of(session, unit.id, day("2026-07-01")).owner.name == "李"


def test_an_owner_who_lets_stays_owner_and_a_sale_behind_the_tenant_ends_that(session):
    unit = add_unit(session, payer="王", since=day("2020-01-01"))

    change(session, unit, "租", "2026-07-01", kind="tenant")
    change(session, unit, "李", "2026-08-01")

    assert occupancies(session, unit) == [
        ("王", "owner", True, day("2020-01-01"), day("2026-06-30")),
        ("王", "owner", False, day("2026-07-01"), day("2026-07-31")),
        ("租", "tenant", True, day("2026-07-01"), day("2026-07-31")),
        ("李", "owner", True, day("2026-08-01"), None),
    ]


def test_old_arrears_stay_and_the_month_s_bill_moves_by_days(session):
    unit = add_unit(session, payer="王", area="100")
    bill(session, "2026-05")
    bill(session, "2026-06")

    made = change(session, unit, "李", "2026-06-21")

    assert made.account.debt == Decimal("500.00")
    owed = {
        (row.payer.name, row.period): row.balance
        for row in session.scalars(
            select(Invoice).order_by(Invoice.id).execution_options(populate_existing=True)
        )
    }
    assert owed == {
        ("王", "2026-05"): Decimal("250.00"),
        ("王", "2026-06"): Decimal("166.67"),
        ("李", "2026-06"): Decimal("83.33"),
    }
    assert_books_hold(session)


def test_a_vacant_unit_gets_its_first_payer(session):
    unit = add_unit(session, payer="", state="vacant")

    made = change(session, unit, "李", "2026-06-21")

    assert (made.old, made.account, unit.state) == (None, None, "occupied")


@pytest.mark.parametrize(
    ("on", "words"),
    [("2020-01-01", "starts on 2020-01-01"), ("2019-12-31", "Another payer is entered from 2020-01-01")],
)
def test_a_change_before_the_present_payer_is_refused(session, on, words):
    unit = add_unit(session, payer="王", since=day("2020-01-01"))

    with pytest.raises(Refused, match=words):
        change(session, unit, "李", on)


def test_the_same_payer_again_and_nobody_are_refused(session):
    unit = add_unit(session, payer="王")
    payer = owners.payer_of(session, unit.id, TODAY)

    for owner_id, kind in ((payer.owner_id, "owner"), (0, "owner"), (payer.owner_id, "guest")):
        with pytest.raises(Refused):
            change_of_owner(session, unit.id, owner_id, on=day("2026-07-01"), now=NOW, kind=kind)


@pytest.mark.parametrize(
    ("contact", "is_listed"),
    [
        ({}, True),
        ({"email": "a@example.com"}, False),
        ({"email": "a@example.com", "is_email_bad": True}, True),
        ({"chat_id": "wx"}, False),
        ({"phone": "13900000001"}, False),
        ({"phone": "13900000001", "is_bad": True}, True),
    ],
)
def test_units_whose_payer_cannot_be_reached(session, contact, is_listed):
    unit = add_unit(session, payer="王")
    owner = session.scalars(select(Owner)).one()
    owner.phones = []
    owner.email = ""
    number, is_bad = contact.get("phone"), contact.get("is_bad", False)
    for name in contact.keys() - {"phone", "is_bad"}:
        setattr(owner, name, contact[name])
    if number:
        owner.phones = [OwnerPhone(number=number, number_mac=fingerprint(number), is_bad=is_bad)]
    session.flush()

    found = owners.unreachable_payers(session, TODAY)

    assert [row.unit_code for row in found] == ([unit.code] if is_listed else [])
    if is_listed:
        assert found[0].has_bad_contact == bool(contact)
