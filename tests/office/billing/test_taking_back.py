"""Bills taken back before they have left the house, and issued again (B21)."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from models import triggers
from models.billing import CreditNote, FeeItem, Invoice, InvoiceLine, MeterReading, ServiceSlip
from models.payments import DirectDebit, DirectDebitBatch, Payment
from models.pools import Pool, PoolShare
from models.take_backs import TakeBack, TakenBill
from office.arrears import instalment_plans
from office.billing import invoices as billed
from office.billing import pools, runs, taking_back
from office.billing.invoices import NewCreditNote
from office.billing.pools import NewPool
from office.billing.taking_back import Choice
from office.core.errors import Refused
from office.payments import corrections, day_close
from office.receivables import late_fees
from office.rooms import findings
from rules.pools import PoolKey, PoolScope
from tests.factories.estate import (
    accrue,
    add_item,
    add_meter,
    add_slip,
    add_staff,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    invoices,
    item,
    occupy,
    pay,
    turn_on_late_fee,
)
from tests.factories.rows import add_building, add_invoice, add_paper, add_reminder, added

PERIOD = "2026-06"
ISSUED = at("2026-06-01")
WHY = "the rate was wrong"


@pytest.fixture
def people(session):
    return add_staff(session, "asks", "cashier").id, add_staff(session, "decides", "manager").id


@pytest.fixture
def units(session):
    item(session, "rent").is_active = False
    return [add_unit(session, f"1-10{number}", area="100", payer=f"P{number}") for number in range(1, 4)]


def issue(session, *, now=ISSUED):
    return bill(session, now=now)


def take_back(session, people, *, now=ISSUED, **choice):
    asked = taking_back.ask(session, Choice(PERIOD, **choice), reason=WHY, staff_id=people[0], now=now)
    return taking_back.decide(session, asked.id, is_approved=True, staff_id=people[1], now=now)


def numbers(session, *conditions):
    return list(session.scalars(select(Invoice.number).where(*conditions).order_by(Invoice.id)))


def test_a_whole_run_goes_back_and_is_issued_again_at_the_right_rate(session, units, people):
    issue(session)
    wrong = invoices(session)

    request = take_back(session, people)
    after = invoices(session)
    session.execute(text("UPDATE tariff SET rate = rate * 2"))
    again = issue(session)
    once_more = issue(session)

    assert (request.state, request.bills, request.left_out) == ("approved", 3, "[]")
    assert request.amount == sum(Decimal(row[2]) for row in wrong)
    assert {row[3:] for row in after} == {("0.00", "credited")}
    assert session.scalars(select(CreditNote.kind).distinct()).all() == ["error"]
    assert session.scalar(select(func.count()).select_from(TakenBill)) == 3
    assert (again.invoices, again.amount) == (3, request.amount * 2)
    assert once_more.invoices == 0, "run again it adds nothing"
    assert len(set(numbers(session))) == 6
    assert runs.preview(session, "2026-07", now=ISSUED).last_amount == again.amount
    assert_books_hold(session)
    assert findings(session) == []


def test_what_can_be_chosen(session, units, people):
    add_unit(session, "2-101", payer="Q").building = add_building(session, "东区", "2")
    add_unit(session, "P-1", kind="parking", area="12", payer="R")
    session.flush()
    issue(session)
    for choice, codes in (
        ({}, {"1-101", "1-102", "1-103", "2-101", "P-1"}),
        ({"scope": PoolScope.BUILDING, "scope_value": "2"}, {"2-101"}),
        ({"scope": PoolScope.UNITS, "scope_value": "1-101;１-103"}, {"1-101", "1-103"}),
        ({"unit_kind": "parking"}, {"P-1"}),
    ):
        found = taking_back.preview(session, Choice(PERIOD, **choice))
        rows = session.scalars(select(Invoice).where(Invoice.id.in_(found.ids)))
        assert {row.unit.code for row in rows} == codes, choice
    with pytest.raises(Refused, match="Nobody knows"):
        taking_back.preview(session, Choice(PERIOD, PoolScope.UNITS, "9-999"))
    with pytest.raises(Refused, match="no period"):
        taking_back.preview(session, Choice("June"))
    with pytest.raises(Refused, match="No bill of 2026-05"):
        taking_back.ask(session, Choice("2026-05"), reason=WHY, staff_id=people[0], now=ISSUED)


def paid(session, unit, invoice, people):
    pay(session, unit, "1", "2026-06-10")


def credited(session, unit, invoice, people):
    note = NewCreditNote(invoice.id, Decimal(1), WHY, people[1], "goodwill")
    billed.credit_note(session, note, now=ISSUED)


def in_plan(session, unit, invoice, people):
    instalment_plans.propose_even_plan(
        session, (unit.id, invoice.payer_id), 2, day("2026-12-01"), now=at("2026-07-01"), staff_id=people[0]
    )


def waived(session, unit, invoice, people):
    turn_on_late_fee(session, daily_rate="0.01")
    accrue(session, at("2026-07-10", 0, 15))
    late_fees.waive_late_fee(
        session, invoice.id, amount=Decimal("0.01"), reason=WHY, staff_id=people[1], now=at("2026-07-10")
    )


def debited(session, unit, invoice, people):
    batch = added(session, DirectDebitBatch(number="D1", period=PERIOD, layout="generic", exported_at=ISSUED))
    added(session, DirectDebit(batch_id=batch.id, invoice_id=invoice.id, amount=invoice.amount))


def reminded(session, unit, invoice, people):
    made = add_reminder(session, invoice, day("2026-06-11"), state="sent", sent_at=at("2026-06-11"))
    invoice.stage = made.stage


def reminded_of_an_older_debt(session, unit, invoice, people):
    oldest = add_invoice(session, (unit.id, invoice.payer_id), day("2026-05-15"))
    made = add_reminder(session, oldest, day("2026-07-01"), state="printed", sent_at=at("2026-07-01"))
    oldest.stage = made.stage


def printed(session, unit, invoice, people):
    add_paper(
        session, unit.id, ISSUED, kind="payment_notice", number=f"{invoice.number}/2", language="zh_Hans"
    )


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (paid, "bill_paid"),
        (credited, "bill_credited"),
        (in_plan, "bill_in_plan"),
        (waived, "bill_waived"),
        (debited, "bill_debited"),
        (reminded, "bill_reminded"),
        (reminded_of_an_older_debt, "bill_reminded"),
        (printed, "bill_printed"),
    ],
)
def test_what_has_left_the_house_stays_and_is_listed(session, units, people, happened, reason):
    issue(session)
    invoice = session.scalars(select(Invoice).where(Invoice.unit_id == units[0].id)).one()
    happened(session, units[0], invoice, people)
    session.flush()

    request = take_back(session, people, now=at("2026-07-15"))

    (left,) = json.loads(request.left_out)
    assert (left["number"], left["unit_code"], left["reason"]) == (invoice.number, "1-101", reason)
    assert request.bills == 2
    assert issue(session).invoices == 2
    accrue(session, at("2026-07-16", 0, 15))
    session.refresh(invoice)
    assert invoice.part == ""
    assert_books_hold(session)


def test_a_planned_reminder_is_no_reason_and_finds_nothing_owed(session, units, people):
    issue(session)
    invoice = session.scalars(select(Invoice).where(Invoice.unit_id == units[0].id)).one()
    add_reminder(session, invoice, day("2026-06-20"), state="approved")

    assert take_back(session, people).bills == 3
    session.refresh(invoice)
    assert invoice.balance == 0


def test_credit_of_before_goes_back_and_pays_the_bill_that_is_issued_again(session, units, people):
    payment = pay(session, units[0], "5000", "2026-05-20")
    issue(session, now=at("2026-06-02"))
    session.refresh(payment)
    used = payment.allocated

    take_back(session, people, now=at("2026-06-03"))
    session.refresh(payment)
    back = payment.credit
    issue(session, now=at("2026-06-03"))
    session.refresh(payment)

    assert used > 0
    assert back == Decimal(5000)
    assert payment.allocated == used
    assert_books_hold(session)


def test_the_late_fee_goes_with_the_bill(session, units, people):
    turn_on_late_fee(session, daily_rate="0.01")
    issue(session)
    accrue(session, at("2026-07-10", 0, 15))
    assert session.scalar(select(func.sum(Invoice.late_fee))) > 0

    take_back(session, people, now=at("2026-07-10"))

    assert session.scalar(select(func.sum(Invoice.late_fee))) == 0
    assert_books_hold(session)


def test_slips_and_shares_wait_for_the_next_run(session, units, people):
    add_item(session, "public_light", "shared")
    slip = add_slip(session, units[0], "2026-05-10", amount="80")
    pool = pools.save(
        session,
        NewPool(
            period=PERIOD,
            fee_item="public_light",
            amount=Decimal(90),
            key=PoolKey.HOUSEHOLD,
            scope=PoolScope.ESTATE,
        ),
        now=ISSUED,
        staff_id=None,
    )
    for unit in units:
        unit.state = "occupied"
    session.flush()
    issue(session)

    def hanging():
        session.expire_all()
        held = session.scalar(select(func.count(PoolShare.invoice_id)))
        return session.get_one(ServiceSlip, slip.id).state, session.get_one(Pool, pool.id).state, held

    lines = session.scalar(select(func.count()).select_from(InvoiceLine))
    stages = [hanging()]
    take_back(session, people, scope=PoolScope.UNITS, scope_value="1-102")
    stages.append(hanging())
    take_back(session, people)
    stages.append(hanging())
    issue(session)
    stages.append(hanging())

    assert stages == [
        ("billed", "billed", 3),
        ("billed", "billed", 2),
        ("open", "open", 0),
        ("billed", "billed", 3),
    ]
    assert session.scalar(select(func.count()).select_from(InvoiceLine)) == 2 * lines
    assert_books_hold(session)


def test_a_unit_of_two_payers_goes_back_whole_or_not_at_all(session, people):
    item(session, "rent").is_active = False
    unit = add_unit(session, payer=None)
    occupy(session, unit, "旧", day("2020-01-01"), day("2026-06-10"))
    occupy(session, unit, "新", day("2026-06-11"))
    issue(session, now=at("2026-06-20"))
    first, second = session.scalars(select(Invoice).order_by(Invoice.id)).all()
    payment = pay(session, unit, "1", "2026-06-21", payer_id=second.payer_id)

    found = taking_back.preview(session, Choice(PERIOD))
    assert [(one.number, one.reason.code) for one in found.staying] == [
        (first.number, "other_bill_stays"),
        (second.number, "bill_paid"),
    ]
    with pytest.raises(Refused, match="No bill"):
        taking_back.ask(session, Choice(PERIOD), reason=WHY, staff_id=people[0], now=ISSUED)

    given = {"reason": WHY, "staff_id": people[1], "now": at("2026-06-21")}
    corrections.void_payment(session, payment.id, **given)
    take_back(session, people)
    assert issue(session, now=at("2026-06-20")).invoices == 2
    assert_books_hold(session)


def test_two_people_a_reason_a_manager_and_an_open_day(session, units, people):
    issue(session)
    with pytest.raises(Refused, match="Say why"):
        taking_back.ask(session, Choice(PERIOD), reason=" ", staff_id=people[0], now=ISSUED)
    asked = taking_back.ask(session, Choice(PERIOD), reason=WHY, staff_id=people[1], now=ISSUED)
    given = {"is_approved": True, "now": ISSUED}
    with pytest.raises(Refused, match="yourself"):
        taking_back.decide(session, asked.id, staff_id=people[1], **given)
    with pytest.raises(Refused, match="Only a manager"):
        taking_back.decide(session, asked.id, staff_id=people[0], **given)
    other = add_staff(session, "director", "director").id
    closed = day_close.close_day(
        session, cashier_id=other, day=day("2026-06-01"), counted={}, closed_by_id=other, now=ISSUED
    )
    with pytest.raises(Refused, match="closed"):
        taking_back.decide(session, asked.id, staff_id=other, **given)
    reopening = day_close.ask_to_reopen(session, closed.id, reason=WHY, staff_id=people[0], now=ISSUED)
    day_close.decide_reopening(session, reopening.id, is_approved=True, staff_id=people[1], now=ISSUED)

    taking_back.decide(session, asked.id, staff_id=other, **given)

    with pytest.raises(Refused, match="decided already"):
        taking_back.decide(session, asked.id, staff_id=other, **given)
    assert session.scalar(select(func.count()).select_from(CreditNote)) == 3


def test_what_was_refused_takes_nothing_back(session, units, people):
    issue(session)
    asked = taking_back.ask(session, Choice(PERIOD), reason=WHY, staff_id=people[0], now=ISSUED)

    taking_back.decide(session, asked.id, is_approved=False, staff_id=people[1], now=ISSUED)

    assert session.get_one(TakeBack, asked.id).state == "refused"
    assert session.scalar(select(func.count()).select_from(CreditNote)) == 0


def test_what_left_the_house_since_it_was_asked_for_stays(session, units, people):
    issue(session)
    asked = taking_back.ask(session, Choice(PERIOD), reason=WHY, staff_id=people[0], now=ISSUED)
    pay(session, units[0], "1", "2026-06-10")

    taking_back.decide(session, asked.id, is_approved=True, staff_id=people[1], now=at("2026-06-11"))

    assert (asked.bills, len(json.loads(asked.left_out))) == (2, 1)


def test_the_database_frees_no_place_of_a_bill_that_asks_for_money(session, units, people):
    issue(session)
    free = update(Invoice).values(part=text("'back ' || id"))
    with pytest.raises(DBAPIError, match=triggers.SET_ASIDE), session.begin_nested():
        session.execute(free)
    take_back(session, people)
    with pytest.raises(DBAPIError, match=triggers.SET_ASIDE), session.begin_nested():
        session.execute(update(Invoice).values(part=""))
    with pytest.raises(DBAPIError, match="taken_bill_is_never"), session.begin_nested():
        session.execute(update(TakenBill).values(invoice_id=TakenBill.invoice_id + 100))

    triggers.drop(session.connection())
    session.execute(update(Invoice).where(Invoice.id == 1).values(part=""))
    named = {one.check for one in findings(session) if one.check != "trigger_missing"}
    assert named == {"bill_taken_back_is_free"}


def test_the_control_without_the_rule_paid_bills_would_go_back(session, units, people, monkeypatch):
    monkeypatch.setattr("rules.taking_back.why_not", lambda _bill: None)
    issue(session)
    payment = pay(session, units[0], "1", "2026-06-10")

    assert take_back(session, people, now=at("2026-06-11")).bills == 3
    assert session.get_one(Payment, payment.id).credit == 1


def test_a_reading_may_be_corrected_once_its_bill_is_taken_back(session, people):
    item(session, "rent").is_active = False
    unit = add_unit(session, area="100")
    meter = add_meter(session, unit, "water", ("2026-05-01", "10"), ("2026-06-01", "20"))
    session.flush()
    issue(session, now=at("2026-06-02"))
    wrong = update(MeterReading).where(MeterReading.meter_id == meter.id, MeterReading.value == 20)
    with pytest.raises(DBAPIError, match="stays_once_billed"), session.begin_nested():
        session.execute(wrong.values(value=30))

    take_back(session, people, now=at("2026-06-02"))
    session.execute(wrong.values(value=30))
    issue(session, now=at("2026-06-02"))

    water = session.scalars(
        select(InvoiceLine.quantity).join(FeeItem).where(FeeItem.code == "water").order_by(InvoiceLine.id)
    )
    assert list(water) == [10, 20]
    assert_books_hold(session)
