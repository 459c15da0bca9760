"""Contacts, promises kept or broken by themselves, holds, and reasons that decide the next step (C6, C7)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.collection import Contact
from models.complaints import Ticket
from office.arrears import contacts, dunning, reminder_batches
from office.arrears.contacts import NewContact
from office.core.errors import Refused
from tests.factories.arrears import add_bill, add_unit, at, judge, made, not_made, pay, reminders
from tests.factories.estate import add_staff

DUE = date(2026, 3, 15)

# a promise on 17 March of 50 by the 20th; (amount, paid at) each; the state on the morning of each day
KEPT = [
    ([("50", at(date(2026, 3, 20), 23, 59))], {19: "open", 20: "open", 21: "kept"}),
    ([("50", at(date(2026, 3, 21), 0))], {20: "open", 21: "broken", 22: "broken"}),
    ([("49.99", at(date(2026, 3, 20)))], {20: "open", 21: "broken"}),
    ([("20", at(date(2026, 3, 18))), ("30", at(date(2026, 3, 19)))], {19: "open", 20: "kept", 25: "kept"}),
    ([("50", at(date(2026, 3, 17), 9, 59))], {21: "broken"}),  # before the promise
    ([], {20: "open", 21: "broken"}),
]


def promise(session, debtor, amount="50", promised_on=date(2026, 3, 20), when=None, **more):
    when = when or at(date(2026, 3, 17), 10)
    return contacts.record_contact(
        session,
        NewContact(
            debtor[0],
            "phone",
            when,
            promised_on=promised_on,
            promised_amount=amount and Decimal(amount),
            **more,
        ),
        now=when,
    )


@pytest.mark.parametrize(("paid", "states"), KEPT)
def test_a_promise_is_kept_when_all_of_it_came_by_the_end_of_its_day(session, paid, states):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    contact = promise(session, debtor)
    waiting = list(paid)

    for day in range(17, 27):
        contacts.check_promises(session, at(date(2026, 3, day), 0, 5)) if day > 17 else None
        session.refresh(contact)
        if day in states:
            assert contact.promise_state == states[day], day
        while waiting and waiting[0][1] < at(date(2026, 3, day + 1), 0, 5):
            pay(session, debtor, *waiting.pop(0))


def test_a_payment_in_time_that_is_known_late_mends_a_broken_promise(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    contact = promise(session, debtor)
    contacts.check_promises(session, at(date(2026, 3, 21), 0, 5))
    session.refresh(contact)
    assert contact.promise_state == "broken"

    pay(session, debtor, "50", at(date(2026, 3, 20)), known_at=at(date(2026, 3, 23), 11))
    contacts.check_promises(session, at(date(2026, 3, 24), 0, 5))

    session.refresh(contact)
    assert contact.promise_state == "kept"


def test_a_promise_holds_the_ladder_through_its_day(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 17))
    promise(session, debtor)

    judge(session, date(2026, 3, 18), date(2026, 3, 24))

    assert made(session) == [("friendly", "2026-03-16"), ("call", "2026-03-23")]  # the 21st is a Saturday
    assert not_made(session) == [("call", "2026-03-19", "promise_not_due")]


# whether a promise given so late on the 19th still holds that day's call
HOURS = [(8, 59, []), (9, 0, [("call", "2026-03-19")]), (9, 1, [("call", "2026-03-19")])]


@pytest.mark.parametrize(("hour", "minute", "calls"), HOURS)
def test_what_is_known_before_the_hour_of_judging_counts(session, hour, minute, calls):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 18))
    promise(session, debtor, when=at(date(2026, 3, 19), hour, minute))

    judge(session, date(2026, 3, 19), date(2026, 3, 19))

    assert [row for row in made(session) if row[0] == "call"] == calls


def test_a_promise_without_an_amount_is_for_all_that_is_due(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)

    assert promise(session, debtor, amount=None).promised_amount == 100


def test_unhappy_links_a_complaint_that_holds_the_ladder_until_it_is_closed(session):
    debtor = add_unit(session)
    bill = add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 16))
    promise(session, debtor, amount=None, promised_on=None, arrears_reason="unhappy", note="the lift is slow")
    ticket = session.scalars(select(Ticket)).one()

    judge(session, date(2026, 3, 18), date(2026, 3, 24))
    ticket.closed_at = at(date(2026, 3, 24), 12)
    session.flush()
    judge(session, date(2026, 3, 25), date(2026, 3, 25))

    assert (ticket.invoice_id, ticket.statement) == (bill.id, "the lift is slow")
    assert not_made(session) == [("call", "2026-03-19", "complaint_open")]
    assert made(session)[-1] == ("call", "2026-03-25")


def test_a_complaint_about_something_else_holds_nothing(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    other = add_unit(session, "1-102", "李四")
    add_bill(session, other, DUE, "0.50")
    promise(session, other, amount=None, promised_on=None, arrears_reason="unhappy")

    judge(session, date(2026, 3, 16), date(2026, 3, 19))

    assert made(session) == [("friendly", "2026-03-16"), ("call", "2026-03-19")]


def test_a_hold_lasts_through_its_day_or_until_it_is_ended(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 16))
    contacts.hold_ladder(
        session,
        debtor,
        reason="in hospital",
        until_on=date(2026, 3, 22),
        now=at(date(2026, 3, 17)),
        staff_id=None,
    )
    judge(session, date(2026, 3, 17), date(2026, 3, 23))
    hold = contacts.hold_ladder(
        session, debtor, reason="again", until_on=None, now=at(date(2026, 3, 24)), staff_id=None
    )
    judge(session, date(2026, 3, 25), date(2026, 3, 30))
    contacts.end_hold(session, hold.id, now=at(date(2026, 3, 30), 10), staff_id=None)
    judge(session, date(2026, 3, 31), date(2026, 3, 31))

    assert made(session)[1:] == [("call", "2026-03-23"), ("visit", "2026-03-31")]
    assert not_made(session) == [("call", "2026-03-19", "hold"), ("visit", "2026-03-25", "hold")]


REFUSED = [
    ({"method": "smoke"}, "no way of contact"),
    ({"method": "phone", "promised_on": date(2026, 3, 16)}, "before the contact"),
    ({"method": "phone", "promised_on": date(2026, 4, 18)}, "at most 31 days ahead"),
    ({"method": "phone", "promised_amount": Decimal(1)}, "needs the day"),
    ({"method": "phone", "promised_on": DUE.replace(day=20), "promised_amount": Decimal(0)}, "above zero"),
    ({"method": "phone", "arrears_reason": "bored"}, "no reason for arrears"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_an_impossible_contact_is_refused(session, given, message):
    unit_id, _ = add_unit(session)
    now = at(date(2026, 3, 17))

    with pytest.raises(Refused, match=message):
        contacts.record_contact(session, NewContact(unit_id, at=now, **given), now=now)


def test_the_same_contacts_twice_are_entered_once(session):
    unit_id, payer_id = add_unit(session)
    now = at(date(2026, 3, 17))
    rows = [NewContact(unit_id, "phone", now, outcome="reached"), NewContact(unit_id, "visit", now)]

    counts = [contacts.record_contacts(session, rows, now=now) for _ in range(2)]

    assert counts == [2, 0]
    assert {row.payer_id for row in session.scalars(select(Contact))} == {payer_id}


def test_a_call_with_its_reminder_is_done(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 19))
    call = reminders(session)[-1]
    contacts.record_contact(
        session,
        NewContact(debtor[0], "phone", at(date(2026, 3, 19), 15), reminder_id=call.id),
        now=at(date(2026, 3, 19), 15),
    )

    session.refresh(call)
    assert (call.stage, call.state) == ("call", "done")
    assert dunning.judge_day(session, at(date(2026, 3, 19))).done == 0


def head_visit_of(session):
    """A tower's debtor with an unapproved visit by the station head."""
    debtor = add_unit(session)
    add_bill(session, debtor, date(2026, 3, 5))
    judge(session, date(2026, 3, 1), date(2026, 4, 2))
    return debtor, reminders(session)[-1]


