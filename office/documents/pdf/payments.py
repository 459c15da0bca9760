"""Papers about money taken in: receipt and deposit slip (M2, B10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Facts, Part, Signatures, Table
from office.documents.pdf.builder import Draft
from office.documents.pdf.document import Mark, Paper
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import Estate, Recipient


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


def receipt(paid: Receipt, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The receipt of one payment, amount in figures and Chinese capitals (M2)."""
    draft = Draft("receipt", estate, language, stored)
    words, to = draft.words, paid.recipient
    method = words.code("method", paid.method)
    draft.fill(
        **draft.letter(to, paid.number, paid.paid_on),
        amount=draft.money(paid.amount),
        method=method,
        paid_on=words.day(paid.paid_on),
    )
    facts = [
        draft.fact("received_from", to.name),
        draft.fact("unit_code", to.unit_code),
        draft.fact("paid_on", words.day(paid.paid_on)),
        draft.fact("method", method),
        draft.fact("capitals", words.capitals(paid.amount)),
        draft.fact("in_figures", draft.money(paid.amount)),
    ]
    if paid.reference:
        facts.append(draft.fact("reference", paid.reference, is_wide=True))
    if paid.void_reason:
        facts.append(draft.fact("void_reason", paid.void_reason, is_wide=True))
    rows = [
        [
            line.unit_code,
            line.invoice_number or words["kept_as_credit"],
            words.period(line.period),
            draft.money(line.amount),
        ]
        for line in paid.lines
    ]
    columns = [
        draft.column("unit_code", 2),
        draft.column("for_what", 4),
        draft.column("period", 2),
        draft.column("amount", align="right"),
    ]
    cashier = words["cashier_signature"] + (words.colon + paid.cashier if paid.cashier else "")
    parts: list[Part] = [
        Facts(facts, after=6),
        *([Table(columns, rows, after=4)] if rows else []),
        *draft.note(),
        Signatures((words["office_seal"], cashier, words["payer_signature"]), after=0),
    ]
    return draft.paper(parts, number=paid.number, on=paid.paid_on, mark=paid.mark, form="a5_wide")


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


def deposit_slip(slip: DepositSlip, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The slip that the payer brings back for the deposit (B10)."""
    draft = Draft("deposit_slip", estate, language, stored)
    words, to = draft.words, slip.recipient
    draft.fill(
        **draft.letter(to, slip.number, slip.received_on),
        amount=draft.money(slip.amount),
        deposit_kind=slip.deposit_kind,
    )
    cashier = words["cashier_signature"] + (words.colon + slip.cashier if slip.cashier else "")
    parts: list[Part] = [
        Facts(
            [
                draft.fact("received_from", to.name),
                draft.fact("unit_code", to.unit_code),
                draft.fact("received_on", words.day(slip.received_on)),
                draft.fact("method", words.code("method", slip.method)),
                draft.fact("deposit_kind", slip.deposit_kind, is_wide=True),
                draft.fact("capitals", words.capitals(slip.amount)),
                draft.fact("in_figures", draft.money(slip.amount)),
            ]
        ),
        *draft.note(),
        Signatures((words["office_seal"], cashier, words["payer_signature"]), after=0),
    ]
    return draft.paper(parts, number=slip.number, on=slip.received_on, mark=slip.mark, form="a5_wide")
