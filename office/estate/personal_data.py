"""What a person may ask for: all that the office knows about them, and its erasure (P3, decisions: Law).

Money stays: invoices, receipts and deposits are kept as the law asks, under a name that says nothing. All
texts go: of messages, notes, complaints and papers, and of the history of changes (`erasure.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from models.billing import Deposit, Invoice
from models.collection import Contact, LegalCase, Reminder
from models.complaints import Complainant, Ticket
from models.office import Erasure, Message, Paper
from models.payments import DebitMandate, DirectDebit, PayerAccount, Payment, StatementRow
from models.people import Occupancy, Owner, OwnerPhone
from models.property import Unit
from office.core import audit
from office.core.errors import N_, Refused
from office.estate import erasure
from office.policies import store
from rules.upkeep import BackupPolicy, PrivacyPolicy


@dataclass(frozen=True)
class Table:
    """One kind of thing the office knows: its code and the statement that finds it, columns by name."""

    code: str
    rows: Any


def _tables(owner_id: int, readable: Sequence[ColumnElement[bool]]) -> Iterable[Table]:
    of_unit = Unit.code.label("unit_code")
    yield Table(
        "person",
        select(
            Owner.name, Owner.kind, Owner.id_number, Owner.email, Owner.chat_id, Owner.post_address,
            Owner.preferred_channel, Owner.quiet_from, Owner.quiet_to, Owner.language, Owner.tags, Owner.note,
        ).where(Owner.id == owner_id),
    )  # fmt: skip
    yield Table("phones", select(OwnerPhone.number, OwnerPhone.label).where(OwnerPhone.owner_id == owner_id))
    yield Table(
        "occupancies",
        select(of_unit, Occupancy.kind, Occupancy.is_payer, Occupancy.from_on, Occupancy.to_on)
        .join(Unit, Unit.id == Occupancy.unit_id)
        .where(Occupancy.owner_id == owner_id)
        .order_by(Occupancy.from_on),
    )
    yield Table(
        "invoices",
        select(Invoice.number, of_unit, Invoice.period, Invoice.due_on, Invoice.amount, Invoice.balance)
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(Invoice.payer_id == owner_id)
        .order_by(Invoice.due_on, Invoice.id),
    )
    yield Table(
        "payments",
        select(
            Payment.receipt_no, of_unit, Payment.paid_at, Payment.method, Payment.amount, Payment.reference
        )
        .join(Unit, Unit.id == Payment.unit_id)
        .where(Payment.payer_id == owner_id)
        .order_by(Payment.paid_at, Payment.id),
    )
    yield Table(
        "direct_debit",
        select(DebitMandate.bank, DebitMandate.account, DebitMandate.account_name, DebitMandate.signed_on)
        .where(DebitMandate.owner_id == owner_id),
    )  # fmt: skip
    yield Table(
        "payer_accounts",
        select(of_unit, PayerAccount.account, PayerAccount.account_name, PayerAccount.confirmed_at)
        .join(Unit, Unit.id == PayerAccount.unit_id)
        .where(PayerAccount.owner_id == owner_id)
        .order_by(PayerAccount.id),
    )
    yield Table(
        "statement_rows",
        select(
            StatementRow.paid_at, StatementRow.amount, StatementRow.payer_name, StatementRow.counter_account,
            StatementRow.memo,
        )
        .join(Payment, Payment.id == StatementRow.payment_id)
        .where(Payment.payer_id == owner_id)
        .order_by(StatementRow.id),
    )  # fmt: skip
    yield Table(
        "messages",
        select(Message.made_at, Message.channel, Message.address, Message.subject, Message.body)
        .join(Reminder, Reminder.id == Message.reminder_id)
        .where(Reminder.payer_id == owner_id)
        .order_by(Message.made_at),
    )
    yield Table(
        "reminders",
        select(of_unit, Reminder.planned_on, Reminder.stage, Reminder.channel, Reminder.state, Reminder.debt)
        .join(Unit, Unit.id == Reminder.unit_id)
        .where(Reminder.payer_id == owner_id)
        .order_by(Reminder.planned_on, Reminder.id),
    )
    yield Table(
        "contacts",
        select(Contact.at, Contact.method, Contact.spoke_with, Contact.outcome, Contact.arrears_reason,
               Contact.promised_on, Contact.promised_amount, Contact.note)
        .where(Contact.payer_id == owner_id)
        .order_by(Contact.at),
    )  # fmt: skip
    yield Table(
        "complaints",
        select(Ticket.number, Ticket.registered_at, Ticket.statement, Ticket.state, Complainant.name,
               Complainant.phone)
        .join(Complainant, Complainant.ticket_id == Ticket.id)
        .where(Complainant.owner_id == owner_id, *readable)
        .order_by(Ticket.registered_at),
    )  # fmt: skip
    yield Table(
        "papers",
        select(Paper.kind, Paper.number, Paper.issued_at)
        .where(Paper.payer_id == owner_id)
        .order_by(Paper.issued_at),
    )


def known(
    session: Session, owner_id: int, readable: Sequence[ColumnElement[bool]] = ()
) -> dict[str, list[dict[str, Any]]]:
    """All that the office knows about a person, by kind, values as they are stored (nothing masked).

    Of complaints only those under the conditions of who reads it.
    """
    return {
        table.code: [dict(row) for row in session.execute(table.rows).mappings()]
        for table in _tables(owner_id, readable)
    }


def obstacles(session: Session, owner_id: int, today: date) -> list[Refused]:
    """Why a person's data can't be erased yet; empty when it may."""
    found = [
        Refused(sentence)
        for statement, sentence in _ties(owner_id, today)
        if session.execute(select(statement.exists())).scalar_one()
    ]
    signed = case((Deposit.entry == "taken", Deposit.amount), else_=-Deposit.amount)
    if session.execute(select(func.sum(signed)).where(Deposit.payer_id == owner_id)).scalar_one():
        found.append(Refused(N_("A deposit is still theirs: return it first")))
    years = years_kept(session, today)
    left_on = session.execute(
        select(func.max(Occupancy.to_on)).where(Occupancy.owner_id == owner_id)
    ).scalar_one()
    if not found and left_on and (until := _years_after(left_on, years)) > today:
        found.append(
            Refused(N_("Kept until %(day)s, %(years)s years after they left"), day=until, years=years)
        )
    return found


def _ties(owner_id: int, today: date) -> Iterable[tuple[Any, str]]:
    """What still ties a person to the office: the rows, and the sentence that tells it."""
    yield (
        select(Occupancy.id).where(
            Occupancy.owner_id == owner_id, or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today)
        ),
        N_("They still own or rent a unit"),
    )
    yield (
        select(Invoice.id).where(Invoice.payer_id == owner_id, Invoice.balance > 0),
        N_("They still owe something"),
    )
    yield (
        select(Payment.id).where(Payment.payer_id == owner_id, Payment.credit != 0),
        N_("Prepaid credit is still theirs: refund it first"),
    )
    complaints = (
        select(Ticket.id)
        .join(Complainant, Complainant.ticket_id == Ticket.id)
        .where(Complainant.owner_id == owner_id)
    )
    yield (
        complaints.where(Ticket.state.not_in(("closed", "invalid"))),
        N_("A complaint of theirs is still open"),
    )
    yield (
        complaints.where(Ticket.is_on_hold),
        N_("A complaint of theirs is kept beyond its time: end that first"),
    )
    yield (
        select(LegalCase.id).where(LegalCase.payer_id == owner_id, LegalCase.closed_on.is_(None)),
        N_("A legal case is still open"),
    )
    yield (
        select(DirectDebit.id)
        .join(Invoice, Invoice.id == DirectDebit.invoice_id)
        .where(Invoice.payer_id == owner_id, DirectDebit.state.in_(("sent", "waiting"))),
        N_("A direct debit of theirs is still with the bank"),
    )
    name = select(Owner.name).where(Owner.id == owner_id).scalar_subquery()
    yield (
        select(StatementRow.id).where(StatementRow.state == "waiting", StatementRow.payer_name == name),
        N_("A row of a bank statement in their name still waits: settle it first"),
    )


def is_erased(session: Session, owner_id: int) -> bool:
    """Whether a person's data was erased, by this version of the program or a later one."""
    return bool(
        session.execute(select(select(Erasure.id).where(Erasure.owner_id == owner_id).exists())).scalar()
    )


