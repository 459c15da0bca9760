"""What `flask export` gives of money: payments and statement rows (contract "Exports")."""

from __future__ import annotations

from sqlalchemy import case, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from models.base import Money
from models.billing import FeeItem, Invoice
from models.payments import Allocation, Cheque, Earmark, Payment, StatementRow
from models.people import Owner
from models.property import Unit
from office.core.exports import Table, reason, stream


def payments(session: Session) -> Table:
    query = (
        select(
            Payment.receipt_no,
            Payment.paid_at,
            Payment.posted_on,
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            Payment.method,
            Payment.amount,
            Payment.allocated,
            Payment.credit,
            Payment.state,
            Payment.reference,
            Payment.kind,
        )
        .join(Payment.unit)
        .join(Payment.payer)
        .order_by(Payment.id)
    )
    return stream(session, query)


def earmarks(session: Session) -> Table:
    """Credit put aside for an item or days; what is left of one that ended is free credit (M10)."""
    used = (
        select(func.coalesce(func.sum(Allocation.amount), 0))
        .where(Allocation.earmark_id == Earmark.id)
        .scalar_subquery()
    )
    in_force = case((Earmark.ended_at.is_(None), Earmark.amount - used), else_=literal(0, Money()))
    left = type_coerce(in_force, Money())
    query = (
        select(
            Payment.receipt_no,
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            func.coalesce(FeeItem.code, "").label("fee_item"),
            Earmark.from_on,
            Earmark.to_on,
            Earmark.amount,
            used.label("used"),
            left.label("left"),
            Earmark.made_at,
            Earmark.ended_at,
        )
        .join(Earmark.payment)
        .join(Payment.unit)
        .join(Payment.payer)
        .outerjoin(Earmark.fee_item)
        .order_by(Earmark.id)
    )
    return stream(session, query)


def cheques(session: Session) -> Table:
    query = (
        select(
            Cheque.number,
            Cheque.bank,
            Cheque.due_on,
            Payment.receipt_no,
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            Payment.amount,
            Cheque.state,
            Cheque.presented_on,
            Cheque.cleared_on,
            Cheque.bounced_on,
            func.coalesce(Invoice.number, "").label("fee_invoice"),
        )
        .join(Cheque.payment)
        .join(Payment.unit)
        .join(Payment.payer)
        .outerjoin(Cheque.fee_invoice)
        .order_by(Cheque.id)
    )
    return stream(session, query)


def statement_rows(session: Session) -> Table:
    """Each row under the bank's number, which is its receipt's reference; under our own where it has none."""
    number = func.coalesce(func.nullif(StatementRow.number, ""), StatementRow.transaction_id)
    query = (
        select(
            number.label("transaction_id"),
            StatementRow.source,
            StatementRow.paid_at,
            StatementRow.amount,
            StatementRow.memo,
            StatementRow.state,
            func.coalesce(Payment.receipt_no, "").label("receipt_no"),
            StatementRow.reason,
        )
        .outerjoin(StatementRow.payment)
        .order_by(StatementRow.id)
    )
    return stream(session, query, reason=reason)
