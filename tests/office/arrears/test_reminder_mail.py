"""Reminders that leave by a real mail server: sent, paid meanwhile, refused by the server (C4, C5, P6)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from models.collection import Reminder
from models.people import Owner
from models.property import Unit
from office.arrears import integrity
from office.arrears.room import send_due
from rules.upkeep import MessagePolicy
from tests.factories.arrears import add_bill, add_unit, at, judge, pay
from tests.factories.mail_server import Inbox, free_port, smtp_server
from tests.factories.sandbox import set_present

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
        send_due(session, at(DAY, 9, minute))

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
    assert list(integrity.all_hold(session)) == []


DOWN = [
    ("as delivered", [("sent", "email")] * 4 + [("dropped", "email")]),
    ("the control gives up at once", [("approved", "print")] * 5),
]


@pytest.mark.parametrize(("waits", "wanted"), DOWN)
def test_a_provider_down_for_an_hour_delays_a_batch_and_loses_none_of_it(session, monkeypatch, waits, wanted):
    """F13: each arrives once when it is back, but who paid meanwhile gets none (C4)."""
    port = free_port()
    monkeypatch.setenv("GATEHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}")
    if waits != "as delivered":
        monkeypatch.setattr(MessagePolicy, "waits", [])
    debtors = [add_unit(session, f"1-{number}", email=f"{number}@example.org") for number in range(5)]
    for debtor in debtors:
        add_bill(session, debtor, date(2026, 3, 15))
    judge(session, DAY, DAY)
    for minute in range(60):
        if minute == 30:
            pay(session, debtors[4], "100", at(DAY, 9, minute))
        set_present(session, at(DAY, 9, minute) + timedelta(seconds=30))
        send_due(session, at(DAY, 9, minute))
    back = Inbox()
    with smtp_server(back, port):
        for hour in (10, 12, 16):
            set_present(session, at(DAY, hour))
            send_due(session, at(DAY, hour))

    session.expire_all()
    rows = session.execute(select(Reminder.state, Reminder.channel).order_by(Reminder.unit_id))
    assert [tuple(row) for row in rows] == wanted
    assert sorted(back.recipients) == [
        f"{number}@example.org" for number in range(4) if wanted[0][0] == "sent"
    ]
    assert list(integrity.all_hold(session)) == []
