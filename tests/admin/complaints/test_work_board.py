"""The work board on its screen: whose it shows, and the next step by one button (T4, K4)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from admin.complaints.work_board import time_left
from admin.panel import labels, record_words
from models.complaints import Ticket, TicketClock
from rules.lifecycle import Verb
from tests.admin.conftest import text_of
from tests.factories.complaint_desk import act, as_, register, staff_id, ticket
from tests.factories.complaints import at
from tests.factories.pages import fields_of
from tests.factories.source_code import in_source

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
LEFT = [
    (timedelta(minutes=5), "5 min left"),
    (timedelta(minutes=200), "3 h 20 min left"),
    (timedelta(hours=50), "2 d 2 h left"),
    (timedelta(0), "0 min left"),
    (-timedelta(minutes=90), "1 h 30 min over"),
]


def groups_of(answer):
    """The headings of the board's groups with their counts."""
    found = re.findall(r"<h2>([^<]+?) <span[^>]*>(\d+)</span></h2>", answer.text)
    return {heading: int(count) for heading, count in found}


def numbers_on(answer):
    """The ticket numbers on the board from top to bottom."""
    return re.findall(r"<b>(T\d+-\d+)</b>", answer.text)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_first_deadline_stands_on_top(desk):
    """K4: in a group by deadline, not by number; the groups from late to closed."""
    late, plain, major = register(desk), register(desk), register(desk, is_media="y")
    numbers = {key: ticket(desk, key).number for key in (late, plain, major)}
    with desk.rows() as session:
        for key, due_at in ((late, "09:59"), (plain, "10:30"), (major, "10:20")):
            for clock in session.scalars(select(TicketClock).where(TicketClock.ticket_id == key)):
                clock.warn_at = clock.due_at = at(due_at)
        session.commit()

    page = desk.get("/board/")

    assert numbers_on(page) == [numbers[late], numbers[major], numbers[plain]]
    assert groups_of(page) == {"Overdue": 1, "Due within 2 hours": 2}


# how many minutes are soon, and what it is called on the board and on the start page
SOON = [("60", "Due within 1 hour"), ("90", "Due within 90 minutes"), ("180", "Due within 3 hours")]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("minutes", "words"), SOON)
def test_how_near_is_soon_is_a_policy(desk, minutes, words):
    """T4, §9: the form saves it; board, start page and list go by it from that day on."""
    as_(desk, "manager")
    page = "/policies/edit/?policy=complaints"
    typed = {"due_soon_minutes": minutes, "reason": "shorter shifts"}
    saved = desk.post(page, {**fields_of(desk.get(page).text), **typed})
    assert saved.status_code == 302
    key = register(desk)  # Monday 10:00: the department's plan is due at 11:00

    assert groups_of(desk.get("/board/?of=all")) == {words: 1}
    assert words in text_of(desk.get("/start/"))
    assert ticket(desk, key).number in desk.get("/tickets/?view=soon").text


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_from_the_board_to_work(desk):
    cleaning, security = register(desk), register(desk, category="security", statement="大门无人")
    whole = text_of(desk.get("/board/"))
    as_(desk, "department_lead")
    own = desk.get("/board/").text

    assert "走廊没有打扫" in whole
    assert "大门无人" in whole
    assert "走廊没有打扫" in own
    assert "大门无人" not in own
    back = desk.post("/tickets/action/", {"action": "take_on", "rowid": cleaning, "url": "/board/?of=mine"})
    assert back.location == "/board/?of=mine"
    # Monday 10:00: the department's plan is due at 11:00
    assert groups_of(desk.get("/board/?of=mine")) == {"Due within 2 hours": 1}
    act(desk, cleaning, "keep_clock", clock="department_plan", note="")
    assert groups_of(desk.get("/board/?of=mine")) == {"At work": 1}
    with desk.rows() as session:
        taken = session.get(Ticket, cleaning)
        assert taken.state == "in_progress"
        assert session.get(Ticket, security).state == "registered"
        handler = taken.handler_id
    assert handler == staff_id(desk, "department_lead")
    assert "Nothing to do here" in text_of(desk.get("/board/?of=escalated"))
    with desk.office.app.test_request_context():
        assert [time_left(NOW + wait, NOW) for wait, _said in LEFT] == [said for _wait, said in LEFT]


def test_every_line_of_a_history_has_a_word():
    """What verbs write into a complaint's history is said on its page."""
    verbs = in_source(
        "office", r'locked\.record\(\s*"(\w+)"', r'verb="(\w+)"', r'"(turn_major|lower_severity)"'
    )
    written = verbs | {verb.value for verb in Verb} | {f"keep_{clock}" for clock in labels.CLOCKS}

    assert len(verbs) > 10
    assert not {verb for verb in written if verb not in record_words.ACTIONS and not verb.startswith("keep_")}
