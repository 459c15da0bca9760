"""Documents about money taken in: receipt and deposit slip (M2, B10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Block, Facts, Signatures, Table
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document, Mark
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import EstateDetails, Recipient


@dataclass(frozen=True)
class ReceiptLine:
    """What the money was set against: an invoice of a unit, or the unit's prepaid credit (no invoice)."""

    unit_code: str
    amount: Decimal
    invoice_number: str = ""
    period: str = ""


@dataclass(frozen=True)
class Receipt:
    """One payment; `method` is a code of the contract, `mark` says whether it is a reprint or void."""

    number: str
    paid_on: date
    recipient: Recipient
    method: str
    amount: Decimal
    lines: tuple[ReceiptLine, ...]
    cashier: str = ""
    reference: str = ""
    void_reason: str = ""
    mark: Mark = ""
    cheque: str = ""  # number, bank and day of a cheque that has not cleared (M13)


def receipt(paid: Receipt, estate: EstateDetails, language: str, stored: Blocks | None = None) -> Document:
    """The receipt of one payment, amount in figures and Chinese capitals (M2)."""
    builder = DocumentBuilder("receipt", estate, language, stored)
    words, to = builder.words, paid.recipient
    method = words.code("method", paid.method)
    builder.fill(
        **builder.letter(to, paid.number, paid.paid_on),
        **builder.summed(paid.amount),
        method=method,
        paid_on=words.day(paid.paid_on),
    )
    facts = [
        builder.fact("received_from", to.name),
        builder.fact("unit_code", to.unit_code),
        builder.fact("paid_on", words.day(paid.paid_on)),
        builder.fact("method", method),
        builder.fact("capitals", builder.capitals(paid.amount)),
        builder.fact("in_figures", builder.money(paid.amount)),
    ]
    if paid.reference:
        facts.append(builder.fact("reference", paid.reference, is_wide=True))
    if paid.cheque:
        facts.append(builder.fact("cheque", paid.cheque, is_wide=True))
        facts.append(builder.fact("clearing", words["subject_to_clearing"], is_wide=True))
    if paid.void_reason:
        facts.append(builder.fact("void_reason", paid.void_reason, is_wide=True))
    rows = [
        [
            line.unit_code,
            line.invoice_number or words["kept_as_credit"],
            words.period(line.period),
            builder.money(line.amount),
        ]
        for line in paid.lines
    ]
    columns = [
        builder.column("unit_code", 2),
        builder.column("for_what", 4),
        builder.column("period", 2),
        builder.column("amount", align="right"),
    ]
    cashier = words["cashier_signature"] + (words.colon + paid.cashier if paid.cashier else "")
    parts: list[Block] = [
        Facts(facts, after=6),
        *([Table(columns, rows, after=4)] if rows else []),
        *builder.notes("note", "copies"),
        Signatures((builder.sealed(estate.creditor), cashier, words["payer_signature"]), after=0),
    ]
    return builder.document(parts, number=paid.number, on=paid.paid_on, mark=paid.mark, form="a5_wide")


@dataclass(frozen=True)
class DepositSlip:
    """A refundable deposit taken for a unit (B10)."""

    number: str
    received_on: date
    recipient: Recipient
    deposit_kind: str
    method: str
    amount: Decimal
    cashier: str = ""
    mark: Mark = ""


def deposit_slip(
    slip: DepositSlip, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The slip that the payer brings back for the deposit (B10)."""
    builder = DocumentBuilder("deposit_slip", estate, language, stored)
    words, to = builder.words, slip.recipient
    builder.fill(
        **builder.letter(to, slip.number, slip.received_on),
        **builder.summed(slip.amount),
        deposit_kind=slip.deposit_kind,
    )
    cashier = words["cashier_signature"] + (words.colon + slip.cashier if slip.cashier else "")
    parts: list[Block] = [
        Facts(
            [
                builder.fact("received_from", to.name),
                builder.fact("unit_code", to.unit_code),
                builder.fact("received_on", words.day(slip.received_on)),
                builder.fact("method", words.code("method", slip.method)),
                builder.fact("deposit_kind", slip.deposit_kind, is_wide=True),
                builder.fact("capitals", builder.capitals(slip.amount)),
                builder.fact("in_figures", builder.money(slip.amount)),
            ]
        ),
        *builder.notes("note", "copies"),
        Signatures((builder.sealed(estate.creditor), cashier, words["payer_signature"]), after=0),
    ]
    return builder.document(parts, number=slip.number, on=slip.received_on, mark=slip.mark, form="a5_wide")
