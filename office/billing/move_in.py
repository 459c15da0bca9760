"""The bill of a household that moves in: fees ahead, deposits, funds, by kind of unit (B6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.property import Unit
from office.billing import invoices
from office.billing.draft import Item, items
from office.billing.invoices import NewInvoice, NewInvoiceLine
from office.core import audit
from office.core.errors import N_, Refused
from office.policies import store
from office.receivables import ledger
from rules import billing as rule
from rules.billing import MONTHLY, MoveInItem, Period, Share
from rules.policy_values import tables


def template(session: Session, kind: str, on: date) -> list[MoveInItem]:
    """The rows of the move-in bill for a kind of unit, in force on a day."""
    rows = tables(store.document(session, "billing", on), "move_in")
    return [MoveInItem.from_row(row) for row in rows if row["unit_kind"] == kind]


def lines_of(session: Session, unit: Unit, on: date) -> tuple[NewInvoiceLine, ...]:
    """The lines of a unit's move-in bill from the day of hand-over, none issued yet (B6).

    Raises Refused without a template or a tariff.
    """
    wanted = template(session, unit.kind, on)
    if not wanted:
        raise Refused(N_("There is no move-in bill for this kind of unit: add it to the billing policy"))
    by_code = {item.code: item for item in items(session)}
    lines: list[NewInvoiceLine] = []
    for one in wanted:
        item = by_code.get(one.fee_item)
        if item is None:
            raise Refused(N_("There is no fee item %(item)s"), item=one.fee_item)
        lines += _lines(unit, item, one, Period.of(on), on)
    return tuple(lines)


def issue_move_in_bill(
    session: Session,
    unit_id: int,
    *,
    payer_id: int,
    on: date,
    due_on: date,
    now: datetime,
    staff_id: int | None = None,
) -> Invoice:
    """Issue the move-in bill of a unit from the day of hand-over; once a unit and payer (B6).

    Months paid ahead count from the month of the hand-over, charged by days, and the runs of those months
    leave them out. Raises Refused without a template or a tariff, or when there is one already.
    """
    unit = session.get_one(Unit, unit_id)
    if due_on < on:
        raise Refused(N_("The due day comes before the hand-over"))
    lines = lines_of(session, unit, on)
    ledger.lock_postings(session)
    if session.scalar(
        select(func.count())
        .select_from(Invoice)
        .where(Invoice.unit_id == unit_id, Invoice.payer_id == payer_id, Invoice.kind == "move_in")
    ):
        raise Refused(N_("The move-in bill of unit %(unit)s is out already"), unit=unit.code)
    period = Period.of(on)
    months = max((one.months for one in template(session, unit.kind, on)), default=0)
    until = str(period.plus(months - 1)) if months else ""
    new = NewInvoice("move_in", until, unit_id, payer_id, period, on, due_on, lines)
    (invoice_id,) = invoices.issue(session, [new], now=now) or (None,)
    if invoice_id is None:
        raise Refused(N_("This can't be charged"))
    invoice = session.get_one(Invoice, invoice_id)
    audit.record(session, now, staff_id, "move_in", invoice, {"amount": new.amount, "unit": unit.code})
    return invoice


def _lines(unit: Unit, item: Item, wanted: MoveInItem, period: Period, on: date) -> list[NewInvoiceLine]:
    if item.basis not in MONTHLY or not wanted.months:
        once = MoveInItem(item.code, 0, wanted.amount, wanted.per_m2)
        return [NewInvoiceLine(item.id, rule.move_in_line(once, Decimal(0), unit.area_m2))]
    tariff = item.tariff(unit.kind, on)
    if tariff is None:
        raise Refused(N_("%(item)s has no tariff for this kind of unit"), item=item.code)
    days = (period.last_on - on).days + 1
    lines = [NewInvoiceLine(item.id, item.price(unit.area_m2, tariff, Share((days,), 0, period.days)))]
    if wanted.months > 1:
        month = item.price(unit.area_m2, tariff).amount
        lines.append(
            NewInvoiceLine(item.id, rule.move_in_line(MoveInItem(item.code, wanted.months - 1), month))
        )
    return lines
