"""Change of owner on one screen, and payers whom nobody reaches (P5, P6)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from models.people import Occupancy, Owner
from models.property import Unit
from tests.admin.conftest import PASSWORD, Web, text_of


@pytest.fixture
def unit_id(web: Web) -> int:
    with web.rows() as session:
        unit = session.scalars(select(Unit).where(Unit.code == "A-01")).one()
        owner = session.scalars(select(Owner)).one()
        session.add(Occupancy(unit_id=unit.id, owner_id=owner.id, from_on=date(2020, 1, 1)))
        session.commit()
        return unit.id


def payers(web: Web) -> list[tuple[str, date, date | None]]:
    with web.rows() as session:
        rows = session.scalars(select(Occupancy).order_by(Occupancy.from_on, Occupancy.id))
        return [(row.owner.name, row.from_on, row.to_on) for row in rows]


def test_the_final_account_is_shown_and_a_new_payer_taken_over(web: Web, unit_id: int) -> None:
    shown = text_of(web.get(f"/change_payer/?unit_id={unit_id}"))
    assert "王秀英" in shown
    assert "100.00" in shown

    answer = web.post(
        "/change_payer/",
        {"unit": unit_id, "on": "2026-03-01", "kind": "owner", "name": "曾新", "phone": "13900000009"},
    )

    assert answer.status_code == 302, text_of(answer)
    assert payers(web) == [
        ("王秀英", date(2020, 1, 1), date(2026, 2, 28)),
        ("曾新", date(2026, 3, 1), None),
    ]
    assert {"create", "change_of_owner"} <= {row.action for row in web.audits()}


@pytest.mark.parametrize(("typed", "entered"), [("", None), ("0", 0), ("3", 3)])
def test_how_many_live_there_is_asked_and_shown(
    web: Web, unit_id: int, typed: str, entered: int | None
) -> None:
    given = {"unit": unit_id, "on": "2026-03-01", "kind": "owner", "name": "曾新", "residents": typed}

    answer = web.post("/change_payer/", given)

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        assert session.scalars(select(Occupancy.residents).order_by(Occupancy.from_on)).all() == [
            None,
            entered,
        ]
    shown = web.get(f"/household/?unit_id={unit_id}").text
    assert f'<td class="num">{"–" if entered is None else entered}</td>' in shown


@pytest.mark.parametrize("typed", ["-1", "10000", "2.5", "two"])
def test_a_number_of_residents_that_cannot_be_is_refused(web: Web, unit_id: int, typed: str) -> None:
    given = {"unit": unit_id, "on": "2026-03-01", "kind": "owner", "name": "曾新", "residents": typed}
    with web.rows() as session:
        row = session.scalars(select(Occupancy)).one()
        edited = {"owner": row.owner_id, "from_on": "2020-01-01", "row_version": row.row_version}

    assert web.post("/change_payer/", given).status_code == 422
    answer = web.post(f"/occupancies/edit/?id={row.id}", given | edited)

    assert answer.status_code in {200, 422}
    with web.rows() as session:
        assert session.scalars(select(Occupancy.residents)).all() == [None]


def test_the_number_of_residents_is_edited_and_the_change_is_in_the_history(web: Web, unit_id: int) -> None:
    with web.rows() as session:
        row = session.scalars(select(Occupancy)).one()
        edited = {
            "unit": unit_id,
            "owner": row.owner_id,
            "kind": "owner",
            "is_payer": "y",
            "from_on": "2020-01-01",
            "residents": "4",
            "row_version": row.row_version,
        }

    answer = web.post(f"/occupancies/edit/?id={row.id}", edited)

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        assert session.scalars(select(Occupancy.residents)).all() == [4]
    assert '"residents": [null, 4]' in web.audits()[-1].changes


@pytest.mark.parametrize(
    ("day", "pays"),
    [("2019-12-31", False), ("2020-01-01", True), ("soon", True), ("9999-12-31", True), ("", True)],
)
def test_the_final_account_is_of_the_day_in_the_form(web: Web, unit_id: int, day: str, pays: bool) -> None:
    shown = web.get(f"/change_payer/?unit_id={unit_id}&on={day}")

    assert shown.status_code == 200
    assert ("王秀英" in text_of(shown)) is pays


def test_a_change_that_cannot_be_says_why_and_changes_nothing(web: Web, unit_id: int) -> None:
    answer = web.post(
        "/change_payer/", {"unit": unit_id, "on": "2020-01-01", "kind": "owner", "name": "曾新"}
    )

    assert answer.status_code == 422
    assert "2020-01-01" in text_of(answer)
    assert payers(web) == [("王秀英", date(2020, 1, 1), None)]
    with web.rows() as session:
        assert session.scalars(select(Owner.name)).all() == ["王秀英"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"on": "2026-03-01"},
        {"unit": "x"},
        {"unit": "1", "on": "never", "kind": "guest"},
        {"unit": "", "unit_text": "a\x00b"},  # what no database takes
    ],
)
def test_incomplete_forms_come_back(web: Web, unit_id: int, fields: dict[str, str]) -> None:
    assert web.post("/change_payer/", fields).status_code == 422


def test_units_and_owners_are_found_by_typing(web: Web, unit_id: int) -> None:
    assert web.get("/change_payer/ajax/lookup/?name=unit&query=A-01").json == [[unit_id, "A-01"]]
    assert web.get("/change_payer/ajax/lookup/?name=staff&query=a").status_code == 404


def test_the_household_file_leads_there(web: Web, unit_id: int) -> None:
    assert f"/change_payer/?unit_id={unit_id}" in web.get(f"/household/?unit_id={unit_id}").text


def test_a_steward_may_not_change_payers(visitor: Web) -> None:
    visitor.sign_in("steward", PASSWORD)

    assert visitor.get("/change_payer/").status_code == 403


def test_payers_without_a_working_contact_are_listed(web: Web, unit_id: int) -> None:
    assert "A-01" not in text_of(web.get("/contact_quality/"))
    with web.rows() as session:
        session.scalars(select(Owner)).one().phones[0].is_bad = True
        session.commit()

    assert "A-01" in text_of(web.get("/contact_quality/"))
