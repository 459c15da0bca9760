"""The work board: every open complaint once, in the group of its next step (T4, K4)."""

from datetime import date

import pytest

from models.complaints import Ticket
from office.complaints import work, work_board, work_slips
from office.policies import store
from rules.work_board import GROUPS
from tests.factories.complaints import at, complain, people, solved, wall
from tests.factories.rows import add_clock, add_ticket, add_unit


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


def test_a_group_is_in_the_order_of_its_first_deadlines(session):
    """K4: not in the order of registration; of two due at one instant the older stands first."""
    plain = complain(session, "10:00")  # plan due at 11:00
    twin = complain(session, "10:00")
    urgent = complain(session, "10:05", happening_now=True)  # on site within 10 minutes

    found = work_board.board(session, at("10:06"), ())

    assert [row.id for row in found.groups["soon"]] == [urgent.id, plain.id, twin.id]
    assert [(row.clock, wall(row.due_at)) for row in found.groups["soon"]][:2] == [
        ("on_site", "2026-03-02 10:15"),
        ("department_plan", "2026-03-02 11:00"),
    ]


# how many minutes are soon, and the group of a complaint whose deadline comes in 57 minutes
@pytest.mark.parametrize(("minutes", "group"), [(120, "soon"), (57, "soon"), (56, "take_up")])
def test_the_policy_says_which_deadlines_are_due_soon(session, minutes, group):
    policy = store.document(session, "complaints", date(2026, 3, 2)) | {"due_soon_minutes": minutes}
    store.store(session, "complaints", policy, valid_from=date(2026, 3, 2), now=at("08:00"))
    ticket = complain(session, "10:00")  # plan due at 11:00

    found = work_board.board(session, at("10:03"), ())

    assert [name for name, rows in found.groups.items() if [row.id for row in rows] == [ticket.id]] == [group]
    assert found.due_soon_minutes == minutes


@pytest.mark.parametrize(("most", "is_cut", "shown"), [(2, True, 2), (3, False, 3), (4, False, 3)])
def test_a_board_is_cut_after_the_oldest(session, most, is_cut, shown):
    made = [complain(session, text) for text in ("10:02", "10:00", "10:01")]

    found = work_board.board(session, at("10:03"), (), max_rows=most)

    rows = [row.id for rows in found.groups.values() for row in rows]
    oldest = [made[1].id, made[2].id, made[0].id]
    assert (sorted(rows), found.count, found.is_cut) == (sorted(oldest[:shown]), 3, is_cut)


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


def test_of_complaints_of_one_instant_the_first_made_are_shown(session):
    made = [add_ticket(session, at("10:00")) for _ in range(3)]
    add_ticket(session, at("10:00"), state="closed", closed_at=at("10:01"))

    found = work_board.board(session, at("10:03"), (), max_rows=2)

    assert [row.id for row in found.groups["take_up"]] == [ticket.id for ticket in made[:2]]
    assert (found.count, found.is_cut) == (3, True)


def test_a_stopped_clock_is_no_deadline(session):
    ticket = add_ticket(session, at("10:00"))
    add_clock(session, ticket, at("10:01"), stopped_at=at("10:01"))
    later = add_ticket(session, at("10:00"))
    add_clock(session, later, at("18:00"))

    found = work_board.board(session, at("10:03"), ())

    assert [(row.id, row.clock, row.due_at) for row in found.groups["take_up"]] == [
        (later.id, "solve", at("18:00")),
        (ticket.id, "", None),
    ]


def test_a_row_names_the_unit_and_the_handler_or_nothing(session):
    staff = people(session)
    unit = add_unit(session, "1-101")
    add_ticket(session, at("10:00"), unit.id, handler_id=staff["worker"])
    add_ticket(session, at("10:01"))

    rows = work_board.board(session, at("10:03"), ()).groups["take_up"]

    assert [(row.unit_code, row.handler) for row in rows] == [("1-101", "worker"), ("", "")]


def test_an_empty_board_has_all_groups(session):
    found = work_board.board(session, at("10:00"), ())

    assert {group: list(rows) for group, rows in found.groups.items()} == {group: [] for group in GROUPS}
    assert (found.count, found.is_cut) == (0, False)
