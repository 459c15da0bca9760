"""The values of receipts, payment notices and demands, gathered from many rows at once (§10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine
from models.payments import Allocation, AllocationLine, Cheque, Payment
from models.people import Owner, Staff
from models.property import Unit
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.documents.contacts import contact_persons
from office.documents.filing import NewPaper, print_papers
from office.documents.languages import payer_language, payer_languages
from office.documents.pdf.billing import PaymentNotice
from office.documents.pdf.collection import Demand
from office.documents.pdf.payments import Receipt, ReceiptLine
from office.documents.pdf.values import ChargeLine, DebtLine, LateFeeTerms, Recipient
from office.documents.pdf.wording import LANGUAGES, Words, words_of
from office.policies import store
from office.receivables import late_fees, sums
from office.receivables.sums import OwedInvoice
from rules.billing import Basis
from rules.cheques import UNCLEARED
from rules.late_fee import charged_days
from rules.reasons import Reason
from rules.receipts import ReceiptLayout, ReceiptPolicy

ZERO = Decimal(0)
PORTION = 500  # documents in memory at once


# Receipts (M2) ----------------------------------------------------------------------------------------


def receipt(session: Session, payment_id: int, layout: ReceiptLayout | None = None) -> Receipt:
    """The receipt of a payment as it stands: what it pays by item, what is kept as credit (M2, M9).

    Without a layout it is that of the policy.
    """
    payment, unit_code, payer, cashier = session.execute(
        select(Payment, Unit.code, Owner.name, Staff.name)
        .join(Unit, Unit.id == Payment.unit_id)
        .join(Owner, Owner.id == Payment.payer_id)
        .outerjoin(Staff, Staff.id == Payment.cashier_id)
        .where(Payment.id == payment_id)
    ).one()
    lines = _receipt_lines(session, payment)
    kept = payment.amount - sum((line.amount for line in lines), ZERO)
    if kept:
        lines.append(ReceiptLine(unit_code, kept))
    return Receipt(
        number=payment.receipt_no,
        paid_on=clock.office_day(session, payment.paid_at),
        recipient=Recipient(payer, unit_code),
        method=payment.method,
        amount=payment.amount,
        lines=tuple(lines),
        cashier=cashier or "",
        reference=payment.reference,
        void_reason=payment.reason if payment.state != "posted" else "",
        mark="void" if payment.state != "posted" else "",
        layout=layout or store.in_force(session, ReceiptPolicy, clock.today(session)).layout,
        cheque=_uncleared_cheque(session, payment_id),
    )


def _uncleared_cheque(session: Session, payment_id: int) -> str:
    """Number, bank and day of a payment's cheque while the bank has not paid it (M13)."""
    row = session.scalars(select(Cheque).where(Cheque.payment_id == payment_id)).one_or_none()
    is_open = row is not None and row.state in UNCLEARED
    return f"{row.number} · {row.bank} · {row.due_on.isoformat()}" if row is not None and is_open else ""


def _receipt_lines(session: Session, payment: Payment) -> list[ReceiptLine]:
    """What a payment pays of each line of bills, and of their late fees, in the payer's language (M9)."""
    language = payer_language(session, payment.payer_id)
    paid: dict[tuple[str, str, str, int | None], Decimal] = defaultdict(Decimal)
    rows = session.execute(
        select(
            Unit.code,
            Invoice.number,
            Invoice.period,
            AllocationLine.invoice_line_id,
            func.coalesce(AllocationLine.amount, Allocation.amount),
        )
        .select_from(Allocation)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(Unit, Unit.id == Invoice.unit_id)
        .outerjoin(AllocationLine, AllocationLine.allocation_id == Allocation.id)
        .where(Allocation.payment_id == payment.id)
        .order_by(Invoice.due_on, Invoice.id, Allocation.part.desc(), AllocationLine.invoice_line_id)
    )
    for code, number, period, line_id, amount in rows:
        paid[code, number, period, line_id] += amount
    wanted = {key[3] for key in paid if key[3] is not None}
    billed = {
        line.id: (line, item.name_in(language))
        for line, item in session.execute(
            select(InvoiceLine, FeeItem)
            .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
            .where(InvoiceLine.id.in_(wanted))
        )
    }
    found = []
    for (code, number, period, of_line), amount in paid.items():
        if not amount:
            continue
        if of_line is None:
            late_fee = words_of(language)["late_fee"]
            found.append(ReceiptLine(code, amount, number, period, late_fee))
            continue
        line, item = billed[of_line]
        found.append(
            ReceiptLine(
                code,
                amount,
                number,
                period,
                item,
                line.service_from,
                line.service_to,
                line.quantity,
                line.rate,
                line.months,
                line.factor,
            )
        )
    return found


