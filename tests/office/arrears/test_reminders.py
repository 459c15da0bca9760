"""Batches: looked through, dropped, approved, mailed, asked again before sending; and check (C4, C5)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, text, update

from models.billing import Invoice
from models.collection import Reminder, ReminderBatch
from models.office import JobRun, Message
from models.people import OwnerPhone
from models.secrets import fingerprint
from office.arrears import contacts, integrity, letters, reminder_batches
from office.arrears.contacts import NewContact
from office.core.errors import Refused
from office.policies import store
from tests.factories.arrears import add_bill, add_unit, at, judge, pay
from tests.factories.estate import add_staff

DUE = date(2026, 3, 15)
BODY = {
    "zh_Hans": ["王小明", "1-101", "¥100.00", "2026年3月15日"],
    "zh_Hant": ["王小明", "1-101", "¥100.00"],
    "en": ["王小明", "1-101", "¥100.00", "15 March 2026"],
}


@pytest.fixture
def mailing(monkeypatch):
    """An office with a mail server's address."""
    monkeypatch.setenv("GATEHOUSE_SMTP_URL", "smtp://127.0.0.1:1")


def owing(session, code="1-101", **owner):
    debtor = add_unit(session, code, **owner)
    add_bill(session, debtor, DUE, number=f"N-{code}")
    return debtor


def batch_of(session, stage):
    return session.scalars(select(ReminderBatch).where(ReminderBatch.stage == stage)).one()


def row_of(session, stage):
    return session.scalars(select(Reminder).where(Reminder.stage == stage)).one()


# --- channels -------------------------------------------------------------------------------------

CHANNELS = [
    ({"email": "a@example.org"}, "email"),
    ({"email": "a@example.org", "is_email_bad": True}, "print"),
    ({}, "print"),
]


@pytest.mark.parametrize(("owner", "channel"), CHANNELS)
@pytest.mark.usefixtures("mailing")
def test_an_automatic_stage_goes_by_mail_where_it_can(session, owner, channel):
    owing(session, **owner)

    judge(session, date(2026, 3, 8), date(2026, 3, 16))

    assert [(row.stage, row.channel, row.state) for row in session.scalars(select(Reminder))] == [
        ("upcoming", channel, "approved"),
        ("friendly", channel, "approved"),
    ]
    messages = session.scalars(select(Message)).all()
    assert len(messages) == (2 if channel == "email" else 0)
    assert {message.address for message in messages} <= {"a@example.org"}


def test_without_a_mail_server_all_goes_on_paper(session, monkeypatch):
    monkeypatch.delenv("GATEHOUSE_SMTP_URL", raising=False)
    owing(session, email="a@example.org")

    judge(session, date(2026, 3, 16), date(2026, 3, 16))

    assert row_of(session, "friendly").channel == "print"
    assert session.scalars(select(Message)).all() == []


@pytest.mark.parametrize("language", BODY)
@pytest.mark.usefixtures("mailing")
def test_a_mail_says_who_what_and_how_much_in_the_payers_language(session, language):
    owing(session, email="a@example.org", language=language)

    judge(session, date(2026, 3, 16), date(2026, 3, 16))

    message = session.scalars(select(Message)).one()
    assert [wanted for wanted in BODY[language] if wanted not in message.body] == []
    assert "{" not in message.body + message.subject
    assert message.key == f"reminder-{row_of(session, 'friendly').id}"


# --- asked again before sending -------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "is_wanted"), [("99", True), ("99.01", False), ("100", False)])
@pytest.mark.usefixtures("mailing")
def test_what_is_paid_meanwhile_does_not_go_out(session, amount, is_wanted):
    debtor = owing(session, email="a@example.org")
    judge(session, date(2026, 3, 16), date(2026, 3, 16))
    pay(session, debtor, amount, at(date(2026, 3, 16), 9, 30))
    message = session.scalars(select(Message)).one()

    assert reminder_batches.still_wanted(session, message, at(date(2026, 3, 16), 10)) == is_wanted

    row = row_of(session, "friendly")
    session.refresh(row)
    wanted = {"99": "approved", "99.01": "dropped", "100": "dropped"}
    assert row.state == wanted[amount]
    assert row.reason_code == {"99": "", "99.01": "below_tolerance", "100": "paid"}[amount]


@pytest.mark.usefixtures("mailing")
def test_what_can_not_be_mailed_is_printed(session):
    owing(session, email="a@example.org")
    judge(session, date(2026, 3, 16), date(2026, 3, 16))
    message = session.scalars(select(Message)).one()

    reminder_batches.undeliverable(session, message, at(date(2026, 3, 16), 12))

    row = row_of(session, "friendly")
    assert (row.channel, row.state) == ("print", "approved")


