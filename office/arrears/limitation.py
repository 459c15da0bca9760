"""Until when each open debt can be sued for, and the letters, payments and promises that say so (C21)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.billing import InstalmentPlan, Invoice, PlanInvoice
from models.collection import Contact, Reminder, ReminderBatch, Restriction
from models.payments import Allocation, Payment
from models.people import Owner
from models.property import Unit
from office.arrears.debts import NOTHING, Debtor
from office.arrears.earlier_reminders import REACHED, WRITTEN
from office.core import clock
from office.core.database import chunks
from office.core.exports import Table, Value
from office.policies import store
from rules.calendar_months import months_later
from rules.gates import Gates
from rules.limitation import ENDS_SOON_DAYS, Limitation, Restart, RestartedBy, limitation
from rules.money import yuan

CODES = (
    "invoice_number",
    "unit_code",
    "payer_name",
    "balance",
    "due_on",
    "restarted_on",
    "restarted_by",
    "last_day",
    "lapsed_on",
)
WRITTEN_PROMISES = ("kept", "broken")


@dataclass(frozen=True)
class LimitedDebt:
    """An open bill with its limitation and all that begins it anew, oldest first; balance in yuan."""

    id: int
    number: str
    unit_id: int
    unit_code: str
    payer_name: str
    balance: Decimal
    due_on: date
    limitation: Limitation
    events: tuple[Restart, ...]


def years_on(session: Session, on: date) -> int:
    """For how many years a debt can be sued for, by the policy in force on a day."""
    return store.in_force(session, Gates, on).limitation.years


def ending_soon(session: Session, today: date, *conditions: ColumnElement[bool]) -> list[LimitedDebt]:
    """The open bills whose last day lies within 90 days or has passed, the first to end first (C21)."""
    limit = today + timedelta(days=ENDS_SOON_DAYS)
    # what is due later ends later, whatever came since; a day more for the 29 February
    due_by = months_later(limit, -12 * years_on(session, today)) + timedelta(days=1)
    found = limited(session, today, Invoice.due_on <= due_by, *conditions)
    return sorted(
        (one for one in found if one.limitation.last_day <= limit),
        key=lambda one: (one.limitation.last_day, one.due_on, one.id),
    )


def limited(session: Session, on: date, *conditions: ColumnElement[bool]) -> list[LimitedDebt]:
    """The open bills with their limitation, by the policy in force on a day, oldest first."""
    bills = session.execute(
        select(
            Invoice.id,
            Invoice.number,
            Invoice.unit_id,
            Invoice.payer_id,
            Unit.code,
            Owner.name,
            Invoice.balance,
            Invoice.issued_on,
            Invoice.due_on,
        )
        .join(Unit, Unit.id == Invoice.unit_id)
        .join(Owner, Owner.id == Invoice.payer_id)
        .where(Invoice.balance > NOTHING, *conditions)
        .order_by(Invoice.due_on, Invoice.id)
    ).all()
    years = years_on(session, on)
    events = _Events(session, bills)
    found = []
    for id_, number, unit_id, payer_id, unit_code, payer_name, balance, issued_on, due_on in bills:
        own = sorted(events.of((unit_id, payer_id), id_, issued_on, due_on), key=lambda one: one.on)
        ends = limitation(due_on, own, years)
        found.append(
            LimitedDebt(id_, number, unit_id, unit_code, payer_name, balance, due_on, ends, tuple(own))
        )
    return found


class _Events:
    """What began the limitation of some bills anew, read at once."""

    def __init__(self, session: Session, bills: Sequence[Any]) -> None:
        self.session = session
        self.zone = clock.zone(session)
        self.to_all: dict[Debtor, list[Restart]] = defaultdict(list)  # all that was owed then
        self.to_one: dict[int, list[Restart]] = defaultdict(list)
        self.planned: dict[int, list[tuple[date, date | None]]] = defaultdict(list)
        for units in chunks(sorted({bill.unit_id for bill in bills})):
            self._read_demands(units)
            self._read_promises(units)
        for ids in chunks(bill.id for bill in bills):
            self._read_payments(ids)
            self._read_plans(ids)

    def of(self, debtor: Debtor, invoice_id: int, issued_on: date, due_on: date) -> Iterator[Restart]:
        """The events that concern one bill: after its due day, and not before it was issued."""
        for one in self.to_one.get(invoice_id, ()):
            if one.on > due_on:
                yield one
        for one in self.to_all.get(debtor, ()):
            is_left_out = one.by == RestartedBy.DEMAND and self._is_in_plan(invoice_id, one.on)
            if one.on > due_on and one.on >= issued_on and not is_left_out:
                yield one

    def _is_in_plan(self, invoice_id: int, on: date) -> bool:
        """Whether a plan kept the bill out of the demands of a day (B9)."""
        return any(
            begun_on <= on and (ended_on is None or on < ended_on)
            for begun_on, ended_on in self.planned.get(invoice_id, ())
        )

    def _day(self, instant: Any) -> date:
        day: date = instant.astimezone(self.zone).date()
        return day

    def _read_demands(self, units: Sequence[int]) -> None:
        """Letters and messages to this payer that were sent or handed over; no notice before a due day."""
        rows = self.session.execute(
            select(Reminder.unit_id, Reminder.payer_id, Reminder.sent_at, ReminderBatch.number, Reminder.id)
            .join(ReminderBatch, ReminderBatch.id == Reminder.batch_id)
            .where(
                Reminder.unit_id.in_(units),
                Reminder.channel.in_(WRITTEN),
                Reminder.state.in_(REACHED),
                Reminder.sent_at.is_not(None),
                Reminder.planned_on > Reminder.due_on,
            )
        )
        for unit_id, payer_id, sent_at, number, id_ in rows:
            self.to_all[unit_id, payer_id].append(
                Restart(self._day(sent_at), RestartedBy.DEMAND, number, id_)
            )

    def _read_promises(self, units: Sequence[int]) -> None:
        """Promises that came in writing and were kept or broken, and signed undertakings."""
        contacts = self.session.execute(
            select(Contact.unit_id, Contact.payer_id, Contact.at, Contact.spoke_with, Contact.id).where(
                Contact.unit_id.in_(units),
                Contact.method == "message",
                Contact.promise_state.in_(WRITTEN_PROMISES),
            )
        )
        for unit_id, payer_id, at, spoke_with, id_ in contacts:
            self.to_all[unit_id, payer_id].append(
                Restart(self._day(at), RestartedBy.PROMISE, spoke_with, id_)
            )
        undertakings = self.session.execute(
            select(Restriction.unit_id, Restriction.payer_id, Restriction.undertaken_on).where(
                Restriction.unit_id.in_(units), Restriction.undertaken_on.is_not(None)
            )
        )
        for unit_id, payer_id, on in undertakings:
            assert on is not None  # asked for
            self.to_all[unit_id, payer_id].append(Restart(on, RestartedBy.PROMISE))

    def _read_payments(self, ids: Sequence[int]) -> None:
        """What was paid on a bill and not taken back, on the day on which the money came."""
        paid = self.session.execute(
            select(Allocation.invoice_id, Payment.paid_at, Payment.receipt_no, Payment.id)
            .join(Payment, Payment.id == Allocation.payment_id)
            .where(Allocation.invoice_id.in_(ids), Payment.kind == "payment", Payment.state == "posted")
            .group_by(Allocation.invoice_id, Payment.id, Payment.paid_at, Payment.receipt_no)
            .having(func.sum(Allocation.amount) > 0)
        )
        for invoice_id, paid_at, receipt_no, payment_id in paid:
            self.to_one[invoice_id].append(
                Restart(self._day(paid_at), RestartedBy.PART_PAYMENT, receipt_no, payment_id)
            )

    def _read_plans(self, ids: Sequence[int]) -> None:
        plans = self.session.execute(
            select(
                PlanInvoice.invoice_id, InstalmentPlan.approved_at, InstalmentPlan.ended_on, InstalmentPlan.id
            )
            .join(InstalmentPlan, InstalmentPlan.id == PlanInvoice.plan_id)
            .where(PlanInvoice.invoice_id.in_(ids), InstalmentPlan.approved_at.is_not(None))
        )
        for invoice_id, approved_at, ended_on, plan_id in plans:
            signed_on = self._day(approved_at)
            self.planned[invoice_id].append((signed_on, ended_on))
            self.to_one[invoice_id].append(Restart(signed_on, RestartedBy.PLAN, row_id=plan_id))


def as_json(debt: LimitedDebt, today: date) -> Mapping[str, Any]:
    """What `flask explain invoice` says of a bill's limitation."""
    ends = debt.limitation
    return {
        "last_day": ends.last_day.isoformat(),
        "days_left": ends.days_left(today),
        "restarted_on": ends.restart.on.isoformat(),
        "restarted_by": ends.restart.by.value,
        "lapsed_on": ends.lapsed_on.isoformat() if ends.lapsed_on else None,
        "evidence": [
            {"on": one.on.isoformat(), "by": one.by.value, "proof": one.proof, "id": one.row_id}
            for one in debt.events
        ],
    }


def of_invoice(session: Session, invoice_id: int, today: date) -> LimitedDebt | None:
    """The limitation of one bill; None once nothing is open."""
    return next(iter(limited(session, today, Invoice.id == invoice_id)), None)


def table(debts: Sequence[LimitedDebt]) -> Table:
    """Debts as the export gives them."""
    return CODES, (_row(one) for one in debts)


def _row(debt: LimitedDebt) -> Sequence[Value]:
    ends = debt.limitation
    return (
        debt.number,
        debt.unit_code,
        debt.payer_name,
        Decimal(yuan(debt.balance)),
        debt.due_on.isoformat(),
        ends.restart.on.isoformat(),
        ends.restart.by.value,
        ends.last_day.isoformat(),
        ends.lapsed_on.isoformat() if ends.lapsed_on else None,
    )


def export(session: Session) -> Table:
    """Every open bill with its last day to sue (contract "Charging, exactly": limitation)."""
    return table(limited(session, clock.today(session)))
