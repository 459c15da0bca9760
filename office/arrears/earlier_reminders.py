"""How and when debtors were reminded before, as a letter may say it (D5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.collection import Contact, Reminder
from office.arrears.debts import Debtor
from office.core import clock
from office.core.database import chunks
from office.documents.pdf.values import PastReminder

WRITTEN = ("email", "sms", "wecom", "print")  # calls and visits are in the ledger of contacts
REACHED = ("sent", "done")  # a letter that was only printed, or a message that failed, reminded nobody
MOST = 6  # the newest, in one sentence


def earlier_reminders(
    session: Session, debtors: Collection[Debtor], *, before: datetime
) -> Mapping[Debtor, tuple[PastReminder, ...]]:
    """Of each debtor (unit id, payer id) the newest reminders that reached them, the oldest of these first.

    Letters and messages that were delivered or sent, and calls and visits in which somebody was reached.
    """
    zone = clock.zone(session)
    found: dict[Debtor, set[PastReminder]] = defaultdict(set)
    for units in chunks(sorted({unit_id for unit_id, _payer_id in debtors})):
        sent = select(Reminder.unit_id, Reminder.payer_id, Reminder.channel, Reminder.sent_at).where(
            Reminder.unit_id.in_(units),
            Reminder.channel.in_(WRITTEN),
            Reminder.state.in_(REACHED),
            Reminder.sent_at < before,
        )
        spoken = select(Contact.unit_id, Contact.payer_id, Contact.method, Contact.at).where(
            Contact.unit_id.in_(units), Contact.at < before, Contact.arrears_reason != "unreachable"
        )
        for query in (sent, spoken):
            for unit_id, payer_id, way, at in session.execute(query):
                assert at is not None  # a comparison with it held
                found[unit_id, payer_id].add(PastReminder(at.astimezone(zone).date(), way))
    return {debtor: tuple(sorted(found[debtor], key=_order)[-MOST:]) for debtor in debtors if found[debtor]}


def _order(reminder: PastReminder) -> tuple[object, ...]:
    return reminder.on, reminder.way