def test_channels_are_tried_in_their_order_until_one_reaches(session, monkeypatch):
    """Mail, then a text message, then paper; what failed before isn't tried again (C5, P6)."""
    for name in ("SMTP", "SMS"):
        monkeypatch.setenv(f"GATEHOUSE_{name}_URL", "smtp://127.0.0.1:1")
    rows = store.document(session, "ladder", DUE)
    rows["stage"][1]["channels"] = ["email", "sms", "print"]
    store.store(session, "ladder", rows, valid_from=date(2026, 1, 1), now=at(DUE))
    _, payer_id = owing(session, email="a@example.org")
    session.add(OwnerPhone(owner_id=payer_id, number="13800000001", number_mac=fingerprint("13800000001")))
    session.flush()
    judge(session, date(2026, 3, 16), date(2026, 3, 16))
    now = at(date(2026, 3, 16), 12)
    row, tried = row_of(session, "friendly"), []

    for _ in range(3):
        tried.append((row.channel, row.state))
        for message in session.scalars(select(Message).where(Message.channel == row.channel)).all():
            if message.channel == "sms":
                assert (message.address, "王小明" in message.body) == ("13800000001", True)
                assert "\n" not in message.body
                session.execute(update(OwnerPhone).values(is_bad=True))
            reminder_batches.undeliverable(session, message, now)
        session.refresh(row)

    assert tried == [("email", "approved"), ("sms", "approved"), ("print", "approved")]
    assert session.scalars(select(Message.channel).order_by(Message.id)).all() == ["email", "sms"]


def test_a_steward_approves_the_rows_of_the_own_buildings(session):
    """The batch stays a draft until the last of its rows is decided (C4)."""
    mine, other = owing(session, "1-101"), owing(session, "2-101")
    judge(session, date(2026, 3, 16), date(2026, 3, 19))
    batch, steward = batch_of(session, "call"), add_staff(session, "s1", "steward").id
    states = []

    for debtor in (mine, other):
        now = at(date(2026, 3, 19), 10)
        reminder_batches.approve_batch(session, batch.id, now=now, staff_id=steward, units=[debtor[0]])
        rows = session.execute(select(Reminder.unit_id, Reminder.state).where(Reminder.stage == "call"))
        found = dict(map(tuple, rows))
        states.append((batch.state, found[mine[0]], found[other[0]]))

    assert states == [("draft", "approved", "planned"), ("approved", "approved", "approved")]


# --- people ---------------------------------------------------------------------------------------


def test_a_batch_of_a_stage_that_people_carry_out_waits_for_its_approval(session):
    owing(session)
    judge(session, date(2026, 3, 16), date(2026, 3, 30))
    letter = batch_of(session, "letter")
    steward, head = add_staff(session, "s", "steward").id, add_staff(session, "h", "station_head").id
    now = at(date(2026, 3, 30), 11)
    assert (letter.state, row_of(session, "letter").state) == ("draft", "planned")

    with pytest.raises(Refused, match="another role"):
        reminder_batches.approve_batch(session, letter.id, now=now, staff_id=steward)
    with pytest.raises(Refused, match="not been approved"):
        reminder_batches.mark(session, [row_of(session, "letter").id], "printed", now=now, staff_id=head)
    reminder_batches.approve_batch(session, letter.id, now=now, staff_id=head)

    assert (letter.state, row_of(session, "letter").state) == ("approved", "approved")
    reminder_batches.mark(session, [row_of(session, "letter").id], "printed", now=now, staff_id=steward)
    session.refresh(letter)
    assert (letter.state, row_of(session, "letter").sent_at) == ("done", now)


def test_approving_drops_who_paid_or_promised_meanwhile(session):
    paid, promised, neither = (owing(session, f"1-10{number}") for number in range(3))
    judge(session, date(2026, 3, 16), date(2026, 3, 30))
    pay(session, paid, "100", at(date(2026, 3, 30), 10))
    promise = NewContact(
        promised[0],
        "phone",
        at(date(2026, 3, 30), 10),
        promised_on=DUE.replace(month=4),
        promised_amount=Decimal(9),
    )
    contacts.record_contact(session, promise, now=at(date(2026, 3, 30), 10))

    reminder_batches.approve_batch(
        session,
        batch_of(session, "letter").id,
        now=at(date(2026, 3, 30), 11),
        staff_id=add_staff(session, "h", "station_head").id,
    )

    rows = session.scalars(select(Reminder).where(Reminder.stage == "letter").order_by(Reminder.unit_id))
    assert [(row.unit_id, row.state, row.reason_code) for row in rows] == [
        (paid[0], "dropped", "paid"),
        (promised[0], "dropped", "promise_not_due"),
        (neither[0], "approved", ""),
    ]


