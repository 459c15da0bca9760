"""The sheet of a meter round, and the usage that is odd, as people use them (B18)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Meter, MeterReading
from models.property import Unit
from tests.admin.conftest import PASSWORD, Web, text_of

JSON = {"Accept": "application/json"}


def add_meters(session: Session) -> None:
    water = session.scalars(select(FeeItem).where(FeeItem.code == "water")).one()
    for unit in session.scalars(select(Unit).where(Unit.code.in_(("A-01", "A-06", "X-01")))):
        meter = Meter(unit_id=unit.id, fee_item_id=water.id, code=f"W-{unit.code}")
        session.add(meter)
        session.flush()
        for month, value in ((1, 100), (2, 110), (3, 121)):
            session.add(MeterReading(meter_id=meter.id, read_on=date(2026, month, 28), value=Decimal(value)))
    session.commit()


def test_each_value_of_a_round_is_stored_at_once_and_what_is_odd_is_told(web_of: Callable[..., Web]) -> None:
    web = web_of(fills=(add_meters,))
    assert web.sign_in().status_code == 302
    with web.rows() as session:
        ids = dict(session.execute(select(Meter.code, Meter.id)).all())
    place = {"item": "water", "on": "2026-04-28"}

    sheet = text_of(web.get("/meter_round/", query_string=place))
    asked = {"id": ids["W-A-01"], "on": "2026-04-28", "item": "water", "building": ""}
    usual = web.post("/meter_round/save/", {**asked, "value": "131"}, headers=JSON)
    odd = web.post("/meter_round/save/", {**asked, "id": ids["W-A-06"], "value": "1,210"}, headers=JSON)
    back = web.post("/meter_round/save/", {**asked, "value": "12"}, headers=JSON)
    wrong = web.post("/meter_round/save/", {**asked, "value": "89,5"})
    plain = web.post("/meter_round/save/", {**asked, "value": "132", "is_estimated": "1"})

    assert "W-A-01" in sheet
    assert "121 2026-03-28" in " ".join(sheet.split())
    assert usual.json == {"used": "10", "words": "", "tone": ""}
    assert odd.json is not None
    assert (odd.json["used"], odd.json["tone"]) == ("1,089", "warn")
    assert odd.json["words"].startswith("Unusually high usage")
    assert back.status_code == 422
    assert back.json is not None
    assert "below the last reading" in back.json["error"]
    assert wrong.status_code == 422
    assert 'value="89,5"' in wrong.text  # what was typed is still there
    assert plain.status_code == 302
    with web.rows() as session:
        stored = select(MeterReading.value, MeterReading.kind).where(
            MeterReading.read_on == date(2026, 4, 28)
        )
        assert session.execute(stored.order_by(MeterReading.meter_id)).all() == [
            (Decimal(132), "estimated"),
            (Decimal(1210), "read"),
        ]

    listed = text_of(web.get("/meter_round/odd/?period=2026-05"))
    assert "W-A-06" in listed
    assert "W-X-01" in listed  # not read
    assert "W-A-01" not in listed
    preview = web.get("/billing/?period=2026-05")
    assert "<b>2</b><span>Odd usage</span>" in preview.text


def test_a_steward_enters_and_may_not_change(web_of: Callable[..., Web]) -> None:
    web = web_of(fills=(add_meters,))
    assert web.sign_in("steward", PASSWORD).status_code == 302
    with web.rows() as session:
        meter_id = session.scalars(select(Meter.id).where(Meter.code == "W-A-01")).one()
    given = {"id": meter_id, "on": "2026-04-28", "value": "131"}

    first = web.post("/meter_round/save/", given, headers=JSON)
    again = web.post("/meter_round/save/", {**given, "value": "132"}, headers=JSON)

    assert first.status_code == 200
    assert again.status_code == 422
