from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.policies import documents
from rules.deadlines import (
    ClockPolicy,
    ClockRule,
    ClockState,
    ClockUnit,
    Deadline,
    DueClock,
    EscalationPolicy,
    EscalationStep,
    Moment,
    Pause,
    clock_state,
    clocks_starting,
    deadline,
    escalations,
    escalations_due,
    evaluate_clock,
    next_instant,
    recalculated,
    replaced_state,
    turns_major_at,
)
from rules.reasons import Reason
from rules.severity import Facts
from rules.working_time import OfficeCalendar
from tests.factories.policies import document, policy, refusal

OFFICE = policy("residential", OfficeCalendar)
RULES = {preset: policy(preset, ClockPolicy).rule for preset in ("tower", "residential", "project")}
LADDER = policy("residential", EscalationPolicy)
MINUTE = timedelta(minutes=1)


def at(text):
    """An office-time text as an instant."""
    return OFFICE.instant(date.fromisoformat(text[:10]), time.fromisoformat(text[11:]))


def wall(instant):
    return OFFICE.local(instant).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


def rule(preset, code):
    return next(rule for rule in RULES[preset] if rule.code == code)


def started(preset, moment, severity, **facts):
    return {rule.code for rule in clocks_starting(RULES[preset], moment, severity, Facts(**facts))}


# preset, moment, severity, facts -> rules of the clocks that start (T4; contract: Clocks)
ALL = {"happening_now": True, "is_written": True}
WHICH = [
    ("tower", Moment.REGISTERED, "minor", {}, {"first_word", "solve"}),
    ("tower", Moment.REGISTERED, "major", {}, {"first_word", "solve", "report_manager"}),
    ("tower", Moment.REGISTERED, "minor", ALL, {"first_word", "solve", "on_site", "written_answer"}),
    ("tower", Moment.MAJOR, "major", ALL, {"report_manager"}),
    ("tower", Moment.REOPENED, "minor", ALL, {"solve"}),
    ("tower", Moment.RESOLVED, "major", ALL, {"follow_up"}),
    ("residential", Moment.REGISTERED, "minor", {}, {"first_word", "department_plan"}),
    ("residential", Moment.REGISTERED, "minor", ALL, {"first_word", "department_plan", "on_site"}),
    (
        "residential",
        Moment.REGISTERED,
        "major",
        {},
        {"first_word", "department_plan", "report_manager", "solve_major"},
    ),
    ("residential", Moment.MAJOR, "major", {}, {"report_manager", "solve_major"}),
    ("residential", Moment.REOPENED, "minor", {}, {"reopened_department_plan"}),
    ("residential", Moment.REOPENED, "major", {}, {"solve_major"}),
    ("residential", Moment.RESOLVED, "minor", {}, {"follow_up"}),
    ("residential", Moment.RESOLVED, "major", {}, {"follow_up_major"}),
    ("project", Moment.REGISTERED, "simple", {}, {"first_word", "department_plan", "solve"}),
    (
        "project",
        Moment.REGISTERED,
        "complex",
        {"is_written": True},
        {"first_word", "department_plan", "solve", "written_answer"},
    ),
    (
        "project",
        Moment.REGISTERED,
        "major",
        ALL,
        {"first_word", "department_plan", "report_manager", "solve_major", "on_site", "written_answer"},
    ),
    ("project", Moment.MAJOR, "major", {}, {"report_manager", "solve_major"}),
    ("project", Moment.REOPENED, "complex", {}, {"solve"}),
    ("project", Moment.RESOLVED, "complex", {}, {"follow_up"}),
]


@pytest.mark.parametrize(("preset", "moment", "severity", "facts", "expected"), WHICH)
def test_which_clocks_start(preset, moment, severity, facts, expected):
    assert started(preset, moment, severity, **facts) == expected


PLAN = ClockRule("plan", "department_plan", (Moment.REGISTERED,), ClockUnit.OFFICE, 60)
SOLVE = ClockRule(
    "solution", "solve", (Moment.REGISTERED,), ClockUnit.ELAPSED, 720, is_from_registration=True
)
OF_MAJOR = replace(SOLVE, code="major", severities=("major",))
OWN = replace(SOLVE, code="own", starts_at=(Moment.REOPENED,), length=30)

