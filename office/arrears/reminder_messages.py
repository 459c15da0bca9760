"""Reminders as messages: the text of the stage's document, in an e-mail with the list of debts (C4, C5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder
from models.people import Owner, OwnerPhone
from models.property import Unit
from office.arrears.debts import Debtor
from office.core import clock
from office.core.database import chunks
from office.documents.languages import estate_language
from office.documents.letterhead import estate_details, office_texts
from office.documents.pdf.builder import pay_memo
from office.documents.pdf.templates import PLACEHOLDERS, Blocks, Filled
from office.documents.pdf.values import EstateDetails
from office.documents.pdf.wording import Words, money, words_of
from office.messaging.channels import ELECTRONIC
from office.receivables import sums
from rules.allocation import number_key
from rules.ladder import Ladder

LONGEST_TITLE = 80  # of a message's subject
FALLBACK = "payment_reminder"  # the document of a stage that names none


@dataclass(frozen=True)
class ReminderDebt:
    """One invoice in the list of debts of an e-mail; balance in yuan."""

    number: str
    period: str
    due_on: date
    balance: Decimal


def messages(
    session: Session, ladder: Ladder, reminder_ids: Sequence[int], *, now: datetime
) -> Iterator[dict[str, Any]]:
    """The outbox rows of reminders that go by an electronic channel, each in its payer's language."""
    usual, today = estate_language(session), clock.office_day(session, now)
    estates: dict[str, EstateDetails] = {}
    stored: dict[str, dict[str, Mapping[str, str]]] = {}
    for chunk in chunks(reminder_ids):
        rows = session.execute(
            select(
                Reminder,
                Unit.code,
                Owner.name,
                Owner.email,
                Owner.chat_id,
                Owner.language,
                Invoice.number,
                Invoice.period,
            )
            .join(Unit, Unit.id == Reminder.unit_id)
            .join(Owner, Owner.id == Reminder.payer_id)
            .join(Invoice, Invoice.id == Reminder.subject_id)
            .where(Reminder.id.in_(chunk), Reminder.channel.in_(ELECTRONIC))
            .order_by(Reminder.id)
        ).all()
        debts = _debts(session, {row[0].unit_id for row in rows}, clock.today(session))
        phones = _phones(session, {row[0].payer_id for row in rows if row[0].channel == "sms"})
        for reminder, code, name, mail, chat, own_language, number, period in rows:
            language = own_language or usual
            if language not in stored:
                estates[language] = estate_details(session, language)
                stored[language] = office_texts(session, language)
            document = ladder.stage(reminder.stage).document or FALLBACK
            if document not in PLACEHOLDERS:
                document = FALLBACK
            listed = [
                debt
                for debt in debts[reminder.unit_id, reminder.payer_id]
                if debt.due_on < reminder.planned_on or debt.number == number
            ]
            if reminder.due_on >= reminder.planned_on:  # a notice is about its own bill alone
                listed = [debt for debt in listed if debt.number == number]
            letter = _MessageText(
                estates[language],
                words_of(language, estates[language].word_set),
                name,
                code,
                number,
                period,
                reminder,
                tuple(listed),
                ladder,
                today,
            )
            subject, body = letter.written(document, language, stored[language].get(document))
            addresses = {"email": mail, "sms": phones.get(reminder.payer_id, ""), "wecom": chat}
            yield {
                "key": f"reminder-{reminder.id}"
                + ("" if reminder.channel == "email" else f"-{reminder.channel}"),
                "channel": reminder.channel,
                "address": addresses[reminder.channel],
                "subject": subject,
                "body": body,
                "language": language,
                "reminder_id": reminder.id,
            }


def _phones(session: Session, payers: set[int]) -> dict[int, str]:
    """Each payer's first phone number that is not marked bad."""
    found: dict[int, str] = {}
    for chunk in chunks(payers):
        rows = session.execute(
            select(OwnerPhone.owner_id, OwnerPhone.number)
            .where(OwnerPhone.owner_id.in_(chunk), ~OwnerPhone.is_bad)
            .order_by(OwnerPhone.position, OwnerPhone.id)
        )
        for owner_id, number in rows:
            found.setdefault(owner_id, number)
    return found


