"""The ladder's rows: their days, their presets, and what an edited one is refused for (C1–C3, §9)."""

from datetime import date
from decimal import Decimal

import pytest

from office.policies import documents
from rules.calendar_months import months_in_arrears, months_later
from rules.gates import Gates
from rules.ladder import LadderDocument, deadline_on, effective_on, ladder_problems
from tests.factories.ladders import CALENDAR, ladder
from tests.factories.policies import document, policy, refusal

DUE_DAYS = {"tower": 5, "residential": 15, "project": 15}

# contract.md, "Ladder triggers": stage, its day for the bill of February 2026, gap, who rolls
TOWER = [
    ("notice", date(2026, 2, 1), "none"),
    ("reminder", date(2026, 2, 13), "next_working_day"),
    ("demand", date(2026, 2, 23), "next_working_day"),
    ("call", date(2026, 2, 25), "next_working_day"),
    ("visit", date(2026, 2, 27), "next_working_day"),
    ("letter", date(2026, 2, 28), "next_working_day"),
    ("head_visit", date(2026, 3, 2), "next_working_day"),
    ("restriction_request", date(2026, 3, 3), "next_working_day"),
    ("legal", date(2026, 5, 5), "next_working_day"),
]
RESIDENTIAL = [
    ("upcoming", date(2026, 2, 8), "none"),
    ("friendly", date(2026, 2, 16), "none"),
    ("call", date(2026, 2, 19), "next_working_day"),
    ("visit", date(2026, 2, 22), "next_working_day"),
    ("letter", date(2026, 3, 2), "next_working_day"),
    ("lawyer_letter", date(2026, 4, 16), "next_working_day"),
    ("court", date(2026, 5, 16), "next_working_day"),
]


@pytest.mark.parametrize(
    ("preset", "wanted"), [("tower", TOWER), ("residential", RESIDENTIAL), ("project", RESIDENTIAL)]
)
def test_the_presets_stages_and_their_days(preset, wanted):
    due_on = date(2026, 2, DUE_DAYS[preset])

    found = [(one.code, one.trigger_on(due_on), one.roll.value) for one in ladder(preset).stages]

    assert found == wanted


def test_the_presets_numbers():
    tower, residential = ladder("tower"), ladder("residential")

    gaps = {one.code: one.gap_days for one in tower.stages}
    assert {code for code, gap in gaps.items() if gap == 1} == {"letter", "restriction_request"}
    assert set(gaps.values()) == {1, 2}
    assert {one.gap_days for one in residential.stages} == {2}
    assert residential.stage("lawyer_letter").batch_size == 30
    assert residential.stage("court").batch_size == 5
    assert tower.tolerance == residential.tolerance == Decimal("1.00")
    assert tower.judged_at.isoformat() == "09:00:00"
    automatic = {one.code for one in (*tower.stages, *residential.stages) if one.is_automatic}
    assert automatic == {"notice", "upcoming", "friendly"}
    assert not any(one.approved_by for one in (*tower.stages, *residential.stages) if one.is_automatic)


@pytest.mark.parametrize("preset", DUE_DAYS)
def test_the_presets_are_sound(preset):
    assert ladder_problems(ladder(preset), DUE_DAYS[preset]) == ()


EDITS = [
    # stage changed in tower, its new cells, problem
    (1, {"trigger_number": 24}, "stage_before_predecessor"),  # reminder after the demand
    (1, {"trigger_number": 5}, "stage_before_due"),
    (0, {"trigger_number": 6}, "notice_after_due"),
    (2, {"order": 9}, "order_not_complete"),
    (2, {"after": "call"}, "predecessor_wrong"),
    (2, {"code": "call"}, "code_twice"),
    (2, {"code": ""}, "code_empty"),
    (2, {"gap_days": 0}, "gap_too_small"),
    (2, {"trigger_number": 32}, "day_of_month_impossible"),
    (8, {"trigger_number": 0}, "months_impossible"),
    (2, {"channels": []}, "channel_missing"),
    (2, {"carried_by": ""}, "carrier_missing"),
    (2, {"deadline": "days", "deadline_days": 0}, "deadline_impossible"),
    (2, {"valid_from": "2026-02-01", "valid_to": "2026-01-31"}, "validity_impossible"),
    (8, {"subject": "invoice"}, "invoice_stage_after_episode_stage"),
]


def problems(table):
    changed = documents.typed(LadderDocument, table).ladder(policy("tower", Gates))
    return ladder_problems(changed, due_day=5)