# rules of the office → code, unit and length of the solution's clock of a reopened minor ticket (T20)
REOPENED = [
    ((PLAN, SOLVE, OWN), ("own", ClockUnit.ELAPSED, 30)),
    ((PLAN, SOLVE), ("reopened_solution", ClockUnit.ELAPSED, 720)),
    ((PLAN, OF_MAJOR), ("reopened_plan", ClockUnit.OFFICE, 60)),
    ((PLAN, replace(SOLVE, is_active=False)), ("reopened_plan", ClockUnit.OFFICE, 60)),
    ((replace(PLAN, is_active=False), OF_MAJOR), ("reopened_two_days", ClockUnit.WORKING_DAYS, 2)),
    ((), ("reopened_two_days", ClockUnit.WORKING_DAYS, 2)),
]


@pytest.mark.parametrize(("rules", "expected"), REOPENED)
def test_a_reopened_ticket_of_any_severity_has_a_time_for_its_solution(rules, expected):
    (rule,) = clocks_starting(rules, Moment.REOPENED, "minor", Facts())

    assert (rule.code, rule.unit, rule.length) == expected
    assert rule.clock == "solve"
    assert rule is OWN or rule.is_pausable
    assert rule is OWN or not rule.is_from_registration  # it counts from the reopening


def test_only_a_reopened_ticket_has_it():
    others = [moment for moment in Moment if moment is not Moment.REOPENED]

    found = [clocks_starting((PLAN,), moment, "minor", Facts()) for moment in others]

    assert [[rule.clock for rule in rules] for rules in found] == [["department_plan"], [], []]


# preset, rule, started, warns, due (T4). 14 Feb 2026 is a make-up Saturday, 15–23 the Spring Festival.
DEADLINES = [
    ("residential", "on_site", "2026-03-07 23:55", "2026-03-08 00:03", "2026-03-08 00:05"),
    ("residential", "report_manager", "2026-03-02 09:00", "2026-03-02 09:08", "2026-03-02 09:10"),
    ("tower", "report_manager", "2026-03-02 09:00", "2026-03-02 09:00", "2026-03-02 09:00"),
    ("residential", "department_plan", "2026-03-02 09:00", "2026-03-02 09:48", "2026-03-02 10:00"),
    ("residential", "department_plan", "2026-03-02 11:30", "2026-03-02 13:48", "2026-03-02 14:00"),
    ("residential", "department_plan", "2026-02-14 17:30", "2026-02-24 09:18", "2026-02-24 09:30"),
    ("residential", "first_word", "2026-02-14 17:30", "2026-02-15 12:42", "2026-02-15 17:30"),
    ("residential", "solve_major", "2026-03-02 20:00", "2026-03-03 05:36", "2026-03-03 08:00"),
    ("tower", "first_word", "2026-03-02 00:00", "2026-03-05 09:00", "2026-03-05 18:00"),
    ("tower", "first_word", "2026-03-02 23:59", "2026-03-05 09:00", "2026-03-05 18:00"),
    ("tower", "first_word", "2026-02-13 10:00", "2026-02-25 09:00", "2026-02-25 18:00"),
    ("tower", "solve", "2026-02-12 17:59", "2026-02-14 09:00", "2026-02-14 18:00"),
    ("tower", "solve", "2026-03-07 10:00", "2026-03-10 09:00", "2026-03-10 18:00"),
    ("project", "solve", "2026-09-18 10:00", "2026-09-21 09:00", "2026-09-21 18:00"),
    ("project", "written_answer", "2026-09-18 10:00", "2026-09-22 09:00", "2026-09-22 18:00"),
    ("residential", "follow_up", "2026-03-06 16:00", "2026-03-07 11:12", "2026-03-07 16:00"),
    ("residential", "follow_up_major", "2026-03-06 16:00", "2026-03-08 06:24", "2026-03-08 16:00"),
]