def _debts(session: Session, units: set[int], today: date) -> dict[Debtor, list[ReminderDebt]]:
    found: dict[Debtor, list[ReminderDebt]] = defaultdict(list)
    for one in sums.owed_at(session, units, today):
        debt = ReminderDebt(one.number, one.period, one.due_on, one.total)
        found[one.unit_id, one.payer_id].append(debt)
    for debts in found.values():
        debts.sort(key=lambda one: (one.due_on, number_key(one.number)))
    return found


@dataclass(frozen=True)
class _MessageText:
    """Builds the subject and text of one message."""

    estate: EstateDetails
    words: Words
    name: str
    unit_code: str
    number: str
    period: str
    reminder: Reminder
    debts: tuple[ReminderDebt, ...]
    ladder: Ladder
    out_on: date

    def written(self, document: str, language: str, stored: Blocks | None) -> tuple[str, str]:
        """The subject and the text; both say for which estate, unit and month, and with which memo (D9)."""
        wanted = PLACEHOLDERS[document]
        values = {name: value for name, value in self._values().items() if name in wanted}
        filled = values | dict.fromkeys(wanted - values.keys(), "")
        text = Filled(document, language, stored, filled, self.words.word_set)
        subject = f"{self.estate.name} {text['title'][:LONGEST_TITLE]} {self._months()} {self.unit_code}"
        memo = f"{self.words['memo']}{pay_memo(self.unit_code, self._first.number)}"
        if self.reminder.channel in {"sms", "wecom"}:  # no table in a text message
            said = (f"[{self.estate.name}]", text["greeting"], text["body"], memo)
            return subject, " ".join(part.strip() for part in said if part.strip())
        lines = [
            "  ".join(
                (
                    debt.number,
                    self.words.period(debt.period),
                    self.words.day(debt.due_on),
                    self._money(debt.balance),
                )
            )
            for debt in self.debts
        ]
        pay = "\n".join((*self.estate.ways_to_pay, memo))
        closing = text["note"] if document == "payment_notice" else text["closing"]
        parts = [text["greeting"], text["body"], "\n".join(lines), pay, closing, self._signed()]
        return subject, "\n\n".join(part.strip() for part in parts if part.strip())

    @property
    def _first(self) -> ReminderDebt:
        """The bill that a payment would settle first, which the memo names (M5)."""
        own = ReminderDebt(self.number, self.period, self.reminder.due_on, Decimal(0))
        return self.debts[0] if self.debts else own

    def _months(self) -> str:
        """The month that it is about, or the first and the last of them."""
        periods = [debt.period for debt in self.debts] or [self.period]
        ends = dict.fromkeys((min(periods), max(periods)))
        return "–".join(self.words.period(one) for one in ends)

    def _signed(self) -> str:
        """Who writes: the company, and the estate's office."""
        return "\n".join(dict.fromkeys((self.estate.creditor, self.estate.name)))

    def _money(self, amount: Decimal) -> str:
        return money(amount, self.estate.currency)

    def _values(self) -> dict[str, str]:
        made = self.reminder
        stage = self.ladder.stage(made.stage)
        owed = sum((debt.balance for debt in self.debts), Decimal(0))
        total = self._money(owed)
        return {
            "estate_name": self.estate.name,
            "company_name": self.estate.creditor,
            "estate_phone": self.estate.phone,
            "payer_name": self.name,
            "unit_code": self.unit_code,
            "number": self.number,
            "issued_on": self.words.day(made.planned_on),
            "period": self.words.period(self.period),
            "due_on": self.words.day(made.due_on),
            "amount": total,
            "capitals": self.words.capitals(owed, self.estate.currency),
            "total_due": total,
            "deadline_on": self.words.day(self.ladder.deadline(stage, self.out_on)),
            "oldest_period": self.words.period(self.debts[0].period if self.debts else self.period),
            "invoice_count": str(len(self.debts)),
            "contact_name": self.estate.name,
            "contact_phone": self.estate.phone,
            "reminded": "",
        }
