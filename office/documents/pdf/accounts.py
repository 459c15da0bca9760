"""Papers about a payer's account: the statement of account, the certificate that nothing is owed (M11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Block, Facts, Issuer, Table, Text, Totals
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document, Mark
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import DebtLine, EstateDetails, Recipient
from office.documents.pdf.wording import Words
from rules.accounts import KINDS

ZERO = Decimal(0)


@dataclass(frozen=True)
class AccountLine:
    """One movement of an account and what stands after it, in yuan.

    `charged` raises the debt, `settled` lowers it; `prepaid` and `deposit` are what came into the credit and
    the deposits that are held, below zero what left them. `detail` as in `rules.accounts.Movement`.
    """

    on: date
    kind: str
    number: str
    of: tuple[str, ...]
    detail: str
    unit_code: str
    payer_name: str
    charged: Decimal
    settled: Decimal
    balance: Decimal
    prepaid: Decimal = ZERO
    prepaid_balance: Decimal = ZERO
    deposit: Decimal = ZERO
    deposit_balance: Decimal = ZERO


@dataclass(frozen=True)
class Held:
    """What was held of a payer's before the first day and after the last, in yuan."""

    before: Decimal = ZERO
    after: Decimal = ZERO


@dataclass(frozen=True)
class PutAside:
    """Prepaid credit that is only for an item or for service on some days, in yuan (M10)."""

    amount: Decimal
    receipt_no: str
    item: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True)
class StatementOfAccount:
    """An account between two days, both included; all sums in yuan.

    closing = opening + billed + late_fee - credited - paid. Prepaid credit and deposits stand apart.
    """

    number: str
    issued_on: date
    from_on: date
    to_on: date
    recipient: Recipient
    opening: Decimal
    billed: Decimal
    late_fee: Decimal
    credited: Decimal
    paid: Decimal
    closing: Decimal
    lines: tuple[AccountLine, ...]
    open_bills: tuple[DebtLine, ...]
    prepaid: Held = Held()
    deposits: Held = Held()
    aside: tuple[PutAside, ...] = ()  # of the prepaid credit, on the last day
    mark: Mark = ""


def described(words: Words, line: AccountLine) -> str:
    """What a line of an account is, such as `Receipt R2026-000012, WeChat Pay`."""
    if line.kind not in KINDS:  # of a newer program
        return f"{line.kind} {line.number}"
    bills = line.of[0] if len(line.of) == 1 else words.text("bill_count", count=len(line.of))
    detail = {
        "bill": words.period(line.detail),
        "payment": words.code("method", line.detail),
        "refund": words.code("method", line.detail),
    }.get(line.kind, line.detail)
    return words.text(
        f"account.{line.kind}",
        number=line.number,
        of=line.of[0] if line.of else "",
        bills=bills,
        detail=detail,
        unit=line.unit_code,
    )


def is_of_debt(line: AccountLine) -> bool:
    """Whether a line stands in the account itself, and not in that of credit or deposits alone."""
    return bool(line.charged or line.settled) or line.kind in {"payment", "payer"}


