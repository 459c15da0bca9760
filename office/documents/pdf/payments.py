"""Documents about money taken in: receipt and deposit slip (M2, B10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Block, Facts, Signatures, Table
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document, Form, Mark
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import EstateDetails, Recipient
from office.documents.pdf.wording import number
from rules.receipts import ReceiptLayout


@dataclass(frozen=True)
class ReceiptLine:
    """What the money was set against: an item of a unit's invoice, or the unit's prepaid credit (no invoice).

    `amount` is what was paid of it; the item was reckoned as quantity × rate × months × factor, for service
    on the days from–to (M9). Papers of before name invoices without items.
    """

    unit_code: str
    amount: Decimal
    invoice_number: str = ""
    period: str = ""
    item: str = ""
    service_from: date | None = None
    service_to: date | None = None
    quantity: Decimal | None = None
    rate: Decimal | None = None
    months: int = 1
    factor: Decimal = Decimal(1)

    def reckoning(self) -> str:
        """How the item was reckoned: `100.24 × 1.40 × 12`."""
        if self.quantity is None or self.rate is None:
            return ""
        more = [str(self.months)] if self.months != 1 else []
        more += [number(self.factor)] if self.factor != 1 else []
        return " × ".join((number(self.quantity), number(self.rate, 2), *more))


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
    layout: ReceiptLayout = "a5"
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
    is_slip = paid.layout == "slip"
    table = (_slip_lines if is_slip else _lines)(builder, paid.lines)
    cashier = words["cashier_signature"] + (words.colon + paid.cashier if paid.cashier else "")
    parts: list[Block] = [
        Facts(facts, columns=1 if is_slip else 2, after=6),
        *([table] if paid.lines else []),
        *builder.notes("note", "copies"),
        Signatures((builder.sealed(estate.creditor), cashier, words["payer_signature"]), after=0),
    ]
    form: Form = "slip_80" if is_slip else "a5_wide"
    return builder.document(parts, number=paid.number, on=paid.paid_on, mark=paid.mark, form=form)


def _lines(builder: DocumentBuilder, lines: Sequence[ReceiptLine]) -> Table:
    """What was paid, item by item, each with its bill, days and reckoning (M9)."""
    has_items = any(line.item for line in lines)
    columns = [
        builder.column("unit_code") if has_items else builder.column("unit_code", 2),
        builder.column("for_what", 4),
        builder.column("from_to") if has_items else builder.column("period", 2),
        *([builder.column("reckoning")] if has_items else []),
        builder.column("amount", align="right"),
    ]
    rows = [
        [
            line.unit_code,
            _for_what(builder, line),
            _from_to(builder, line),
            *([line.reckoning()] if has_items else []),
            builder.money(line.amount),
        ]
        for line in lines
    ]
    return Table(columns, rows, after=4)


def _slip_lines(builder: DocumentBuilder, lines: Sequence[ReceiptLine]) -> Table:
    """The same in two columns, for narrow paper."""
    columns = [builder.column("for_what", 3), builder.column("amount", align="right")]
    rows = [
        [
            "\n".join(
                filter(
                    None,
                    (
                        line.unit_code,
                        _for_what(builder, line),
                        _from_to(builder, line),
                        line.reckoning(),
                    ),
                )
            ),
            builder.money(line.amount),
        ]
        for line in lines
    ]
    return Table(columns, rows, after=4)


def _for_what(builder: DocumentBuilder, line: ReceiptLine) -> str:
    if not line.invoice_number:
        return builder.words["kept_as_credit"]
    return f"{line.item} {line.invoice_number}" if line.item else line.invoice_number


def _from_to(builder: DocumentBuilder, line: ReceiptLine) -> str:
    if line.service_from is None or line.service_to is None:
        return builder.words.period(line.period)
    return f"{line.service_from.isoformat()} – {line.service_to.isoformat()}"


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


@dataclass(frozen=True)
class DepositRefund:
    """A deposit, or part of one, that was given back (B10); `taken_number` is that of its slip."""

    number: str
    paid_on: date
    recipient: Recipient
    deposit_kind: str
    amount: Decimal
    taken_number: str
    taken_on: date
    reason: str = ""
    left: Decimal = Decimal(0)
    cashier: str = ""
    mark: Mark = ""


def deposit_refund(
    paid: DepositRefund, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The receipt that the payer signs for a deposit that comes back (退押金收据, B10)."""
    builder = DocumentBuilder("deposit_refund", estate, language, stored)
    words, to = builder.words, paid.recipient
    builder.fill(
        **builder.letter(to, paid.number, paid.paid_on),
        **builder.summed(paid.amount),
        deposit_kind=paid.deposit_kind,
    )
    cashier = words["cashier_signature"] + (words.colon + paid.cashier if paid.cashier else "")
    facts = [
        builder.fact("paid_to", to.name),
        builder.fact("unit_code", to.unit_code),
        builder.fact("deposit_kind", paid.deposit_kind),
        builder.fact("paid_back_on", words.day(paid.paid_on)),
        builder.fact("taken_slip", paid.taken_number),
        builder.fact("received_on", words.day(paid.taken_on)),
        builder.fact("capitals", builder.capitals(paid.amount)),
        builder.fact("in_figures", builder.money(paid.amount)),
        builder.fact("still_held", builder.money(paid.left)),
        *([builder.fact("reason", paid.reason, is_wide=True)] if paid.reason else []),
    ]
    parts: list[Block] = [
        Facts(facts),
        *builder.notes("note", "copies"),
        Signatures((builder.sealed(estate.creditor), cashier, words["recipient_signature"]), after=0),
    ]
    return builder.document(parts, number=paid.number, on=paid.paid_on, mark=paid.mark, form="a5_wide")
