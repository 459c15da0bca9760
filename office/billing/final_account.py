"""A change of payer: what the old one still owes, and bills already out moved by days (P5, B10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine
from office.billing import deposits, invoices, runs
from office.billing.invoices import NewCreditNote, NewInvoice, NewInvoiceLine
from office.core.errors import N_, Refused
from office.receivables import ledger, sums
from office.receivables.ledger import PAYMENT
from office.receivables.sums import OwedInvoice
from rules.billing import (
    MONTHLY,
    Basis,
    Period,
    Share,
    Timing,
    is_charged,
    monthly_quantity,
    quote,
    service_period,
)
from rules.money import ZERO
from rules.reasons import Reason


@dataclass(frozen=True)
class FinalAccount:
    """What a payer still owes for a unit on a day, and what we hold of theirs; yuan."""

    owed: tuple[OwedInvoice, ...]
    credit: Decimal
    deposits: Decimal

    @property
    def debt(self) -> Decimal:
        return sums.together(self.owed).total

    @property
    def to_pay(self) -> Decimal:
        """What is left after their credit; deposits are settled apart."""
        return max(self.debt - self.credit, ZERO)


def final_account(session: Session, unit_id: int, payer_id: int, on: date) -> FinalAccount:
    """What a payer would have to pay on a day to leave a unit with nothing owed (过户结清, P5)."""
    credit = sum(
        (
            one.amount
            for one in ledger.unused_credits(
                session, PAYMENT.c.unit_id == unit_id, PAYMENT.c.payer_id == payer_id
            )
        ),
        ZERO,
    )
    return FinalAccount(
        tuple(sums.owed_by(session, (unit_id, payer_id), on)),
        credit,
        deposits.held(session, unit_id, payer_id),
    )


def move_billing(
    session: Session,
    unit_id: int,
    *,
    old_payer_id: int,
    new_payer_id: int | None,
    residents: int | None = None,
    on: date,
    now: datetime,
    staff_id: int | None,
) -> list[int]:
    """Move what is billed for days from `on` on to the new payer, when the policy splits months (P5).

    Bills not yet out need nothing: the run splits them. For those that are, the old payer gets a credit
    note and the new one an invoice over the same days, with the residents that live there then; answers the
    new invoices' ids. Raises Refused when nobody has said how many, and an item is charged per person.
    """
    issued = session.scalars(
        select(Invoice)
        .where(
            Invoice.unit_id == unit_id,
            Invoice.payer_id == old_payer_id,
            Invoice.kind == "regular",
            Invoice.period >= str(Period.of(on)),
        )
        .order_by(Invoice.period)
    ).all()
    moved: list[NewInvoice] = []
    for invoice in issued:
        period = Period.parse(invoice.period)
        if not runs.policy(session, period).is_split_by_payer:
            continue
        given_back, lines = _moved_lines(session, invoice, period, on, residents)
        amount = min(given_back, invoice.amount - invoice.credited)
        if amount <= 0:
            continue
        reason = str(Reason("change_of_payer", {"on": on}))
        invoices.write_credit_note(session, NewCreditNote(invoice.id, amount, reason, staff_id), now=now)
        if new_payer_id is not None:
            if isinstance(lines, Reason):
                raise Refused(
                    N_("Bill %(number)s charges per person: enter the residents of the new payer"),
                    number=invoice.number,
                )
            due_on = max(invoice.due_on, on)
            moved.append(
                NewInvoice(
                    "regular",
                    "",
                    unit_id,
                    new_payer_id,
                    period,
                    max(invoice.issued_on, on),
                    due_on,
                    tuple(lines),
                )
            )
    return invoices.issue(session, moved, now=now) if moved else []


def _moved_lines(
    session: Session, invoice: Invoice, period: Period, on: date, residents: int | None
) -> tuple[Decimal, list[NewInvoiceLine] | Reason]:
    """What the old payer gets back for the days from `on` on, in yuan, and the new payer's lines over them.

    A reason in place of the lines when they can't be reckoned, such as `no_residents`.
    """
    given_back, lines, problem = ZERO, [], None
    for line, item in session.execute(
        select(InvoiceLine, FeeItem)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(InvoiceLine.invoice_id == invoice.id, FeeItem.basis.in_(MONTHLY))
        .order_by(InvoiceLine.id)
    ):
        basis, service = Basis(item.basis), service_period(Timing(item.timing), period)
        if on > service.last_on:
            continue
        days = min((service.last_on - on).days + 1, service.days)
        share = Share((service.days - days, days), 1, service.days)
        given_back += quote(basis, line.quantity, line.rate, share=share).amount
        quantity = monthly_quantity(basis, line.quantity, residents)
        if isinstance(quantity, Reason):
            problem = quantity
        elif is_charged(basis, quantity):
            new = quote(basis, quantity, line.rate, share=share)
            inputs = {"of_invoice": invoice.number, "from": on, "days": days, "amount": new.amount}
            lines.append(NewInvoiceLine(item.id, replace(new, reason=Reason("moved", inputs))))
    return given_back, problem or lines
