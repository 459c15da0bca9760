"""A change of payer: what the old one still owes, and bills already out moved by days (P5, B10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine
from models.contracts import RentContract
from office.billing import deposits, invoices, runs
from office.billing.billable_items import rounding_of
from office.billing.invoices import NewCreditNote, NewInvoice, NewInvoiceLine
from office.core.errors import N_, Refused
from office.receivables import ledger, sums
from office.receivables.ledger import PAYMENT
from office.receivables.sums import OwedInvoice
from rules.billing import (
    MONTHLY,
    Basis,
    Period,
    Quote,
    Share,
    Timing,
    is_charged,
    monthly_quantity,
    quote,
    service_period,
)
from rules.money import ZERO, Rounding
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
    long = (
        select(InvoiceLine.invoice_id)
        .join(Invoice)
        .where(Invoice.unit_id == unit_id, InvoiceLine.months > 1, InvoiceLine.service_to >= on)
    )
    issued = session.scalars(
        select(Invoice)
        .where(
            Invoice.unit_id == unit_id,
            Invoice.payer_id == old_payer_id,
            Invoice.kind == "regular",
            or_(Invoice.period >= str(Period.of(on)), Invoice.id.in_(long)),
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

    The rent of a contract stays: it is owed by the contract, whoever owns the unit (B24).

    A reason in place of the lines when they can't be reckoned, such as `no_residents`.
    """
    given_back, lines, problem = ZERO, [], None
    of_contract = exists().where(
        RentContract.unit_id == invoice.unit_id,
        RentContract.fee_item_id == InvoiceLine.fee_item_id,
        RentContract.valid_to >= InvoiceLine.service_from,
        RentContract.valid_from <= InvoiceLine.service_to,
    )
    for line, item in session.execute(
        select(InvoiceLine, FeeItem)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(InvoiceLine.invoice_id == invoice.id, FeeItem.basis.in_(MONTHLY), ~of_contract)
        .order_by(InvoiceLine.id)
    ):
        rest = _rest_of(line, item, period, on)
        if rest is None:
            continue
        given_back += rest.price(line.quantity).amount
        quantity = monthly_quantity(rest.basis, line.quantity, residents)
        if isinstance(quantity, Reason):
            problem = quantity
        elif is_charged(rest.basis, quantity):
            new = rest.price(quantity)
            inputs = {
                "of_invoice": invoice.number,
                "from": on,
                "days": rest.share.own_days,
                "of_days": rest.share.of,
                "amount": new.amount,
            }
            lines.append(NewInvoiceLine(item.id, replace(new, reason=Reason("moved", inputs))))
    return given_back, problem or lines


@dataclass(frozen=True)
class _Rest:
    """The days of a line from a change of payer on, as their share of the months that it charges for."""

    line: InvoiceLine
    basis: Basis
    rounding: Rounding
    share: Share
    days: tuple[date, date]

    def price(self, quantity: Decimal) -> Quote:
        """What these days cost at a quantity, by the line's rate."""
        priced = quote(
            self.basis,
            quantity,
            self.line.rate,
            share=self.share,
            months=self.line.months,
            factor=self.line.factor,
            rounding=self.rounding,
        )
        return replace(priced, from_on=self.days[0], to_on=self.days[1])


def _rest_of(line: InvoiceLine, item: FeeItem, period: Period, on: date) -> _Rest | None:
    """The days of a line from a day on; None where it charges for none of them.

    A line of before does not say its days: they are those of the period that the item charges.
    """
    reason = Reason.from_json(line.explanation) if line.explanation else Reason("")
    service = service_period(Timing(item.timing), period)
    first_on, last_on = line.service_from or service.first_on, line.service_to or service.last_on
    if on > last_on:
        return None
    own_days = (last_on - first_on).days + 1
    of_days = own_days if line.service_from else service.days
    if line.service_from:
        of_days = int(str(reason.inputs.get("of_days", of_days)))
    days = min((last_on - on).days + 1, own_days)
    return _Rest(
        line,
        Basis.FIXED if reason.code == Basis.FIXED else Basis(item.basis),
        rounding_of(item),
        Share((of_days - days, days), 1, of_days),
        (max(on, first_on), last_on),
    )
