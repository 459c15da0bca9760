"""Owners and staff through their forms: derived columns, roles and passwords (P3, P7, F15)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.people import Owner, Staff
from models.secrets import fingerprint
from tests.admin.conftest import PASSWORD, Web, add_staff, text_of


def test_an_owner_is_found_by_initials_and_by_the_whole_id_number(web: Web) -> None:
    answer = web.post("/owners/new/", {"name": "单志远", "kind": "person", "id_number": "110101199003078515"})

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        owner = session.scalars(select(Owner).where(Owner.name == "单志远")).one()
        assert (owner.pinyin_initials, owner.id_number_mac) == ("szy", fingerprint("110101199003078515"))
    assert "单志远" in text_of(web.get("/owners/?search=szy"))
    assert "110101199003078515" not in web.get("/owners/").text


def test_a_new_member_of_staff_signs_in_and_changes_the_password(web: Web) -> None:
    answer = web.post(
        "/staff/new/",
        {
            "name": "吴淑贞",
            "login": "wu",
            "chosen_roles": ["cashier", "front_desk"],
            "new_password": PASSWORD,
            "is_active": "y",
        },
    )

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        staff = session.scalars(select(Staff).where(Staff.login == "wu")).one()
        assert (staff.roles, staff.must_change_password) == ({"cashier", "front_desk"}, True)


def test_a_new_member_without_a_password_is_refused(web: Web) -> None:
    answer = web.post(
        "/staff/new/", {"name": "X", "login": "x", "chosen_roles": ["cashier"], "is_active": "y"}
    )

    assert answer.status_code == 422
    with web.rows() as session:
        assert session.scalars(select(Staff).where(Staff.login == "x")).all() == []


@pytest.mark.parametrize(
    "left", [{"chosen_roles": ["cashier"], "is_active": "y"}, {"chosen_roles": ["it_admin"]}]
)
def test_the_last_administrator_stays_one_until_another_is_named(web: Web, left: dict[str, Any]) -> None:
    with web.rows() as session:
        admin = session.scalars(select(Staff).where(Staff.login == "admin")).one()
        key, version = admin.id, admin.row_version
    form = {"name": "A", "login": "admin", "row_version": version, **left}

    assert web.post(f"/staff/edit/?id={key}", form).status_code == 422
    with web.rows() as session:
        add_staff(session, "second", "it_admin")
    assert web.post(f"/staff/edit/?id={key}", form).status_code == 302

    with web.rows() as session:
        admin = session.get(Staff, key)
        assert (admin.roles, admin.is_active) != ({"it_admin"}, True)


def test_taking_a_role_away_ends_the_sessions(visitor: Web) -> None:
    other = Web(visitor.office, visitor.office.app.test_client())
    other.sign_in("steward", PASSWORD)
    assert other.is_signed_in
    visitor.sign_in()
    with visitor.rows() as session:
        steward = session.scalars(select(Staff).where(Staff.login == "steward")).one()
        key, version = steward.id, steward.row_version

    answer = visitor.post(
        f"/staff/edit/?id={key}", {"name": "S", "login": "steward", "is_active": "y", "row_version": version}
    )

    assert answer.status_code == 302, text_of(answer)
    assert not other.is_signed_in


def test_a_persons_data_is_given_out_and_erased_from_the_screen(web: Web) -> None:
    with web.rows() as session:
        owner = Owner(name="李雷", email="lilei@example.org")
        session.add(owner)
        session.commit()
        key = owner.id
    page = f"/personal_data/?id={key}"
    assert page.replace("&", "&amp;") in web.get(f"/owners/details/?id={key}").text

    told = web.post("/personal_data/known/", {"id": key})
    refused = web.post("/personal_data/erase/", {"id": key, "reason": ""})
    web.post("/personal_data/erase/", {"id": key, "reason": "asked"})

    assert told.json["person"][0]["email"] == "lilei@example.org"
    assert refused.status_code == 302
    assert "lilei@example.org" not in web.get(page).text
    assert [audit.action for audit in web.audits("owner")] == ["give_out", "erase"]
    assert web.get("/personal_data/?id=x").status_code == 404