def print_receipt(
    session: Session,
    payment_id: int,
    *,
    now: datetime,
    staff_id: int | None,
    layout: ReceiptLayout | None = None,
) -> bytes:
    """The receipt as PDF; the first print is the original, each later one is marked as a copy (M2).

    A copy is on the sheet of the first print, whatever the layout.
    """
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise Refused(N_("There is no such payment"))
    value = receipt(session, payment_id, layout)
    paper = NewPaper(payment.receipt_no, value, payment.unit_id, payment.payer_id)
    payment.copies_printed += 1
    return print_papers(session, "receipt", [paper], now=now, staff_id=staff_id)


# Payment notices (B5) ---------------------------------------------------------------------------------


def payment_notices(
    session: Session, invoice_ids: Sequence[int], *, on: date
) -> Iterator[tuple[Invoice, PaymentNotice]]:
    """The notice of each invoice as it stands on a day, by unit code within each portion; yuan (B5).

    Its items are named in the payer's language (P12).
    """
    items = session.scalars(select(FeeItem)).all()
    names = {one: {item.id: item.name_in(one) for item in items} for one in LANGUAGES}
    for portion in chunks(invoice_ids, PORTION):
        invoices = session.execute(
            select(Invoice, Unit.code, Owner.name, Owner.post_address)
            .join(Unit, Unit.id == Invoice.unit_id)
            .join(Owner, Owner.id == Invoice.payer_id)
            .where(Invoice.id.in_(portion))
            .order_by(Unit.code, Invoice.id)
        ).all()
        languages = payer_languages(session, {row[0].payer_id for row in invoices})
        spoken = {row[0].id: languages[row[0].payer_id] for row in invoices}
        lines = _charge_lines(session, spoken, names)
        open_now: dict[tuple[int, int], list[OwedInvoice]] = defaultdict(list)
        charged: dict[int, Decimal] = {}
        for one in sums.owed_at(session, {row[0].unit_id for row in invoices}, on):
            open_now[one.unit_id, one.payer_id].append(one)
            charged[one.id] = one.late_fee_charged
        credit = _credit_used(session, [row[0] for row in invoices])
        for invoice, code, name, address in invoices:
            yield (
                invoice,
                PaymentNotice(
                    number=invoice.number,
                    period=invoice.period,
                    issued_on=invoice.issued_on,
                    due_on=invoice.due_on,
                    recipient=Recipient(name, code, address),
                    lines=tuple(lines[invoice.id]),
                    amount=invoice.amount - invoice.credited,
                    previous_balance=_previous_balance(open_now, invoice),
                    credit_used=credit.get(invoice.id, ZERO),
                    late_fee=charged.get(invoice.id, invoice.late_fee),
                    paid=invoice.paid - credit.get(invoice.id, ZERO),
                ),
            )


def _credit_used(session: Session, invoices: Sequence[Invoice]) -> dict[int, Decimal]:
    """What earlier payments left over and paid of each invoice, in yuan (M1).

    A payment lays itself on bills in the moment it is posted; what it pays later is prepaid credit.
    """
    touched = [invoice.id for invoice in invoices if invoice.paid]
    if not touched:
        return {}
    net = func.sum(Allocation.amount)
    rows = session.execute(
        select(Allocation.invoice_id, net)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.invoice_id.in_(touched))
        .group_by(Allocation.invoice_id, Payment.id, Payment.posted_at)
        .having(func.min(Allocation.allocated_at) > Payment.posted_at)
    )
    found: dict[int, Decimal] = defaultdict(Decimal)
    for invoice_id, amount in rows:
        found[invoice_id] += amount
    return found


