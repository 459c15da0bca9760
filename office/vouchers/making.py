"""Making a month's vouchers: each document in one, numbered without gaps; reversed, never changed (M12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from models.billing import Invoice, InvoiceLine
from models.property import Unit
from models.vouchers import DeferredIncome, Voucher, VoucherLine, VoucherSource
from office.core import audit, clock, numbering
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.vouchers import accounts, documents
from office.vouchers.accounts import AccountBook, Accounts, Missing
from office.vouchers.documents import Document
from rules import vouchers
from rules.billing import Period
from rules.money import ZERO
from rules.vouchers import (
    IN_RED,
    BillAccounts,
    BilledLine,
    Deferral,
    Entry,
    Party,
    Postings,
    Use,
    VoucherKind,
)

SERIES = "VCH"
Deferred = defaultdict[int, dict[str, Decimal]]  # line → month → income that waits


@dataclass
class Draft:
    """A voucher to be: the documents of one kind and day, what they post, the income they move."""

    kind: VoucherKind
    on: date
    documents: list[Document] = field(default_factory=list)
    postings: Postings = field(default_factory=dict)
    deferrals: list[Deferral] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        return vouchers.balanced(self.postings, is_red=self.kind in IN_RED)

    @property
    def amount(self) -> Decimal:
        return sum((entry.debit for entry in self.entries), ZERO)


@dataclass(frozen=True)
class Plan:
    """What making a month's vouchers now would make, and what has no account yet."""

    month: Period
    drafts: Sequence[Draft]
    missing: Sequence[Missing]
    late: int  # documents of earlier months, which come into this one

    @property
    def documents(self) -> int:
        return sum(len(draft.documents) for draft in self.drafts)


def begins_in(session: Session) -> Period | None:
    """The first month that has vouchers: what is dated before is the ledger's own opening."""
    first = session.scalar(select(func.min(Voucher.period)))
    return Period.parse(first) if first else None


def plan(session: Session, month: Period) -> Plan:
    """The vouchers that a month still lacks. A document of an earlier month that has none comes into it."""
    begins = begins_in(session)
    first = min(month, begins, key=lambda one: one.first_on) if begins else month
    book = accounts.book(session)
    drafts: dict[tuple[date, VoucherKind], Draft] = {}
    deferred = _deferred(session)
    late = 0
    for one in documents.waiting(session, first.first_on, month.last_on):
        on = max(one.on, month.first_on)
        late += one.on < on
        draft = drafts.setdefault((on, one.kind), Draft(one.kind, on))
        draft.documents.append(one)
        made = _post(draft, one, book.on(on), str(month), deferred)
        draft.deferrals += made
        for each in made:
            _move(deferred, each)
    kinds = list(VoucherKind)
    found = sorted(drafts.values(), key=lambda draft: (draft.on, kinds.index(draft.kind)))
    if month.last_on <= clock.today(session):
        income = _income(session, book, month, deferred)
        found += [income] if income.postings else []
    return Plan(month, found, accounts.named(session, book.missing), late)


def _deferred(session: Session) -> Deferred:
    """The income that waits for its month of service."""
    rows = session.execute(
        select(DeferredIncome.invoice_line_id, DeferredIncome.month, func.sum(DeferredIncome.amount))
        .group_by(DeferredIncome.invoice_line_id, DeferredIncome.month)
        .having(func.sum(DeferredIncome.amount) != 0)
    )
    found: Deferred = defaultdict(dict)
    for line_id, month, amount in rows:
        found[line_id][month] = Decimal(amount)
    return found


def _move(deferred: Deferred, one: Deferral) -> None:
    waits = deferred[one.line_id]
    waits[one.month] = waits.get(one.month, ZERO) + one.amount


