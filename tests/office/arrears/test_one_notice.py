"""One message, letter or call for all units of a payer, and which items the ladder counts (C19, C20)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import Invoice
from models.collection import Contact, Reminder, ReminderBatch
from models.office import Message, Paper
from models.people import Occupancy, OwnerPhone
from models.property import Building, Unit
from models.secrets import fingerprint
from office.arrears import call_list, contacts, dunning, explain, letters, reminder_batches
from office.messaging import outbox
from office.payments import payments
from office.policies import store
from office.rooms import EXPORTS
from rules import joint_notices
from tests.factories.arrears import add_bill, add_unit, at, judge, pay
from tests.factories.estate import add_staff
from tests.factories.pdf_text import bare, text_of

DUE = date(2026, 3, 15)
FRIENDLY, CALL, LETTER = date(2026, 3, 16), date(2026, 3, 19), date(2026, 3, 30)


def phone(number):
    return OwnerPhone(number=number, number_mac=fingerprint(number))


def policy(session, **changed):
    """The ladder with other numbers from the beginning."""
    rows = store.document(session, "ladder", DUE)
    rows["policy"] |= changed
    store.store(session, "ladder", rows, valid_from=date(2026, 1, 1), now=at(date(2026, 1, 1)))


def another(session, payer_id, code, kind="parking"):
    """One more unit of the same payer."""
    unit = Unit(
        code=code,
        building=session.scalars(select(Building)).first(),
        kind=kind,
        area_m2=Decimal(10),
        state="occupied",
    )
    session.add(unit)
    session.flush()
    session.add(Occupancy(unit_id=unit.id, owner_id=payer_id, from_on=date(2020, 1, 1)))
    session.flush()
    return unit.id, payer_id


def household(session, **owner):
    """A flat, two bays and a storage room of one payer, a bill each; and a neighbour's flat."""
    flat = add_unit(session, "1-101", "王小明", phones=[phone("13800000001")], **owner)
    found = [flat, *(another(session, flat[1], code) for code in ("P-1", "P-2", "S-1"))]
    for debtor, amount in zip(found, ("300.00", "60.10", "60.20", "20.30"), strict=True):
        add_bill(session, debtor, DUE, amount)
    neighbour = add_unit(session, "1-102", "陈静", phones=[phone("13800000002")])
    add_bill(session, neighbour, DUE, "70")
    return found


def rows_of(session, stage):
    return session.scalars(select(Reminder).where(Reminder.stage == stage).order_by(Reminder.unit_id)).all()


def printed(session, number, first="manager"):
    batch = session.scalars(select(ReminderBatch).where(ReminderBatch.number == number)).one()
    staff = add_staff(session, f"{first}-{number}", "manager").id
    if batch.state == "draft":
        reminder_batches.approve_batch(session, batch.id, now=at(LETTER, 10), staff_id=staff)
    return letters.batch_pdf(session, batch.id, now=at(LETTER, 11), staff_id=staff)


@pytest.mark.parametrize(("is_on", "papers"), [(False, 5), (True, 2)])
def test_a_letter_for_all_units_has_one_total_and_a_line_for_each(session, is_on, papers):
    policy(session, is_one_notice_per_payer=is_on)
    household(session)
    judge(session, date(2026, 3, 8), LETTER)

    text = text_of(printed(session, "letter-20260330"))

    filed = session.scalars(select(Paper).where(Paper.kind == "final_letter").order_by(Paper.id)).all()
    assert len(filed) == papers
    rows = rows_of(session, "letter")
    assert [(row.state, row.debt) for row in rows] == [
        ("printed", Decimal(amount)) for amount in ("300", "60.10", "60.20", "20.30", "70")
    ]
    assert len({row.subject_id for row in rows}) == 5, "each unit keeps its own stage"
    if is_on:
        assert filed[0].total == Decimal("440.60")
        assert filed[0].total == sum(row.debt for row in rows if row.payer_id == rows[0].payer_id)
        for said in ("440.60", "300.00", "P-1", "60.10", "P-2", "60.20", "S-1", "20.30"):
            assert bare(said) in text
        assert [row.joined_id for row in rows] == [None, *[rows[0].id] * 3, None]