@pytest.mark.parametrize(("index", "cells", "code"), EDITS)
def test_an_edited_ladder_is_checked_on_saving(index, cells, code):
    table = document("tower", LadderDocument)
    table["stage"][index] |= cells

    assert code in {one.code for one in problems(table)}


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"month_offset": -1}, "out_of_range"),
        ({"batch_size": -1}, "out_of_range"),
        ({"gap_days": -1}, "out_of_range"),
        ({"gate": "magic"}, "code_unknown"),
    ],
)
def test_a_stage_that_can_not_be_is_refused(cells, code):
    table = document("tower", LadderDocument)
    table["stage"][2] |= cells

    reason = refusal(LadderDocument, table)

    assert (reason.code, reason.inputs["field"]) == (code, f"stage.3.{next(iter(cells))}")


# stage changed in tower, its new cells at the edge of what can be
EDGES = [
    (0, {"trigger_number": 5, "month_offset": 0}),  # a notice on the due day itself
    (1, {"trigger_number": 23}),  # the reminder on the day of the demand
    (2, {"gap_days": 1}),
    (2, {"batch_size": 0}),
    (2, {"batch_size": 1}),
    (2, {"deadline": "days", "deadline_days": 1}),
    (2, {"valid_from": "2026-02-01", "valid_to": "2026-02-01"}),
    (8, {"trigger": "months_from_due", "trigger_number": 1}),
]


@pytest.mark.parametrize(("index", "cells"), EDGES)
def test_a_ladder_at_the_edge_is_saved(index, cells):
    table = document("tower", LadderDocument)
    table["stage"][index] |= cells

    assert problems(table) == ()


def test_a_tolerance_is_not_below_zero():
    table = document("tower", LadderDocument)
    for tolerance in ("0", "0.50"):
        assert problems({**table, "policy": {**table["policy"], "tolerance": tolerance}}) == ()

    reason = refusal(LadderDocument, {**table, "policy": {**table["policy"], "tolerance": "-0.01"}})

    assert (reason.code, reason.inputs["field"]) == ("out_of_range", "policy.tolerance")


def test_a_ladder_without_episode_stages_is_refused():
    table = document("tower", LadderDocument)
    del table["stage"][1:]

    assert [one.code for one in problems(table)] == ["no_episode_stage"]


MONTHS = [
    (date(2026, 1, 5), date(2026, 1, 5), 0),
    (date(2026, 1, 5), date(2026, 2, 4), 0),
    (date(2026, 1, 5), date(2026, 2, 5), 1),
    (date(2026, 1, 5), date(2026, 4, 4), 2),
    (date(2026, 1, 5), date(2026, 4, 5), 3),
    (date(2025, 11, 30), date(2026, 2, 27), 2),
    (date(2025, 11, 30), date(2026, 2, 28), 3),
    (date(2025, 3, 5), date(2026, 3, 5), 12),
    (date(2026, 3, 5), date(2026, 1, 1), 0),
]


@pytest.mark.parametrize(("due_on", "day", "months"), MONTHS)
def test_months_in_arrears_are_whole_calendar_months(due_on, day, months):
    assert months_in_arrears(due_on, day) == months


def test_a_month_later_than_the_31st_is_the_last_day():
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2026, 1, 31), 13) == date(2027, 2, 28)
    assert months_later(date(2026, 1, 31), -2) == date(2025, 11, 30)


def test_the_letter_names_the_last_day_of_its_month():
    tower, residential = ladder("tower"), ladder("residential")

    assert deadline_on(tower.stage("letter"), date(2026, 2, 28)) == date(2026, 2, 28)
    assert deadline_on(tower.stage("letter"), date(2026, 3, 2)) == date(2026, 3, 31)  # rolled
    assert deadline_on(residential.stage("letter"), date(2026, 1, 30)) == date(2026, 2, 14)
    assert deadline_on(tower.stage("call"), date(2026, 1, 30)) is None


EFFECTIVE = [
    # oldest due day, last approval, takes effect
    (date(2026, 2, 5), date(2026, 3, 3), date(2026, 3, 5)),
    (date(2026, 2, 5), date(2026, 3, 5), date(2026, 3, 5)),
    (date(2026, 2, 5), date(2026, 3, 6), date(2026, 3, 9)),  # a Friday
    (date(2026, 2, 5), date(2026, 3, 9), date(2026, 3, 10)),
    (date(2025, 1, 5), date(2026, 3, 3), date(2026, 3, 4)),  # a late episode: that 5th is long gone
    (date(2026, 3, 5), date(2026, 4, 4), date(2026, 4, 5)),  # the 5th itself, though a holiday
]


@pytest.mark.parametrize(("due_on", "approved_on", "wanted"), EFFECTIVE)
def test_a_restriction_takes_effect_on_the_5th_or_after_the_last_approval(due_on, approved_on, wanted):
    stage = ladder("tower").stage("restriction_request")

    assert effective_on(stage, CALENDAR, due_on, approved_on) == wanted
