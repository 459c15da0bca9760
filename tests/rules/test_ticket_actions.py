"""Which actions a ticket offers in each state (T6, T7)."""

import pytest

from rules.lifecycle import State, verbs_from
from rules.ticket_actions import USUAL_ACTIONS, possible_actions

OPEN = {"change_severity", "work_slip", "join", "link_repeat", "link_debt", "hold_review", "join_incident"}
# state -> what is offered beside printing and its verbs, when nothing waits and no clock runs
OFFERED = [
    (State.REGISTERED, OPEN | {"pause", "take_on"}),
    (State.ASSIGNED, OPEN | {"pause", "take_on"}),
    (State.IN_PROGRESS, OPEN | {"pause"}),
    (State.REOPENED, OPEN | {"pause", "take_on"}),
    (State.RESOLVED, OPEN | {"add_case"}),
    (State.FOLLOWED_UP, OPEN | {"add_case"}),
    (State.CLOSED, {"add_case"}),
    (State.INVALID, {"add_case"}),
]


@pytest.mark.parametrize(("state", "offered"), OFFERED)
def test_a_state_offers_its_verbs_and_what_belongs_to_them(state, offered):
    verbs = {verb.value for verb in verbs_from(state)}

    actions = possible_actions(state, is_waiting=False, has_clock_to_meet=False)

    assert actions == verbs | offered | {"print", "print_shared"}


@pytest.mark.parametrize("state", [state for state, _offered in OFFERED])
def test_a_complaint_joins_one_incident_or_leaves_it(state):
    """T25."""
    free = possible_actions(state, is_waiting=False, has_clock_to_meet=False)
    joined = possible_actions(state, is_waiting=False, has_clock_to_meet=False, is_joined=True)
    is_ended = state in {State.CLOSED, State.INVALID}
    assert (free - joined, joined - free) == (
        (set(), set()) if is_ended else ({"join_incident"}, {"leave_incident"})
    )


def test_every_state_is_looked_at():
    assert [state for state, _offered in OFFERED] == sorted(State, key=[s for s, _ in OFFERED].index)


@pytest.mark.parametrize("state", State)
def test_waiting_and_a_running_clock_count_only_while_it_is_unsolved(state):
    plain = possible_actions(state, is_waiting=False, has_clock_to_meet=False)

    more = possible_actions(state, is_waiting=True, has_clock_to_meet=True)

    is_unsolved = "pause" in plain
    assert more - plain == ({"resume", "keep_clock"} if is_unsolved else set())
    assert plain - more == ({"pause"} if is_unsolved else set())


@pytest.mark.parametrize("state", State)
def test_what_a_sender_says_can_be_confirmed_until_the_ticket_has_ended(state):
    plain = possible_actions(state, is_waiting=False, has_clock_to_meet=False)

    more = possible_actions(state, is_waiting=False, has_clock_to_meet=False, is_unconfirmed=True)

    assert more - plain == (set() if state in {State.CLOSED, State.INVALID} else {"confirm_facts"})


def test_the_usual_actions_are_actions_of_some_state():
    all_actions = [
        possible_actions(state, is_waiting=True, has_clock_to_meet=True, is_unconfirmed=True)
        for state in State
    ]

    assert set.union(*map(set, all_actions)) >= USUAL_ACTIONS
