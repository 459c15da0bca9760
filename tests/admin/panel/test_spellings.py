"""A name is one whatever its width, kind of dash, case and blanks: found so, and made once.

Contract "Reading files": text keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from admin.panel import search
from models.property import Unit
from tests.admin.conftest import Web, text_of
from tests.factories.estate import add_unit

SPELLINGS = ("A-101", "a-101", "ａ－１０１", " A–101", "A−101\u3000", "\u200bA-101")


def add_named(session: Any) -> None:
    add_unit(session, "A-101", payer="John Smith")
    add_unit(session, "B-2", payer="王芳")
    session.commit()


@pytest.fixture
def office(office_of: Callable[..., Any]) -> Web:
    office = office_of("residential", fills=(add_named,))
    web = Web(office, office.app.test_client())
    web.sign_in()
    return web


@pytest.mark.parametrize("typed", SPELLINGS)
def test_lists_pickers_the_cashier_and_the_search_find_by_any_spelling(office: Web, typed: str) -> None:
    with office.rows() as session:
        unit_id = session.scalars(select(Unit.id).where(Unit.code == "A-101")).one()

    listed = text_of(office.get("/units/", query_string={"search": typed}))
    offered = office.get("/meters/ajax/lookup/", query_string={"name": "unit", "query": typed}).json
    cashier = office.get("/cashier/", query_string={"q": typed})

    assert "A-101" in listed
    assert "B-2" not in listed
    assert offered == [[unit_id, "A-101"]]
    assert cashier.location == f"/cashier/?unit_id={unit_id}"


@pytest.mark.parametrize("typed", ["john", "JOHN S", "ｊｏｈｎ", "John\u3000Smith"])
def test_a_person_is_found_whatever_the_case(office: Web, typed: str) -> None:
    for screen in ("owners", "occupancies"):
        assert "John Smith" in text_of(office.get(f"/{screen}/", query_string={"search": typed}))


def test_control_a_search_for_the_words_as_typed_finds_less(
    office: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "compared_key", str)

    assert "A-101" not in text_of(office.get("/units/", query_string={"search": "ａ－１０１"}))


@pytest.mark.parametrize("typed", SPELLINGS)
def test_no_second_one_is_made_by_a_form(office: Web, typed: str) -> None:
    with office.rows() as session:
        building_id = session.scalars(select(Unit.building_id)).first()
    given = {"building": str(building_id), "kind": "residence", "area_m2": "88", "state": "vacant"}

    answer = office.post("/units/new/", {**given, "code": typed})

    with office.rows() as session:
        codes = sorted(session.scalars(select(Unit.code)))
    assert answer.status_code == 422
    told = "Already exists" if typed == "A-101" else "Another record already has this: Code"
    assert told in text_of(answer)
    assert codes == ["A-101", "B-2"]


def test_a_form_writes_a_name_in_its_normal_form(office: Web) -> None:
    with office.rows() as session:
        unit = session.scalars(select(Unit).where(Unit.code == "B-2")).one()
        given = {"building": str(unit.building_id), "kind": "residence", "area_m2": "88", "state": "vacant"}
        version = str(unit.row_version)

    answer = office.post(f"/units/edit/?id={unit.id}", {**given, "code": " Ｂ－３", "row_version": version})

    with office.rows() as session:
        codes = sorted(session.scalars(select(Unit.code)))
    assert answer.status_code == 302
    assert codes == ["A-101", "B-3"]


@pytest.mark.parametrize("login", ["admin", "ADMIN", "ａｄｍｉｎ", " Admin "])
def test_a_person_signs_in_by_any_spelling_of_the_login(office: Web, login: str) -> None:
    visitor = Web(office.office, office.office.app.test_client())

    assert visitor.sign_in(login).status_code == 302
    assert visitor.is_signed_in
