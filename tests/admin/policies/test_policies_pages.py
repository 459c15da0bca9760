"""Policies in forms: what stands there comes back unchanged, a change is dated, a gap is named (§9)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select

import seed
from admin.policies.editor import Editor
from models.policies import PolicyVersion
from models.property import PRESETS
from office.policies import store
from rules.deadlines import ClockPolicy
from tests.admin.conftest import Web, text_of
from tests.factories.pages import fields_of

FAR = date(9999, 1, 1)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_untouched_form_is_the_same_document(preset: str) -> None:
    for name, rows in seed.preset_policies(preset).items():
        document = json.loads(json.dumps(rows, default=str))
        editor = Editor(document, name)
        sent = {
            each.name: each.text
            for _, each_section in editor.plain()
            for each in each_section
            if each.kind != "flag" or each.text == "True"
        }
        for _, _, lines in editor.grids():
            for _, cells in lines:
                sent |= {cell.name: cell.text for cell in cells if cell.kind != "flag" or cell.text == "True"}

        assert editor.changed(sent) == document, name


def versions(web: Web, policy: str) -> int:
    with web.rows() as session:
        return len(session.scalars(select(PolicyVersion).where(PolicyVersion.policy == policy)).all())


@pytest.mark.parametrize("policy", ["ladder", "clocks", "late_fee", "calendar"])
def test_each_opens_and_saves_as_it_stands(web: Web, policy: str) -> None:
    page = web.get(f"/policies/edit/?policy={policy}").text
    with web.rows() as session:
        before = store.document(session, policy, FAR)

    answer = web.post(f"/policies/edit/?policy={policy}", {**fields_of(page), "reason": "read again"})

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        assert store.document(session, policy, FAR) == before
    assert versions(web, policy) == 2


def test_an_item_gets_late_fee_terms_of_its_own_on_the_page(web: Web) -> None:
    """B22: a row of a list that the preset leaves empty; the cells that stay empty are as for all."""
    sent = fields_of(web.get("/policies/edit/?policy=late_fee").text)
    own = {"item.new.fee_item": "water", "item.new.flat_amount": "5", "late_fee.least_balance": "20"}
    assert own.keys() <= {*sent, "item.new.fee_item", "item.new.flat_amount"}

    answer = web.post("/policies/edit/?policy=late_fee", {**sent, **own, "reason": "board"})

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        found = store.document(session, "late_fee", FAR)
    assert found["item"] == [{"fee_item": "water", "flat_amount": "5"}]
    assert found["late_fee"]["least_balance"] == "20"
    assert 'name="item.0.daily_rate"' in web.get("/policies/edit/?policy=late_fee").text


def test_a_deadline_that_is_active_unless_said_otherwise_can_be_switched_off(web: Web) -> None:
    page = "/policies/edit/?policy=clocks"
    sent = fields_of(web.get(page).text)
    assert {sent.pop("rule.1.is_active", ""), sent.get("rule.0.is_active", "")} == {"1", ""}

    web.post(page, {**sent, "reason": "not wanted"})

    with web.rows() as session:
        rules = store.in_force(session, ClockPolicy, FAR).rule
    assert [rule.code for rule in rules if not rule.is_active] == ["acknowledge", "on_site"]


def test_a_change_is_audited(web: Web) -> None:
    sent = fields_of(web.get("/policies/edit/?policy=late_fee").text)

    web.post("/policies/edit/?policy=late_fee", {**sent, "late_fee.grace_days": "7", "reason": "board"})

    with web.rows() as session:
        assert store.document(session, "late_fee", FAR)["late_fee"]["grace_days"] == 7
    assert [audit.action for audit in web.audits("policy_version")] == ["edit"]


def test_a_gap_in_the_ladder_is_named_and_nothing_is_saved(web: Web) -> None:
    sent = fields_of(web.get("/policies/edit/?policy=ladder").text)

    answer = web.post("/policies/edit/?policy=ladder", {**sent, "stage.2.remove": "1", "reason": "shorter"})

    assert answer.status_code == 200
    assert "without gaps" in text_of(answer)
    assert versions(web, "ladder") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("late_fee.grace_days", "many"),
        ("valid_from", "2001-01-01"),
        ("valid_from", "soon"),
        ("late_fee.daily_rate", "x"),
    ],
)
def test_what_cannot_be_is_refused(web: Web, field: str, value: str) -> None:
    sent = fields_of(web.get("/policies/edit/?policy=late_fee").text)

    answer = web.post("/policies/edit/?policy=late_fee", {**sent, field: value, "reason": "try"})

    assert answer.status_code == 200
    assert versions(web, "late_fee") == 1


def test_a_steward_reads_but_does_not_save(visitor: Web) -> None:
    from tests.admin.conftest import PASSWORD

    visitor.sign_in("steward", PASSWORD)
    sent = fields_of(visitor.get("/policies/edit/?policy=late_fee").text)

    answer = visitor.post("/policies/edit/?policy=late_fee", {**sent, "reason": "try"})

    assert answer.status_code == 403
    assert versions(visitor, "late_fee") == 1


@pytest.mark.parametrize(
    "address",
    [
        "/policies/edit/",
        "/policies/edit/?policy=none",
        "/household/?unit_id=0",
        "/household/?unit_id=a",
        "/household/",
    ],
)
def test_what_is_not_there_is_404(web: Web, address: str) -> None:
    assert web.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/reports/?period=x",
        "/reports/?period=2026-13",
        "/complaint_reports/?period=%00",
        "/search/?q=%00",
        "/start/",
        "/search/?q=A-0",
    ],
)
def test_odd_questions_are_answered(web: Web, address: str) -> None:
    assert web.get(address).status_code == 200