@pytest.mark.parametrize(("preset", "code", "start", "warns", "due"), DEADLINES)
def test_deadlines(preset, code, start, warns, due):
    answer = deadline(OFFICE, rule(preset, code), at(start))

    assert (wall(answer.warn_at), wall(answer.due_at)) == (warns, due)
    assert answer.due_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("registered", "resolved", "warns", "due"),
    [
        # registered Monday: closing time of Thursday …
        ("2026-03-02 10:00", "2026-03-02 15:00", "2026-03-05 09:00", "2026-03-05 18:00"),
        ("2026-03-02 10:00", "2026-03-04 17:59", "2026-03-05 09:00", "2026-03-05 18:00"),
        ("2026-03-02 10:00", "2026-03-04 18:00", "2026-03-05 09:00", "2026-03-05 18:00"),
        # … or 24 hours after resolving when that is later
        ("2026-03-02 10:00", "2026-03-04 18:01", "2026-03-05 13:13", "2026-03-05 18:01"),
        ("2026-03-02 10:00", "2026-03-20 08:00", "2026-03-21 03:12", "2026-03-21 08:00"),
    ],
)
def test_the_towers_follow_up(registered, resolved, warns, due):
    answer = deadline(OFFICE, rule("tower", "follow_up"), at(resolved), registered_at=at(registered))

    assert (wall(answer.warn_at), wall(answer.due_at)) == (warns, due)


# preset, rule, start, pauses, due: the paused time in the clock's own unit (T6)
PAUSED = [
    (
        "residential",
        "first_word",
        "2026-03-02 10:00",
        ["2026-03-02 12:00/2026-03-02 18:30"],
        "2026-03-03 16:30",
    ),
    (
        "residential",
        "solve_major",
        "2026-03-02 10:00",
        ["2026-03-02 22:00/2026-03-03 01:00"],
        "2026-03-03 01:00",
    ),
    (
        "residential",
        "solve_major",
        "2026-03-02 10:00",
        ["2026-03-02 22:01/2026-03-03 01:00"],
        "2026-03-02 22:00",
    ),
    (
        "residential",
        "solve_major",
        "2026-03-02 10:00",
        ["2026-03-02 08:00/2026-03-02 11:00"],
        "2026-03-02 23:00",
    ),
    (
        "residential",
        "solve_major",
        "2026-03-02 10:00",
        ["2026-03-02 12:00/2026-03-02 14:00", "2026-03-02 23:00/2026-03-03 00:00"],
        "2026-03-03 01:00",
    ),
    (
        "residential",
        "solve_major",
        "2026-03-02 10:00",
        ["2026-03-02 12:00/2026-03-02 14:00", "2026-03-02 13:00/2026-03-02 15:00"],
        "2026-03-03 01:00",
    ),
    (
        "residential",
        "department_plan",
        "2026-03-02 10:00",
        ["2026-03-02 10:10/2026-03-02 16:00"],
        "2026-03-02 11:00",
    ),
    ("tower", "solve", "2026-03-02 10:00", ["2026-03-02 15:00/2026-03-03 15:00"], "2026-03-05 18:00"),
    ("tower", "solve", "2026-03-02 10:00", ["2026-03-02 15:00/2026-03-02 17:00"], "2026-03-04 18:00"),
    ("tower", "solve", "2026-03-02 10:00", ["2026-03-04 18:00/2026-03-06 09:00"], "2026-03-06 18:00"),
    ("tower", "solve", "2026-03-02 10:00", ["2026-03-04 18:01/2026-03-06 09:00"], "2026-03-04 18:00"),
    ("tower", "solve", "2026-02-13 10:00", ["2026-02-14 12:00/2026-02-23 12:00"], "2026-02-24 18:00"),
]


@pytest.mark.parametrize(("preset", "code", "start", "pauses", "due"), PAUSED)
def test_a_pause_moves_the_due_time(preset, code, start, pauses, due):
    spans = [Pause(*(at(edge) for edge in pause.split("/"))) for pause in pauses]

    assert wall(deadline(OFFICE, rule(preset, code), at(start), spans).due_at) == due


