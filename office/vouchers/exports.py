"""What `flask export` gives of vouchers: their lines, the documents in them, the mapping (M12)."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from models.billing import CreditNote, FeeItem, Invoice
from models.payments import Allocation, Payment
from models.people import Owner
from models.property import Building, Unit
from models.vouchers import LedgerAccount, Voucher, VoucherLine, VoucherSource
from office.core.exports import Table, stream


def vouchers(session: Session) -> Table:
    reversed_one = aliased(Voucher)
    query = (
        select(
            Voucher.period,
            Voucher.number,
            Voucher.dated_on,
            Voucher.kind,
            VoucherLine.position.label("line"),
            VoucherLine.use,
            VoucherLine.account,
            VoucherLine.account_name,
            VoucherLine.debit,
            VoucherLine.credit,
            func.coalesce(Unit.code, "").label("unit_code"),
            func.coalesce(Owner.name, "").label("payer_name"),
            func.coalesce(Building.name, "").label("building"),
            func.coalesce(reversed_one.number, "").label("reverses"),
            Voucher.exported_at,
        )
        .join(VoucherLine.voucher)
        .outerjoin(VoucherLine.unit)
        .outerjoin(VoucherLine.payer)
        .outerjoin(VoucherLine.building)
        .outerjoin(reversed_one, reversed_one.id == Voucher.reverses_id)
        .order_by(Voucher.period, Voucher.running_no, VoucherLine.position)
    )
    return stream(session, query)


def voucher_documents(session: Session) -> Table:
    """The documents of each voucher; a payment's part of a bill is called by the receipt."""
    receipt = aliased(Payment)
    is_of = {
        name: VoucherSource.source == name for name in ("invoice", "credit_note", "payment", "allocation")
    }
    query = (
        select(
            Voucher.number.label("voucher"),
            VoucherSource.source,
            func.coalesce(Invoice.number, CreditNote.number, Payment.receipt_no, receipt.receipt_no).label(
                "document"
            ),
            case(
                (is_of["invoice"], Invoice.amount),
                (is_of["credit_note"], CreditNote.amount),
                (is_of["payment"], Payment.amount),
                else_=Allocation.amount,
            ).label("amount"),
            func.coalesce(Allocation.part, "").label("part"),
            VoucherSource.is_live,
        )
        .join(VoucherSource.voucher)
        .outerjoin(Invoice, is_of["invoice"] & (Invoice.id == VoucherSource.source_id))
        .outerjoin(CreditNote, is_of["credit_note"] & (CreditNote.id == VoucherSource.source_id))
        .outerjoin(Payment, is_of["payment"] & (Payment.id == VoucherSource.source_id))
        .outerjoin(Allocation, is_of["allocation"] & (Allocation.id == VoucherSource.source_id))
        .outerjoin(receipt, receipt.id == Allocation.payment_id)
        .order_by(Voucher.period, Voucher.running_no, VoucherSource.id)
    )
    return stream(session, query)


def ledger_accounts(session: Session) -> Table:
    query = (
        select(
            LedgerAccount.use,
            func.coalesce(FeeItem.code, "").label("fee_item"),
            LedgerAccount.method,
            LedgerAccount.account,
            LedgerAccount.account_name,
            LedgerAccount.tax_rate,
            LedgerAccount.auxiliary,
            LedgerAccount.valid_from,
        )
        .outerjoin(LedgerAccount.fee_item)
        .order_by(LedgerAccount.target, LedgerAccount.valid_from)
    )
    return stream(session, query)