def test_a_letter_printed_again_is_the_same_though_the_first_unit_has_paid(session):
    policy(session, is_one_notice_per_payer=True)
    flat, *_bays = household(session)
    judge(session, date(2026, 3, 8), LETTER)
    before = text_of(printed(session, "letter-20260330"))
    pay(session, flat, "300", at(date(2026, 3, 31)))

    again = text_of(printed(session, "letter-20260330", "again"))

    assert "440.60" in before
    assert "440.60" in again
    assert len(session.scalars(select(Paper).where(Paper.kind == "final_letter")).all()) == 2


def test_a_unit_on_hold_is_named_and_its_debt_is_not_in_the_sum(session):
    policy(session, is_one_notice_per_payer=True)
    _flat, bay, *_others = household(session)
    judge(session, date(2026, 3, 8), date(2026, 3, 20))
    contacts.hold_ladder(session, bay, reason="disputed", until_on=None, now=at(CALL, 12), staff_id=None)
    judge(session, date(2026, 3, 21), LETTER)

    text = text_of(printed(session, "letter-20260330"))

    assert "380.50" in text
    assert bare("以下房屋暂缓催缴，不在本次之列：P-1。") in text
    assert "60.10" not in text


def test_the_strongest_stage_picks_the_paper_and_each_unit_keeps_its_own(session):
    policy(session, is_one_notice_per_payer=True)
    flat = add_unit(session, "1-101", "王小明", phones=[phone("13800000001")])
    bay = another(session, flat[1], "P-1")
    add_bill(session, flat, date(2026, 3, 12), "300")
    add_bill(session, bay, date(2026, 3, 15), "60")

    judge(session, date(2026, 3, 8), date(2026, 3, 16))  # the flat's call, the bay's friendly reminder
    call, friendly = rows_of(session, "call")[0], rows_of(session, "friendly")[-1]

    assert (friendly.unit_id, friendly.joined_id, friendly.channel) == (bay[0], call.id, "phone")
    assert friendly.batch_id == call.batch_id
    stages = session.scalars(select(Invoice.stage).order_by(Invoice.id)).all()
    assert stages == ["call", "friendly"]
    _codes, exported = EXPORTS["reminders"](session)
    assert [row[0] for row in exported][-2:] == ["call-20260316"] * 2


def test_one_call_for_all_units_and_its_promise_is_shared_out(session):
    policy(session, is_one_notice_per_payer=True)
    flat, *bays = household(session)
    judge(session, date(2026, 3, 8), CALL)

    entries = call_list.call_list(session, now=at(CALL, 10), language="zh_Hans")
    own = entries[0]
    staff = add_staff(session, "caller", "manager").id
    contacts.record_call(
        session,
        contacts.NewContact(
            unit_id=own.unit_id,
            payer_id=own.payer_id,
            method="phone",
            at=at(CALL, 10),
            outcome="promised",
            promised_on=date(2026, 3, 25),
            promised_amount=Decimal(400),
            staff_id=staff,
            reminder_id=own.reminder_id,
        ),
        [(one.unit_id, one.debt) for one in own.units if one.unit_id != own.unit_id],
        now=at(CALL, 10),
    )

    assert [entry.unit_code for entry in entries] == ["1-101", "1-102"]
    assert (own.debt, own.unit_id) == (Decimal("440.60"), flat[0])
    assert [(one.unit_code, str(one.debt)) for one in own.units] == [
        ("1-101", "300.00"),
        ("P-2", "60.20"),
        ("P-1", "60.10"),
        ("S-1", "20.30"),
    ]
    assert "440.60" in own.opening
    assert "P-2" in own.opening
    assert [row.state for row in rows_of(session, "call")] == [*["done"] * 4, "planned"]
    promised = session.scalars(select(Contact.promised_amount).order_by(Contact.id)).all()
    assert promised == [Decimal(300), Decimal("60.20"), Decimal("39.80"), None]
    assert [entry.unit_code for entry in call_list.call_list(session, now=at(CALL, 11), language="en")] == [
        "1-102"
    ]
    assert len(bays) == 3


def messages(session):
    return session.scalars(select(Message).where(Message.state == "pending").order_by(Message.id)).all()