def test_office_minutes_are_paused_in_office_minutes():
    plan = replace(rule("residential", "department_plan"), is_pausable=True)
    pause = Pause(at("2026-03-02 11:30"), at("2026-03-02 14:00"))

    answer = deadline(OFFICE, plan, at("2026-03-02 11:00"), [pause])

    assert wall(answer.due_at) == "2026-03-02 14:30"
    assert answer.reason.inputs["paused"] == 60


def test_a_pause_that_lasts_counts_up_to_the_instant_of_asking():
    word, start = rule("residential", "first_word"), at("2026-03-02 10:00")
    pause = Pause(at("2026-03-02 12:00"))

    assert wall(deadline(OFFICE, word, start, [pause]).due_at) == "2026-03-03 10:00"
    assert (
        wall(deadline(OFFICE, word, start, [pause], as_of=at("2026-03-02 13:00")).due_at)
        == "2026-03-03 11:00"
    )


def test_a_due_day_in_an_unpublished_year_is_marked_provisional():
    """T5: the deadline says that its holidays may still change."""
    kept = deadline(OFFICE, rule("tower", "solve"), at("2026-12-21 10:00"))
    open_year = deadline(OFFICE, rule("tower", "solve"), at("2026-12-31 10:00"))

    assert "provisional_year" not in kept.reason.inputs
    assert open_year.reason.inputs["provisional_year"] == 2027


DUE = at("2026-03-02 10:00")
STATES = [
    (DUE - MINUTE, {}, ClockState.RUNNING),
    (DUE, {}, ClockState.RUNNING),
    (DUE + timedelta(microseconds=1), {}, ClockState.BREACHED),
    (DUE + MINUTE, {"stopped_at": DUE - MINUTE}, ClockState.MET),
    (DUE + MINUTE, {"stopped_at": DUE}, ClockState.MET),
    (DUE + MINUTE, {"stopped_at": DUE + timedelta(seconds=1)}, ClockState.BREACHED),
    (DUE, {"stopped_at": DUE}, ClockState.MET),
    (DUE - MINUTE, {"stopped_at": DUE}, ClockState.RUNNING),
    (DUE + MINUTE, {"paused_at": DUE - MINUTE}, ClockState.PAUSED),
    (DUE + MINUTE, {"paused_at": DUE}, ClockState.PAUSED),
    (DUE + MINUTE, {"paused_at": DUE + MINUTE}, ClockState.BREACHED),
    (DUE - 2 * MINUTE, {"paused_at": DUE - MINUTE}, ClockState.RUNNING),
    (DUE + MINUTE, {"is_void": True}, ClockState.VOID),
]


@pytest.mark.parametrize(("now", "given_", "state"), STATES)
def test_clock_states(now, given_, state):
    assert clock_state(now, DUE, **given_) is state


def test_a_replaced_clock_is_void_only_while_it_runs():
    assert {state: replaced_state(state) for state in ClockState} == {
        ClockState.RUNNING: ClockState.VOID,
        ClockState.PAUSED: ClockState.VOID,
        ClockState.MET: ClockState.MET,
        ClockState.BREACHED: ClockState.BREACHED,
        ClockState.VOID: ClockState.VOID,
    }


def test_a_recalculation_never_rewrites_what_was_breached():
    """T6: a longer time given later does not undo the breach, a shorter one makes none in the past."""
    stored = Deadline(DUE - MINUTE, DUE, Reason("due_elapsed"))
    longer = Deadline(DUE, DUE + 60 * MINUTE, Reason("due_elapsed"))
    shorter = Deadline(DUE - 60 * MINUTE, DUE - 50 * MINUTE, Reason("due_elapsed"))

    assert recalculated(stored, longer, DUE + MINUTE) == stored
    assert recalculated(stored, longer, DUE) == longer
    assert recalculated(stored, shorter, DUE - 5 * MINUTE).due_at == DUE - 5 * MINUTE
    assert recalculated(stored, shorter, DUE - 55 * MINUTE) == shorter


