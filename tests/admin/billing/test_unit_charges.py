"""The page of what is charged at a unit, with a link to each row that decides (B14)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Meter, MeterReading
from models.property import Unit
from models.rates import ItemRate
from tests.admin.conftest import Web, text_of
from tests.factories.estate import occupy


def add_rows(session: Session) -> None:
    """A rate of one unit alone, and a meter that was read once."""
    fee, water = (
        session.scalars(select(FeeItem).where(FeeItem.code == code)).one()
        for code in ("management_fee", "water")
    )
    unit = session.scalars(select(Unit).where(Unit.code == "A-01")).one()
    occupy(session, unit, "甲", date(2020, 1, 1))
    session.add(
        ItemRate(fee_item_id=fee.id, unit_id=unit.id, factor=Decimal("0.5"), valid_from=date(2020, 1, 1))
    )
    meter = Meter(unit_id=unit.id, fee_item_id=water.id, code="W1")
    session.add(meter)
    session.flush()
    session.add(MeterReading(meter_id=meter.id, read_on=date(2026, 1, 31), value=Decimal(5)))
    session.commit()


def test_each_item_names_and_links_its_rows(web_of: Callable[..., Web]) -> None:
    web = web_of(fills=(add_rows,))
    assert web.sign_in().status_code == 302
    with web.rows() as session:
        unit_id = session.scalars(select(Unit.id).where(Unit.code == "A-01")).one()
        rate_id = session.scalars(select(ItemRate.id)).one()

    page = web.get(f"/unit_charges/?unit_id={unit_id}")
    words = text_of(page)

    assert f"/item_rates/details/?id={rate_id}" in page.text
    assert "/tariffs/details/?id=" in page.text
    assert "× 0.5" in words
    assert "No meter reading" in words
    for path in (f"/household/?unit_id={unit_id}", f"/units/details/?id={unit_id}"):
        assert f"/unit_charges/?unit_id={unit_id}" in web.get(path).text
