"""The gates before the last resorts answer what is missing (C9, C10)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from office.policies import documents
from rules.gates import (
    PROTECTED_SERVICES,
    Approval,
    Gates,
    LawFirm,
    LegalFacts,
    RestrictionFacts,
    gate_problems,
    is_restrictable,
    legal_missing,
    restriction_missing,
)
from tests.factories.policies import document, policy, refusal

GATES = policy("tower", Gates)
LEGAL, GATE = GATES.legal, GATES.restriction
DUE = date(2026, 1, 5)
TRIED = LegalFacts(frozenset({"phone", "visit"}), is_letter_delivered=True)

LEGAL_CASES = [
    (TRIED, date(2026, 4, 5), ()),
    (TRIED, date(2026, 4, 4), ("months_in_arrears",)),
    (replace(TRIED, is_vacated=True), date(2026, 2, 1), ()),
    (replace(TRIED, methods=frozenset({"phone"})), date(2026, 4, 5), ("attempt_methods",)),
    (replace(TRIED, is_letter_delivered=False), date(2026, 4, 5), ("delivered_letter",)),
    (LegalFacts(), date(2026, 1, 6), ("months_in_arrears", "attempt_methods", "delivered_letter")),
]


@pytest.mark.parametrize(("facts", "day", "missing"), LEGAL_CASES)
def test_the_law_is_the_last_resort(facts, day, missing):
    assert legal_missing(LEGAL, facts, DUE, day) == missing


READY = RestrictionFacts(
    service="overtime_ac",
    is_contracted=True,
    debt=Decimal(100),
    calls=1,
    visits=1,
    is_letter_delivered=True,
    is_head_visit_done=True,
    requested_by=1,
    approvals=(
        Approval(2, "station_head", is_signed=False, on=date(2026, 3, 3)),
        Approval(3, "manager", is_signed=True, on=date(2026, 3, 4)),
    ),
)
HEAD, MANAGER = READY.approvals

REQUESTS = [
    ({}, ()),
    ({"debt": Decimal(0)}, ("debt",)),
    ({"debt": Decimal("0.01")}, ()),
    ({"service": "garden_party"}, ("optional_service",)),
    ({"is_contracted": False}, ("contracted_service",)),
    ({"calls": 0}, ("calls",)),
    ({"visits": 0}, ("visit",)),
    ({"is_letter_delivered": False}, ("deadline_letter",)),
    ({"is_head_visit_done": False}, ("head_visit",)),
    ({"approvals": ()}, ("second_approval", "manager_signature")),
    ({"approvals": (MANAGER,)}, ("second_approval",)),
    ({"approvals": (MANAGER, MANAGER)}, ("second_approval",)),
    ({"approvals": (HEAD, replace(MANAGER, is_signed=False))}, ("manager_signature",)),
    ({"approvals": (HEAD, replace(MANAGER, role="director"))}, ("manager_signature",)),
    ({"requested_by": 3}, ("second_approval", "manager_signature")),  # nobody approves their own request
]


@pytest.mark.parametrize(("change", "missing"), REQUESTS)
def test_a_restriction_is_judged_again_when_it_takes_effect(change, missing):
    assert restriction_missing(GATE, replace(READY, **change), is_taking_effect=True) == missing


def test_a_request_may_be_made_before_its_approvals():
    assert restriction_missing(GATE, replace(READY, approvals=())) == ()


@pytest.mark.parametrize("service", sorted(PROTECTED_SERVICES))
def test_what_the_law_protects_cannot_be_restricted_whatever_the_row_says(service):
    unlawful = replace(GATE, services=GATE.services | {service})

    assert not is_restrictable(unlawful, service)
    assert restriction_missing(unlawful, replace(READY, service=service)) == ("optional_service",)


PROBLEMS = [
    ({}, []),
    ({"approvals": 1}, ["two_approvals_needed"]),
    ({"approvals": 2}, []),
    ({"months": 0}, ["restriction_without_end"]),
    ({"months": 1}, []),
    ({"services": frozenset({"overtime_ac", "water"})}, ["service_protected"]),
]


def test_a_law_firm_is_whole_or_not_named():
    firms = (
        LawFirm(),
        LawFirm("Hengxin"),
        LawFirm("Hengxin", (), "Sun Rui"),
        LawFirm("Hengxin", (), "", "131"),
        LawFirm("Hengxin", (), "Sun Rui", "131"),
    )

    found = [[one.code for one in gate_problems(replace(GATES, law_firm=firm))] for firm in firms]

    assert found == [[], *[["law_firm_incomplete"]] * 3, []]


def test_an_office_of_an_older_program_has_no_law_firm_yet_and_restricts_for_three_months():
    rows = document("tower", Gates)
    del rows["law_firm"]
    rows["restriction"] = {name: value for name, value in rows["restriction"].items() if name != "months"}

    gates = documents.typed(Gates, rows)

    assert gates.law_firm == LawFirm()
    assert gates.restriction.months == 3


@pytest.mark.parametrize(("change", "codes"), PROBLEMS)
def test_edited_gates_are_checked_on_saving(change, codes):
    assert [one.code for one in gate_problems(replace(GATES, restriction=replace(GATE, **change)))] == codes


def test_a_count_below_zero_is_refused():
    rows = document("tower", Gates)
    rows["restriction"]["calls"] = -1

    assert str(refusal(Gates, rows)).startswith("out_of_range: field=restriction.calls")


def test_protected_services_are_named_in_one_order():
    (problem,) = gate_problems(replace(GATES, restriction=replace(GATE, services=PROTECTED_SERVICES)))

    assert problem.inputs["services"] == "access electricity gas heat power water"


def test_nothing_was_done_before_a_restriction_unless_said():
    facts = RestrictionFacts("overtime_ac", is_contracted=True, debt=Decimal(1))

    assert restriction_missing(GATE, facts) == ("calls", "visit", "deadline_letter", "head_visit")