# registered, times solved, becomes major (T8)
MAJOR = [
    ("2026-01-31 10:00", [], "2026-02-28 10:00"),
    ("2026-03-02 23:59", [], "2026-04-02 23:59"),
    ("2026-03-02 10:00", [("2026-04-02 09:59", None)], None),
    ("2026-03-02 10:00", [("2026-04-02 10:00", None)], None),
    ("2026-03-02 10:00", [("2026-04-02 10:01", None)], "2026-04-02 10:00"),
    ("2026-03-02 10:00", [("2026-03-20 10:00", "2026-03-21 10:00")], "2026-04-02 10:00"),
    ("2026-03-02 10:00", [("2026-04-01 10:00", "2026-04-05 10:00")], "2026-04-05 10:00"),
    ("2026-03-02 10:00", [("2026-04-01 10:00", "2026-04-02 10:00")], "2026-04-02 10:00"),
    ("2026-03-02 10:00", [("2026-03-20 10:00", "2026-03-21 10:00"), ("2026-03-25 10:00", None)], None),
    (  # resolved again in the moment it was reopened
        "2026-03-02 10:00",
        [("2026-04-01 10:00", "2026-04-05 10:00"), ("2026-04-05 10:00", "2026-04-09 10:00")],
        "2026-04-09 10:00",
    ),
]


@pytest.mark.parametrize(("registered", "solved", "expected"), MAJOR)
def test_unsolved_for_a_month_turns_major(registered, solved, expected):
    spans = [(at(resolved), at(again) if again else None) for resolved, again in solved]

    answer = turns_major_at(OFFICE, 1, at(registered), spans)

    assert (wall(answer) if answer else None) == expected
    assert turns_major_at(OFFICE, 1, at(registered), spans[::-1]) == answer


def test_the_tower_has_no_month_rule():
    assert turns_major_at(OFFICE, 0, at("2026-03-02 10:00")) is None


# due, first level -> levels with their instants (T4)
STEPS = [
    ("2026-03-02 10:00", 1, [(1, "2026-03-02 10:00"), (2, "2026-03-02 15:30"), (3, "2026-03-03 18:00")]),
    ("2026-03-02 18:00", 1, [(1, "2026-03-02 18:00"), (2, "2026-03-03 14:30"), (3, "2026-03-04 18:00")]),
    ("2026-03-06 14:00", 1, [(1, "2026-03-06 14:00"), (2, "2026-03-06 18:00"), (3, "2026-03-09 18:00")]),
    ("2026-03-07 03:00", 1, [(1, "2026-03-07 03:00"), (2, "2026-03-09 14:30"), (3, "2026-03-10 18:00")]),
    ("2026-02-14 16:00", 1, [(1, "2026-02-14 16:00"), (2, "2026-02-24 11:00"), (3, "2026-02-25 18:00")]),
    ("2026-03-02 10:00", 2, [(2, "2026-03-02 10:00"), (3, "2026-03-02 15:30")]),
]


@pytest.mark.parametrize(("due", "first", "expected"), STEPS)
def test_escalations_are_dated_by_the_rule(due, first, expected):
    told = escalations(OFFICE, LADDER, "solve", first, at(due))

    assert [(step.level, wall(step.at)) for step in told] == expected
    assert [step.to_role for step in told] == ["station_head", "manager", "director"][first - 1 :]


def test_clocks_begun_while_major_begin_at_level_two():
    assert LADDER.level_at_start("major") == 2
    assert LADDER.level_at_start("complex") == LADDER.level_at_start("minor") == 1


def test_a_clock_may_have_waits_of_its_own():
    own = EscalationStep(order=1, unit=ClockUnit.ELAPSED, length=5, clock="on_site")
    ladder = replace(LADDER, step=(*LADDER.step, own))

    told = escalations(OFFICE, ladder, "on_site", 1, DUE)

    assert [(step.level, step.at) for step in told] == [(1, DUE + 5 * MINUTE)]
    assert len(escalations(OFFICE, ladder, "solve", 1, DUE)) == 3