def test_a_message_is_written_anew_when_a_unit_is_dropped(session, monkeypatch):
    policy(session, is_one_notice_per_payer=True)
    monkeypatch.setattr(dunning.arrears_holds, "available_channels", lambda _session: frozenset({"email"}))
    flat, bay, *_others = household(session, email="wang@example.com")
    judge(session, FRIENDLY, FRIENDLY)

    (first,) = messages(session)
    assert "440.60" in first.body
    assert first.reminder_id == rows_of(session, "friendly")[0].id

    bays_row = next(row for row in rows_of(session, "friendly") if row.unit_id == bay[0])
    reminder_batches.drop_reminder(session, bays_row.id, reason="wrong", now=at(FRIENDLY, 10), staff_id=None)
    (second,) = messages(session)
    assert "380.50" in second.body
    assert "60.10" not in second.body

    flats_row = next(row for row in rows_of(session, "friendly") if row.unit_id == flat[0])
    reminder_batches.drop_reminder(session, flats_row.id, reason="wrong", now=at(FRIENDLY, 10), staff_id=None)
    (third,) = messages(session)
    assert "80.50" in third.body
    assert "300.00" not in third.body


def test_who_pays_before_the_message_leaves_is_left_out_of_it(session, monkeypatch):
    policy(session, is_one_notice_per_payer=True)
    monkeypatch.setattr(dunning.arrears_holds, "available_channels", lambda _session: frozenset({"email"}))
    flat, *_others = household(session, email="wang@example.com")
    judge(session, FRIENDLY, FRIENDLY)
    (first,) = messages(session)
    pay(session, flat, "300", at(FRIENDLY, 10))

    assert not reminder_batches.still_wanted(session, first, at(FRIENDLY, 11))
    made = messages(session)[-1]

    assert made.id != first.id
    assert "140.60" in made.body
    outbox._sync_reminder(session, made, "sent", at(FRIENDLY, 12))
    states = {row.unit_id: row.state for row in rows_of(session, "friendly") if row.payer_id == flat[1]}
    assert states == {key: "dropped" if key == flat[0] else "sent" for key in states}


def test_control_without_joining_each_unit_would_get_its_own_letter(session, monkeypatch):
    policy(session, is_one_notice_per_payer=True)
    household(session)
    monkeypatch.setattr(joint_notices, "joined", lambda rows: [(row,) for row in rows])
    judge(session, date(2026, 3, 8), LETTER)

    printed(session, "letter-20260330")

    assert len(session.scalars(select(Paper).where(Paper.kind == "final_letter")).all()) == 5


# what the ladder counts, what was paid of the management fee of 100, whether a stage is made
COUNTED = [
    ({}, "0", ["upcoming", "friendly"]),
    ({"counted_items": ["management_fee"]}, "0", ["upcoming", "friendly"]),
    ({"counted_items": ["parking_fee"]}, "0", ["upcoming"]),
    ({"counted_items": ["management_fee"]}, "99.50", ["upcoming"]),
    ({"least_debt": "100.00"}, "0", ["upcoming", "friendly"]),
    ({"least_debt": "100.01"}, "0", ["upcoming"]),
    ({"least_debt": "100.00"}, "0.01", ["upcoming"]),
]


@pytest.mark.parametrize(("changed", "paid", "stages"), COUNTED)
def test_the_ladder_counts_the_items_and_sums_of_its_policy(session, changed, paid, stages):
    from models.billing import FeeItem

    if not session.scalar(select(FeeItem.id).where(FeeItem.code == "parking_fee")):
        session.add(FeeItem(code="parking_fee", name_en="Parking", name_zh_hans="车位", basis="fixed"))
        session.flush()
    policy(session, **changed)
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    judge(session, date(2026, 3, 8), date(2026, 3, 14))
    if Decimal(paid):
        payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=debtor[0], payer_id=debtor[1], amount=Decimal(paid), method="cash", paid_at=at(DUE, 8)
            ),
            now=at(DUE, 8),
        )
    judge(session, DUE, FRIENDLY)

    made = [row for row in session.scalars(select(Reminder)) if row.state != "not_made"]
    told = explain.invoice(session, "N", now=at(FRIENDLY, 12))

    assert [row.stage for row in made] == stages
    assert bool(told["episode"]) == ("friendly" in stages)
