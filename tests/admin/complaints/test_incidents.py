"""Known incidents on screen: made by form, shown at intake, joined, told and closed at once (T25)."""

import json

from sqlalchemy import select

from models.complaints import Ticket
from models.incidents import Incident, IncidentTicket
from tests.admin.conftest import text_of
from tests.factories.complaint_desk import FORM, act, as_, register, ticket, unit_id

INCIDENT = {
    "title": "停水",
    "category": "__None",
    "scope": "units",
    "scope_value": " A-01 ",
    "begins_at": "2026-03-02T09:00",
    "ends_at": "2026-03-02T09:30",
    "staff_words": "the pump is broken",
    "residents_words": "中午恢复",
    "residents_words_en": "back at noon",
}


def enter(desk, **more):
    answer = desk.post("/incidents/new/", {**INCIDENT, **more})
    assert answer.status_code == 302, text_of(answer)
    with desk.rows() as session:
        return session.scalars(select(Incident.id).order_by(Incident.id.desc())).first()


def test_an_incident_is_entered_shown_joined_told_and_closed(desk):
    """T25: the whole way at the desk."""
    assert 'name="incident"' not in desk.get("/tickets/new/").text
    key = enter(desk)
    with desk.rows() as session:
        row = session.get_one(Incident, key)
        assert (row.scope_value, row.number, row.made_by.login) == ("A-01", "K2026-000001", "front_desk")

    # intake: what fits the unit is told at once, with the words for staff and for residents apart
    unit = unit_id(desk)
    (found,) = json.loads(desk.get(f"/tickets/incidents/?unit_id={unit}&category=cleaning").text)
    assert (found["id"], found["staff"]) == (key, "the pump is broken")
    assert found["say"] == [
        {"lang": "zh-Hans", "words": "中午恢复"},
        {"lang": "en", "words": "back at noon"},
    ]
    other = unit_id(desk, "A-02")
    assert json.loads(desk.get(f"/tickets/incidents/?unit_id={other}").text) == []
    assert "停水" in desk.get("/tickets/new/").text  # a choice without scripts
    assert "Past its expected end" in text_of(desk.get("/start/"))

    first = register(desk, unit=unit, incident=key)
    second = register(desk, unit=other)
    act(desk, second, "join_incident", incident_id=key)
    spot = register(desk, incident=key, resolution="told")
    assert ticket(desk, spot).state == "resolved"
    page = text_of(desk.get(f"/tickets/details/?id={first}"))
    assert "Joined to" in page
    assert "K2026-000001 停水" in page
    assert "中午恢复" in page
    page = text_of(desk.get(f"/incidents/details/?id={key}"))
    assert "Households together: 3" in " ".join(page.split())
    assert "Major" in page
    assert (ticket(desk, first).severity, ticket(desk, second).severity) == ("major", "minor")

    page = text_of(act(desk, key, "note_progress", "incidents", note="泵已到场"))
    assert "Noted with 2 complaints." in page
    assert "泵已到场" in text_of(desk.get(f"/tickets/details/?id={second}"))

    act(desk, second, "leave_incident")
    page = text_of(act(desk, key, "close_incident", "incidents", resolution="泵已修好"))
    assert "1 complaints are resolved" in page
    assert (ticket(desk, first).state, ticket(desk, second).state) == ("resolved", "registered")
    assert json.loads(desk.get("/tickets/incidents/").text) == []
    assert "Past its expected end" not in text_of(desk.get("/start/"))
    refused = desk.post("/tickets/new/", {**FORM, "incident": key})
    assert refused.status_code == 422  # over meanwhile: the typed text stays
    assert FORM["statement"] in refused.text
    with desk.rows() as session:
        assert len(session.scalars(select(IncidentTicket)).all()) == 2


def test_what_cannot_be_resolved_is_named_with_the_reason(desk):
    key = enter(desk, scope="estate", scope_value="")
    good, waits = register(desk, incident=key), register(desk, incident=key)
    with desk.rows() as session:
        session.get_one(Ticket, waits).claimed_facts = "{}"
        session.commit()

    page = text_of(act(desk, key, "close_incident", "incidents", resolution="done"))

    number = ticket(desk, waits).number
    assert f"{number}: First confirm what the sender says" in page
    assert (ticket(desk, good).state, ticket(desk, waits).state) == ("resolved", "registered")


def test_an_incident_that_says_nothing_or_nowhere_is_refused_with_the_text_kept(desk):
    for wrong, why in (
        ({"scope_value": ""}, "which areas"),
        ({"scope_value": "Z-99"}, "Nobody knows"),
        ({"ends_at": "2026-03-02T08:00"}, "before it begins"),
        ({"staff_words": "", "residents_words": ""}, "what to tell"),
    ):
        answer = desk.post("/incidents/new/", {**INCIDENT, **wrong})
        assert answer.status_code in {200, 422}
        assert why in text_of(answer)
        assert "停水" in answer.text
    with desk.rows() as session:
        assert session.scalars(select(Incident)).all() == []


def test_who_may_only_read_enters_and_closes_nothing(desk):
    key = enter(desk)
    as_(desk, "department_lead")
    assert desk.get(f"/incidents/details/?id={key}").status_code == 200
    assert desk.post("/incidents/new/", INCIDENT).status_code == 403
    assert act(desk, key, "close_incident", "incidents", resolution="x").status_code == 403