def _post(draft: Draft, one: Document, book: Accounts, at: str, deferred: Deferred) -> list[Deferral]:
    match one.source:
        case "payment":
            method = book.of(Use.METHOD, method=one.method)
            vouchers.book_receipt(draft.postings, method, book.of(Use.ADVANCES), one.of, one.amount)
        case "allocation":
            assert one.bill is not None
            paid = _paid(one, book)
            vouchers.book_allocation(draft.postings, book.of(Use.ADVANCES), paid, one.of, one.bill)
        case "invoice":
            lines = [_line(line, line.amount, book) for line in one.lines]
            return vouchers.book_bill(draft.postings, lines, _bill_accounts(book, lines), one.of, at)
        case "credit_note":
            before = [_line(line, line.amount - line.credited_before, book) for line in one.lines]
            after = [
                _line(line, line.amount - line.credited_before - line.credited, book) for line in one.lines
            ]
            waits = frozenset(
                (line.id, month)
                for line in one.lines
                for month, amount in deferred.get(line.id, {}).items()
                if amount
            )
            return vouchers.book_credit(
                draft.postings, before, after, _bill_accounts(book, before), one.of, at, waits
            )
    return []


def _paid(one: Document, book: Accounts) -> list[tuple[vouchers.Account, Decimal]]:
    if one.part == "principal":
        return [(book.of(Use.RECEIVABLE), one.amount)]
    fee = book.of(Use.LATE_FEE)
    tax = vouchers.late_fee_tax(one.fee_before, one.amount, fee.tax_rate)
    return [(fee, one.amount - tax), *([(book.of(Use.OUTPUT_TAX), tax)] if tax else [])]


def _line(line: documents.LineOf, amount: Decimal, book: Accounts) -> BilledLine:
    account = book.of(Use.ITEM, line.fee_item_id)
    return BilledLine(line.id, account, amount, line.service_from, line.service_to)


def _bill_accounts(book: Accounts, lines: Sequence[BilledLine]) -> BillAccounts:
    is_taxed = any(line.account.tax_rate for line in lines)
    tax = book.of(Use.OUTPUT_TAX) if is_taxed else vouchers.Account(Use.OUTPUT_TAX, "", "")
    return BillAccounts(book.of(Use.RECEIVABLE), book.of(Use.DEFERRED), tax)


def _income(session: Session, book: AccountBook, month: Period, deferred: Deferred) -> Draft:
    """The income of a month, and of months before it, that was billed ahead."""
    draft = Draft(VoucherKind.INCOME, month.last_on)
    waiting = {
        (line_id, of_month): amount
        for line_id, waits in deferred.items()
        for of_month, amount in waits.items()
        if of_month <= str(month) and amount
    }
    lines: dict[int, Any] = {}
    for ids in chunks(sorted({line_id for line_id, _ in waiting})):
        rows = session.execute(
            select(
                InvoiceLine.id,
                InvoiceLine.fee_item_id,
                Invoice.unit_id,
                Invoice.payer_id,
                Unit.building_id,
            )
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .join(Unit, Unit.id == Invoice.unit_id)
            .where(InvoiceLine.id.in_(ids))
        )
        lines |= {row[0]: row for row in rows}
    here = book.on(month.last_on)
    for (line_id, of_month), amount in sorted(waiting.items()):
        _id, fee_item_id, *of = lines[line_id]
        income, later = here.of(Use.ITEM, fee_item_id), here.of(Use.DEFERRED)
        vouchers.book_income(draft.postings, income, later, Party(*of), amount)
        draft.deferrals.append(Deferral(line_id, of_month, -amount))
    return draft


def make(session: Session, month: Period, *, staff_id: int | None, now: datetime) -> list[Voucher]:
    """Make the vouchers that a month lacks (M12). Raises Refused, naming what has no account."""
    if month.first_on > clock.office_day(session, now):
        raise Refused(N_("%(month)s has not begun yet"), month=str(month))
    _lock(session, month)
    planned = plan(session, month)
    if planned.missing:
        raise Refused(
            N_("%(count)s items, ways to pay or other uses have no account yet: enter them first"),
            count=len(planned.missing),
        )
    return [_write(session, draft, month, staff_id, now) for draft in planned.drafts]


def _lock(session: Session, month: Period) -> None:
    """Hold the numbers of a month until the transaction ends: two makers wait for each other."""
    numbering.take(session, _series(month), month.year, 0)


def _series(month: Period) -> str:
    return f"{SERIES}{month.month:02d}"