TOLD = escalations(OFFICE, LADDER, "solve", 1, DUE)
SECOND = TOLD[1].at


@pytest.mark.parametrize(
    ("now", "stopped", "made", "levels"),
    [
        (DUE - MINUTE, None, (), []),
        (DUE, None, (), []),
        (DUE + MINUTE, None, (), [1]),
        (SECOND, None, (), [1]),
        (SECOND + MINUTE, None, (), [1, 2]),
        (SECOND + MINUTE, None, (1,), [2]),
        (SECOND + timedelta(days=30), None, (), [1, 2, 3]),
        (SECOND + timedelta(days=30), None, (1, 2, 3), []),
        (SECOND + timedelta(days=30), DUE, (), []),
        (SECOND + timedelta(days=30), DUE + MINUTE, (), [1]),
        (SECOND + timedelta(days=30), SECOND, (), [1]),
        (SECOND + timedelta(days=30), SECOND + MINUTE, (1,), [2]),
    ],
)
def test_which_escalations_are_due(now, stopped, made, levels):
    due = escalations_due(TOLD, now, stopped_at=stopped, made_levels=made)

    assert [step.level for step in due] == levels


def test_the_next_instant_is_the_next_thing_that_happens():
    due = Deadline(DUE - 10 * MINUTE, DUE, Reason("due_elapsed"))
    day = timedelta(days=1)

    assert next_instant(DUE - day, due, TOLD) == due.warn_at
    assert next_instant(due.warn_at, due, TOLD, is_warned=True) == DUE
    assert next_instant(DUE, due, TOLD, is_warned=True) == DUE
    assert next_instant(DUE + MINUTE, due, TOLD, is_warned=True) == SECOND
    assert next_instant(DUE + 30 * day, due, TOLD, is_warned=True) is None


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"length": -1}, "out_of_range", "length"),
        ({"unit": "working_days", "length": 0}, "out_of_range", "length"),
        ({"warn_percent": 101}, "out_of_range", "warn_percent"),
        ({"needs_fact": "household_count"}, "code_unknown", "needs_fact"),
        ({"needs_fact": "is_loud"}, "code_unknown", "needs_fact"),
        ({"least_minutes": -1}, "out_of_range", "least_minutes"),
        ({"unit": "weeks"}, "code_unknown", "unit"),
        ({"starts_at": ["closed"]}, "code_unknown", "starts_at.1"),
        ({"starts_at": "registered, reopened"}, "value_of_wrong_kind", "starts_at"),
        ({"length": "5"}, "value_of_wrong_kind", "length"),
    ],
)
def test_a_clock_that_can_not_be_is_refused(changed, code, field):
    row = document("tower", ClockPolicy)["rule"][-1]

    reason = refusal(ClockPolicy, {"rule": [{**row, **changed}]})

    assert (reason.code, reason.inputs["field"]) == (code, f"rule.1.{field}")


@pytest.mark.parametrize(
    "changed",
    [
        {"unit": "elapsed", "length": 0},
        {"unit": "working_days", "length": 1},
        {"warn_percent": 0},
        {"warn_percent": 100},
        {"least_minutes": 1},
    ],
)
def test_a_clock_at_the_edge_is_saved(changed):
    row = {**document("tower", ClockPolicy)["rule"][-1], **changed}

    (saved,) = documents.typed(ClockPolicy, {"rule": [row]}).rule

    assert {name: getattr(saved, name) for name in changed} == changed


def test_two_rows_with_one_code_are_refused():
    row = document("tower", ClockPolicy)["rule"][0]

    reason = refusal(ClockPolicy, {"rule": [row, row]})

    assert (reason.code, reason.inputs["code"]) == ("clock_code_twice", "acknowledge")


def test_every_code_of_two_rows_is_named_in_order():
    row = document("tower", ClockPolicy)["rule"][0]
    rows = [{**row, "code": code} for code in ("solve", "report", "visit", "report", "solve")]

    assert refusal(ClockPolicy, {"rule": rows}).inputs["code"] == "report, solve"


