"""The difference run: what was entered late for a period billed already (B21)."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select, text, update

from models.billing import CreditNote, FeeItem, Invoice, InvoiceLine, MeterReading
from models.people import Occupancy
from office.billing import difference_runs
from office.billing.invoices import NewCreditNote, credit_note
from office.core.errors import Refused
from rules.reasons import Reason
from tests.factories.estate import (
    NOW,
    add_meter,
    add_slip,
    add_staff,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    item,
    occupy,
    pay,
)
from tests.factories.rates import add_rate

PERIOD = "2026-06"


@pytest.fixture
def units(session):
    """Three units of 100 m² with a bill each."""
    item(session, "rent").is_active = False
    made = [add_unit(session, f"1-10{number}", area="100", payer=f"P{number}") for number in range(1, 4)]
    bill(session, now=at("2026-06-01"))
    return made


def found(session):
    return [
        (row.unit_code, row.payer_name, row.fee_item, str(row.difference.amount))
        for row in difference_runs.preview(session, PERIOD).rows
    ]


def issue(session, staff_id=None):
    return difference_runs.issue(session, PERIOD, now=NOW, staff_id=staff_id)


def owed(session):
    session.expire_all()
    rows = session.execute(
        select(func.sum(Invoice.amount), func.sum(Invoice.credited))
        .group_by(Invoice.unit_id)
        .order_by(Invoice.unit_id)
    )
    return [str(amount - credited) for amount, credited in rows]


def test_nothing_entered_late_is_nothing_to_bill(session, units):
    assert found(session) == []
    with pytest.raises(Refused, match="as they should be"):
        issue(session)
    with pytest.raises(Refused, match="no period"):
        difference_runs.preview(session, "June")
    assert difference_runs.preview(session, "2026-05").rows == ()


def test_more_is_billed_less_is_credited_and_once(session, units):
    month = session.scalars(select(Invoice.amount)).first()
    add_rate(session, "management_fee", unit_id=units[0].id, factor="1.5")
    add_rate(session, "management_fee", unit_id=units[1].id, factor="0.7")
    session.flush()
    half, less = month / 2, month * Decimal("0.3")

    before = found(session)
    made = issue(session)
    after = found(session)

    assert before == [
        ("1-101", "P1", "management_fee", f"{half:.2f}"),
        ("1-102", "P2", "management_fee", f"{-less:.2f}"),
    ]
    assert (made.invoices, made.notes, made.left) == (1, 1, ())
    assert (made.found.more, made.found.less) == (half, less)
    assert after == []
    with pytest.raises(Refused, match="as they should be"):
        issue(session)
    more = session.scalars(select(Invoice).order_by(Invoice.id.desc())).first()
    assert (more.period, more.part, more.issued_on, more.due_on) == (
        PERIOD,
        f"more {more.run_id}",
        day("2026-06-20"),
        day("2026-07-15"),
    )
    said = Reason.from_json(more.lines[0].explanation)
    assert (said.code, said.inputs["should"]) == ("difference", f"{month + half:.2f}")
    note = session.scalars(select(CreditNote)).one()
    assert (note.kind, note.amount) == ("error", less)
    assert bill(session).invoices == 0
    assert_books_hold(session)


def test_a_tariff_entered_late(session, units):
    item_id = item(session, "management_fee").id
    session.execute(text(f"UPDATE tariff SET rate = rate * 2 WHERE fee_item_id = {item_id}"))

    assert len(found(session)) == 3
    issue(session)
    assert found(session) == []
    session.execute(text(f"UPDATE tariff SET rate = rate / 4 WHERE fee_item_id = {item_id}"))
    made = issue(session)

    assert made.found.less == 3 * Decimal(owed(session)[0]) * 3, "three quarters go, over both bills"
    assert (made.invoices, made.notes) == (0, 6)
    assert found(session) == []
    assert_books_hold(session)


def test_what_is_no_difference(session, units):
    """Goodwill, a slip of later and another unit's bill are none; a credited error is."""
    invoice = session.scalars(select(Invoice).order_by(Invoice.id)).first()
    note = NewCreditNote(invoice.id, Decimal(5), "x", None, "goodwill")
    credit_note(session, note, now=NOW)
    add_slip(session, units[1], "2026-05-10", amount="80")
    add_unit(session, "1-104", area="100", payer="P4")
    session.flush()
    assert found(session) == []

    credit_note(session, NewCreditNote(invoice.id, Decimal(7), "x", None), now=NOW)
    assert found(session) == [("1-101", "P1", "management_fee", "7.00")]


def test_a_reading_and_a_payer_entered_late(session):
    item(session, "rent").is_active = False
    item(session, "water").is_active = True
    unit = add_unit(session, area="100")
    meter = add_meter(session, unit, "water", ("2026-05-01", "10"), ("2026-05-20", "20"))
    session.flush()
    bill(session, now=at("2026-06-02"))
    water = session.scalars(select(InvoiceLine).join(FeeItem).where(FeeItem.code == "water")).one()
    session.add(MeterReading(meter_id=meter.id, read_on=day("2026-06-01"), value=Decimal(30)))
    session.flush()
    assert found(session) == [(unit.code, "王小明", "water", str(water.amount))]
    issue(session)
    assert found(session) == []

    session.execute(update(Occupancy).where(Occupancy.unit_id == unit.id).values(to_on=day("2026-06-10")))
    occupy(session, unit, "新", day("2026-06-11"))
    total = owed(session)
    rows = found(session)
    assert {row[1] for row in rows if row[2] == "management_fee"} == {"王小明", "新"}
    issue(session)
    assert owed(session) == total, "one payer's less is the other's more"
    assert found(session) == []
    assert_books_hold(session)


def test_a_unit_of_which_nothing_can_be_said_keeps_its_bill(session):
    item(session, "rent").is_active = False
    item(session, "water").is_active = True
    unit = add_unit(session, area="100")
    meter = add_meter(session, unit, "water", ("2026-05-01", "10"), ("2026-05-20", "20"))
    session.flush()
    bill(session, now=at("2026-06-02"))
    session.add(MeterReading(meter_id=meter.id, read_on=day("2026-06-01"), value=Decimal(5)))
    session.flush()

    shown = difference_runs.preview(session, PERIOD)

    assert shown.rows == ()
    assert [one.reason.code for one in shown.unbilled] == ["reading_runs_backwards"]


def test_who_took_money_for_a_bill_credits_it_not_alone(session, units):
    cashier = add_staff(session, "cashier", "cashier").id
    pay(session, units[0], "1", "2026-06-10", cashier_id=cashier)
    add_rate(session, "management_fee", unit_id=units[0].id, factor="0.5")
    session.flush()

    made = issue(session, cashier)
    assert (made.notes, [one.reason.code for one in made.left]) == (0, ["own_money"])
    assert issue(session).notes == 1
    assert_books_hold(session)