# method, role of who makes the contact, the state of the head's visit afterwards
CONTACTS = [
    ("phone", "station_head", "planned"),
    ("visit", "steward", "planned"),
    ("visit", "station_head", "done"),
]


@pytest.mark.parametrize(("method", "role", "state"), CONTACTS)
def test_only_the_heads_own_visit_settles_the_visit_by_the_head(session_of, method, role, state):
    session = session_of("tower")
    debtor, reminder = head_visit_of(session)
    now = at(date(2026, 4, 2), 15)
    staff_id = add_staff(session, role, role).id

    contact = NewContact(debtor[0], method, now, staff_id=staff_id, reminder_id=reminder.id)
    contacts.record_contact(session, contact, now=now)

    session.refresh(reminder)
    assert (reminder.stage, reminder.state) == ("head_visit", state)


def test_a_contact_with_another_household_is_refused_and_settles_nothing(session):
    """F22."""
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), date(2026, 3, 19))
    other = add_unit(session, "1-102", "李四")
    call, now = reminders(session)[-1], at(date(2026, 3, 19), 15)

    with pytest.raises(Refused, match="another household"):
        contacts.record_contact(session, NewContact(other[0], "phone", now, reminder_id=call.id), now=now)
    with pytest.raises(Refused, match="nothing to do with this unit"):
        contacts.record_contact(session, NewContact(other[0], "phone", now, payer_id=debtor[1]), now=now)

    assert session.scalars(select(Contact)).all() == []
    session.refresh(call)
    assert (call.stage, call.state) == ("call", "planned")


def test_a_steward_can_not_mark_the_visit_by_the_head_as_done(session_of):
    session = session_of("tower")
    _, reminder = head_visit_of(session)
    now = at(date(2026, 4, 2), 15)

    with pytest.raises(Refused, match="another role"):
        reminder_batches.mark(
            session, [reminder.id], "done", now=now, staff_id=add_staff(session, "s", "steward").id
        )