def statement_of_account(
    statement: StatementOfAccount, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The statement of account of a payer (对账单): lines, sums, open bills, credit and deposits (M11)."""
    builder = DocumentBuilder("statement_of_account", estate, language, stored)
    words, to = builder.words, statement.recipient
    builder.fill(
        **builder.letter(to, statement.number, statement.issued_on),
        from_on=words.day(statement.from_on),
        to_on=words.day(statement.to_on),
        amount=builder.money(statement.closing),
    )
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        Facts(
            [
                builder.fact("payer", to.name),
                builder.fact("unit_code", to.unit_code),
                builder.fact("from_day", words.day(statement.from_on)),
                builder.fact("to_day", words.day(statement.to_on)),
            ]
        ),
        _lines(builder, statement),
        Totals(
            [
                (words["opening_balance"], builder.money(statement.opening)),
                (words["account_billed"], builder.money(statement.billed)),
                (words["account_late_fees"], builder.money(statement.late_fee)),
                (words["account_credited"], builder.money(-statement.credited)),
                (words["account_paid"], builder.money(-statement.paid)),
                (words["closing_balance"], builder.money(statement.closing)),
            ]
        ),
    ]
    if statement.open_bills:
        title = words.text("open_bills_on", day=words.day(statement.to_on))
        parts += [_heading(title), builder.debts(statement.open_bills)]
    parts += _beside(builder, statement, "prepaid", statement.prepaid)
    parts += _aside(builder, statement.aside)
    parts += _beside(builder, statement, "deposit", statement.deposits)
    parts += [*builder.note(), Issuer(estate.creditor, words.day(statement.issued_on), words["seal"])]
    return builder.document(parts, number=statement.number, on=statement.issued_on, mark=statement.mark)


def _aside(builder: DocumentBuilder, aside: Sequence[PutAside]) -> list[Block]:
    """What of the prepaid credit is put aside, for what; nothing where none is (M10)."""
    if not aside:
        return []
    words = builder.words

    def days(one: PutAside) -> str:
        ends = (one.from_on, one.to_on)
        return " – ".join(end.isoformat() if end else "…" for end in ends) if any(ends) else ""

    columns = [
        builder.column("of_receipt", 2),
        builder.column("only_for", 4),
        builder.column("from_to"),
        builder.column("amount", align="right"),
    ]
    rows = [
        [one.receipt_no, one.item or words["any_item"], days(one), builder.money(one.amount)] for one in aside
    ]
    return [_heading(words["put_aside"]), Table(columns, rows)]


def _heading(text: str) -> Text:
    return Text(text, size=11, ink="bold", after=2, is_heading=True)


def _lines(builder: DocumentBuilder, statement: StatementOfAccount) -> Table:
    words, lines = builder.words, [line for line in statement.lines if is_of_debt(line)]
    has_units = len({line.unit_code for line in lines}) > 1

    def shown(amount: Decimal) -> str:
        return builder.money(amount) if amount else ""

    def row(on: date, unit_code: str, what: str, charged: str, settled: str, balance: Decimal) -> list[str]:
        unit = [unit_code] if has_units else []
        return [words.day(on), *unit, what, charged, settled, builder.money(balance)]

    rows = [row(statement.from_on, "", words["opening_balance"], "", "", statement.opening)]
    rows += [
        row(
            line.on,
            line.unit_code,
            described(words, line),
            shown(line.charged),
            shown(line.settled),
            line.balance,
        )
        for line in lines
    ]
    charged = statement.billed + statement.late_fee
    settled = statement.credited + statement.paid
    rows.append(
        row(
            statement.to_on,
            "",
            words["closing_balance"],
            builder.money(charged),
            builder.money(settled),
            statement.closing,
        )
    )
    columns = [
        builder.column("date"),
        *([builder.column("unit_code")] if has_units else []),
        builder.column("what", 4),
        builder.column("charged", align="right"),
        builder.column("settled", align="right"),
        builder.column("standing", align="right"),
    ]
    return Table(columns, rows, sums=1)


def _beside(builder: DocumentBuilder, statement: StatementOfAccount, name: str, held: Held) -> list[Block]:
    """The account of prepaid credit or of deposits; nothing where there was none."""
    words = builder.words
    moved = [line for line in statement.lines if getattr(line, name)]
    if not moved and not held.before:
        return []
    rows = [[words.day(statement.from_on), words["opening_balance_of_money"], "", builder.money(held.before)]]
    rows += [
        [
            words.day(line.on),
            described(words, line),
            builder.money(getattr(line, name)),
            builder.money(getattr(line, f"{name}_balance")),
        ]
        for line in moved
    ]
    rows.append(
        [words.day(statement.to_on), words["closing_balance_of_money"], "", builder.money(held.after)]
    )
    columns = [
        builder.column("date"),
        builder.column(f"account_of_{name}", 4),
        builder.column("in_or_out", align="right"),
        builder.column("held", align="right"),
    ]
    return [Table(columns, rows, sums=1)]


@dataclass(frozen=True)
class ClearanceCertificate:
    """That a payer owes nothing for a unit on a day (结清证明); `held` is what we hold of theirs, in yuan."""

    number: str
    issued_on: date
    recipient: Recipient
    billed_until: str = ""  # the last period that was billed, `YYYY-MM`
    prepaid: Decimal = ZERO
    deposits: Decimal = ZERO
    mark: Mark = ""


def clearance_certificate(
    certificate: ClearanceCertificate, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The certificate that nothing is owed, for a sale; it holds for its day (M11)."""
    builder = DocumentBuilder("clearance_certificate", estate, language, stored)
    words, to = builder.words, certificate.recipient
    builder.fill(**builder.letter(to, certificate.number, certificate.issued_on))
    facts = [
        builder.fact("payer", to.name),
        builder.fact("unit_code", to.unit_code),
        *([builder.fact("address", to.address, is_wide=True)] if to.address else []),
        builder.fact("holds_on", words.day(certificate.issued_on)),
        builder.fact("owed_then", builder.money(ZERO)),
    ]
    if certificate.billed_until:
        facts.append(builder.fact("billed_until", words.period(certificate.billed_until), is_wide=True))
    if certificate.prepaid:
        facts.append(builder.fact("account_of_prepaid", builder.money(certificate.prepaid), is_wide=True))
    if certificate.deposits:
        facts.append(builder.fact("account_of_deposit", builder.money(certificate.deposits), is_wide=True))
    parts: list[Block] = [
        *builder.text("body", is_letter=True),
        Facts(facts),
        *builder.text("closing", is_letter=True),
        Issuer(estate.creditor, words.day(certificate.issued_on), words["seal"]),
    ]
    return builder.document(parts, number=certificate.number, on=certificate.issued_on, mark=certificate.mark)