def _charge_lines(
    session: Session, languages: Mapping[int, str], names: Mapping[str, Mapping[int, str]]
) -> dict[int, list[ChargeLine]]:
    """The lines of each invoice in its language, with the names of the fee items."""
    lines: dict[int, list[ChargeLine]] = defaultdict(list)
    rows = session.execute(
        select(InvoiceLine).where(InvoiceLine.invoice_id.in_(languages)).order_by(InvoiceLine.id)
    )
    for line in rows.scalars():
        language = languages[line.invoice_id]
        lines[line.invoice_id].append(
            ChargeLine(
                item=names[language][line.fee_item_id],
                amount=line.amount,
                quantity=line.quantity,
                rate=line.rate,
                explanation=_explained(line, words_of(language)),
            )
        )
    return lines


def _explained(line: InvoiceLine, words: Words) -> str:
    """What a line counts besides quantity × rate: people, readings, tiers, the slip, the days."""
    reason = Reason.from_json(line.explanation) if line.explanation else Reason("")
    inputs, said = reason.inputs, []
    if reason.code == Basis.PER_PERSON:
        said.append(words.reckoned(reason.code, line.quantity, line.rate))
    if "meter" in inputs:
        said.append(f"{inputs['meter']}: {inputs['from']} → {inputs['to']}")
        if "counted" in inputs:
            said.append(str(inputs["counted"]))
        if "estimated" in inputs:
            said.append(words["estimated_reading"])
    if "tiers" in inputs:
        said.append(str(inputs["tiers"]))
    if "slip_no" in inputs:
        said.append(f"{inputs['slip_no']} ({inputs['used_on']})")
    if "days" in inputs and "of_days" in inputs:
        said.append(f"{inputs['days']}/{inputs['of_days']}")
    return "; ".join(said)


def _previous_balance(open_now: Mapping[tuple[int, int], Sequence[OwedInvoice]], invoice: Invoice) -> Decimal:
    """What the same payer still owes for the same unit on older invoices, in yuan (B5)."""
    theirs, place = open_now.get((invoice.unit_id, invoice.payer_id), ()), (invoice.due_on, invoice.id)
    return sums.together(one for one in theirs if (one.due_on, one.id) < place).total


# Demands and letters (C2, C3) -------------------------------------------------------------------------


def demands(
    session: Session,
    debtors: Sequence[tuple[int, int, str, date]],
    *,
    issued_on: date,
) -> Iterator[Demand]:
    """A letter for each (unit id, payer id, number, deadline), listing what is past due on `issued_on`.

    Principal and late fee are those of that day (D2); who owes nothing any more gets none. Each names the
    steward of its building, and what the late fee is reckoned by (D6).
    """
    policy = late_fees.policy_on(session, issued_on)
    terms = LateFeeTerms(policy.daily_rate, policy.grace_days, policy.cap_rate) if policy.is_on else None
    owed: dict[tuple[int, int], list[DebtLine]] = defaultdict(list)
    for one in sums.owed_at(session, {debtor[0] for debtor in debtors}, issued_on):
        if one.due_on < issued_on:
            days = charged_days(policy, one.due_on, issued_on) if one.late_fee else 0
            line = DebtLine(one.number, one.period, one.due_on, one.principal, one.late_fee, days)
            owed[one.unit_id, one.payer_id].append(line)
    recipients = _recipients(session, owed)
    contacts = contact_persons(session, {unit_id for unit_id, _payer_id in owed})
    for unit_id, payer_id, number, deadline_on in debtors:
        if owed[unit_id, payer_id]:
            yield Demand(
                number=number,
                issued_on=issued_on,
                deadline_on=deadline_on,
                recipient=recipients[unit_id, payer_id],
                debts=tuple(owed[unit_id, payer_id]),
                contact_name=contacts[unit_id].name,
                contact_phone=contacts[unit_id].phone,
                late_fee=terms,
            )


def _recipients(session: Session, debtors: Collection[tuple[int, int]]) -> dict[tuple[int, int], Recipient]:
    """Name, unit and address of each (unit id, payer id)."""
    codes: dict[int, str] = {}
    owners: dict[int, tuple[str, str]] = {}
    for portion in chunks(sorted({unit_id for unit_id, _ in debtors})):
        codes |= dict(session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(portion))).all())
    for portion in chunks(sorted({payer_id for _, payer_id in debtors})):
        named = select(Owner.id, Owner.name, Owner.post_address).where(Owner.id.in_(portion))
        owners |= {owner_id: (name, address) for owner_id, name, address in session.execute(named)}
    return {
        (unit_id, payer_id): Recipient(owners[payer_id][0], codes[unit_id], owners[payer_id][1])
        for unit_id, payer_id in debtors
    }
