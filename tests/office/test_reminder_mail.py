"""Reminders that leave by a real mail server: sent, paid meanwhile, refused by the server (C4, C5, P6)."""

from datetime import date

from sqlalchemy import select

from models.collection import Reminder
from models.people import Owner
from models.property import Unit
from office import collection_checks, outbox
from tests.office.arrears import add_bill, add_unit, at, judge, pay
from tests.office.test_outbox import Inbox, inbox, set_present

__all__ = ["inbox"]  # a fixture of the outbox's tests
DAY = date(2026, 3, 16)


def test_each_reminder_arrives_once_or_says_why_not(session, inbox: Inbox):
    inbox.refused.add("gone@example.org")
    owners = {"1-101": "here@example.org", "1-102": "paid@example.org", "1-103": "gone@example.org"}
    debtors = {code: add_unit(session, code, email=email) for code, email in owners.items()}
    for code, debtor in debtors.items():
        add_bill(session, debtor, date(2026, 3, 15), number=code)
    judge(session, DAY, DAY)
    pay(session, debtors["1-102"], "100", at(DAY, 9, 1))
    set_present(session, at(DAY, 9, 2))

    for minute in (2, 3):
        outbox.send_due(session, at(DAY, 9, minute))

    session.expire_all()
    rows = session.execute(
        select(Unit.code, Reminder.state, Reminder.channel, Reminder.reason_code)
        .join(Unit, Unit.id == Reminder.unit_id)
        .order_by(Unit.code)
    )
    assert [tuple(row) for row in rows] == [
        ("1-101", "sent", "email", ""),
        ("1-102", "dropped", "email", "paid"),
        ("1-103", "approved", "print", ""),  # the next channel of the stage
    ]
    assert inbox.recipients == ["here@example.org"]
    assert "1-101" in inbox.letters[0]["subject"]
    assert session.scalars(select(Owner.email).where(Owner.is_email_bad)).all() == ["gone@example.org"]
    assert list(collection_checks.all_hold(session)) == []
