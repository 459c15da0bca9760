from dataclasses import replace
from datetime import date, time

import pytest

from office.policies import documents
from rules.deadlines import ClockPolicy, Moment, clocks_starting, deadline
from rules.lifecycle import Verb
from rules.severity import Facts
from rules.visits import (
    VisitorCandidate,
    VisitOutcome,
    VisitPolicy,
    VisitRule,
    outcome,
    own_stewards_first,
    visit_plan,
    visit_result,
    visitor,
)
from rules.working_time import OfficeCalendar
from tests.factories.policies import document, policy, refusal

OFFICE = policy("tower", OfficeCalendar)
POLICY = policy("residential", VisitPolicy)
MINOR, MAJOR = POLICY.rule_for("follow_up", "minor"), POLICY.rule_for("follow_up", "major")


def at(text):
    """An office-time text as an instant."""
    return OFFICE.instant(date.fromisoformat(text[:10]), time.fromisoformat(text[11:]))


def wall(instant):
    return OFFICE.local(instant).strftime("%Y-%m-%d %H:%M")


# preset, severity, resolved -> planned from, due, role, registered on 2 March at 10:00 (V1; contract: Visits)
PLANS = [
    ("tower", "minor", "2026-03-03 11:00", "2026-03-03 11:00", "2026-03-05 18:00", "front_desk"),
    ("tower", "major", "2026-03-03 11:00", "2026-03-03 11:00", "2026-03-05 18:00", "station_head"),
    ("tower", "minor", "2026-03-06 11:00", "2026-03-06 11:00", "2026-03-07 11:00", "front_desk"),
    ("residential", "minor", "2026-03-06 11:00", "2026-03-06 11:00", "2026-03-07 11:00", "front_desk"),
    ("residential", "major", "2026-03-06 11:00", "2026-03-07 11:00", "2026-03-08 11:00", "station_head"),
    ("project", "simple", "2026-03-06 11:00", "2026-03-06 11:00", "2026-03-07 11:00", "front_desk"),
    ("project", "complex", "2026-03-06 11:00", "2026-03-06 11:00", "2026-03-07 11:00", "front_desk"),
    ("project", "major", "2026-03-06 11:00", "2026-03-07 11:00", "2026-03-08 11:00", "station_head"),
]
REGISTERED = "2026-03-02 10:00"


@pytest.mark.parametrize(("preset", "severity", "resolved", "planned", "due", "role"), PLANS)
def test_when_and_by_whom(preset, severity, resolved, planned, due, role):
    rules = policy(preset, ClockPolicy).rule
    (clock,) = clocks_starting(rules, Moment.RESOLVED, severity, Facts())
    clock_due = deadline(OFFICE, clock, at(resolved), registered_at=at(REGISTERED)).due_at
    visits = policy(preset, VisitPolicy)

    plan = visit_plan(visits.rule_for("follow_up", severity), at(resolved), clock_due)

    assert (wall(plan.planned_from), wall(plan.due_at), plan.assignee_role) == (planned, due, role)


def test_other_visits_are_due_by_their_own_row():
    plan = visit_plan(POLICY.rule_for("courtesy"), at("2026-03-02 10:00"))

    assert (wall(plan.planned_from), wall(plan.due_at)) == ("2026-03-02 10:00", "2026-03-09 10:00")
    assert plan.assignee_role == "steward"
    assert POLICY.rule_for("inspection") is None


CLERKS = (VisitorCandidate(1, frozenset({"front_desk"})), VisitorCandidate(2, frozenset({"front_desk"})))
HEAD, MANAGER = VisitorCandidate(3, frozenset({"station_head"})), VisitorCandidate(4, frozenset({"manager"}))
EVERYBODY = (*CLERKS, HEAD, MANAGER, VisitorCandidate(5, frozenset({"steward"})))


@pytest.mark.parametrize(
    ("rule", "clerk", "barred", "chosen", "code"),
    [
        (MINOR, 2, (), 2, "visitor_took_it"),
        (MINOR, 2, {2}, 1, "visitor_has_role"),
        (MINOR, None, (), 1, "visitor_has_role"),
        (MINOR, 2, {1, 2}, 3, "visitor_has_role"),
        (MINOR, 5, (), 5, "visitor_took_it"),
        (MAJOR, 2, (), 3, "visitor_has_role"),
        (MAJOR, 2, {3}, 4, "visitor_has_role"),
        (MAJOR, 2, {3, 4}, None, "visitor_missing"),
    ],
)
def test_never_by_the_person_who_did_the_work(rule, clerk, barred, chosen, code):
    choice = visitor(POLICY, rule, EVERYBODY, clerk_id=clerk, barred_ids=barred)

    assert (choice.staff_id, choice.reason.code) == (chosen, code)


