"""The call list: the largest debt first, promises beside stages, equal times by id (C6, C8)."""

from datetime import date, timedelta
from decimal import Decimal

from office.arrears import contacts
from office.arrears.call_list import call_list
from office.arrears.contacts import NewContact
from tests.factories.arrears import add_bill, add_unit, at, judge, reminders

TODAY = date(2026, 3, 19)


def test_the_largest_debt_is_called_first_and_equal_ones_by_unit(session):
    debts = {"1-101": "50", "1-102": "300", "1-104": "100", "1-103": "100"}
    for code, amount in debts.items():
        debtor = add_unit(session, code)
        add_bill(session, debtor, date(2026, 3, 15), amount)
        promise = NewContact(
            debtor[0],
            "phone",
            at(TODAY - timedelta(days=1)),
            promised_on=TODAY,
            promised_amount=Decimal(amount),
        )
        contacts.record_contact(session, promise, now=at(TODAY - timedelta(days=1)))

    entries = call_list(session, now=at(TODAY), language="en")

    assert [entry.unit_code for entry in entries] == ["1-102", "1-103", "1-104", "1-101"]


def test_a_call_to_make_leaves_a_broken_promise_on_the_list(session):
    debtor = add_unit(session)
    add_bill(session, debtor, date(2026, 3, 15))
    given_at = at(date(2026, 3, 16))
    promise = NewContact(debtor[0], "phone", given_at, promised_on=date(2026, 3, 17))
    contacts.record_contact(session, promise, now=given_at)
    contacts.check_promises(session, at(date(2026, 3, 18), 0, 5))
    judge(session, date(2026, 3, 16), TODAY)
    call = reminders(session)[-1]

    (entry,) = call_list(session, now=at(TODAY, 10), language="en")

    assert call.stage == "call"
    assert (entry.promise, entry.promised_on) == ("promise_broken", date(2026, 3, 17))
    assert (entry.stage, entry.channel, entry.reminder_id) == ("call", "visit", call.id)  # no phone is known


def test_of_two_contacts_at_one_instant_the_later_entry_is_the_last(session):
    debtor = add_unit(session)
    add_bill(session, debtor, date(2026, 3, 15))
    for note in ("first", "second"):
        contact = NewContact(debtor[0], "phone", at(TODAY, 8), promised_on=TODAY, note=note)
        contacts.record_contact(session, contact, now=at(TODAY, 8))

    (entry,) = call_list(session, now=at(TODAY), language="en")

    assert entry.last_note == "second"
