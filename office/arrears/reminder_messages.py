"""Reminders as messages: the text of the stage's document, in an e-mail with the list of debts (C4, C5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder
from models.office import Message
from models.people import Owner, OwnerPhone
from models.property import Unit
from office.arrears import joint_reminders
from office.arrears.debts import AsOf, Debtor
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
    session: Session,
    ladder: Ladder,
    reminder_ids: Sequence[int],
    *,
    now: datetime,
    is_again: bool = False,
) -> Iterator[dict[str, Any]]:
    """The outbox rows of reminders that go by an electronic channel, each in its payer's language.

    One that speaks for other units of the payer lists these too (C19). `is_again`: beside messages of the
    same reminders that will not go out.
    """
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
        others = _others(session, [row[0].id for row in rows])
        units = {one.reminder.unit_id for their in others.values() for one in their}
        payers = {row[0].payer_id for row in rows} if ladder.is_one_notice_per_payer else set()
        held = joint_reminders.on_hold(session, AsOf.of(session, now), payers)
        debts = _debts(session, units | {row[0].unit_id for row in rows}, clock.today(session))
        phones = _phones(session, {row[0].payer_id for row in rows if row[0].channel == "sms"})
        for reminder, code, name, mail, chat, own_language, number, period in rows:
            language = own_language or usual
            if language not in stored:
                estates[language] = estate_details(session, language)
                stored[language] = office_texts(session, language)
            document = ladder.stage(reminder.stage).document or FALLBACK
            if document not in PLACEHOLDERS:
                document = FALLBACK
            joined = [_Joined(reminder, code, number), *others.get(reminder.id, ())]
            lists = {
                one.unit_code: _listed(debts[one.reminder.unit_id, one.reminder.payer_id], one)
                for one in joined
            }
            named = {one.reminder.unit_id for one in joined}
            waiting = [code for unit, code in held.get(reminder.payer_id, {}).items() if unit not in named]
            if reminder.due_on >= reminder.planned_on:  # the notice of a bill chases nobody
                waiting = []
            letter = _MessageText(
                estates[language],
                words_of(language, estates[language].word_set),
                name,
                code,
                number,
                period,
                reminder,
                tuple(one for listed in lists.values() for one in listed),
                ladder,
                today,
                lists,
                tuple(waiting),
            )
            subject, body = letter.written(document, language, stored[language].get(document))
            addresses = {"email": mail, "sms": phones.get(reminder.payer_id, ""), "wecom": chat}
            key = f"reminder-{reminder.id}" + ("" if reminder.channel == "email" else f"-{reminder.channel}")
            yield {
                "key": f"{key}-{_earlier(session, reminder.id)}" if is_again else key,
                "channel": reminder.channel,
                "address": addresses[reminder.channel],
                "subject": subject,
                "body": body,
                "language": language,
                "reminder_id": reminder.id,
            }


@dataclass(frozen=True)
class _Joined:
    """A reminder that a message is about, with its unit and the number of its bill."""

    reminder: Reminder
    unit_code: str
    number: str


def _others(session: Session, ids: Sequence[int]) -> dict[int, list[_Joined]]:
    """The reminders for which each of these speaks besides, by its id (C19)."""
    found: dict[int, list[_Joined]] = defaultdict(list)
    rows = session.execute(
        select(Reminder, Unit.code, Invoice.number)
        .join(Unit, Unit.id == Reminder.unit_id)
        .join(Invoice, Invoice.id == Reminder.subject_id)
        .where(Reminder.joined_id.in_(ids), Reminder.state.not_in(joint_reminders.GONE))
        .order_by(Unit.code, Reminder.id)
    )
    for reminder, code, number in rows:
        assert reminder.joined_id is not None  # asked for
        found[reminder.joined_id].append(_Joined(reminder, code, number))
    return found


def _listed(debts: Sequence[ReminderDebt], about: _Joined) -> tuple[ReminderDebt, ...]:
    """What a message says of a unit: all that was past due; of a notice its own bill alone."""
    made = about.reminder
    if made.due_on >= made.planned_on:
        return tuple(debt for debt in debts if debt.number == about.number)
    return tuple(debt for debt in debts if debt.due_on < made.planned_on or debt.number == about.number)


def _earlier(session: Session, reminder_id: int) -> int:
    """How many messages there were of a reminder."""
    return session.scalar(select(func.count()).where(Message.reminder_id == reminder_id)) or 0


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
    lists: Mapping[str, Sequence[ReminderDebt]]  # the same debts by unit
    waiting: tuple[str, ...]  # units of the payer that are on hold

    def written(self, document: str, language: str, stored: Blocks | None) -> tuple[str, str]:
        """The subject and the text; both say for which estate, unit and month, and with which memo (D9)."""
        wanted = PLACEHOLDERS[document]
        values = {name: value for name, value in self._values().items() if name in wanted}
        filled = values | dict.fromkeys(wanted - values.keys(), "")
        text = Filled(document, language, stored, filled, self.words.word_set)
        subject = f"{self.estate.name} {text['title'][:LONGEST_TITLE]} {self._months()} {self._units()}"
        memo = self._memo()
        if self.reminder.channel in {"sms", "wecom"}:  # no table in a text message
            waiting = self.words.waiting(self.waiting)
            said = (f"[{self.estate.name}]", text["greeting"], text["body"], waiting, memo)
            return subject, " ".join(part.strip() for part in said if part.strip())
        lines = [
            line
            for code, debts in self.lists.items()
            for line in (*self._of_unit(code, debts), *map(self._line, debts))
        ]
        if self._is_joint:
            lines.append(f"{self.words['total_owed']}  {self._money(self._owed)}")
        if self.waiting:
            lines.append(self.words.waiting(self.waiting))
        pay = "\n".join((*self.estate.ways_to_pay, memo))
        closing = text["note"] if document == "payment_notice" else text["closing"]
        parts = [text["greeting"], text["body"], "\n".join(lines), pay, closing, self._signed()]
        return subject, "\n\n".join(part.strip() for part in parts if part.strip())

    @property
    def _is_joint(self) -> bool:
        return len(self.lists) > 1

    @property
    def _owed(self) -> Decimal:
        return sum((debt.balance for debt in self.debts), Decimal(0))

    def _units(self) -> str:
        return self.words.comma.join(self.lists)

    def _memo(self) -> str:
        """What to write on a transfer; where it is for several units, each has its own (M5)."""
        if not self._is_joint:
            return f"{self.words['memo']}{pay_memo(self.unit_code, self._first.number)}"
        memos = [pay_memo(code, debts[0].number) for code, debts in self.lists.items() if debts]
        return f"{self.words['memo_each']}{self.words.comma.join(memos)}"

    def _of_unit(self, code: str, debts: Sequence[ReminderDebt]) -> tuple[str, ...]:
        """The line of a unit with its sum, where a message is about several."""
        total = self._money(sum((debt.balance for debt in debts), Decimal(0)))
        return (f"{self.words['unit_code']} {code}  {total}",) if self._is_joint else ()

    def _line(self, debt: ReminderDebt) -> str:
        said = (debt.number, self.words.period(debt.period), self.words.day(debt.due_on))
        return "  ".join((*said, self._money(debt.balance)))

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
        owed = self._owed
        total = self._money(owed)
        return {
            "estate_name": self.estate.name,
            "company_name": self.estate.creditor,
            "estate_phone": self.estate.phone,
            "payer_name": self.name,
            "unit_code": self._units(),
            "number": self.number,
            "issued_on": self.words.day(made.planned_on),
            "period": self.words.period(self.period),
            "due_on": self.words.day(made.due_on),
            "amount": total,
            "capitals": self.words.capitals(owed, self.estate.currency),
            "total_due": total,
            "deadline_on": self.words.day(self.ladder.deadline(stage, self.out_on)),
            "oldest_period": self.words.period(
                min((debt.period for debt in self.debts), default=self.period)
            ),
            "invoice_count": str(len(self.debts)),
            "contact_name": self.estate.name,
            "contact_phone": self.estate.phone,
            "reminded": "",
        }
