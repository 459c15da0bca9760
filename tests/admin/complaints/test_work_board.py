"""The work board on its screen: whose it shows, and the next step in one press (T4, K4)."""

from datetime import UTC, datetime, timedelta

import pytest

from admin.complaints.work_board import time_left
from admin.panel import labels, wording
from models.complaints import Ticket
from rules.lifecycle import Verb
from tests.admin.complaints.test_tickets import as_, desk, register, staff_id  # noqa: F401 -- the same office
from tests.admin.conftest import text_of
from tests.factories.source_code import in_source

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
LEFT = [
    (timedelta(minutes=5), "5 min left"),
    (timedelta(minutes=200), "3 h 20 min left"),
    (timedelta(hours=50), "2 d 2 h left"),
    (timedelta(0), "0 min left"),
    (-timedelta(minutes=90), "1 h 30 min over"),
]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_from_the_board_to_work(desk):  # noqa: F811 -- the fixture
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
    assert "At work" in text_of(desk.get("/board/?of=mine"))
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
    assert not {verb for verb in written if verb not in wording.ACTIONS and not verb.startswith("keep_")}
