"""A holiday or a policy saved on its screen moves deadlines: announced before, said after (T5, T6)."""

import json

import pytest
from sqlalchemy import select

from models.complaints import TicketClock
from models.property import CalendarDay
from office.complaints.registration import NewTicket, register_ticket
from office.core import clock
from rules.working_time import published_years
from tests.admin.conftest import text_of
from tests.factories.complaints import at
from tests.factories.pages import fields_of
from tests.factories.sandbox import set_present

MONDAY_MORNING = at("2026-03-02 10:00")


def open_ticket(web):
    with web.rows() as session:
        set_present(session, MONDAY_MORNING)
        now = clock.now(session)
        register_ticket(
            session,
            NewTicket(
                channel="desk",
                category="cleaning",
                statement="走廊没有打扫",
                registered_at=now,
            ),
            now=now,
        )
        session.commit()


def due(web):
    """The solution's and the first word's days."""
    with web.rows() as session:
        zone = clock.zone(session)
        rows = session.execute(select(TicketClock.clock, TicketClock.due_at).order_by(TicketClock.clock))
        return {name: due_at.astimezone(zone).date() for name, due_at in rows}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_holidays_and_policies_move_deadlines(web_of):
    web = web_of("tower")
    assert web.sign_in().status_code == 302
    open_ticket(web)
    stood = due(web)
    day = stood["solve"].isoformat()

    # a day off on which the solution is due: asked, saved, taken back
    asked = json.loads(web.get(f"/calendar_days/preview/?day={day}&is_working=0").text)["text"]
    assert asked == "Deadlines of 1 open complaint would move: 0 earlier, 2 later."
    assert due(web) == stood
    assert web.get("/calendar_days/preview/?day=never").status_code == 404
    saved = web.post("/calendar_days/new/", {"day": day, "note": "storm"}, follow_redirects=True)
    assert "Deadlines of 1 open complaint moved: 0 earlier, 2 later." in text_of(saved)
    assert all(due(web)[name] > stood[name] for name in stood)
    with web.rows() as session:
        key = session.scalars(select(CalendarDay.id)).one()
    taken_back = web.post("/calendar_days/delete/", {"id": key, "confirmed": "1"}, follow_redirects=True)
    assert "2 earlier, 0 later" in text_of(taken_back)
    assert due(web) == stood

    # a longer solution
    page = web.get("/policies/edit/?policy=clocks").text
    rule = next(
        name for name, value in fields_of(page).items() if name.endswith(".code") and value == "solve"
    )
    fields = {**fields_of(page), rule.replace(".code", ".length"): "9", "reason": "longer"}
    previewed = web.post("/policies/edit/?policy=clocks", {**fields, "preview": "1"})
    assert "would move: 0 earlier, 1 later" in text_of(previewed)
    assert 'value="9"' in previewed.text
    assert due(web) == stood
    saved = web.post("/policies/edit/?policy=clocks", fields, follow_redirects=True)
    assert "moved: 0 earlier, 1 later" in text_of(saved)
    assert due(web)["solve"] > stood["solve"]
    assert due(web)["first_word"] == stood["first_word"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_years_without_published_holidays_are_named(web):
    """T5: above the list of days and above the office hours."""
    with web.rows() as session:
        year = clock.today(session).year
    unknown = [str(each) for each in (year, year + 1) if each > max(published_years("CN"))]

    for path in ("/calendar_days/", "/policies/edit/?policy=calendar"):
        page = text_of(web.get(path))
        assert ("not published yet" in page) == bool(unknown)
        assert not unknown or f"holidays of {', '.join(unknown)}" in page
