"""The drafted bills become invoices with their lines, set by set; their slips are billed then (B3–B5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from models.base import Money
from office.billing.bill_layout import has_own_lines
from office.billing.draft import Draft
from office.billing.meter_months import READING
from office.billing.period_rows import LINE, SLIP
from office.billing.pool_shares import POOL, SHARE
from office.billing.working_tables import BILL, LINE_COLUMNS, OWN_LINE, QUOTE
from office.core import numbering
from office.core.database import is_postgresql
from office.receivables.ledger import INVOICE
from rules.billing import Period
from rules.money import ZERO

SERIES = "I"


def insert_invoices(draft: Draft, run_id: int, issued_on: date, due_on: date) -> None:
    """Turn the draft into invoices of a run, numbered in the order of its bills."""
    session, period = draft.session, draft.period
    year = period.year * 100 + period.month
    first = numbering.take(session, SERIES, year, draft.count)
    fixed = {
        "kind": "regular",
        "period": str(period),
        "issued_on": issued_on,
        "due_on": due_on,
        "state": "open",
        "run_id": run_id,
        "stage": "",
    }
    zero = literal(ZERO, Money())
    values = {
        "number": literal(f"{SERIES}{year}-") + _padded(session, BILL.c.n + (first - 1)),
        "unit_id": BILL.c.unit_id,
        "payer_id": BILL.c.payer_id,
        "part": BILL.c.part,
        **{name: literal(value, INVOICE.c[name].type) for name, value in fixed.items()},
        "amount": BILL.c.amount,
        "balance": BILL.c.amount,
        **dict.fromkeys(("paid", "credited", "late_fee"), zero),
    }
    session.execute(insert(INVOICE).from_select(list(values), select(*values.values()).order_by(BILL.c.n)))
    _insert_lines(session, period, QUOTE, QUOTE.c.set_id == BILL.c.set_id)
    if has_own_lines(session):
        own = and_(OWN_LINE.c.unit_id == BILL.c.unit_id, OWN_LINE.c.payer_id == BILL.c.payer_id)
        _insert_lines(session, period, OWN_LINE, own)
        _close_slips(session, period, own)
        _close_shares(session, period, own)
        _close_readings(session, period, own)


def _padded(session: Session, number: ColumnElement[Any]) -> ColumnElement[str]:
    """The number as text of at least six digits."""
    if not is_postgresql(session):
        return func.printf(f"%0{numbering.WIDTH}d", number)
    words = as_type(number, Text())
    return case((func.length(words) < numbering.WIDTH, func.lpad(words, numbering.WIDTH, "0")), else_=words)


def _is_invoice_of_bill(period: Period) -> ColumnElement[bool]:
    return and_(
        INVOICE.c.period == str(period),
        INVOICE.c.unit_id == BILL.c.unit_id,
        INVOICE.c.payer_id == BILL.c.payer_id,
        INVOICE.c.kind == "regular",
        INVOICE.c.part == BILL.c.part,
    )


def _insert_lines(session: Session, period: Period, source: Table, belongs: ColumnElement[bool]) -> None:
    session.execute(
        insert(LINE).from_select(
            ["invoice_id", *LINE_COLUMNS],
            select(INVOICE.c.id, *(source.c[name] for name in LINE_COLUMNS))
            .select_from(BILL.join(INVOICE, _is_invoice_of_bill(period)).join(source, belongs))
            .order_by(BILL.c.n, source.c.position, source.c.id),
        )
    )


def _close_slips(session: Session, period: Period, own: ColumnElement[bool]) -> None:
    found = session.execute(
        select(OWN_LINE.c.slip_id, INVOICE.c.id)
        .select_from(OWN_LINE.join(BILL, own).join(INVOICE, _is_invoice_of_bill(period)))
        .where(OWN_LINE.c.slip_id.is_not(None))
    ).all()
    if found:
        billed = (
            update(SLIP)
            .where(SLIP.c.id == bindparam("slip"))
            .values(state="billed", invoice_id=bindparam("bill"), row_version=SLIP.c.row_version + 1)
        )
        session.connection().execute(
            billed, [{"slip": slip_id, "bill": invoice_id} for slip_id, invoice_id in found]
        )


def _close_readings(session: Session, period: Period, own: ColumnElement[bool]) -> None:
    """Note at each meter's last reading the first bill that counts with it: from then on it stays (B18)."""
    found = (
        select(OWN_LINE.c.reading_id, func.min(INVOICE.c.id).label("invoice_id"))
        .select_from(OWN_LINE.join(BILL, own).join(INVOICE, _is_invoice_of_bill(period)))
        .where(OWN_LINE.c.reading_id.is_not(None))
        .group_by(OWN_LINE.c.reading_id)
        .subquery()
    )
    session.execute(
        update(READING).values(invoice_id=found.c.invoice_id).where(READING.c.id == found.c.reading_id)
    )


def _close_shares(session: Session, period: Period, own: ColumnElement[bool]) -> None:
    """Note at each share the first bill that holds it, and at its pool that bills do (B16)."""
    found = (
        select(OWN_LINE.c.share_id, func.min(INVOICE.c.id).label("invoice_id"))
        .select_from(OWN_LINE.join(BILL, own).join(INVOICE, _is_invoice_of_bill(period)))
        .where(OWN_LINE.c.share_id.is_not(None))
        .group_by(OWN_LINE.c.share_id)
        .subquery()
    )
    if session.scalar(select(found.c.share_id).limit(1)) is None:
        return
    session.execute(update(SHARE).values(invoice_id=found.c.invoice_id).where(SHARE.c.id == found.c.share_id))
    held = select(SHARE.c.pool_id).where(SHARE.c.invoice_id.is_not(None))
    session.execute(
        update(POOL)
        .where(POOL.c.state == "open", POOL.c.id.in_(held))
        .values(state="billed", row_version=POOL.c.row_version + 1)
    )
