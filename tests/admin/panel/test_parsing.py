"""What people type into fields of several parts, and what is stored (B1, T5)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import seed
from admin.panel import parsing
from admin.policies.editor import Editor, kind_of
from models.billing import FeeItem, Tariff
from models.property import PRESETS
from office.policies import store
from tests.admin.conftest import Web, text_of
from tests.factories.pages import fields_of

WORKDAY = [["09:00", "12:00"], ["13:30", "18:00"]]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("9:00-12:00, 13:30–18:00", [["09:00", "12:00"], ["13:30", "18:00"]]),
        ("０９：００～12:00；13:30 至 18:00", [["09:00", "12:00"], ["13:30", "18:00"]]),
        ("", []),
    ],
)
def test_hours_are_read_as_offices_write_them(text, spans):
    assert parsing.hours(text) == spans
    assert parsing.hours(parsing.hours_text(spans)) == spans


@pytest.mark.parametrize(
    "text",
    [
        "9 to 5",
        "09:00",
        "25:00-26:00",
        "09:00-12:00-13:00",
        "[[]]",
        "09:60-10:00",
        "12:00-09:00",
        "09:00-09:00",
        "09:00-12:00, 11:00-13:00",
        "13:00-18:00, 09:00-12:00",
    ],
)
def test_what_is_no_hours_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        parsing.hours(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("180: 0.50; 280: 0.55; 0.80", [["180", "0.50"], ["280", "0.55"], [None, "0.80"]]),
        ("１８０：0.5，0.8", [["180", "0.5"], [None, "0.8"]]),
        ("180 + 30: 0.50; 0.80", [["180", "0.50", "30"], [None, "0.80"]]),
        ('[["180", "0.50"], [null, "0.80"]]', [["180", "0.50"], [None, "0.80"]]),
        ("", None),
    ],
)
def test_tiers_are_stored_as_billing_reads_them(text, stored):
    made = parsing.tiers_stored(parsing.tiers(text))

    assert (json.loads(made) if made else None) == stored
    assert parsing.tiers(parsing.tiers_text(made)) == parsing.tiers(text)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=9))
def test_numbers_come_back(found):
    assert parsing.numbers(", ".join(map(str, found))) == found


@pytest.mark.parametrize("preset", PRESETS)
def test_no_value_of_a_policy_is_typed_as_json(preset):
    for document in seed.preset_policies(preset).values():
        editor = Editor(document)
        fields = [field for _, section in editor.plain() for field in section]
        fields += [cell for _, _, lines in editor.grids() for _, cells in lines for cell in cells]
        assert [field.name for field in fields if field.kind == "structure"] == []


def test_control_a_value_of_another_shape_is_json():
    assert kind_of([[1, "a"]]) == "structure"


def test_office_hours_are_changed_day_by_day(web: Web) -> None:
    form = fields_of(web.get("/policies/edit/?policy=calendar").text)
    assert form["hours.weekday_0"] == "09:00–12:00, 13:30–18:00"

    saturday = {"hours.weekday_5": "9:00-12:00", "reason": "open on Saturdays"}
    answer = web.post("/policies/edit/?policy=calendar", {**form, **saturday})

    assert answer.status_code == 302, text_of(answer)
    with web.rows() as session:
        hours = store.document(session, "calendar", date(9999, 1, 1))["hours"]
    assert (hours[0], hours[5], hours[6]) == (WORKDAY, [["09:00", "12:00"]], [])


@pytest.mark.parametrize(
    ("policy", "typed_in", "told"),
    [
        ("calendar", {"hours.weekday_5": "9-12"}, "Saturday: write the hours in order, such as 09:00"),
        ("calendar", {"hours.weekday_5": "12:00-09:00"}, "Saturday: write the hours in order"),
        ("calendar", {f"hours.weekday_{day}": "" for day in range(7)}, "At least one weekday needs"),
        ("calendar", {"make_up_hours": ""}, "Make-up days need office hours, such as"),
        ("calendar", {"country": "ZZ"}, "The holidays of “ZZ” are not known: write CN"),
        ("calendar", {"zone": "Mars"}, "There is no time zone “Mars”"),
        ("billing", {"ageing.bounds": "abc"}, "Upper ends, days: write whole numbers with commas"),
        ("billing", {"ageing.bounds": ""}, "Upper ends, days: write whole numbers with commas"),
        ("billing", {"ageing.bounds": "60, 30"}, "must rise"),
        ("billing", {"billing.due_day": "soon"}, "is no whole number"),
        ("billing", {"ageing.bounds": "99999999999"}, "Upper ends, days: write whole numbers"),
        ("ladder", {"policy.least_gap_days": "99999999999"}, "is no whole number, or too large"),
    ],
)
def test_nonsense_is_not_saved_and_the_form_says_what_to_write(
    web: Web, policy: str, typed_in: dict[str, str], told: str
) -> None:
    """A country without known holidays would stop every deadline of the office (T5)."""
    page = f"/policies/edit/?policy={policy}"
    before = fields_of(web.get(page).text)

    answer = web.post(page, {**before, "reason": "a try", **typed_in})

    assert told in text_of(answer)
    assert fields_of(web.get(page).text) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.5 up to 180", "Write the tiers as in"),
        ("[180, 0.5]", "Write the tiers as in"),
        ('[["x", 0.5]]', "Write the tiers as in"),
        ('[[null, "Infinity"]]', "Write the tiers as in"),
        ("280: 0.5; 180: 0.6; 0.8", "must rise"),
        ("180: 0.5", "must be open"),
    ],
)
def test_tiers_that_cannot_be_billed_are_not_saved(web: Web, text: str, told: str) -> None:
    """A text that billing can't read would stop the whole run."""
    with web.rows() as session:
        item = session.scalars(select(FeeItem.id).where(FeeItem.basis == "metered")).first()
    fields = {"fee_item": str(item), "unit_kind": "residence", "rate": "1", "valid_from": "2027-01-01"}

    answer = web.post("/tariffs/new/", {**fields, "tiers": text})
    assert told in text_of(answer)
    kept = web.post("/tariffs/new/", {**fields, "tiers": "180: 0.50; 0.80"})

    assert kept.status_code == 302, text_of(kept)
    with web.rows() as session:
        stored = session.scalars(select(Tariff.tiers).where(Tariff.fee_item_id == item, Tariff.tiers != ""))
        assert stored.all() == ['[["180", "0.50"], [null, "0.80"]]']
