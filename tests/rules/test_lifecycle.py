from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.policies import documents
from rules.lifecycle import (
    TRANSITIONS,
    ComplaintPolicy,
    Context,
    State,
    Verb,
    kept_until,
    reopened_level,
    transition,
    verbs_from,
)
from rules.working_time import OfficeCalendar
from tests.factories.policies import document, policy, refusal

POLICY = policy("project", ComplaintPolicy)
READY = Context(
    severity="major",
    has_department=True,
    has_solution=True,
    has_review_meeting=True,
    tries_left=0,
    explanation="as agreed",
    actor_id=1,
    roles=frozenset({"manager"}),
)
ASKED = replace(READY, has_invalid_request=True, invalid_requested_by=2)

# verb -> from which states, to which (T7)
LIFE = {
    Verb.ASSIGN: ("registered assigned in_progress reopened", "assigned"),
    Verb.START: ("assigned reopened", "in_progress"),
    Verb.RESOLVE: ("in_progress", "resolved"),
    Verb.RESOLVE_ON_SPOT: ("registered", "resolved"),
    Verb.FOLLOW_UP: ("resolved", "followed_up"),
    Verb.CLOSE: ("followed_up", "closed"),
    Verb.REOPEN: ("resolved followed_up", "reopened"),
    Verb.CLOSE_UNREACHABLE: ("resolved", "closed"),
    Verb.CLOSE_BY_DECISION: ("resolved followed_up reopened", "closed"),
    Verb.REQUEST_INVALID: ("registered assigned in_progress reopened", None),
    Verb.APPROVE_INVALID: ("registered assigned in_progress reopened", "invalid"),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", Verb)
def test_every_jump_is_either_in_the_table_or_refused(verb, state):
    sources, target = LIFE[verb]
    context = ASKED if verb is Verb.APPROVE_INVALID else READY

    answer = transition(POLICY, state, verb, context)

    if state in sources.split():
        assert answer.state == (target or state)
        assert verb in verbs_from(state)
    else:
        assert answer.is_refused
        assert answer.missing[0].code == "wrong_state"
        assert verb not in verbs_from(state)


# verb, state, what differs from a context in which all is there, what is missing (T7, T9)
MISSING = [
    (Verb.ASSIGN, "registered", {"has_department": False}, ["department_missing"]),
    (Verb.ASSIGN, "registered", {"handler_id": 7, "accused_id": 7}, ["handler_is_accused"]),
    (Verb.ASSIGN, "registered", {"handler_id": 7, "accused_id": 8}, []),
    (Verb.START, "assigned", {"handler_id": 7, "accused_id": 7}, ["handler_is_accused"]),
    (Verb.RESOLVE, "in_progress", {"has_solution": False}, ["solution_missing"]),
    (Verb.RESOLVE_ON_SPOT, "registered", {"has_solution": False}, ["solution_missing"]),
    (Verb.CLOSE, "followed_up", {"has_review_meeting": False}, ["review_meeting_missing"]),
    (Verb.CLOSE, "followed_up", {"has_review_meeting": False, "severity": "complex"}, []),
    (Verb.CLOSE_UNREACHABLE, "resolved", {"tries_left": 1}, ["tries_missing"]),
    (Verb.CLOSE_UNREACHABLE, "resolved", {"roles": frozenset({"station_head"})}, ["role_missing"]),
    (
        Verb.CLOSE_UNREACHABLE,
        "resolved",
        {"tries_left": 2, "roles": frozenset(), "explanation": " ", "has_review_meeting": False},
        ["tries_missing", "role_missing", "explanation_missing", "review_meeting_missing"],
    ),
    (Verb.CLOSE_BY_DECISION, "reopened", {"explanation": ""}, ["explanation_missing"]),
    (Verb.CLOSE_BY_DECISION, "reopened", {"roles": frozenset({"front_desk"})}, ["role_missing"]),
    (Verb.REQUEST_INVALID, "registered", {"explanation": ""}, ["explanation_missing"]),
    (Verb.REQUEST_INVALID, "registered", {"has_invalid_request": True}, ["invalid_already_requested"]),
    (Verb.APPROVE_INVALID, "registered", {}, ["invalid_request_missing"]),
    (Verb.APPROVE_INVALID, "registered", {"has_invalid_request": True, "invalid_requested_by": 2}, []),
    (
        Verb.APPROVE_INVALID,
        "registered",
        {"has_invalid_request": True, "invalid_requested_by": 1},
        ["approval_by_requester"],
    ),
    (
        Verb.APPROVE_INVALID,
        "registered",
        {"has_invalid_request": True, "invalid_requested_by": 2, "roles": frozenset({"steward"})},
        ["role_missing"],
    ),
]


@pytest.mark.parametrize(("verb", "state", "changed", "codes"), MISSING)
def test_a_refusal_names_everything_missing(verb, state, changed, codes):
    answer = transition(POLICY, State(state), verb, replace(READY, **changed))

    assert [reason.code for reason in answer.missing] == codes
    assert answer.is_refused == bool(codes)


@given(st.lists(st.sampled_from(Verb), max_size=25))
def test_no_path_closes_a_major_ticket_without_its_meeting(verbs):
    """T9: whatever is tried in whatever order."""
    state = State.REGISTERED
    for verb in verbs:
        state = transition(POLICY, state, verb, replace(READY, has_review_meeting=False)).state or state

    assert state is not State.CLOSED


@given(st.lists(st.sampled_from(Verb), max_size=25))
def test_closed_and_invalid_are_the_end(verbs):
    """T7: the control of the test above is that with the meeting such paths do close."""
    for end in (State.CLOSED, State.INVALID):
        assert all(transition(POLICY, end, verb, ASKED).is_refused for verb in verbs)


def test_the_usual_path_closes():
    state = State.REGISTERED
    for verb in (Verb.ASSIGN, Verb.START, Verb.RESOLVE, Verb.FOLLOW_UP, Verb.CLOSE):
        state = transition(POLICY, state, verb, READY).state

    assert state is State.CLOSED


def test_every_state_is_reached_and_every_verb_has_one_row():
    assert {row.target for row in TRANSITIONS} >= set(State) - {State.REGISTERED}
    assert sorted(row.verb for row in TRANSITIONS) == sorted(Verb)


@pytest.mark.parametrize(("level", "expected"), [(0, 1), (1, 2), (2, 3), (3, 3)])
def test_reopening_goes_one_level_up_to_the_top(level, expected):
    assert reopened_level(level, 3) == expected


@pytest.mark.parametrize(("preset", "months"), [("tower", 0), ("residential", 1), ("project", 1)])
def test_presets(preset, months):
    complaints, calendar = policy(preset, ComplaintPolicy), policy(preset, OfficeCalendar)

    assert complaints.months_until_major == months
    assert kept_until(calendar, complaints, datetime(2024, 2, 29, 2, tzinfo=UTC)) == datetime(
        2027, 2, 28, 2, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"months_until_major": -1}, "out_of_range"),
        ({"months_until_major": 100_000}, "out_of_range"),
        ({"kept_years": 0}, "out_of_range"),
        ({"decided_by": []}, "list_empty"),
        ({"invalid_approved_by": []}, "list_empty"),
        ({"invalid_approved_by": ""}, "value_of_wrong_kind"),
    ],
)
def test_a_policy_that_can_not_be_is_refused(changed, code):
    reason = refusal(ComplaintPolicy, {**document("tower", ComplaintPolicy), **changed})

    assert (reason.code, reason.inputs["field"]) == (code, next(iter(changed)))


