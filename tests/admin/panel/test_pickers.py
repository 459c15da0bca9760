"""Text typed into a picker that names exactly one record is that record; else it is refused and stays typed.

Contract "Lists and forms"; over every form of the office with a picker.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from admin.panel import pickers
from models.billing import Meter
from models.complaints import Ticket
from models.people import Occupancy, Owner, OwnerPhone
from models.property import Unit
from models.secrets import fingerprint
from tests.admin.conftest import Web, text_of
from tests.factories.estate import add_unit, item

NONE, SEVERAL = "There is no such record", "Several records have this name"


def add_namesakes(session: Any) -> None:
    """Two people named 王芳 in 1-101 and 1-102, and someone whose name only begins so in A-1."""
    people = [("1-101", "王芳", "13800000001"), ("1-102", "王芳", "13900000002"), ("A-1", "王芳芳", "")]
    for code, name, phone in people:
        unit = add_unit(session, code, payer=name)
        owner = session.scalars(select(Owner).order_by(Owner.id.desc())).first()
        assert owner.name == name, unit
        if phone:
            session.add(OwnerPhone(owner=owner, number=phone, number_mac=fingerprint(phone)))
    item(session, "management_fee")
    session.commit()


@pytest.fixture
def namesakes(office_of: Callable[..., Any]) -> Web:
    office = office_of("residential", fills=(add_namesakes,))
    web = Web(office, office.app.test_client())
    web.sign_in()
    return web


def enter_meter(web: Web, **fields: str) -> Any:
    with web.rows() as session:
        fee_item = item(session, "management_fee").id
    return web.post("/meters/new/", {"code": "M1", "fee_item": str(fee_item), **fields})


def meters(web: Web) -> list[str]:
    with web.rows() as session:
        return list(session.scalars(select(Unit.code).join(Meter, Meter.unit_id == Unit.id)))


@pytest.mark.parametrize(
    ("typed", "code"),
    [("1-101", "1-101"), ("１－１０１", "1-101"), (" 1–101 ", "1-101"), ("a-1", "A-1"), ("Ａ-1", "A-1")],
)
def test_what_names_one_record_is_that_record(namesakes: Web, typed: str, code: str) -> None:
    answer = enter_meter(namesakes, unit="", unit_text=typed)

    assert answer.status_code == 302
    assert meters(namesakes) == [
        "A-1" if "1-1" not in typed and "１－１" not in typed and "–" not in typed else "1-101"
    ]


@pytest.mark.parametrize("typed", ["1-1", "1-10", "1-999", "101", "x"])
def test_what_names_none_is_refused_and_stays_typed(namesakes: Web, typed: str) -> None:
    answer = enter_meter(namesakes, unit="", unit_text=typed)

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert NONE in text_of(answer)
    assert re.search(rf'name="unit_text"[^>]* value="{typed}"', page)
    assert meters(namesakes) == []


def test_control_a_picker_that_ignores_its_text_is_found(
    namesakes: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickers, "TYPED", "_nowhere")

    assert enter_meter(namesakes, unit="", unit_text="1-101").status_code == 422


def test_a_text_changed_after_choosing_counts(namesakes: Web) -> None:
    """Without the page's script the id of the record that was there before comes along."""
    with namesakes.rows() as session:
        first = session.scalars(select(Unit.id).where(Unit.code == "1-101")).one()

    refused = enter_meter(namesakes, unit=str(first), unit_text="1-999")
    taken = enter_meter(namesakes, unit=str(first), unit_text="1-102")

    assert (refused.status_code, taken.status_code) == (422, 302)
    assert meters(namesakes) == ["1-102"]


def test_two_of_one_name_are_refused_and_told_apart(namesakes: Web) -> None:
    given = {"unit": "", "unit_text": "A-1", "owner": "", "kind": "tenant", "from_on": "2026-01-01"}

    answer = namesakes.post("/occupancies/new/", {**given, "owner_text": "王芳"})

    offered = [name for _key, name in namesakes.get("/occupancies/ajax/lookup/?name=owner&query=王").json]
    assert answer.status_code == 422
    assert SEVERAL in text_of(answer)
    assert offered == ["王芳 · 1-101 · …0001", "王芳 · 1-102 · …0002", "王芳芳 · A-1"]
    for name in (offered[1], "王芳芳"):
        assert namesakes.post("/occupancies/new/", {**given, "owner_text": name}).status_code == 302
    with namesakes.rows() as session:
        tenants = select(Owner.name).join(Occupancy).where(Occupancy.kind == "tenant")
        assert session.scalars(tenants.order_by(Occupancy.id)).all() == ["王芳", "王芳芳"]


def test_a_chip_tells_namesakes_apart(namesakes: Web) -> None:
    with namesakes.rows() as session:
        ids = list(session.scalars(select(Owner.id).where(Owner.name == "王芳").order_by(Owner.id)))

    shown = [text_of(namesakes.get(f"/occupancies/?owner_id={key}")) for key in ids]

    assert "王芳 · 1-101 · …0001" in shown[0]
    assert "王芳 · 1-102 · …0002" in shown[1]


@pytest.mark.parametrize(
    ("typed", "told"), [("1-101", ""), ("王芳芳", ""), ("王芳", SEVERAL), ("1-10", NONE), ("李", NONE)]
)
def test_a_complaint_is_never_registered_without_the_unit_that_was_typed(
    namesakes: Web, typed: str, told: str
) -> None:
    page = namesakes.get("/tickets/new/").get_data(as_text=True)
    category = re.search(r'name="category".*?<option value="(\w+)"', page, re.DOTALL)
    assert category

    given = {"statement": "灯不亮", "channel": "desk", "category": category[1], "household_count": "1"}
    answer = namesakes.post("/tickets/new/", {**given, "unit": "", "unit_text": typed})

    with namesakes.rows() as session:
        units = list(session.scalars(select(Unit.code).join(Ticket, Ticket.unit_id == Unit.id)))
        tickets = session.scalars(select(Ticket.id)).all()
    if told:
        assert (answer.status_code, tickets) == (422, [])
        assert told in text_of(answer)
        assert f'value="{typed}"' in unescape(answer.get_data(as_text=True))
    else:
        assert answer.status_code == 302
        assert units == [{"王芳芳": "A-1"}.get(typed, typed)]


def test_what_is_typed_in_full_is_asked_for_on_leaving_the_field(namesakes: Web) -> None:
    def named(text: str) -> list[Any]:
        found: list[Any] = namesakes.get(
            "/meters/ajax/lookup/", query_string={"name": "unit", "query": text, "named": "1"}
        ).json
        return found

    assert [name for _key, name in named("１－１０１")] == ["1-101"]
    assert named("1-10") == []