def test_a_clock_of_no_working_day_is_told_what_is_possible():
    row = {**document("tower", ClockPolicy)["rule"][0], "unit": "working_days", "length": 0}

    inputs = refusal(ClockPolicy, {"rule": [row]}).inputs

    assert (inputs["value"], inputs["least"]) == (0, 1)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"level": []}, "levels_not_complete"),
        ({"level": [{"level": 2, "role": "manager"}]}, "levels_not_complete"),
        ({"first": [{"severity": "major", "level": 4}]}, "first_level_without_role"),
        ({"step": []}, "steps_for_all_missing"),
        ({"step": [{"order": 1, "unit": "office", "length": -1}]}, "out_of_range"),
    ],
)
def test_an_escalation_policy_with_a_gap_is_refused(changed, code):
    assert refusal(EscalationPolicy, {**document("tower", EscalationPolicy), **changed}).code == code


def test_one_level_is_enough_and_its_steps_go_by_their_order():
    office = {"unit": "office", "length": 60}
    row = {
        "level": [{"level": 1, "role": "manager"}],
        "first": [],
        "step": [{"order": 2, **office}, {"order": 1, **office}, {"order": 3, "clock": "solve", **office}],
    }

    policy = documents.typed(EscalationPolicy, row)

    assert (policy.top_level, policy.level_at_start("major")) == (1, 1)
    assert [step.order for step in policy.steps_for("department_plan")] == [1, 2]
    assert [step.order for step in policy.steps_for("solve")] == [3]


moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
active = st.sampled_from([rule for rules in RULES.values() for rule in rules])
gaps = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 3000)), max_size=4)


def pauses_from(start, spans):
    pauses = []
    for wait, lasts in spans:
        begun = (pauses[-1].until_at if pauses else start) + wait * MINUTE
        pauses.append(Pause(begun, begun + lasts * MINUTE))
    return pauses


@given(active, moments, st.integers(0, 20_000), gaps)
def test_a_later_start_is_never_due_sooner(rule_, start, later, spans):
    pauses = pauses_from(start, spans)
    sooner = deadline(OFFICE, rule_, start)

    assert start <= sooner.warn_at or rule_.is_from_registration
    assert sooner.warn_at <= sooner.due_at
    assert sooner.due_at <= deadline(OFFICE, rule_, start + later * MINUTE).due_at
    assert sooner.due_at <= deadline(OFFICE, rule_, start, pauses).due_at


@given(active, moments, gaps)
def test_the_time_that_ran_outside_the_pauses_is_the_length(rule_, start, spans):
    if rule_.unit is not ClockUnit.ELAPSED:
        rule_ = replace(rule_, unit=ClockUnit.OFFICE, is_from_registration=False, least_minutes=0)
    pauses = pauses_from(start, spans)
    rule_ = replace(rule_, is_pausable=True)

    due = deadline(OFFICE, rule_, start, pauses).due_at

    ran = OFFICE.office_minutes_between if rule_.unit is ClockUnit.OFFICE else lambda a, b: (b - a) / MINUTE
    paused = sum(ran(pause.from_at, min(pause.until_at, due)) for pause in pauses if pause.from_at < due)
    assert ran(start, due) - paused == pytest.approx(rule_.length, abs=1e-6)  # minutes: a millionth of one


@given(moments, st.sampled_from([1, 2]), st.integers(0, 6000), st.lists(st.integers(1, 2000), max_size=8))
def test_escalations_do_not_depend_on_when_the_clock_ticks(due, first, stops_after, waits):
    """T4: any ticks up to the stopping, and one tick long after, write the same rows."""
    told = escalations(OFFICE, LADDER, "solve", first, due)
    stopped, now = due + stops_after * MINUTE, due
    made = []
    for wait in waits:
        now += wait * MINUTE
        is_stopped = stopped if now >= stopped else None
        made += escalations_due(told, now, stopped_at=is_stopped, made_levels=[step.level for step in made])
    made += escalations_due(
        told, now + 60_000 * MINUTE, stopped_at=stopped, made_levels=[step.level for step in made]
    )

    assert made == list(escalations_due(told, due + 90_000 * MINUTE, stopped_at=stopped))
    assert [step.level for step in made] == list(range(first, first + len(made)))


