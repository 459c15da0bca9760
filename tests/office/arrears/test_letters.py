"""What letters say of the past is true, and what they ask for can be done (D3, D4, D5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.collection import Contact, Reminder, ReminderBatch
from models.office import Paper
from models.people import Owner
from office.arrears import letters, reminder_batches
from office.arrears.earlier_reminders import MOST, earlier_reminders
from office.documents.pdf import registry
from tests.factories.arrears import DAY, Debtor, add_bill, add_unit, at, judge, pay
from tests.factories.estate import add_staff
from tests.factories.pdf_text import text_of

DUE = date(2026, 3, 15)
FINAL = date(2026, 5, 10)


def add_reminder(session: Session, debtor: Debtor, bill_id: int, on: date, **more: Any) -> Reminder:
    unit_id, payer_id = debtor
    values = {"stage": f"s{on:%m%d}", "channel": "email", "state": "sent", "sent_at": at(on)} | more
    batch = ReminderBatch(number=f"B{on}", stage=values["stage"], made_for=on, made_at=at(on), state="done")
    row = Reminder(
        batch=batch, subject_id=bill_id, unit_id=unit_id, payer_id=payer_id, debt=100, due_on=DUE,
        planned_on=on, **values,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def add_contact(session: Session, debtor: Debtor, on: date, method: str = "phone", reason: str = "") -> None:
    unit_id, payer_id = debtor
    session.add(
        Contact(
            at=at(on), recorded_at=at(on), unit_id=unit_id, payer_id=payer_id, method=method,
            arrears_reason=reason,
        )
    )  # fmt: skip
    session.flush()


def told(session: Session, debtor: Debtor, before: date = FINAL) -> list[tuple[str, str]]:
    found = earlier_reminders(session, [debtor], before=at(before))
    return [(f"{one.on:%m-%d}", one.way) for one in found.get(debtor, ())]


# Each row: what stands in the ledger, and whether a letter may call it a reminder.
LEDGER = [
    ({"state": "sent"}, True),
    ({"state": "done", "channel": "print"}, True),
    ({"state": "printed", "channel": "print"}, False),  # on paper, but in nobody's hands yet
    ({"state": "failed", "sent_at": None}, False),
    ({"state": "dropped", "sent_at": None}, False),
    ({"state": "done", "channel": "phone"}, False),  # the call itself stands among the contacts
]


@pytest.mark.parametrize(("row", "is_told"), LEDGER)
def test_only_what_reached_the_debtor_is_a_reminder(
    session: Session, row: dict[str, Any], is_told: bool
) -> None:
    debtor = add_unit(session)
    add_reminder(session, debtor, add_bill(session, debtor, DUE).id, date(2026, 3, 20), **row)

    assert bool(told(session, debtor)) == is_told


def test_calls_and_visits_are_named_and_unreached_ones_not(session: Session) -> None:
    debtor, other = add_unit(session), add_unit(session, "1-102")
    add_contact(session, debtor, date(2026, 3, 22))
    add_contact(session, debtor, date(2026, 3, 25), "visit")
    add_contact(session, debtor, date(2026, 3, 28), reason="unreachable")
    add_contact(session, other, date(2026, 3, 29))
    add_contact(session, debtor, FINAL + DAY)  # later than the letter

    assert told(session, debtor) == [("03-22", "phone"), ("03-25", "visit")]


def test_the_newest_are_named(session: Session) -> None:
    debtor = add_unit(session)
    for days in range(MOST + 3):
        add_contact(session, debtor, DUE + timedelta(days=days + 1))

    assert len(told(session, debtor)) == MOST
    assert told(session, debtor)[-1] == ("03-24", "phone")


def final_letter(session: Session, printed_on: date, language: str = "zh_Hans") -> str:
    """The text of the final letter of the ladder, approved on its day and printed on another; to a payer
    who reads a language."""
    session.execute(update(Owner).values(language=language))
    batch = session.scalars(select(ReminderBatch).where(ReminderBatch.stage == "letter")).one()
    manager = add_staff(session, "m1", "manager").id
    approved = at(batch.made_for, 10)
    reminder_batches.approve_batch(session, batch.id, now=approved, staff_id=manager)
    made = letters.batch_pdf(session, batch.id, now=at(printed_on, 11), staff_id=manager)
    return text_of(made)


def climbed(session: Session) -> Debtor:
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 16), FINAL)
    return debtor


def test_a_letter_after_no_reminder_claims_none(session: Session) -> None:
    climbed(session)

    text = final_letter(session, FINAL)

    assert "提醒您缴费" not in text
    assert "多次" not in text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh_Hans", "我方已于2026年3月22日（电话）和2026年3月25日（上门）提醒您缴费。"),
        ("zh_Hant", "本公司已於2026年3月22日（電話）及2026年3月25日（登門）提醒台端繳費。"),
        ("en", "Weremindedyouofiton22March2026(phonecall)and25March2026(visit)."),
    ],
)
def test_a_letter_names_what_there_was(session: Session, language: str, sentence: str) -> None:
    debtor = climbed(session)
    add_contact(session, debtor, date(2026, 3, 1))  # about an earlier debt
    add_contact(session, debtor, date(2026, 3, 22))
    add_contact(session, debtor, date(2026, 3, 25), "visit")

    assert sentence in final_letter(session, FINAL, language)


@pytest.mark.parametrize("late", [0, 3, 20, 60])
def test_a_letter_that_goes_out_late_still_leaves_a_week(session: Session, late: int) -> None:
    climbed(session)
    printed_on = FINAL + timedelta(days=late)

    final_letter(session, printed_on)

    paper = session.scalars(select(Paper).where(Paper.kind == "final_letter")).one()
    letter = registry.value_of(paper.kind, paper.contents)
    assert letter.issued_on == paper.dated == printed_on
    assert letter.deadline_on >= printed_on + timedelta(days=7)


def test_what_was_paid_after_the_letter_changes_no_copy_of_it(session: Session) -> None:
    debtor = climbed(session)
    first = final_letter(session, FINAL)
    pay(session, debtor, "100", at(FINAL + DAY))
    batch = session.scalars(select(ReminderBatch).where(ReminderBatch.stage == "letter")).one()
    manager = add_staff(session, "m2", "manager").id

    again = letters.batch_pdf(session, batch.id, now=at(FINAL + 2 * DAY), staff_id=manager)

    assert text_of(again).replace("副本", "") == first
