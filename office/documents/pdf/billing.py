"""Documents about bills: payment notice, move-in bill, credit note, tariff notice (B2, B5, B6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Block, Facts, Issuer, Signatures, Table, Text, Totals
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document, Mark
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import ChargeLine, EstateDetails, Recipient
from office.documents.pdf.wording import money, number


@dataclass(frozen=True)
class PaymentNotice:
    """A bill as its payer reads it; `amount` is this bill's own, money in yuan, `period` is `YYYY-MM`."""

    number: str
    period: str
    issued_on: date
    due_on: date
    recipient: Recipient
    lines: tuple[ChargeLine, ...]
    amount: Decimal
    previous_balance: Decimal = Decimal(0)
    credit_used: Decimal = Decimal(0)
    mark: Mark = ""
    late_fee: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)  # since the bill went out

    @property
    def total(self) -> Decimal:
        return self.amount + self.late_fee + self.previous_balance - self.credit_used - self.paid


def payment_notice(
    notice: PaymentNotice, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The payment notice of one bill, with ways to pay and the QR code of its memo (B5, M5)."""
    builder = DocumentBuilder("payment_notice", estate, language, stored)
    words, to = builder.words, notice.recipient
    builder.fill(
        **builder.letter(to, notice.number, notice.issued_on),
        period=words.period(notice.period),
        due_on=words.day(notice.due_on),
        amount=builder.money(notice.amount),
        total_due=builder.money(notice.total),
    )
    sums = [(words["this_bill"], builder.money(notice.amount))]
    if notice.late_fee:
        sums.append((words["late_fee"], builder.money(notice.late_fee)))
    if notice.previous_balance:
        sums.append((words["previous_balance"], builder.money(notice.previous_balance)))
    if notice.credit_used:
        sums.append((words["credit_used"], builder.money(-notice.credit_used)))
    if notice.paid:
        sums.append((words["paid_so_far"], builder.money(-notice.paid)))
    sums.append((words["total_due"], builder.money(notice.total)))
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        Facts(
            [
                builder.fact("payer", to.name),
                builder.fact("unit_code", to.unit_code),
                builder.fact("period", words.period(notice.period)),
                builder.fact("due_on", words.day(notice.due_on)),
                *([builder.fact("address", to.address, is_wide=True)] if to.address else []),
            ]
        ),
        builder.charges(notice.lines),
        Totals(sums),
        builder.pay_box(to.unit_code, notice.number),
        *builder.note(),
        Issuer(estate.creditor, words.day(notice.issued_on), words["seal"]),
    ]
    return builder.document(parts, number=notice.number, on=notice.issued_on, mark=notice.mark)


@dataclass(frozen=True)
class MoveInLine:
    """One item due at move-in; `basis` says how it was reckoned, in words of the fee item."""

    item: str
    basis: str
    amount: Decimal
    is_refundable: bool = False


@dataclass(frozen=True)
class MoveInBill:
    number: str
    issued_on: date
    due_on: date
    handed_over_on: date
    recipient: Recipient
    unit_kind: str
    area_m2: Decimal
    lines: tuple[MoveInLine, ...]
    mark: Mark = ""

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


def move_in_bill(
    bill: MoveInBill, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The move-in bill of one unit (B6)."""
    builder = DocumentBuilder("move_in_bill", estate, language, stored)
    words, to = builder.words, bill.recipient
    builder.fill(
        **builder.letter(to, bill.number, bill.issued_on),
        handed_over_on=words.day(bill.handed_over_on),
        due_on=words.day(bill.due_on),
        total_due=builder.money(bill.total),
    )
    rows = [
        [
            line.item,
            line.basis,
            builder.money(line.amount),
            words["yes"] if line.is_refundable else words["no"],
        ]
        for line in bill.lines
    ]
    columns = [
        builder.column("fee_item", 3),
        builder.column("basis", 4),
        builder.column("amount", align="right"),
        builder.column("is_refundable", align="center"),
    ]
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        Facts(
            [
                builder.fact("payer", to.name),
                builder.fact("unit_code", to.unit_code),
                builder.fact("unit_kind", words.code("unit_kind", bill.unit_kind)),
                builder.fact("area_m2", number(bill.area_m2)),
                builder.fact("handed_over_on", words.day(bill.handed_over_on)),
                builder.fact("due_on", words.day(bill.due_on)),
            ]
        ),
        Table(columns, rows),
        Totals([(words["total_due"], builder.money(bill.total))]),
        builder.pay_box(to.unit_code, bill.number),
        *builder.note(),
        Signatures((words["payer_signature"], words["office_seal"]), words["date_blank"]),
    ]
    return builder.document(parts, number=bill.number, on=bill.issued_on, mark=bill.mark)


