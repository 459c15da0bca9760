"""Visits on the screen: today's route, the form of a visit, reassigning, planning (V1–V4)."""

import base64

import pytest
from sqlalchemy import select

from models.complaints import Attachment, Ticket
from models.people import Staff
from models.property import Building
from models.visits import Visit
from tests.admin.conftest import text_of
from tests.factories.complaint_desk import PNG, act, as_, register, staff_id, ticket, unit_id


@pytest.fixture
def resolved(desk):
    """A ticket of A-01 that the department solved; the front desk is to visit."""
    key = register(desk, unit=unit_id(desk))
    act(desk, key, "assign", handler_id=staff_id(desk, "department_lead"), department_id="", note="")
    as_(desk, "department_lead")
    act(desk, key, "start")
    act(desk, key, "resolve", resolution="cleaned")
    as_(desk, "front_desk")
    return key


def visit_id(web):
    with web.rows() as session:
        return session.scalars(select(Visit.id)).one()


def test_the_route_leads_to_the_form_and_back(desk, resolved):
    route = desk.get("/route/").text
    form = text_of(desk.get(f"/route/visit/?id={visit_id(desk)}"))

    answer = desk.post(
        "/route/record/",
        {
            "id": visit_id(desk),
            "method": "door",
            "satisfaction": "5",
            "words": "谢谢",
            "met": "王先生",
            "signature": "data:image/png;base64," + base64.b64encode(PNG).decode(),
        },
        follow_redirects=True,
    )

    assert "A-01" in route
    assert "cleaned" in form
    assert "Closed" in text_of(answer)
    assert ticket(desk, resolved).state == "closed"
    with desk.rows() as session:
        visit = session.scalars(select(Visit)).one()
        assert (visit.words, visit.met, visit.outcome) == ("谢谢", "王先生", "satisfied")
        assert session.scalars(select(Attachment.visit_id)).one() == visit.id


def test_dissatisfied_reopens_and_solving_again_plans_again(desk, resolved):
    desk.post("/route/record/", {"id": visit_id(desk), "method": "phone", "satisfaction": "1"})

    row = ticket(desk, resolved)
    assert (row.state, row.level, row.reopen_count) == ("reopened", 1, 1)
    as_(desk, "department_lead")
    act(desk, resolved, "start")
    act(desk, resolved, "resolve", resolution="again")
    with desk.rows() as session:
        assert [visit.outcome for visit in session.scalars(select(Visit).order_by(Visit.id))] == [
            "dissatisfied",
            "",
        ]


def test_nobody_reached_is_one_button(desk, resolved):
    answer = desk.post(
        "/route/record/",
        {"id": visit_id(desk), "method": "door", "not_reached": "1"},
        follow_redirects=True,
    )

    assert "Try again from" in text_of(answer)
    assert ticket(desk, resolved).state == "resolved"


def test_a_visit_without_an_answer_is_refused_in_words(desk, resolved):
    answer = desk.post("/route/record/", {"id": visit_id(desk), "method": "door"}, follow_redirects=True)

    assert "from 1 to 5" in text_of(answer)
    assert ticket(desk, resolved).state == "resolved"


def test_who_did_the_work_does_not_visit(desk, resolved):
    """V1."""
    as_(desk, "station_head")
    refused = act(
        desk, visit_id(desk), "reassign", screen="visits", assignee_id=staff_id(desk, "department_lead")
    )
    act(desk, visit_id(desk), "reassign", screen="visits", assignee_id=staff_id(desk, "station_head"))

    head = staff_id(desk, "station_head")
    assert "did the work" in text_of(refused)
    with desk.rows() as session:
        assert session.scalars(select(Visit.assignee_id)).one() == head


def test_a_courtesy_visit_is_planned_for_a_unit(desk):
    planned = act(desk, "", "plan", screen="visits", kind="courtesy", unit_code="A-02", assignee_id="")
    unknown = act(desk, "", "plan", screen="visits", kind="courtesy", unit_code="Q-99", assignee_id="")

    assert "is planned" in text_of(planned)
    assert "no unit" in text_of(unknown)
    assert "A-02" in desk.get("/visits/").text


@pytest.mark.parametrize("key", ["0", "abc", "999999", ""])
def test_an_unknown_visit_is_not_found(desk, key):
    assert desk.get(f"/route/visit/?id={key}").status_code == 404


def test_the_views_of_the_list(desk, resolved):
    with desk.rows() as session:
        assert session.get(Ticket, resolved).state == "resolved"
    for view in ("today", "overdue", "mine", "dissatisfied", "unreachable"):
        page = desk.get(f"/visits/?view={view}")
        assert page.status_code == 200
        assert ("A-01" in page.text) == (view in {"today", "mine"})


def test_a_steward_plans_visits_in_the_own_buildings_only(desk):
    with desk.rows() as session:
        steward = session.scalars(select(Staff).where(Staff.login == "steward")).one()
        steward.buildings = [session.scalars(select(Building).where(Building.name == "1号楼")).one()]
        session.commit()
    as_(desk, "steward")
    asked, near = {"kind": "courtesy", "assignee_id": ""}, unit_id(desk)

    foreign = act(desk, "", "plan", "visits", unit_code="A-06", **asked)
    own = act(desk, "", "plan", "visits", unit_code="A-01", **asked)

    assert "There is no unit A-06" in text_of(foreign)
    assert 'value="A-06"' in foreign.text  # what was typed stays, to be mended
    assert "is planned" in text_of(own)
    with desk.rows() as session:
        assert session.scalars(select(Visit.unit_id)).all() == [near]