@pytest.mark.parametrize(
    ("satisfaction", "expected"),
    [
        (1, VisitOutcome.DISSATISFIED),
        (2, VisitOutcome.DISSATISFIED),
        (3, VisitOutcome.PARTLY),
        (4, VisitOutcome.SATISFIED),
        (5, VisitOutcome.SATISFIED),
        (None, VisitOutcome.UNREACHABLE),
    ],
)
def test_what_a_satisfaction_means(satisfaction, expected):
    assert outcome(POLICY, satisfaction) is expected


@pytest.mark.parametrize("satisfaction", [0, 6, -1])
def test_no_other_satisfaction_exists(satisfaction):
    with pytest.raises(ValueError, match="1 to 5"):
        outcome(POLICY, satisfaction)


NOW = at("2026-03-06 16:00")  # a Friday


@pytest.mark.parametrize(
    ("satisfaction", "tries", "verbs", "again", "asks"),
    [
        (5, 1, (Verb.FOLLOW_UP, Verb.CLOSE), None, ""),
        (3, 1, (Verb.FOLLOW_UP,), None, "station_head"),
        (2, 1, (Verb.REOPEN,), None, ""),
        (None, 1, (), "2026-03-09 09:00", ""),
        (None, 2, (), "2026-03-09 09:00", ""),
        (None, 3, (), None, "manager"),
        (None, 4, (), None, "manager"),
    ],
)
def test_what_follows_from_a_visit(satisfaction, tries, verbs, again, asks):
    result = visit_result(POLICY, OFFICE, NOW, satisfaction, tries)

    assert result.verbs == verbs
    assert (wall(result.again_from) if result.again_from else None) == again
    assert result.asks_role == asks
    assert result.is_clock_stopped


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"satisfied_from": 2}, "satisfied_not_above_dissatisfied"),
        ({"tries": 0}, "out_of_range"),
        ({"again_after": 0}, "out_of_range"),
        ({"rule": []}, "follow_up_rule_missing"),
    ],
)
def test_a_policy_that_can_not_be_is_refused(changed, code):
    assert refusal(VisitPolicy, {**document("tower", VisitPolicy), **changed}).code == code


@pytest.mark.parametrize("changed", [{"kind": "courtesy"}, {"severities": ["major"]}])
def test_every_complaint_has_a_rule_for_its_follow_up(changed):
    row = {"code": "x", "kind": "follow_up", "assignee_role": "manager"}
    whole = {**document("tower", VisitPolicy), "rule": [row]}

    assert documents.typed(VisitPolicy, whole).rule_for("follow_up", "major").code == "x"
    assert refusal(VisitPolicy, {**whole, "rule": [row | changed]}).code == "follow_up_rule_missing"


def test_only_the_stewards_of_the_building_count_as_stewards():
    """V4; without any in the building every steward counts."""
    own = VisitorCandidate(1, frozenset({"steward"}))
    other = VisitorCandidate(2, frozenset({"steward", "front_desk"}))
    lead = VisitorCandidate(3, frozenset({"department_lead"}))

    assert own_stewards_first([own, other, lead], {1}) == [
        own,
        VisitorCandidate(2, frozenset({"front_desk"})),
        lead,
    ]
    assert own_stewards_first([own, other, lead], ()) == [own, other, lead]


def test_a_visit_is_not_due_before_it_may_begin():
    rule = replace(POLICY.rule_for("courtesy"), planned_after=60, due_after=30)

    plan = visit_plan(rule, at("2026-03-02 10:00"))

    assert wall(plan.planned_from) == wall(plan.due_at) == "2026-03-02 11:00"


def test_a_row_that_says_no_more_is_for_at_once_and_not_for_the_clerk():
    rule = VisitRule("x", "courtesy", "manager")

    plan = visit_plan(rule, at("2026-03-02 10:00"))

    assert wall(plan.planned_from) == wall(plan.due_at) == "2026-03-02 10:00"
    assert visitor(POLICY, rule, EVERYBODY, clerk_id=2).staff_id == MANAGER.staff_id
