"""What a unit is charged, by which row, until when: the same lines as its next bill (B14–B20)."""

from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import FeeItem, Invoice, InvoiceLine
from models.people import Owner
from models.property import Unit
from office.billing import unit_charges
from rules.billing import Period
from tests.factories.estate import add_item, add_meter, add_unit, bill, day, item
from tests.factories.estates.living import Living
from tests.factories.rates import add_rate

TODAY = day("2026-06-10")
ASKED_IN = {1, 4, 6, 11}  # a quarter, a month between, the heating season


class AskedBeforeEachBill(Living):
    """An estate whose units are asked before each run what it will charge them."""

    compared = 0

    def issue(self, month: Period, now):
        if month.month not in ASKED_IN:
            return super().issue(month, now)
        session = self.session
        codes = dict(session.execute(select(Unit.id, Unit.code)).all())
        before = set(session.scalars(select(Invoice.id)))
        told = Counter()
        for unit_id, code in codes.items():
            savepoint = session.begin_nested()  # else PostgreSQL locks each working table until the end
            charges = unit_charges.charges(session, unit_id, now.date()).charges
            savepoint.rollback()
            for one in charges:
                if one.period == month and one.amount is not None:
                    told[code, one.payer, one.item.code, one.amount] += 1
                    assert one.rows, one
        super().issue(month, now)
        lines = session.execute(
            select(Invoice.unit_id, Owner.name, FeeItem.code, InvoiceLine.amount)
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .join(Owner, Owner.id == Invoice.payer_id)
            .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
            .where(Invoice.id.not_in(before), Invoice.kind == "regular")
        )
        assert told == Counter((codes[unit_id], *line) for unit_id, *line in lines), month
        self.compared += sum(told.values())
        return None


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "preset"), [("housing", "residential"), ("tower", "tower"), ("hong_kong", "residential")]
)
def test_the_lines_of_the_next_bill_for_every_unit_of_a_year(session_of, name, preset, tmp_path):
    estate = AskedBeforeEachBill(session_of(preset), name, tmp_path / name)

    estate.live()

    assert estate.compared > 10


def charged(session, unit):
    return [
        (
            one.item.code,
            str(one.period),
            one.amount,
            one.reason.code,
            [(row.table, row.name) for row in one.rows],
        )
        for one in unit_charges.charges(session, unit.id, TODAY).charges
    ]


def test_by_which_row_and_until_when(session):
    unit = add_unit(session)
    bill(session)
    row = add_rate(session, "management_fee", unit_id=unit.id, factor="0.5", valid_to=day("2026-12-31"))

    found = unit_charges.charges(session, unit.id, TODAY)

    (one,) = found.charges
    assert [each.table for each in one.rows] == ["item_rate", "tariff"]
    assert one.rows[0].id == row.id
    assert (one.until, str(one.period), found.total) == (day("2026-12-31"), "2026-07", Decimal("125.00"))


def test_what_comes_later_waits_or_is_exempt_is_said(session):
    add_item(session, "lift", "fixed", rates={"residence": "30"})
    item(session, "lift").cycle_months = 12
    add_item(session, "garbage", "fixed", rates={"residence": "5"})
    unit = add_unit(session)
    add_meter(session, unit, "water", ("2026-05-31", "100"))
    add_rate(session, "garbage", unit_id=unit.id, is_exempt=True)
    bill(session)

    found = {one[0]: one[1:4] for one in charged(session, unit)}

    assert found["management_fee"] == ("2026-07", Decimal(250), "per_m2")
    assert found["lift"] == ("2027-01", Decimal(360), "fixed")
    assert (found["water"][1], found["water"][2]) == (None, "no_reading")
    assert (found["garbage"][1], found["garbage"][2]) == (None, "exempt")
    assert unit_charges.charges(session, unit.id, TODAY).total == 250


def test_it_writes_nothing(session):
    unit = add_unit(session)
    item(session, "water").is_active = True
    session.flush()

    unit_charges.charges(session, unit.id, TODAY)

    assert not session.new
    assert not session.dirty
    assert session.scalars(select(Invoice)).all() == []