def years_kept(session: Session, on: date) -> int:
    """The policy's years; an older office got it at its start (setup.complete)."""
    return store.in_force(session, PrivacyPolicy, on).erase_after_years


@dataclass(frozen=True)
class KeptFor:
    """For how long what an erasure does not reach still stands: nights of backups, days of the rest."""

    backup_nights: int
    upload_days: int
    message_days: int


def kept_for(session: Session, on: date) -> KeptFor:
    """What the policies say of backups, files brought or made, and texts of messages (F23)."""
    privacy = store.in_force(session, PrivacyPolicy, on)
    nights = store.in_force(session, BackupPolicy, on).kept
    return KeptFor(nights, privacy.upload_days, privacy.message_days)


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; 28 February where there is no 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def erase(session: Session, owner_id: int, *, reason: str, now: datetime, today: date, staff_id: int) -> None:
    """Take a person's identity out of the office's books; money and dates stay (P3, F23).

    Raises Refused without a reason, for who is not there, and with the first obstacle.
    """
    owner = session.get(Owner, owner_id, with_for_update=True)
    if owner is None or is_erased(session, owner_id):
        raise Refused(N_("There is no such person, or their data is erased already"))
    if not reason.strip():
        raise Refused(N_("Please give a reason."))
    if found := obstacles(session, owner_id, today):
        raise found[0]
    erased = erasure.take_out(session, owner, now=now, staff_id=staff_id)
    said = erased.without_words(reason.strip())[:300]
    audit.record(session, now, staff_id, "erase", owner, {"reason": said})
