"""The call list: who is on it on which day, the order, the words to begin with, the quiet hours (C8, P3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from models.collection import DunningHold, OpeningText
from models.people import Owner, OwnerPhone, Staff, steward_building
from models.property import Estate
from models.secrets import fingerprint
from office.arrears import call_list, contacts
from office.arrears.call_list import CallEntry
from office.arrears.contacts import NewContact
from tests.factories.arrears import judge, reminders
from tests.factories.rows import (
    Debtor,
    add_building,
    add_contact,
    add_household,
    add_invoice,
    add_reminder,
    add_ticket,
    added,
    at,
)

TODAY = date(2026, 3, 19)  # a Thursday
DAY = timedelta(days=1)
NOW = at("2026-03-19 09:30")


def add_debtor(session: Session, code: str, amount: str = "100", **more: Any) -> Debtor:
    """A household with one bill that was due four days ago."""
    debtor = add_household(session, code, **more)
    add_invoice(session, debtor, TODAY - 4 * DAY, amount)
    return debtor


def add_promiser(session: Session, code: str, amount: str = "100", **more: Any) -> Debtor:
    """A debtor who promised to pay today."""
    debtor = add_debtor(session, code, amount, **more)
    add_contact(session, debtor, NOW - DAY, TODAY)
    return debtor


def listed(session: Session, *, now: datetime = NOW, staff_id: int | None = None) -> list[CallEntry]:
    return call_list.call_list(session, now=now, language="en", staff_id=staff_id)


def codes(session: Session) -> list[str]:
    return [entry.unit_code for entry in listed(session)]


def the_entry(session: Session, *, now: datetime = NOW) -> CallEntry:
    (entry,) = listed(session, now=now)
    return entry


def test_nobody_owes_nobody_is_called(session: Session) -> None:
    assert listed(session) == []


def test_the_largest_debt_is_called_first_and_equal_ones_by_unit(session: Session) -> None:
    for code, amount in {"1-101": "50", "1-102": "300", "1-104": "100", "1-103": "100"}.items():
        add_promiser(session, code, amount)

    assert codes(session) == ["1-102", "1-103", "1-104", "1-101"]


PROMISES = [
    ("open", TODAY - DAY, ""),
    ("open", TODAY, "promise_due"),
    ("open", TODAY + DAY, ""),
    ("broken", date(2026, 2, 28), ""),
    ("broken", date(2026, 3, 1), "promise_broken"),
    ("broken", TODAY - DAY, "promise_broken"),
    ("kept", TODAY, ""),
    ("", None, ""),
]


@pytest.mark.parametrize(("state", "day", "why"), PROMISES)
def test_a_promise_calls_on_its_day_and_a_broken_one_to_the_end_of_its_month(
    session: Session, state: str, day: date | None, why: str
) -> None:
    add_contact(session, add_debtor(session, "1-101"), NOW - 20 * DAY, day, promise_state=state)

    assert [(entry.promise, entry.promised_on) for entry in listed(session)] == ([(why, day)] if why else [])


REMINDERS = [
    ("phone", "planned", TODAY, True),
    ("visit", "planned", TODAY, True),
    ("email", "planned", TODAY, False),
    ("phone", "approved", TODAY - DAY, True),
    ("phone", "planned", TODAY + DAY, False),
    ("phone", "done", TODAY, False),
    ("phone", "dropped", TODAY, False),
]


@pytest.mark.parametrize(("channel", "state", "day", "is_listed"), REMINDERS)
def test_a_call_or_visit_is_made_from_the_day_for_which_it_is_planned(
    session: Session, channel: str, state: str, day: date, *, is_listed: bool
) -> None:
    debtor = add_household(session, "1-101")
    reminder = add_reminder(session, add_invoice(session, debtor, TODAY - 4 * DAY), day, channel, state=state)

    found = [(entry.reminder_id, entry.stage, entry.channel) for entry in listed(session)]

    assert found == ([(reminder.id, reminder.stage, channel)] if is_listed else [])


def test_the_newest_reminder_comes_before_older_ones_and_beside_a_promise(session: Session) -> None:
    debtor = add_household(session, "1-101")
    bills = [add_invoice(session, debtor, TODAY - number * DAY) for number in (4, 5)]
    newest = add_reminder(session, bills[0], TODAY, "visit")
    add_reminder(session, bills[1], TODAY - DAY)
    add_contact(session, debtor, NOW - DAY, TODAY)

    entry = the_entry(session)

    assert (entry.reminder_id, entry.channel) == (newest.id, "visit")
    assert (entry.promise, entry.promised_on) == ("promise_due", TODAY)


def test_a_debt_is_what_is_past_its_due_day(session: Session) -> None:
    debtor = add_promiser(session, "1-101", "100")
    add_invoice(session, debtor, TODAY - DAY, "20")
    add_invoice(session, debtor, TODAY, "3")
    paid = add_household(session, "1-102")
    add_invoice(session, paid, TODAY, "500")
    add_contact(session, paid, NOW - DAY, TODAY)

    entry = the_entry(session)

    assert (entry.unit_code, entry.debt, entry.oldest_due_on) == ("1-101", 120, TODAY - 4 * DAY)
    assert (entry.unit_id, entry.payer_id) == debtor


def test_a_steward_sees_the_debtors_of_the_own_buildings(session: Session) -> None:
    own, foreign = add_building(session, name="1"), add_building(session, name="2")
    for code, building in (("1-101", own), ("2-101", foreign)):
        add_promiser(session, code, building=building)
        debtor = add_household(session, f"{code}9", building=building)
        add_reminder(session, add_invoice(session, debtor, TODAY - DAY), TODAY)
    steward, other = added(session, Staff(login="s", name="s")), added(session, Staff(login="o", name="o"))
    session.execute(insert(steward_building).values(staff_id=steward.id, building_id=own.id))
    session.execute(insert(steward_building).values(staff_id=other.id, building_id=foreign.id))

    seen = {
        staff_id: [entry.unit_code for entry in listed(session, staff_id=staff_id)]
        for staff_id in (None, steward.id, other.id)
    }

    assert seen == {
        None: ["1-101", "1-1019", "2-101", "2-1019"],
        steward.id: ["1-101", "1-1019"],
        other.id: ["2-101", "2-1019"],
    }


def test_who_is_on_hold_or_complains_of_the_bill_is_not_called(session: Session) -> None:
    add_promiser(session, "1-101")
    held, complains = add_promiser(session, "1-102"), add_promiser(session, "1-103")
    added(
        session,
        DunningHold(
            unit_id=held[0],
            payer_id=held[1],
            reason="illness",
            from_at=NOW - DAY,
            until_on=TODAY + DAY,
        ),
    )
    bill = add_invoice(session, complains, TODAY - 9 * DAY)
    add_ticket(session, NOW - DAY, complains[0], invoice_id=bill.id)

    assert codes(session) == ["1-101"]


def test_phones_are_in_their_order_and_bad_ones_are_left_out(session: Session) -> None:
    def phone(number: str, position: int, **more: Any) -> OwnerPhone:
        return OwnerPhone(number=number, number_mac=fingerprint(number), position=position, **more)

    phones = [phone("13800000003", 3), phone("13800000001", 1), phone("13800000002", 2, is_bad=True)]
    add_promiser(session, "1-101", phones=phones)
    without = add_promiser(session, "1-102", is_email_bad=True)
    add_promiser(session, "1-103", phones=[phone("13800000004", 0)])

    found = {entry.unit_code: (entry.phones, entry.marks) for entry in listed(session)}

    assert found == {
        "1-101": (("13800000001", "13800000003"), ("phone_bad",)),
        "1-102": ((), ("no_phone", "email_bad")),
        "1-103": (("13800000004",), ()),
    }
    assert call_list.marks_of(session, without) == ("no_phone", "email_bad")


def test_the_newest_contact_up_to_now_is_shown(session: Session) -> None:
    debtor = add_promiser(session, "1-101")
    add_contact(session, debtor, NOW, note="now", arrears_reason="disputes")
    add_contact(session, debtor, NOW - timedelta(hours=1), note="before", arrears_reason="unreachable")
    add_contact(session, debtor, NOW + timedelta(seconds=1), note="later")

    entry = the_entry(session)

    assert (entry.last_note, entry.last_at, entry.arrears_reason) == ("now", NOW, "disputes")
    assert entry.next_step


def test_without_a_note_the_outcome_is_shown_and_a_promise_of_the_last_contact(session: Session) -> None:
    debtor = add_household(session, "1-101")
    add_reminder(session, add_invoice(session, debtor, TODAY - DAY), TODAY)
    assert (the_entry(session).last_at, the_entry(session).last_note) == (None, "")
    assert (the_entry(session).arrears_reason, the_entry(session).promised_on) == ("", None)

    add_contact(session, debtor, NOW - DAY, TODAY + 3 * DAY, outcome="spoke")

    assert (the_entry(session).last_note, the_entry(session).promised_on) == ("spoke", TODAY + 3 * DAY)


QUIET = [  # office time; how; whether it says not to call: closed, or what the payer asked
    ("09:29", "phone", True),
    ("09:30", "phone", True),
    ("10:00", "phone", False),
    ("12:30", "phone", True),
    ("12:30", "visit", False),
    ("09:30", "visit", False),
]


@pytest.mark.parametrize(("when", "channel", "is_quiet_now"), QUIET)
def test_a_call_is_marked_in_the_quiet_hours_and_while_the_office_is_closed(
    session: Session, when: str, channel: str, *, is_quiet_now: bool
) -> None:
    debtor = add_household(session, "1-101", quiet_from="09:00", quiet_to="10:00")
    add_reminder(session, add_invoice(session, debtor, TODAY - DAY), TODAY, channel)

    assert the_entry(session, now=at(f"2026-03-19 {when}")).is_quiet == is_quiet_now


def test_the_opening_is_the_offices_own_for_the_reason_else_the_one_for_any(session: Session) -> None:
    session.query(Estate).one().name = "Green Court"
    debtor = add_promiser(session, "1-101", "1234.50")
    text = "{estate_name}, {unit_code}: {amount} since {due_on}"
    session.add(OpeningText(arrears_reason="", language="en", text=text))
    session.add(OpeningText(arrears_reason="", language="zh_Hans", text="您好"))
    session.add(OpeningText(arrears_reason="unreachable", language="en", text="at last"))
    session.flush()

    assert the_entry(session).opening == "Green Court, 1-101: 1,234.50 since 2026-03-15"
    add_contact(session, debtor, NOW, arrears_reason="unreachable")
    assert the_entry(session).opening == "at last"


def test_the_seeds_openings_stand_where_the_office_has_none(session: Session) -> None:
    seeded = call_list.opening_texts(session, "en")
    assert seeded
    assert seeded != call_list.opening_texts(session, "zh_Hans")
    assert call_list.opening_texts(session, "xx") == call_list.opening_texts(session, "zh_Hans")


def test_a_payer_who_is_not_on_todays_list_has_an_entry_all_the_same(session: Session) -> None:
    added(session, Owner(name="nobody"))  # so that no payer has the id of the unit
    debtor, paid = add_debtor(session, "1-101"), add_household(session, "1-102")
    promiser = add_promiser(session, "1-103")

    found = call_list.entry_of(session, debtor, now=NOW, language="en")
    due = call_list.entry_of(session, promiser, now=NOW, language="en")

    assert found
    assert due
    assert (found.promise, found.channel, found.debt, due.promise) == ("", "phone", 100, "promise_due")
    assert call_list.entry_of(session, paid, now=NOW, language="en") is None


def test_of_two_promises_the_later_day_counts_and_of_two_contacts_at_once_the_later_entry(
    session: Session,
) -> None:
    debtor = add_debtor(session, "1-101")
    add_contact(session, debtor, NOW - DAY, TODAY, note="first")
    add_contact(session, debtor, NOW - DAY, TODAY - DAY, promise_state="broken", note="second")

    entry = the_entry(session)

    assert (entry.promise, entry.last_note) == ("promise_due", "second")


def test_of_two_reminders_of_one_day_the_later_made_counts(session: Session) -> None:
    debtor = add_household(session, "1-101")
    made = [add_reminder(session, add_invoice(session, debtor, TODAY - DAY), TODAY) for _ in range(2)]

    assert the_entry(session).reminder_id == made[1].id


def test_a_call_to_make_leaves_a_broken_promise_on_the_list(session: Session) -> None:
    debtor = add_household(session)
    add_invoice(session, debtor, date(2026, 3, 15))
    given_at = at("2026-03-16 09:00")
    promise = NewContact(debtor[0], "phone", given_at, promised_on=date(2026, 3, 17))
    contacts.record_contact(session, promise, now=given_at)
    contacts.check_promises(session, at("2026-03-18 00:05"))
    judge(session, date(2026, 3, 16), TODAY)
    call = reminders(session)[-1]

    entry = the_entry(session)

    assert call.stage == "call"
    assert (entry.promise, entry.promised_on) == ("promise_broken", date(2026, 3, 17))
    assert (entry.stage, entry.channel, entry.reminder_id) == ("call", "visit", call.id)  # no phone is known