def test_a_dropped_reminder_counts_as_made(session):
    owing(session)
    judge(session, date(2026, 3, 16), date(2026, 3, 19))
    call = row_of(session, "call")
    reminder_batches.drop_reminder(
        session, call.id, reason="abroad", now=at(date(2026, 3, 19), 10), staff_id=None
    )

    judge(session, date(2026, 3, 20), date(2026, 3, 23))

    assert [row.stage for row in session.scalars(select(Reminder).order_by(Reminder.id))] == [
        "friendly",
        "call",
        "visit",
    ]
    with pytest.raises(Refused, match="not gone out"):
        reminder_batches.drop_reminder(session, call.id, reason="x", now=at(date(2026, 3, 23)), staff_id=None)


def test_lawyers_letters_come_in_batches_of_thirty(session):
    for number in range(31):
        owing(session, f"2-{number:03d}")
    judge(session, date(2026, 5, 8), date(2026, 5, 20))

    batches = session.scalars(
        select(ReminderBatch).where(ReminderBatch.stage == "lawyer_letter").order_by(ReminderBatch.part)
    ).all()

    assert [len(batch.reminders) for batch in batches] == [30, 1]


def test_a_lawyers_letter_bears_the_firms_head_and_without_a_firm_there_is_none(session):
    owing(session)
    judge(session, date(2026, 3, 16), date(2026, 5, 20))
    batch, manager = batch_of(session, "lawyer_letter"), add_staff(session, "m1", "manager").id
    now = at(date(2026, 5, 20), 10)
    reminder_batches.approve_batch(session, batch.id, now=now, staff_id=manager)

    with pytest.raises(Refused, match="name the law firm"):
        letters.batch_pdf(session, batch.id, now=now, staff_id=manager)
    rows = store.document(session, "gates", DUE)
    rows["law_firm"] |= {"name": "Hengxin Law", "lines": ["1 Main St"]}
    assert [one.code for one in store.problems(session, "gates", rows, others(session))] == [
        "law_firm_incomplete"
    ]
    rows["law_firm"] |= {"lawyer": "Sun Rui", "licence_no": "13101201510000000"}
    store.change(session, "gates", rows, valid_from=date(2026, 5, 20), reason="x", now=now, staff_id=manager)

    assert letters.batch_pdf(session, batch.id, now=now, staff_id=manager).startswith(b"%PDF")
    assert row_of(session, "lawyer_letter").state == "printed"


def others(session):
    return {name: store.document(session, name, DUE) for name in ("ladder", "gates", "billing")}


# --- flask check ----------------------------------------------------------------------------------

BREAKS = {
    "stage_is_last_made": (Invoice, {"stage": "court"}),
    "left_out_has_reason": (Reminder, {"state": "dropped"}),
    "sent_says_when": (Reminder, {"state": "done"}),
    "mailed_has_message": (Reminder, {"channel": "email", "state": "approved"}),
    "done_batch_is_done": (ReminderBatch, {"state": "done"}),
    "planned_on_batchs_day": (Reminder, {"planned_on": date(2026, 3, 17)}),
}


@pytest.mark.parametrize("check", BREAKS)
def test_check_names_the_row_that_breaks_a_rule(session, check):
    owing(session)
    judge(session, date(2026, 3, 16), date(2026, 3, 23))
    assert list(integrity.all_hold(session)) == []
    model, values = BREAKS[check]

    session.execute(update(model).values(values).execution_options(synchronize_session=False))
    session.expire_all()

    assert check in {finding.check for finding in integrity.all_hold(session)}


MOVED = [("2026-03-18", "left_out_on_judged_day"), ("2026-03-15", "left_out_after_due")]


@pytest.mark.parametrize(("planned_on", "check"), MOVED)
def test_check_finds_a_row_left_out_that_was_moved(session, planned_on, check):
    debtor = owing(session)
    contacts.hold_ladder(session, debtor, reason="x", until_on=None, now=at(DUE), staff_id=None)
    for day in (16, 17, 19):
        session.add(JobRun(job="ladder", due_for=at(date(2026, 3, day)), state="due"))
        judge(session, date(2026, 3, day), date(2026, 3, day))
    assert list(integrity.all_hold(session)) == []

    session.execute(text(f"UPDATE reminder SET planned_on = '{planned_on}'"))
    session.expire_all()

    assert check in {finding.check for finding in integrity.all_hold(session)}


def test_check_finds_two_stages_on_one_day(session):
    owing(session)
    judge(session, date(2026, 3, 16), date(2026, 3, 23))

    session.execute(text("UPDATE reminder SET planned_on = '2026-03-16'"))
    session.expire_all()

    assert "one_stage_a_day" in {finding.check for finding in integrity.all_hold(session)}
