"""What each payer and unit owed at an instant, also a past one (C13).

Invoices carry today's balance; what was allocated or credited since the instant is put back. Reading follows
the debtors and what happened since, not the history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from models.billing import (
    BillingRun,
    CreditNote,
    CreditNoteLine,
    FeeItem,
    InstalmentPlan,
    Invoice,
    InvoiceLine,
    PlanInvoice,
)
from models.payments import Allocation, AllocationLine, Payment
from office.core import clock
from office.core.database import chunks
from rules.dunning import Owable

Debtor = tuple[int, int]  # unit id, payer id

NOTHING: Any = literal_column("0")  # a literal, or SQLite can't use the partial indexes


class Debt(NamedTuple):
    """An invoice as it was owed, with its keys and the last stage made for it; balance in yuan."""

    number: str
    due_on: date
    balance: Decimal
    is_in_kept_plan: bool
    id: int
    unit_id: int
    payer_id: int
    stage: str


@dataclass(frozen=True)
class AsOf:
    """An instant to look from: the office's day then, and the present, after which nothing is known."""

    at: datetime
    present: datetime
    zone: ZoneInfo
    day: date

    @classmethod
    def of(cls, session: Session, at: datetime) -> AsOf:
        zone = clock.zone(session)
        return cls(at, max(at, clock.now(session)), zone, at.astimezone(zone).date())

    def is_later(self, recorded_at: Any) -> Any:
        """The SQL condition that a row was recorded since.

        A row from after the present was written while a sandbox still went by real time: it counts.
        """
        return and_(recorded_at >= self.at, recorded_at <= self.present)


def owed(
    session: Session, as_of: AsOf, *, until: date, units: Collection[int] | None = None
) -> dict[Debtor, list[Debt]]:
    """What was open at the moment and due by `until`, per payer and unit, in yuan (C4, C13).

    With `units` only theirs.
    """
    since = _paid_since(session, as_of, units)
    planned = _in_kept_plans(session, as_of)
    found: dict[Debtor, list[Debt]] = defaultdict(list)
    for key, unit_id, payer_id, number, due_on, balance, stage in _rows(session, as_of, until, since, units):
        if key in since:
            balance += since[key]  # noqa: PLW2901 -- the row's own, as it was then
        if balance > 0:
            found[unit_id, payer_id].append(
                Debt(number, due_on, balance, key in planned, key, unit_id, payer_id, stage)
            )
    return found


def _rows(
    session: Session,
    as_of: AsOf,
    until: date,
    since: Mapping[int, Decimal],
    units: Collection[int] | None,
) -> Iterator[Any]:
    columns = select(
        Invoice.id,
        Invoice.unit_id,
        Invoice.payer_id,
        Invoice.number,
        Invoice.due_on,
        Invoice.balance,
        Invoice.stage,
    ).where(Invoice.due_on <= until, Invoice.issued_on <= as_of.day)
    later_runs = session.scalars(select(BillingRun.id).where(as_of.is_later(BillingRun.started_at))).all()
    if later_runs:
        columns = columns.where(or_(Invoice.run_id.is_(None), Invoice.run_id.not_in(later_runs)))
    open_now = columns.where(Invoice.balance > NOTHING)
    if units is None:  # by the connection: the session's own work would be half of the reading
        yield from session.connection().execute(open_now.order_by(Invoice.due_on, Invoice.id))
    else:
        for chunk in chunks(units):
            yield from session.execute(
                open_now.where(Invoice.unit_id.in_(chunk)).order_by(Invoice.due_on, Invoice.id)
            )
    for chunk in chunks(since):
        yield from session.execute(columns.where(Invoice.id.in_(chunk), Invoice.balance == NOTHING))


def _paid_since(session: Session, as_of: AsOf, units: Collection[int] | None) -> dict[int, Decimal]:
    """Per invoice what has been allocated or credited since the moment."""
    allocated = (
        select(Allocation.invoice_id, func.sum(Allocation.amount).label("amount"))
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(_allocated_since(as_of))
        .group_by(Allocation.invoice_id)
    )
    credited = (
        select(CreditNote.invoice_id, func.sum(CreditNote.amount).label("amount"))
        .where(_credited_since(as_of))
        .group_by(CreditNote.invoice_id)
    )
    amounts: dict[int, Decimal] = defaultdict(Decimal)
    for query in (allocated, credited):
        for row in _of_units(session, query, units):
            amounts[row.invoice_id] += row.amount
    return amounts


