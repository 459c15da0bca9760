from decimal import Decimal
from typing import get_args

import pytest

from rules.reasons import Reason
from rules.severity import (
    FACT_KINDS,
    FactName,
    Facts,
    SeverityPolicy,
    change_refusal,
    proposal,
    registered_severity,
    unconfirmed_severity,
)
from tests.factories.policies import policy, refusal

TOWER, RESIDENTIAL, PROJECT = (
    policy(preset, SeverityPolicy) for preset in ("tower", "residential", "project")
)

# fact, value, in tower and residential, in project (T3; contract: major, complex, simple)
CASES = [
    ("household_count", 0, "minor", "simple"),
    ("household_count", 2, "minor", "simple"),
    ("household_count", 3, "major", "major"),
    ("household_count", 4, "major", "major"),
    ("loss_amount", Decimal("9999.99"), "minor", "simple"),
    ("loss_amount", Decimal("10000.00"), "major", "major"),
    ("loss_amount", Decimal("10000.01"), "major", "major"),
    ("is_media", True, "major", "major"),
    ("is_injury", True, "major", "major"),
    ("is_legal_letter", True, "major", "major"),
    ("about_staff_conduct", True, "minor", "complex"),
    ("is_repeat", True, "minor", "complex"),
    ("is_written", True, "minor", "complex"),
    ("from_authority", True, "minor", "complex"),
    ("happening_now", True, "minor", "simple"),
]


@pytest.mark.parametrize(("fact", "value", "two_levels", "three_levels"), CASES)
def test_each_fact_in_each_preset(fact, value, two_levels, three_levels):
    facts = Facts(**{fact: value})

    assert proposal(TOWER, facts).severity == two_levels
    assert proposal(RESIDENTIAL, facts).severity == two_levels
    assert proposal(PROJECT, facts).severity == three_levels


def test_no_fact_is_the_lowest_level_and_says_so():
    assert proposal(PROJECT, Facts()).severity == "simple"
    assert proposal(RESIDENTIAL, Facts()).reason == Reason("no_aggravating_fact")


def test_the_more_severe_fact_decides_and_is_the_reason():
    answer = proposal(PROJECT, Facts(is_repeat=True, household_count=5))

    assert answer.severity == "major"
    assert str(answer.reason) == "household_count: value=5, at_least=3"


def test_facts_from_a_row_take_defaults_for_what_is_empty():
    row = {"household_count": "3", "loss_amount": "", "is_media": None, "is_repeat": True, "number": "T-1"}

    assert Facts.from_row(row) == Facts(household_count=3, is_repeat=True)


def test_text_is_no_tick_box():
    with pytest.raises(TypeError, match="is_media"):
        Facts.from_row({"is_media": "false"})


@pytest.mark.parametrize(
    ("current", "proposed", "roles", "explanation", "refusal"),
    [
        ("simple", "major", {"front_desk"}, "", None),
        ("simple", "complex", set(), "", None),
        ("major", "major", set(), "", None),
        ("major", "complex", {"front_desk"}, "a slip", "lowering_needs_role"),
        ("major", "simple", {"manager"}, "a slip", "lowering_needs_role"),
        ("major", "simple", {"station_head"}, "  ", "lowering_needs_explanation"),
        ("major", "simple", {"station_head"}, "counted twice", None),
        ("complex", "simple", {"station_head", "front_desk"}, "counted twice", None),
    ],
)
def test_raising_is_free_and_lowering_needs_the_station_head(current, proposed, roles, explanation, refusal):
    answer = change_refusal(PROJECT, current, proposed, roles=roles, explanation=explanation)

    assert (answer.code if answer else None) == refusal


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"severity": "major", "fact": "is_loud"}, "code_unknown: field=rule.1.fact, value=is_loud"),
        ({"severity": "major", "fact": "household_count"}, "least_value_unclear: fact=household_count"),
        ({"severity": "major", "fact": "is_media", "at_least": 1}, "least_value_unclear: fact=is_media"),
        ({"severity": "complex", "fact": "is_repeat"}, "severity_not_listed: severity=complex"),
    ],
)
def test_a_rule_that_can_not_be_is_refused(row, reason):
    rows = {"default": "minor", "level": [{"code": code, "rank": 1} for code in ("minor", "major")]}

    assert str(refusal(SeverityPolicy, {**rows, "rule": [row]})).startswith(reason)


def test_every_fact_may_stand_in_a_rule():
    ticked, counted = get_args(FactName)[1:], get_args(FactName)[0]
    named = {code for each in get_args(FactName) for code in get_args(each)}

    assert named == set(FACT_KINDS)
    assert {code for each in ticked for code in get_args(each)} == {
        code for code, kind in FACT_KINDS.items() if kind is bool
    }
    assert set(get_args(counted)) == {code for code, kind in FACT_KINDS.items() if kind is not bool}


# chosen, roles, explanation -> severity and reason, or the refusal; the facts alone give "complex"
CHOSEN = [
    ("", (), "", ("complex", "is_written")),
    ("complex", (), "", ("complex", "is_written")),
    ("major", (), "", ("major", "chosen_by_staff")),
    ("simple", ("front_desk",), "calm", "lowering_needs_role"),
    ("simple", ("station_head",), " ", "lowering_needs_explanation"),
    ("simple", ("station_head",), "calm", ("simple", "chosen_by_staff")),
]


@pytest.mark.parametrize(("chosen", "roles", "explanation", "expected"), CHOSEN)
def test_a_ticket_is_registered_as_proposed_or_as_the_clerk_may_choose(chosen, roles, explanation, expected):
    """T3."""
    facts = Facts(is_written=True)

    decided = registered_severity(PROJECT, facts, chosen, roles=roles, explanation=explanation)

    if isinstance(decided, Reason):
        assert decided.code == expected
    else:
        assert (decided.severity, decided.reason.code) == expected


def test_the_reason_of_a_chosen_severity_names_the_proposal():
    decided = registered_severity(PROJECT, Facts(), "major", roles=(), explanation="a hunch")

    assert decided.reason == Reason("chosen_by_staff", {"proposed": "simple", "note": "a hunch"})


def test_nothing_is_true_of_a_complaint_of_which_nothing_is_ticked():
    assert not any(vars(Facts()).values())


def test_a_stranger_s_facts_only_propose():
    claimed = Facts(household_count=40, is_injury=True)

    answer = unconfirmed_severity(PROJECT, claimed)

    assert answer.severity == "simple"
    assert answer.reason == Reason("not_confirmed", {"proposed": "major"})


def test_facts_are_stored_and_read_again():
    facts = Facts(household_count=3, loss_amount=Decimal("10.50"), is_media=True)

    assert Facts.from_json(facts.to_json()) == facts