@dataclass(frozen=True)
class CreditNote:
    """A correction of an issued bill; `amount` is what is credited, positive, in yuan."""

    number: str
    issued_on: date
    recipient: Recipient
    invoice_number: str
    period: str
    amount: Decimal
    reason: str
    lines: tuple[ChargeLine, ...] = ()
    approved_by: str = ""
    mark: Mark = ""
    kind: str = ""  # error or goodwill; papers of older programs say nothing


def credit_note(
    note: CreditNote, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The credit note against one invoice (B5)."""
    builder = DocumentBuilder("credit_note", estate, language, stored)
    words, to = builder.words, note.recipient
    builder.fill(
        **builder.letter(to, note.number, note.issued_on),
        invoice_number=note.invoice_number,
        period=words.period(note.period),
        amount=builder.money(note.amount),
        reason=note.reason,
    )
    facts = [
        builder.fact("payer", to.name),
        builder.fact("unit_code", to.unit_code),
        builder.fact("invoice_number", note.invoice_number),
        builder.fact("period", words.period(note.period)),
        builder.fact("reason", note.reason, is_wide=True),
    ]
    if note.kind:
        facts.append(builder.fact("kind_of_credit", words.code("credit", note.kind), is_wide=True))
    if note.approved_by:
        facts.append(builder.fact("approved_by", note.approved_by, is_wide=True))
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        Facts(facts),
        *([builder.charges(note.lines)] if note.lines else []),
        Totals([(words["credited"], builder.money(note.amount))]),
        *builder.note(),
        Issuer(estate.creditor, words.day(note.issued_on), words["seal"]),
    ]
    return builder.document(parts, number=note.number, on=note.issued_on, mark=note.mark)


@dataclass(frozen=True)
class PriceTier:
    """A rate up to and including a quantity; `up_to` None on the last tier."""

    rate: Decimal
    up_to: Decimal | None = None


@dataclass(frozen=True)
class TariffRow:
    """What an item costs a kind of unit; `unit` as in `元/㎡·月`, `services` is what it pays for (B2, D6).

    `tiers` stand in place of the rate; `price_kind` is a code.
    """

    item: str
    unit_kind: str
    rate: Decimal
    unit: str
    services: str = ""
    tiers: tuple[PriceTier, ...] = ()
    price_kind: str = ""
    valid_from: date | None = None


@dataclass(frozen=True)
class Balance:
    """A line of the income and expense statement."""

    item: str
    income: Decimal = Decimal(0)
    expense: Decimal = Decimal(0)


@dataclass(frozen=True)
class Accounts:
    """Income and expense of the months `first` to `last` (`YYYY-MM`); the income `billed` or `received` (D6).

    `brought_forward` is the balance before the first month, None where the office does not say one.
    """

    first: str
    last: str
    basis: str
    rows: tuple[Balance, ...]
    brought_forward: Decimal | None = None

    @property
    def income(self) -> Decimal:
        return sum((row.income for row in self.rows), Decimal(0))

    @property
    def expense(self) -> Decimal:
        return sum((row.expense for row in self.rows), Decimal(0))


@dataclass(frozen=True)
class TariffNotice:
    """What the estate charges on the day `valid_from`; `fee_scheme` is a code, empty texts are left out."""

    posted_on: date
    valid_from: date
    rows: tuple[TariffRow, ...]
    fee_scheme: str = ""
    service_level: str = ""
    complaint_numbers: tuple[str, ...] = ()
    accounts: Accounts | None = None


def tariff_notice(
    notice: TariffNotice, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The public notice of charges, services and, where asked for, of income and expense (B2, D6)."""
    builder = DocumentBuilder("tariff_notice", estate, language, stored)
    words = builder.words
    builder.fill(
        **builder.sender(), valid_from=words.day(notice.valid_from), posted_on=words.day(notice.posted_on)
    )
    facts = [
        *(
            [builder.fact("fee_scheme", words.code("fee_scheme", notice.fee_scheme), is_wide=True)]
            if notice.fee_scheme
            else []
        ),
        *(
            [builder.fact("service_level", notice.service_level, is_wide=True)]
            if notice.service_level
            else []
        ),
        *(
            [builder.fact("charge_complaints", "; ".join(notice.complaint_numbers), is_wide=True)]
            if notice.complaint_numbers
            else []
        ),
    ]
    columns = [
        builder.column("fee_item", 4),
        builder.column("unit_kind", 3, align="center"),
        builder.column("rate", 9, align="right"),
        builder.column("price_kind", 4),
        builder.column("valid_from", 5),
        builder.column("service", 9),
    ]
    parts: list[Block] = [
        *builder.text("body", is_letter=True),
        *([Text(basis)] if (basis := builder.basis()) else []),
        *([Facts(facts)] if facts else []),
        Table(columns, [_tariff(builder, row) for row in notice.rows]),
    ]
    if notice.accounts:
        parts += _accounts(builder, notice.accounts)
    parts += [
        *builder.text("closing", is_letter=True),
        Issuer(estate.creditor, words.day(notice.posted_on), words["seal"]),
    ]
    return builder.document(parts)


def _tariff(builder: DocumentBuilder, row: TariffRow) -> list[str]:
    words = builder.words
    return [
        row.item,
        words.code("unit_kind", row.unit_kind),
        _rates(builder, row),
        words.code("price_kind", row.price_kind) if row.price_kind else "",
        words.day(row.valid_from) if row.valid_from else "",
        row.services,
    ]


def _rates(builder: DocumentBuilder, row: TariffRow) -> str:
    """One rate, or each tier on a line of its own: up to which quantity, and what lies above it."""
    if not row.tiers:
        return f"{number(row.rate, 2)} {row.unit}".strip()
    said, before = [], ""
    for tier in row.tiers:
        key, quantity = ("tier_above", before) if tier.up_to is None else ("tier_up_to", number(tier.up_to))
        part = builder.words[key].format(quantity=quantity)
        said.append(f"{part} {number(tier.rate, 2)} {row.unit}".strip())
        before = quantity
    return "\n".join(said)


def _accounts(builder: DocumentBuilder, accounts: Accounts) -> list[Block]:
    """The accounts of a term: how income is counted, each line, the surplus, and what is carried forward."""
    words = builder.words

    def shown(amount: Decimal) -> str:
        return money(amount, builder.estate.currency) if amount else ""

    term = words.period(accounts.first)
    if accounts.last != accounts.first:
        term += f" – {words.period(accounts.last)}"
    rows = [[row.item, shown(row.income), shown(row.expense)] for row in accounts.rows]
    rows.append([words["total"], builder.money(accounts.income), builder.money(accounts.expense)])
    surplus = accounts.income - accounts.expense
    sums = [(words["surplus"], builder.money(surplus))]
    if accounts.brought_forward is not None:
        sums.insert(0, (words["brought_forward"], builder.money(accounts.brought_forward)))
        sums.append((words["carried_forward"], builder.money(accounts.brought_forward + surplus)))
    columns = [
        builder.column("item", 3),
        builder.column("income", 1, "right"),
        builder.column("expense", 1, "right"),
    ]
    return [
        Text(words["income_expense"], size=11, ink="bold", after=2, is_heading=True),
        Facts(
            [
                builder.fact("period", term),
                builder.fact("income_counted", words.code("income_counted", accounts.basis)),
            ]
        ),
        Table(columns, rows, sums=1),
        Totals(sums),
    ]
