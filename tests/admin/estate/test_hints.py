"""Hints for the desk, and who is proposed to handle a complaint, on the screens (T26)."""

import json
from datetime import date

from sqlalchemy import select

from models.complaints import Ticket
from models.hints import DeskHint
from models.people import Department, Staff
from models.property import Building, Unit
from tests.admin.conftest import add_staff, text_of
from tests.factories.complaint_desk import act, as_, register, staff_id, ticket, unit_id
from tests.factories.complaints import at
from tests.factories.sandbox import set_present


def fill(session):
    for login, role in (("front_desk", "front_desk"), ("cashier", "cashier"), ("amy", "steward")):
        add_staff(session, login, role)
    add_staff(session, "bob", "steward")
    cleaning = session.scalars(select(Department).where(Department.code == "cleaning")).one()
    for person in session.scalars(select(Staff).where(Staff.login.in_(("amy", "bob")))):
        person.department = cleaning
    set_present(session, at("2026-03-02 10:00"))
    session.commit()


def hint(desk, **more):
    return desk.post(
        "/desk_hints/new/", {"kind": "key", "from_on": "2026-03-01", "building": "__None", **more}
    )


def test_a_hint_is_entered_and_shown_where_somebody_calls(web_of):
    desk = as_(web_of(fills=(fill,)), "front_desk")
    unit, other = unit_id(desk), unit_id(desk, "A-02")
    with desk.rows() as session:
        building = session.scalars(select(Unit.building_id).where(Unit.id == unit)).one()
        assert session.get_one(Building, building)
        session.add(
            DeskHint(building_id=building, kind="contractor", words="lift: 5550", from_on=date(2026, 3, 1))
        )
        session.add(DeskHint(unit_id=unit, words="gone by", from_on=date(2026, 1, 1), to_on=date(2026, 3, 1)))
        session.add(DeskHint(unit_id=unit, words="to come", from_on=date(2026, 3, 3)))
        session.commit()
    assert hint(desk, unit=unit, words="key at the gate", to_on="2026-03-02").status_code == 302
    for wrong, why in (
        ({"words": "x"}, "one of them"),
        ({"words": "x", "unit": unit, "building": building}, "one of them"),
        ({"words": "x", "unit": unit, "to_on": "2026-02-01"}, "before it begins"),
    ):
        assert why in text_of(hint(desk, **wrong))

    told = json.loads(desk.get(f"/tickets/household/?unit_id={unit}").text)
    assert told["hints"] == ["Key: key at the gate", "Contractor: lift: 5550"]
    assert json.loads(desk.get(f"/tickets/household/?unit_id={other}").text)["hints"] == [
        "Contractor: lift: 5550"
    ]
    key = register(desk, unit=unit)
    for page in (f"/tickets/details/?id={key}", f"/household/?unit_id={unit}", f"/units/details/?id={unit}"):
        assert "key at the gate" in text_of(desk.get(page)), page
    assert "gone by" not in text_of(desk.get(f"/household/?unit_id={unit}"))

    as_(desk, "cashier")
    assert "key at the gate" not in text_of(desk.get(f"/household/?unit_id={unit}"))
    assert "key at the gate" not in text_of(desk.get(f"/units/details/?id={unit}"))
    assert json.loads(desk.get(f"/tickets/household/?unit_id={unit}").text)["hints"] == []


def test_a_person_is_proposed_by_category_and_load_and_the_clerk_chooses(web_of):
    desk = as_(web_of(fills=(fill,)), "front_desk")
    first = register(desk)
    page = text_of(desk.get(f"/tickets/details/?id={first}"))
    assert "Proposed: Amy." in page
    assert "(0)" in page
    assert ticket(desk, first).handler_id is None  # never by itself
    act(desk, first, "assign", department_id="", handler_id=staff_id(desk, "amy"), note="")
    assert "Proposed:" not in text_of(desk.get(f"/tickets/details/?id={first}"))

    second = register(desk, accused="")
    assert "Proposed: Bob." in text_of(desk.get(f"/tickets/details/?id={second}"))
    asked = desk.post("/tickets/action/", {"action": "assign", "rowid": second, "url": "/tickets/"})
    assert "Bob (proposed)" in asked.text
    third = register(desk, accused=staff_id(desk, "bob"))
    assert "Proposed: Amy." in text_of(desk.get(f"/tickets/details/?id={third}"))
    with desk.rows() as session:
        session.get_one(Ticket, first).state = "resolved"
        session.commit()
    assert "Proposed: Amy." in text_of(desk.get(f"/tickets/details/?id={second}"))
