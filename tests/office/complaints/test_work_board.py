"""The work board: every open complaint once, in the group of its next step (T4, K4)."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from models.complaints import Ticket
from office.complaints import work, work_board, work_slips
from office.complaints.work_board import SOON, group_of
from tests.factories.complaints import MINUTE, at, complain, people, solved

NOW = at("10:00")
# state, clocks as (state, due after NOW), group
GROUPS = [
    ("registered", [("running", SOON + MINUTE)], "take_up"),
    ("registered", [("running", SOON)], "soon"),
    ("registered", [("running", timedelta(0))], "soon"),
    ("registered", [("running", -MINUTE)], "late"),
    ("registered", [("running", 2 * SOON), ("breached", -MINUTE)], "late"),
    ("assigned", [], "take_up"),
    ("reopened", [("running", 2 * SOON)], "take_up"),
    ("in_progress", [("running", 2 * SOON)], "at_work"),
    ("in_progress", [("paused", -MINUTE)], "waiting"),
    ("in_progress", [("paused", SOON), ("running", -MINUTE)], "late"),
    ("resolved", [("running", 2 * SOON)], "visit"),
    ("resolved", [("running", -MINUTE)], "late"),
    ("followed_up", [], "close"),
]


@pytest.mark.parametrize(("state", "clocks", "group"), GROUPS)
def test_the_next_step_decides_the_group(state, clocks, group):
    rows = [SimpleNamespace(state=kind, due_at=NOW + wait) for kind, wait in clocks]

    assert group_of(state, rows, NOW) == group


def test_each_open_complaint_stands_once_with_its_first_deadline(session):
    staff = people(session)
    first = complain(session, clerk_id=staff["front_desk"])
    major = complain(session, "10:01", is_media=True)
    done = solved(session, staff)
    closed = complain(session)
    work.resolve_on_spot(session, closed.id, resolution="x", now=at("10:05"))
    closed.state, closed.closed_at = "closed", at("10:06")
    session.flush()

    found = work_board.board(session, at("11:30"), ())
    mine = work_board.board(session, at("11:30"), [Ticket.clerk_id == staff["front_desk"]])

    groups = {group: [line.id for line in lines] for group, lines in found.groups.items() if lines}
    assert groups == {"late": [major.id, first.id], "visit": [done.id]}
    assert found.groups["late"][0].clock == "report_manager"
    assert (found.count, mine.count, found.is_cut) == (3, 2, False)


def test_slips_wait_for_their_department(session):
    staff = people(session)
    ticket = complain(session)
    other = work_slips.slips_to_answer(session, None)
    slip = work_slips.issue_work_slip(
        session, ticket.id, department_id=1, task="look", now=at("10:10"), staff_id=staff["front_desk"]
    )

    assert not other
    assert [row.id for row in work_slips.slips_to_answer(session, 1)] == [slip.id]
    work_slips.answer_work_slip(session, slip.id, plan="now", is_done=True, now=at("10:20"))
    assert not work_slips.slips_to_answer(session, 1)