def _of_units(session: Session, query: Any, units: Collection[int] | None) -> Iterator[Any]:
    if units is None:
        yield from session.execute(query)
        return
    column = query.selected_columns[0]
    for chunk in chunks(units):
        yield from session.execute(
            query.where(column.in_(select(Invoice.id).where(Invoice.unit_id.in_(chunk))))
        )


def counted(
    session: Session, as_of: AsOf, debts: Mapping[Debtor, Sequence[Debt]], items: Collection[str]
) -> Mapping[Debtor, Sequence[Debt]]:
    """The debts with only what is open of some fee items, by the lines; all of them without items (C20).

    A bill of which nothing of these is open is left out.
    """
    if not items:
        return debts
    open_of: dict[int, Decimal] = defaultdict(Decimal)
    paid = (
        select(func.coalesce(func.sum(AllocationLine.amount), 0))
        .join(Allocation, Allocation.id == AllocationLine.allocation_id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(AllocationLine.invoice_line_id == InvoiceLine.id, ~_allocated_since(as_of))
        .correlate(InvoiceLine)
        .scalar_subquery()
    )
    credited = (
        select(func.coalesce(func.sum(CreditNoteLine.amount), 0))
        .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
        .where(CreditNoteLine.invoice_line_id == InvoiceLine.id, ~_credited_since(as_of))
        .correlate(InvoiceLine)
        .scalar_subquery()
    )
    for ids in chunks(debt.id for rows in debts.values() for debt in rows):
        lines = session.execute(
            select(InvoiceLine.invoice_id, InvoiceLine.amount, paid, credited)
            .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
            .where(InvoiceLine.invoice_id.in_(ids), FeeItem.code.in_(sorted(items)))
        )
        for invoice_id, amount, paid_of, credited_of in lines:
            open_of[invoice_id] += amount - paid_of - credited_of
    return {
        debtor: rows
        for debtor, all_of in debts.items()
        if (rows := [debt._replace(balance=open_of[debt.id]) for debt in all_of if open_of[debt.id] > 0])
    }


def _allocated_since(as_of: AsOf) -> ColumnElement[bool]:
    return and_(
        Allocation.effective_at >= as_of.at,
        or_(Payment.paid_at >= as_of.at, as_of.is_later(Allocation.allocated_at)),
    )


def _credited_since(as_of: AsOf) -> ColumnElement[bool]:
    return or_(
        and_(CreditNote.issued_at.is_not(None), as_of.is_later(CreditNote.issued_at)),
        and_(CreditNote.issued_at.is_(None), CreditNote.issued_on > as_of.day),
    )


def _in_kept_plans(session: Session, as_of: AsOf) -> frozenset[int]:
    """The invoices that an approved plan, not yet ended, kept out of reminders (B9)."""
    return frozenset(
        session.scalars(
            select(PlanInvoice.invoice_id)
            .join(InstalmentPlan, InstalmentPlan.id == PlanInvoice.plan_id)
            .where(
                InstalmentPlan.approved_at.is_not(None),
                ~as_of.is_later(InstalmentPlan.approved_at),
                or_(InstalmentPlan.ended_on.is_(None), InstalmentPlan.ended_on > as_of.day),
            )
        )
    )


def payments_since(
    session: Session, as_of: AsOf, since: datetime, units: Collection[int]
) -> dict[Debtor, list[tuple[datetime, Decimal]]]:
    """The instants and yuan of what was paid per payer and unit from `since` on (C6, B9)."""
    found: dict[Debtor, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for chunk in chunks(units):
        rows = session.execute(
            select(Payment.unit_id, Payment.payer_id, Payment.paid_at, Payment.amount).where(
                Payment.unit_id.in_(chunk),
                Payment.paid_at >= since,
                Payment.paid_at < as_of.at,
                ~as_of.is_later(Payment.posted_at),
                Payment.kind == "payment",
                Payment.state == "posted",
            )
        )
        for unit_id, payer_id, paid_at, amount in rows:
            found[unit_id, payer_id].append((paid_at, amount))
    return found


def total(debts: Sequence[Owable]) -> Decimal:
    """Their sum in yuan."""
    return sum((one.balance for one in debts), Decimal(0))