def test_nobody_in_particular_can_not_approve():
    """T7: approval needs a person."""
    context = replace(ASKED, actor_id=None)

    answer = transition(POLICY, State.ASSIGNED, Verb.APPROVE_INVALID, context)

    assert "approval_by_requester" in [reason.code for reason in answer.missing]


def test_of_a_ticket_of_which_nothing_is_known_everything_is_missing():
    missing = {
        verb: [
            one.code for one in transition(POLICY, State(LIFE[verb][0].split()[0]), verb, Context()).missing
        ]
        for verb in (Verb.ASSIGN, Verb.RESOLVE, Verb.REQUEST_INVALID, Verb.APPROVE_INVALID)
    }
    review = transition(POLICY, State.FOLLOWED_UP, Verb.CLOSE, Context(severity="major"))
    (tries, *_) = transition(POLICY, State.RESOLVED, Verb.CLOSE_UNREACHABLE, Context()).missing

    assert missing == {
        Verb.ASSIGN: ["department_missing"],
        Verb.RESOLVE: ["solution_missing"],
        Verb.REQUEST_INVALID: ["explanation_missing"],
        Verb.APPROVE_INVALID: ["invalid_request_missing", "approval_by_requester", "role_missing"],
    }
    assert [one.code for one in review.missing] == ["review_meeting_missing"]
    assert (tries.code, tries.inputs["left"]) == ("tries_missing", 1)


def test_a_refused_jump_names_the_states_it_may_start_from():
    (reason,) = transition(POLICY, State.CLOSED, Verb.REOPEN, READY).missing

    assert reason.inputs["allowed"] == "followed_up, resolved"


def test_an_office_of_an_older_program_calls_two_hours_soon():
    row = {
        name: value
        for name, value in document("tower", ComplaintPolicy).items()
        if name != "due_soon_minutes"
    }

    assert documents.typed(ComplaintPolicy, row).due_soon_minutes == 120