def _write(session: Session, draft: Draft, month: Period, staff_id: int | None, now: datetime) -> Voucher:
    entries = draft.entries
    row = _numbered(session, month, draft.kind, draft.on, draft.amount, staff_id, now)
    _write_lines(session, row, entries)
    _write_all(
        session,
        VoucherSource,
        [
            {"voucher_id": row.id, "source": one.source, "source_id": one.id, "is_live": True}
            for one in draft.documents
        ],
    )
    _write_deferrals(session, row, draft.deferrals)
    audit.record(session, now, staff_id, "create", row, {"amount": row.amount, "kind": row.kind})
    return row


def _numbered(
    session: Session,
    month: Period,
    kind: VoucherKind,
    on: date,
    amount: Decimal,
    staff_id: int | None,
    now: datetime,
    **more: Any,
) -> Voucher:
    running = numbering.take(session, _series(month), month.year)
    row = Voucher(
        number=numbering.written(f"{SERIES}{month.year}{month.month:02d}", running),
        period=str(month),
        running_no=running,
        kind=kind.value,
        dated_on=on,
        amount=amount,
        made_at=now,
        made_by_id=staff_id,
        **more,
    )
    session.add(row)
    session.flush()
    return row


def _write_lines(session: Session, row: Voucher, entries: Iterable[Entry]) -> None:
    _write_all(
        session,
        VoucherLine,
        [
            {
                "voucher_id": row.id,
                "position": position,
                "use": one.key.use.value,
                "account": one.key.account,
                "account_name": one.key.account_name,
                "debit": one.debit,
                "credit": one.credit,
                "unit_id": one.key.unit_id,
                "payer_id": one.key.payer_id,
                "building_id": one.key.building_id,
            }
            for position, one in enumerate(entries, 1)
        ],
    )


def _write_deferrals(session: Session, row: Voucher, deferrals: Iterable[Deferral]) -> None:
    _write_all(
        session,
        DeferredIncome,
        [
            {"voucher_id": row.id, "invoice_line_id": one.line_id, "month": one.month, "amount": one.amount}
            for one in deferrals
        ],
    )


def _write_all(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def reverse(
    session: Session, voucher_id: int, *, reason: str, staff_id: int | None, now: datetime
) -> Voucher:
    """Reverse a voucher by one of today's month, in red; its documents wait for a voucher again (M12).

    Raises Refused.
    """
    if not reason.strip():
        raise Refused(N_("Say why"))
    row = session.get(Voucher, voucher_id)
    if row is None:
        raise Refused(N_("There is no such voucher"))
    on = max(clock.office_day(session, now), row.dated_on)
    month = Period.of(on)
    _lock(session, month)
    if row.kind == VoucherKind.REVERSAL:
        raise Refused(
            N_("Voucher %(number)s is a reversal itself: make the vouchers anew"), number=row.number
        )
    if session.scalar(select(Voucher.id).where(Voucher.reverses_id == row.id).limit(1)) is not None:
        raise Refused(N_("Voucher %(number)s has been reversed already"), number=row.number)
    made = _numbered(
        session,
        month,
        VoucherKind.REVERSAL,
        on,
        -row.amount,
        staff_id,
        now,
        reverses_id=row.id,
        reason=reason.strip(),
    )
    lines = session.scalars(
        select(VoucherLine).where(VoucherLine.voucher_id == row.id).order_by(VoucherLine.position)
    )
    _write_lines(session, made, [_turned(line) for line in lines])
    moved = session.scalars(
        select(DeferredIncome).where(DeferredIncome.voucher_id == row.id).order_by(DeferredIncome.id)
    )
    _write_deferrals(session, made, [Deferral(one.invoice_line_id, one.month, -one.amount) for one in moved])
    session.execute(update(VoucherSource).where(VoucherSource.voucher_id == row.id).values(is_live=False))
    audit.record(session, now, staff_id, "reverse", row, {"reason": reason.strip(), "by": made.number})
    return made


def _turned(line: VoucherLine) -> Entry:
    key = vouchers.Key(
        Use(line.use), line.account, line.account_name, line.unit_id, line.payer_id, line.building_id
    )
    return Entry(key, -line.debit, -line.credit)
