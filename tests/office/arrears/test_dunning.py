"""The ladder judged on rows: the days of contract.md, run twice, caught up, beside the rules (C1–C13)."""

from dataclasses import replace
from datetime import date

import pytest

from models.billing import Invoice
from office.arrears import dunning, holds
from tests.factories.arrears import add_bill, add_unit, at, judge, made, not_made

CLIMBS = {
    # 28 March 2026 is a Saturday; 4–6 April is Qingming; 5 June a Friday
    ("tower", date(2026, 3, 5)): (
        [
            ("notice", "2026-03-01"),
            ("reminder", "2026-03-13"),
            ("demand", "2026-03-23"),
            ("call", "2026-03-25"),
            ("visit", "2026-03-27"),
            ("letter", "2026-03-30"),
            ("head_visit", "2026-04-02"),
            ("restriction_request", "2026-04-03"),
        ],
        [("legal", "2026-06-05", "gate")],
    ),
    ("residential", date(2026, 3, 15)): (
        [
            ("upcoming", "2026-03-08"),
            ("friendly", "2026-03-16"),
            ("call", "2026-03-19"),
            ("visit", "2026-03-23"),
            ("letter", "2026-03-30"),
            ("lawyer_letter", "2026-05-14"),
        ],
        [("court", "2026-06-15", "gate")],
    ),
}


@pytest.mark.parametrize(("preset", "due_on"), CLIMBS)
def test_a_debt_that_nobody_pays_climbs_to_the_gate(session_of, preset, due_on):
    session = session_of(preset)
    bill = add_bill(session, add_unit(session), due_on)

    judge(session, date(2026, 3, 1), date(2026, 6, 20))

    assert (made(session), not_made(session)) == CLIMBS[preset, due_on]
    assert session.get(Invoice, bill.id).stage == CLIMBS[preset, due_on][0][-1][0]


def test_a_day_judged_twice_adds_nothing(session_of):
    session = session_of("tower")
    add_bill(session, add_unit(session), date(2026, 1, 5))
    judge(session, date(2026, 3, 2), date(2026, 3, 10))
    before = made(session)

    for day in (2, 5, 10):
        dunning.judge_day(session, at(date(2026, 3, day)))

    assert made(session) == before


@pytest.mark.parametrize(("amount", "stages"), [("0.99", []), ("1.00", ["notice"]), ("1.01", ["notice"])])
def test_a_notice_goes_out_for_a_bill_of_the_tolerance_or_more(session_of, amount, stages):
    session = session_of("tower")
    add_bill(session, add_unit(session), date(2026, 3, 5), amount)

    judge(session, date(2026, 3, 1), date(2026, 3, 4))

    assert [stage for stage, _ in made(session)] == stages


def test_a_bill_whose_stage_left_the_ladder_goes_on_after_the_stages_made_before(session_of):
    session = session_of("tower")
    debtor = add_unit(session)
    bill = add_bill(session, debtor, date(2026, 3, 5))
    judge(session, date(2026, 3, 1), date(2026, 3, 23))
    stored = holds.stored_ladder(session, date(2026, 3, 24))
    shorter = replace(stored, stages=tuple(one for one in stored.stages if one.code != "demand"))
    day = dunning.Day.of(session, at(date(2026, 3, 25)), shorter)
    known = session.get(Invoice, bill.id).stage

    rows = dunning.judge(session, day, dunning.StoredHistory(session))

    assert known == "demand"
    assert [row.stage.code for row in rows if row.is_made] == ["call"]
