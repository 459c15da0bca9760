"""Cheques that were taken: to be presented on their day, presented, cleared (M13).

The money counts as received on the day on which the cheque was taken, and the receipt says that it is subject
to clearing. Until the bank has paid, no restriction of services is lifted for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Allocation, Cheque, Payment
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.core.integrity import Finding
from office.policies import store
from rules import cheques
from rules.cheques import ChequePolicy

METHOD = "cheque"
Asked = TypeVar("Asked", bound=Select[Any])


@dataclass(frozen=True)
class NewCheque:
    """A cheque as it is taken: its number, the bank it is drawn on, the day from which it is paid."""

    number: str
    bank: str
    due_on: date


def checked(session: Session, new: NewCheque, today: date) -> NewCheque:
    """The cheque as it is stored. Raises Refused."""
    number, bank = new.number.strip(), new.bank.strip()
    if not number or not bank:
        raise Refused(N_("A cheque needs its number and its bank"))
    if cheques.is_stale(new.due_on, today, store.in_force(session, ChequePolicy, today)):
        raise Refused(N_("The cheque of %(day)s is too old: banks no longer pay it"), day=new.due_on)
    return NewCheque(number, bank, new.due_on)


def take(session: Session, payment: Payment, new: NewCheque) -> Cheque:
    """Keep the cheque of a payment that was just posted."""
    row = Cheque(payment_id=payment.id, number=new.number, bank=new.bank, due_on=new.due_on)
    session.add(row)
    session.flush()
    return row


def stored(session: Session, cheque_id: int) -> Cheque:
    """A cheque, locked against others. Raises Refused."""
    row = session.scalars(select(Cheque).where(Cheque.id == cheque_id).with_for_update()).one_or_none()
    if row is None:
        raise Refused(N_("There is no such cheque"))
    return row


def present(session: Session, cheque_ids: Iterable[int], *, staff_id: int, now: datetime) -> list[Cheque]:
    """Note that cheques went to the bank. Raises Refused for one that may not yet or did already."""
    today = clock.office_day(session, now)
    found = []
    for cheque_id in cheque_ids:
        row = stored(session, cheque_id)
        if not cheques.may_present(row.state, row.due_on, today):
            raise Refused(
                N_(
                    "Cheque %(number)s can't be presented: it went to the bank already, or its day is %(day)s"
                ),
                number=row.number,
                day=row.due_on,
            )
        row.state, row.presented_on = cheques.PRESENTED, today
        session.flush()
        audit.record(session, now, staff_id, "present", row, {"number": row.number})
        found.append(row)
    return found


def clear(session: Session, cheque_ids: Iterable[int], *, staff_id: int, now: datetime) -> list[Cheque]:
    """Note that the bank has paid cheques (M13). Raises Refused for one that was not presented."""
    found = []
    for cheque_id in cheque_ids:
        row = stored(session, cheque_id)
        if not cheques.may_clear(row.state):
            raise Refused(N_("Cheque %(number)s is not with the bank: present it first"), number=row.number)
        row.state, row.cleared_on = cheques.CLEARED, clock.office_day(session, now)
        session.flush()
        audit.record(session, now, staff_id, "clear", row, {"number": row.number})
        found.append(row)
    return found


def undone(session: Session, payment: Payment, *, is_bank_reversal: bool, now: datetime) -> None:
    """The cheque of a payment that is undone bounced, or was taken by mistake."""
    for row in session.scalars(select(Cheque).where(Cheque.payment_id == payment.id)):
        row.state = cheques.BOUNCED if is_bank_reversal else cheques.VOID
        row.bounced_on = clock.office_day(session, now) if is_bank_reversal else None


def uncleared(session: Session, unit_id: int, payer_id: int) -> bool:
    """Whether a bill of a unit and payer is paid by a cheque that has not cleared."""
    found = _of_bills(select(Cheque.id), unit_id, payer_id).where(Cheque.state.in_(sorted(cheques.UNCLEARED)))
    return session.scalar(found.limit(1)) is not None


def last_cleared_on(session: Session, unit_id: int, payer_id: int) -> date | None:
    """The last day on which a cheque for bills of a unit and payer cleared."""
    return session.scalar(_of_bills(select(func.max(Cheque.cleared_on)), unit_id, payer_id))


def _of_bills(asked: Asked, unit_id: int, payer_id: int) -> Asked:
    return (
        asked.select_from(Cheque)
        .join(Payment, Payment.id == Cheque.payment_id)
        .join(Allocation, Allocation.payment_id == Payment.id)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(Invoice.unit_id == unit_id, Invoice.payer_id == payer_id, Payment.state == "posted")
    )


ALONE = (
    "SELECT p.id, p.receipt_no FROM payment p LEFT JOIN cheque c ON c.payment_id = p.id "
    "WHERE p.kind = 'payment' AND (p.method = 'cheque') <> (c.id IS NOT NULL)"
)
OTHERWISE = (
    "SELECT c.id, c.number FROM cheque c JOIN payment p ON p.id = c.payment_id "
    "WHERE (c.state IN ('bounced', 'void')) <> (p.state <> 'posted')"
)


def all_hold(session: Session) -> Iterator[Finding]:
    """Each payment by cheque has its cheque, and no other; a bounced or void one brought nothing (M13)."""
    for row, name in session.execute(text(ALONE)):
        yield Finding("payment_by_cheque_has_its_cheque", "payment", row, name)
    for row, name in session.execute(text(OTHERWISE)):
        yield Finding("cheque_is_as_its_payment", "cheque", row, name)