# up to, last level stored, warned -> state, warns now, new levels, next instant
# (warns at 09:48, due on Monday 2 March at 10:00; the ladder goes on at 15:30 and on Tuesday at 18:00)
EVALUATED = [
    ("2026-03-02 09:47", 0, False, "running", False, [], "2026-03-02 09:48"),
    ("2026-03-02 09:48", 0, False, "running", True, [], "2026-03-02 10:00"),
    ("2026-03-02 09:49", 0, True, "running", False, [], "2026-03-02 10:00"),
    ("2026-03-02 10:00", 0, True, "running", False, [], "2026-03-02 10:00"),
    ("2026-03-02 10:01", 0, True, "breached", False, [1], "2026-03-02 15:30"),
    ("2026-03-02 10:01", 1, True, "breached", False, [], "2026-03-02 15:30"),
    ("2026-03-02 15:31", 0, False, "breached", True, [1, 2], "2026-03-03 18:00"),
    ("2026-03-03 18:01", 2, True, "breached", False, [3], None),
    ("2026-03-03 18:01", 3, True, "breached", False, [], None),
]


@pytest.mark.parametrize(("up_to", "last", "is_warned", "state", "warns", "levels", "later"), EVALUATED)
def test_a_due_clock_is_evaluated(up_to, last, is_warned, state, warns, levels, later):
    """T4: what is new since it was last stored, and when to look at it again."""
    due = Deadline(at("2026-03-02 09:48"), at("2026-03-02 10:00"), Reason("due_elapsed"))
    clock = DueClock("first_word", due, first_level=1, last_level=last, is_warned=is_warned)

    update = evaluate_clock(OFFICE, LADDER, clock, at(up_to))

    assert (update.state, update.is_warning_due) == (state, warns)
    assert [step.level for step in update.escalations] == levels
    assert update.next_at == (at(later) if later else None)


def test_a_pause_within_another_counts_nothing_more():
    """T6."""
    word = replace(rule("residential", "first_word"), is_pausable=True)
    outer = Pause(at("2026-03-02 11:00"), at("2026-03-02 14:00"))
    inner = Pause(at("2026-03-02 12:00"), at("2026-03-02 13:00"))

    plain = deadline(OFFICE, word, at("2026-03-02 10:00"), [outer])

    assert deadline(OFFICE, word, at("2026-03-02 10:00"), [outer, inner]) == plain


def test_pauses_that_touch_count_as_one():
    """T6: the second one begins after the office hours in which the first one ended the clock."""
    plan = replace(rule("residential", "department_plan"), is_pausable=True)
    evening = Pause(at("2026-03-02 17:30"), at("2026-03-02 20:00"))
    night = Pause(at("2026-03-02 20:00"), at("2026-03-03 10:00"))

    answer = deadline(OFFICE, plan, at("2026-03-02 16:30"), [evening, night])

    assert wall(answer.due_at) == "2026-03-03 10:00"


def test_a_clock_that_says_no_more_warns_at_four_fifths_and_does_not_pause():
    plain = ClockRule("x", "solve", (Moment.REGISTERED,), ClockUnit.ELAPSED, 100)
    pause = Pause(DUE + MINUTE, DUE + 2 * MINUTE)

    answer = deadline(OFFICE, plain, DUE, [pause], registered_at=DUE - 60 * MINUTE)

    assert (answer.warn_at, answer.due_at) == (DUE + 80 * MINUTE, DUE + 100 * MINUTE)
    assert clocks_starting([plain], Moment.REGISTERED, "minor", Facts()) == (plain,)
    assert deadline(OFFICE, replace(plain, length=0), DUE).due_at == DUE


def test_clocks_begin_at_the_first_level_unless_the_policy_says_another():
    row = {
        name: value for name, value in document("tower", EscalationPolicy).items() if name != "first_level"
    }

    assert documents.typed(EscalationPolicy, row).level_at_start("minor") == 1
