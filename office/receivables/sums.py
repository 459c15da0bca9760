"""What is owed on a day: principal, late fee and their total, wherever a sum of debts is shown (D2, M7).

Papers, pages, explanations and statements ask `owed`. Lists and exports of thousands of rows read the columns
of the invoice, which the daily job and every posting bring to the same sums.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from office.core import clock
from office.core.database import chunks
from office.receivables import late_fees, ledger
from office.receivables.ledger import INVOICE
from rules.receivables import Owed, Receivable


@dataclass(frozen=True)
class OwedInvoice:
    """An invoice that is open, and what of it is open on a day; `late_fee_charged` is paid or open."""

    id: int
    number: str
    kind: str
    period: str
    stage: str
    unit_id: int
    payer_id: int
    due_on: date
    owed: Owed
    late_fee_charged: Decimal

    @property
    def principal(self) -> Decimal:
        return self.owed.principal

    @property
    def late_fee(self) -> Decimal:
        return self.owed.late_fee

    @property
    def total(self) -> Decimal:
        return self.owed.total


def owed(session: Session, on: date, *conditions: ColumnElement[bool]) -> list[OwedInvoice]:
    """What was owed at the end of a day on invoices that still owe something, oldest first (D2).

    Of today it is what has to be paid today so that nothing is left.
    """
    return _owed(session, on, ledger.is_open(), *conditions)


def owed_then(session: Session, on: date, *conditions: ColumnElement[bool]) -> list[OwedInvoice]:
    """What was owed at the end of a day on all invoices that were out by then, also on those paid since."""
    is_past = on < clock.today(session)
    return _owed(session, on, INVOICE.c.issued_on <= on if is_past else ledger.is_open(), *conditions)


def _owed(session: Session, on: date, *conditions: ColumnElement[bool]) -> list[OwedInvoice]:
    policies = late_fees.policies_since(session, on, max(on, clock.today(session)))
    bills = ledger.receivables(session, *conditions, is_history_read=True)
    named = _named(session, bills)
    found = [
        OwedInvoice(
            one.id,
            one.number,
            *named[one.id],
            one.unit_id,
            one.payer_id,
            one.due_on,
            one.owed_on(policies, on),
            one.charged_on(policies, on),
        )
        for one in bills
    ]
    return sorted((one for one in found if one.total > 0), key=lambda one: (one.due_on, one.id))


def _named(session: Session, bills: Collection[Receivable]) -> dict[int, tuple[str, str, str]]:
    """Kind, period and dunning stage of each."""
    named: dict[int, tuple[str, str, str]] = {}
    for ids in chunks(sorted(one.id for one in bills)):
        columns = select(Invoice.id, Invoice.kind, Invoice.period, Invoice.stage)
        for invoice_id, *words in session.execute(columns.where(Invoice.id.in_(ids))):
            named[invoice_id] = (words[0], words[1], words[2])
    return named


def owed_at(session: Session, unit_ids: Iterable[int], on: date) -> list[OwedInvoice]:
    """What was owed for some units, whoever owes it."""
    found: list[OwedInvoice] = []
    for ids in chunks(sorted(set(unit_ids))):
        found += owed(session, on, INVOICE.c.unit_id.in_(ids))
    return found


def owed_by(session: Session, debtor: tuple[int, int], on: date) -> list[OwedInvoice]:
    """What a payer (unit id, payer id) owed."""
    return owed(session, on, INVOICE.c.unit_id == debtor[0], INVOICE.c.payer_id == debtor[1])


def together(bills: Iterable[OwedInvoice]) -> Owed:
    """Principal, late fee and total of several invoices."""
    return sum((one.owed for one in bills), Owed())
