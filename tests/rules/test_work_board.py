"""The work board: groups at their boundaries, the order in them, and where a person begins (T4, K4)."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.work_board import GROUPS as CODES
from rules.work_board import OpenClock, board_group, board_order, first_deadline, first_scope

MINUTE = timedelta(minutes=1)
SOON = timedelta(minutes=90)
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
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
    ("resolved", [("running", SOON)], "soon"),
    ("resolved", [("running", -MINUTE)], "visit"),
    ("resolved", [("breached", -MINUTE)], "visit"),
    ("reopened", [("breached", -MINUTE)], "late"),
    ("in_progress", [], "at_work"),
    ("in_progress", [("breached", timedelta(0))], "at_work"),
    ("followed_up", [], "close"),
    ("followed_up", [("running", -MINUTE)], "close"),
]


@pytest.mark.parametrize(("state", "clocks", "group"), GROUPS)
def test_the_next_step_decides_the_group(state, clocks, group):
    rows = [OpenClock("solve", kind, NOW + wait) for kind, wait in clocks]

    assert board_group(state, rows, NOW, SOON) == group


@pytest.mark.parametrize(
    ("state", "group"), [("registered", "confirm"), ("in_progress", "confirm"), ("resolved", "visit")]
)
def test_what_a_sender_says_is_confirmed_before_all_else_until_it_is_resolved(state, group):
    late = [OpenClock("acknowledge", "running", NOW - MINUTE)]

    assert board_group(state, late, NOW, SOON, is_unconfirmed=True) == group


def test_every_group_of_the_board_is_reached():
    assert {group for _state, _clocks, group in GROUPS} | {"confirm"} == set(CODES)


def test_the_first_deadline_is_the_earliest_and_those_without_one_come_last():
    clocks = [OpenClock("solve", "running", NOW + wait) for wait in (MINUTE, -MINUTE, timedelta(0))]

    assert first_deadline(clocks) == clocks[1]
    assert first_deadline([]) is None
    keys = [(None, 1), (NOW, 3), (NOW, 2), (NOW - MINUTE, 4)]
    assert sorted(keys, key=lambda key: board_order(*key)) == [keys[3], keys[2], keys[1], keys[0]]


@pytest.mark.parametrize(
    ("roles", "scope"),
    [
        ({"manager"}, "all"),
        ({"front_desk", "department_lead"}, "all"),
        ({"department_lead", "steward"}, "department"),
        ({"steward"}, "mine"),
        (set(), "mine"),
    ],
)
def test_a_person_begins_with_what_they_answer_for(roles, scope):
    assert first_scope(roles) == scope
