"""Papers of bills and deposits from their rows: move-in bill, credit note, deposit slip, service slip (§10).

Each is filed in the household file under its own number.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import CreditNote, Deposit, FeeItem, Invoice, InvoiceLine, ServiceSlip
from models.payments import Payment
from models.people import Owner, Staff
from models.property import Unit
from office.core.errors import N_, Refused
from office.documents.filing import NewPaper, print_papers
from office.documents.languages import estate_language, payer_language
from office.documents.pdf import billing, payments
from office.documents.pdf import service_papers as papers
from office.documents.pdf.values import ChargeLine, Recipient
from office.documents.pdf.wording import words_of
from office.estate import owners
from rules.money import ZERO
from rules.reasons import Reason


def print_move_in_bill(session: Session, invoice_id: int, *, now: datetime, staff_id: int | None) -> bytes:
    """The move-in bill as PDF, each line with how it was reckoned (B6). Raises Refused for another bill."""
    invoice = session.get(Invoice, invoice_id)
    if invoice is None or invoice.kind != "move_in":
        raise Refused(N_("This is no move-in bill"))
    unit, payer = session.get_one(Unit, invoice.unit_id), session.get_one(Owner, invoice.payer_id)
    language = payer_language(session, payer.id)
    rows = session.execute(
        select(InvoiceLine, FeeItem)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(InvoiceLine.invoice_id == invoice_id)
        .order_by(InvoiceLine.id)
    ).all()
    value = billing.MoveInBill(
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        handed_over_on=unit.handed_over_on or invoice.issued_on,
        recipient=Recipient(payer.name, unit.code, payer.post_address),
        unit_kind=unit.kind,
        area_m2=unit.area_m2,
        lines=tuple(
            billing.MoveInLine(
                item.name_in(language), _basis(line, language), line.amount, item.basis == "deposit"
            )
            for line, item in rows
        ),
    )
    paper = NewPaper(value.number, value, unit.id, payer.id)
    return print_papers(session, "move_in_bill", [paper], now=now, staff_id=staff_id)


def _basis(line: InvoiceLine, language: str) -> str:
    """How a line of a move-in bill was reckoned: `98.70 ㎡ × 2.50 × 17/30`, `246.75 × 2`, or nothing."""
    words = words_of(language)
    reason = Reason.from_json(line.explanation) if line.explanation else Reason("")
    inputs = reason.inputs
    if reason.code == "months_ahead":
        return words["basis_months"].format(month=inputs["month"], months=inputs["months"])
    said = words.reckoned(reason.code, line.quantity, line.rate)
    if said and "days" in inputs:
        said += " × " + words["basis_days"].format(days=inputs["days"], of_days=inputs["of_days"])
    return said or words["basis_once"]


def print_credit_note(session: Session, note_id: int, *, now: datetime, staff_id: int | None) -> bytes:
    """The credit note against an invoice as PDF (B5). Raises Refused when there is none."""
    note = session.get(CreditNote, note_id)
    if note is None:
        raise Refused(N_("There is no such credit note"))
    invoice = note.invoice
    unit, payer = session.get_one(Unit, invoice.unit_id), session.get_one(Owner, invoice.payer_id)
    language = payer_language(session, payer.id)
    item = session.get(FeeItem, note.fee_item_id) if note.fee_item_id else None
    issuer = session.get(Staff, note.staff_id) if note.staff_id else None
    value = billing.CreditNote(
        number=note.number,
        issued_on=note.issued_on,
        recipient=Recipient(payer.name, unit.code, payer.post_address),
        invoice_number=invoice.number,
        period=invoice.period,
        amount=note.amount,
        reason=note.reason,
        lines=(ChargeLine(item.name_in(language), note.amount),) if item else (),
        approved_by=issuer.name if issuer else "",
        kind=note.kind,
    )
    paper = NewPaper(value.number, value, unit.id, payer.id)
    return print_papers(session, "credit_note", [paper], now=now, staff_id=staff_id)


def print_deposit_slip(session: Session, deposit_id: int, *, now: datetime, staff_id: int | None) -> bytes:
    """The slip of a deposit that was taken (B10). Raises Refused for any other entry."""
    deposit = session.get(Deposit, deposit_id)
    if deposit is None or deposit.entry != "taken" or deposit.payment_id is None:
        raise Refused(N_("There is no such deposit"))
    payment = session.get_one(Payment, deposit.payment_id)
    if payment.state != "posted":
        raise Refused(N_("Receipt %(number)s is no longer in force"), number=payment.receipt_no)
    language = payer_language(session, deposit.payer_id)
    value = payments.DepositSlip(
        number=deposit.number,
        received_on=deposit.posted_on,
        recipient=Recipient(deposit.payer.name, deposit.unit.code),
        deposit_kind=deposit.fee_item.name_in(language),
        method=payment.method,
        amount=deposit.amount,
        cashier=payment.cashier.name if payment.cashier else "",
    )
    paper = NewPaper(value.number, value, deposit.unit_id, deposit.payer_id)
    return print_papers(session, "deposit_slip", [paper], now=now, staff_id=staff_id)


def print_deposit_refund(session: Session, deposit_id: int, *, now: datetime, staff_id: int | None) -> bytes:
    """The receipt that a payer signs for a deposit given back (B10). Raises Refused for any other entry."""
    returned = session.get(Deposit, deposit_id)
    if returned is None or returned.entry != "returned":
        raise Refused(N_("This entry is no deposit that was given back"))
    taken = (
        session.execute(
            select(Deposit).where(
                Deposit.entry == "taken",
                Deposit.payment_id == returned.payment_id,
                Deposit.fee_item_id == returned.fee_item_id,
            )
        )
        .scalars()
        .first()
    )
    if taken is None:
        raise Refused(N_("There is no such deposit"))
    later = select(func.coalesce(func.sum(Deposit.amount), 0)).where(
        Deposit.payment_id == taken.payment_id,
        Deposit.fee_item_id == taken.fee_item_id,
        Deposit.entry.in_(("returned", "set_off")),
        Deposit.id <= returned.id,
    )
    language = payer_language(session, returned.payer_id)
    staff = session.get(Staff, returned.staff_id) if returned.staff_id else None
    value = payments.DepositRefund(
        number=returned.number,
        paid_on=returned.posted_on,
        recipient=Recipient(returned.payer.name, returned.unit.code),
        deposit_kind=returned.fee_item.name_in(language),
        amount=returned.amount,
        taken_number=taken.number,
        taken_on=taken.posted_on,
        reason=returned.reason,
        left=taken.amount - (session.scalar(later) or ZERO),
        cashier=staff.name if staff else "",
    )
    paper = NewPaper(value.number, value, returned.unit_id, returned.payer_id)
    return print_papers(session, "deposit_refund", [paper], now=now, staff_id=staff_id)


def print_service_slip(session: Session, slip_id: int, *, now: datetime, staff_id: int | None) -> bytes:
    """A service slip for the resident's signature (B3, B13), in the language of who pays for the unit."""
    slip = session.get(ServiceSlip, slip_id)
    if slip is None:
        raise Refused(N_("There is no such service slip"))
    payer = owners.payer_of(session, slip.unit_id, slip.used_on)
    language = payer_language(session, payer.owner_id) if payer else estate_language(session)
    invoice = session.get(Invoice, slip.invoice_id) if slip.invoice_id else None
    value = papers.ServiceSlip(
        number=slip.slip_no,
        used_on=slip.used_on,
        unit_code=slip.unit.code,
        service=slip.fee_item.name_in(language),
        quantity=slip.quantity,
        amount=slip.amount,
        work=slip.note,
        signed_by=slip.signed_by,
        invoice_number=invoice.number if invoice else "",
    )
    paper = NewPaper(slip.slip_no, value, slip.unit_id)
    return print_papers(session, "service_slip", [paper], language=language, now=now, staff_id=staff_id)
