"""Why a debt is where it is, what comes next, and what a changed ladder would have done (C12, §9)."""

import json
from datetime import date
from decimal import Decimal

import pytest

from models.billing import Invoice
from office.arrears import contacts, explain
from office.arrears.contacts import NewContact
from office.core.errors import Refused
from office.policies import store
from office.whatif import dunning
from tests.factories.arrears import add_bill, add_unit, at, judge, made, pay

DUE = date(2026, 3, 15)


def story(session, now, number="N"):
    return explain.invoice(session, number, now=now)


def test_a_stage_names_its_rule_its_inputs_and_what_comes_next(session):
    add_bill(session, add_unit(session), DUE, number="N")
    judge(session, date(2026, 3, 8), date(2026, 3, 19))

    told = story(session, at(date(2026, 3, 19), 12))

    assert (told["stage"], told["stage_on"], told["debt"]) == ("call", "2026-03-19", "100.00")
    assert told["rule"]["code"] == "trigger_reached"
    assert told["rule"]["inputs"]["number"] == 4
    assert [(step["stage"], step["planned_on"]) for step in told["forecast"]] == [
        ("visit", "2026-03-23"),
        ("letter", "2026-03-30"),
        ("lawyer_letter", "2026-05-14"),
    ]
    assert told["next"] == told["forecast"][0]
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("hour", [8, 9, 12])
def test_what_is_forecast_comes_true(session, hour):
    add_bill(session, add_unit(session), DUE, number="N")
    judge(session, date(2026, 3, 8), date(2026, 3, 18 if hour < 9 else 19))

    told = story(session, at(date(2026, 3, 19), hour))
    judge(session, date(2026, 3, 19), date(2026, 6, 1))

    before = 2 if hour < 9 else 3
    assert [(one["stage"], one["planned_on"]) for one in told["forecast"] if one["planned_on"]] == made(
        session
    )[before : before + 3 + (hour < 9)]


def test_a_promise_is_shown_as_what_holds_it_and_the_next_stage_after_it(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    judge(session, date(2026, 3, 16), date(2026, 3, 17))
    now = at(date(2026, 3, 17), 10)
    promise = NewContact(debtor[0], "phone", now, promised_on=date(2026, 3, 20), promised_amount=Decimal(5))
    contacts.record_contact(session, promise, now=now)

    told = story(session, at(date(2026, 3, 18), 12))

    assert [hold["code"] for hold in told["holds"]] == ["promise_not_due"]
    assert (told["next"]["stage"], told["next"]["planned_on"]) == ("call", "2026-03-23")


def test_a_bill_behind_an_older_debt_says_so(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="OLD")
    add_bill(session, debtor, date(2026, 4, 15), number="N")
    judge(session, date(2026, 3, 16), date(2026, 4, 16))

    told = story(session, at(date(2026, 4, 17), 12))

    assert told["episode"] == "OLD"
    assert told["next"]["reason"] == {"code": "older_debt_first", "inputs": {"invoice": "OLD"}}


def test_a_bill_that_is_not_due_tells_of_its_notice_and_first_climb(session):
    add_bill(session, add_unit(session), DUE, number="N")

    told = story(session, at(date(2026, 3, 2), 12))

    assert (told["stage"], told["next"]["stage"], told["next"]["planned_on"]) == (
        "",
        "upcoming",
        "2026-03-08",
    )
    assert [step["stage"] for step in told["forecast"]][:3] == ["upcoming", "friendly", "call"]


def test_a_paid_bill_has_nothing_to_come(session):
    debtor = add_unit(session)
    bill = add_bill(session, debtor, DUE, number="N")
    judge(session, date(2026, 3, 16), date(2026, 3, 19))
    pay(session, debtor, "100", at(date(2026, 3, 19), 10))

    told = story(session, at(date(2026, 3, 20), 12))

    assert (told["next"], told["forecast"], told["holds"], told["balance"]) == (None, [], [], "0.00")
    assert session.get(Invoice, bill.id).stage == told["stage"] == "call"


def test_a_bill_that_is_not_there_is_refused(session):
    with pytest.raises(Refused):
        story(session, at(DUE), number="nothing")


def test_a_kind_that_is_not_explained_is_wrong_usage(office):
    refused = office.run("explain", "letter", "N")

    assert refused.exit_code == 2
    assert "invoice, ticket" in refused.stderr


def test_the_calendar_counts_debtors_and_money(session):
    for number in range(3):
        add_bill(session, add_unit(session, f"1-10{number}"), DUE, "50", number=f"N{number}")
    judge(session, date(2026, 3, 8), date(2026, 3, 16))

    coming = explain.coming_stages(session, at(date(2026, 3, 16), 12))

    assert [(one.day.isoformat(), one.stage, one.debtors, one.debt) for one in coming] == [
        ("2026-03-19", "call", 3, Decimal(150)),
        ("2026-03-23", "visit", 3, Decimal(150)),
        ("2026-03-30", "letter", 3, Decimal(150)),
    ]


# --- what if --------------------------------------------------------------------------------------


def lived(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    add_bill(session, debtor, date(2026, 4, 15), number="M")
    judge(session, date(2026, 3, 8), date(2026, 4, 1))
    return store.document(session, "ladder", DUE)


def test_the_same_ladder_changes_nothing(session):
    rows = lived(session)

    compared = dunning.simulate(session, "2026-03", rows, now=at(date(2026, 4, 1), 12))

    assert compared["changes"] == []
    assert compared["actual"] == compared["simulated"]
    assert compared["actual"]["letter"] == {"made": 1, "not_made": 0}


def test_a_changed_ladder_shows_what_it_would_have_done_and_does_nothing(session):
    rows = lived(session)
    before = made(session)
    for stage in rows["stage"]:
        if stage["code"] == "call":
            stage["trigger_number"] = 5
        if stage["code"] == "letter":
            stage["trigger_number"] = 20

    compared = dunning.simulate(session, "2026-03", rows, now=at(date(2026, 4, 1), 12))

    assert [(one["stage"], one["actual_on"], one["simulated_on"]) for one in compared["changes"]] == [
        ("call", "2026-03-19", "2026-03-20"),
        ("letter", "2026-03-30", None),
    ]
    assert made(session) == before


def test_the_gates_can_be_tried_too(session):
    lived(session)
    gates = store.document(session, "gates", DUE)

    assert dunning.simulate(session, "2026-03", gates, now=at(date(2026, 4, 1)))["policy"] == "gates"


WRONG = [("2026-13", {}), ("2026-05", {}), ("2026-03", {"x": 1}), ("2026-03", {"stage": [], "policy": {}})]


@pytest.mark.parametrize(("period", "rows"), WRONG)
def test_an_impossible_trial_is_refused(session, period, rows):
    with pytest.raises(Refused):
        dunning.simulate(session, period, rows, now=at(date(2026, 4, 1)))
