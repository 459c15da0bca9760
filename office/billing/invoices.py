"""Single invoices beside the period's run, and the credit notes that correct any (B5, B6, B10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.orm import Session

from models.billing import CreditNote, CreditNoteLine, FeeItem, Invoice, MeterReading, ServiceSlip
from models.office import Audit
from models.payments import Allocation, Payment
from models.property import Unit
from office.core import amounts, audit, bulk_insert, clock, numbering
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.staff import refuse_same_person
from office.estate.owners import payers_on
from office.payments import corrections, credit
from office.policies import large_sums
from office.receivables import late_fees, ledger
from office.receivables.ledger import INVOICE, LINE
from rules.allocation import BilledLine, credited_on
from rules.billing import Basis, Period, Quote, quote
from rules.codes import CreditKind
from rules.money import ZERO, MoneyError
from rules.reasons import Reason
from rules.receivables import Receivable

NOTE_LINE = cast("Table", CreditNoteLine.__table__)
SERIES = {"regular": "I", "opening": "O", "move_in": "M", "one_off": "E"}
CREDIT_NOTES = "C"


@dataclass(frozen=True)
class NewInvoiceLine:
    """A line of an invoice: which item, its price and how it came about."""

    fee_item_id: int
    price: Quote


@dataclass(frozen=True)
class NewInvoice:
    """An invoice to be issued; `part` tells several of one unit, payer and period apart."""

    kind: str
    part: str
    unit_id: int
    payer_id: int
    period: Period
    issued_on: date
    due_on: date
    lines: tuple[NewInvoiceLine, ...]
    run_id: int | None = None

    @property
    def amount(self) -> Decimal:
        return sum((line.price.amount for line in self.lines), ZERO)

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        return (str(self.period), self.unit_id, self.payer_id, self.kind, self.part)


def issue(
    session: Session, wanted: Sequence[NewInvoice], *, now: datetime, is_credit_used: bool = True
) -> list[int]:
    """Issue invoices that are not there yet, in order, and let credit pay them; answers the new ids."""
    ledger.lock_postings(session)
    known = _known(session, wanted)
    fresh = list({one.key: one for one in wanted if one.key not in known and one.amount > 0}.values())
    if not fresh:
        return []
    starts: dict[tuple[str, int], int] = {}
    for key, count in Counter(_series(one) for one in fresh).items():
        starts[key] = numbering.take(session, *key, count)
    rows = []
    for one in fresh:
        series, year = _series(one)
        rows.append(_row(one, numbering.written(f"{series}{year}", starts[series, year])))
        starts[series, year] += 1
    bearing = dict(session.execute(select(FeeItem.id, FeeItem.bears_late_fee)).all())
    statement = insert(INVOICE).returning(INVOICE.c.id, sort_by_parameter_order=True)
    ids = list(session.connection().execute(statement, rows).scalars())
    session.connection().execute(
        insert(LINE),
        [
            {
                "invoice_id": invoice_id,
                "fee_item_id": line.fee_item_id,
                "quantity": line.price.quantity,
                "rate": line.price.rate,
                "amount": line.price.amount,
                "explanation": line.price.reason.to_json(),
                "months": line.price.months,
                "factor": line.price.factor,
                "raw_amount": line.price.raw,
                "service_from": line.price.from_on,
                "service_to": line.price.to_on,
                "bears_late_fee": bearing[line.fee_item_id],
            }
            for invoice_id, one in zip(ids, fresh, strict=True)
            for line in one.lines
        ],
    )
    if is_credit_used:
        made: list[Receivable] = []
        for chunk in chunks(ids):
            made += ledger.receivables(session, INVOICE.c.id.in_(chunk))
        credit.use_credit(session, made, issued_at=now, now=now)
    return ids


def _series(one: NewInvoice) -> tuple[str, int]:
    return SERIES[one.kind], one.period.year * 100 + one.period.month


def _known(session: Session, wanted: Sequence[NewInvoice]) -> set[tuple[str, int, int, str, str]]:
    known: set[tuple[str, int, int, str, str]] = set()
    for chunk in chunks(sorted({one.unit_id for one in wanted})):
        found = select(*INVOICE.c["period", "unit_id", "payer_id", "kind", "part"]).where(
            INVOICE.c.unit_id.in_(chunk), INVOICE.c.kind.in_({one.kind for one in wanted})
        )
        known |= {(row[0], row[1], row[2], row[3], row[4]) for row in session.execute(found)}
    return known


def _row(one: NewInvoice, number: str) -> dict[str, object]:
    return {
        "number": number,
        "kind": one.kind,
        "part": one.part,
        "unit_id": one.unit_id,
        "payer_id": one.payer_id,
        "period": str(one.period),
        "issued_on": one.issued_on,
        "due_on": one.due_on,
        "amount": one.amount,
        "balance": one.amount,
        "state": "open",
        "run_id": one.run_id,
    }


@dataclass(frozen=True)
class OpeningBalance:
    """An old debt brought into the books; yuan."""

    unit_id: int
    period: str
    fee_item: str
    amount: Decimal
    due_on: date

    @property
    def part(self) -> str:
        """Which of the opening balances of its unit and period it is."""
        return f"{self.fee_item} {self.due_on}"

    @property
    def key(self) -> tuple[int, str, str]:
        return self.unit_id, self.period, self.part


def opened(session: Session, unit_ids: Iterable[int]) -> dict[tuple[int, str, str], Decimal]:
    """The opening balances that some units have, by `OpeningBalance.key`, whoever owes them; yuan."""
    found: dict[tuple[int, str, str], Decimal] = {}
    for chunk in chunks(sorted(set(unit_ids))):
        query = select(*INVOICE.c["unit_id", "period", "part", "amount"])
        query = query.where(INVOICE.c.unit_id.in_(chunk), INVOICE.c.kind == "opening")
        found |= {(row[0], row[1], row[2]): row[3] for row in session.execute(query)}
    return found


def open_balances(session: Session, rows: Sequence[OpeningBalance], *, now: datetime) -> int:
    """Bring old debts in as invoices of their periods, each once; answers how many were new (contract).

    The payer is who paid for the unit when the period began. Raises Refused for a unit nobody pays for.
    """
    items = dict(session.execute(select(FeeItem.code, FeeItem.id)).all())
    periods = [Period.parse(row.period) for row in rows]
    payers = payers_on(
        session, [(row.unit_id, period.first_on) for row, period in zip(rows, periods, strict=True)]
    )
    wanted = []
    for row, period, payer in zip(rows, periods, payers, strict=True):
        if payer is None:
            code = session.scalars(select(Unit.code).where(Unit.id == row.unit_id)).one()
            raise Refused(N_("Nobody pays for unit %(unit)s"), unit=code)
        price = Quote(Decimal(1), row.amount, row.amount, Reason("opening_balance", {"amount": row.amount}))
        wanted.append(
            NewInvoice(
                kind="opening",
                part=row.part,
                unit_id=row.unit_id,
                payer_id=payer,
                period=period,
                issued_on=min(period.first_on, row.due_on),
                due_on=row.due_on,
                lines=(NewInvoiceLine(items[row.fee_item], price),),
            )
        )
    return len(issue(session, wanted, now=now))


@dataclass(frozen=True)
class Charge:
    """One thing charged for once: so many pieces at a rate in yuan."""

    fee_item: str
    quantity: Decimal
    rate: Decimal


def charge(
    session: Session,
    *,
    unit_id: int,
    payer_id: int,
    charges: Sequence[Charge],
    due_on: date,
    now: datetime,
    staff_id: int | None = None,
    is_credit_used: bool = True,
    form_key: str | None = None,
) -> Invoice:
    """Issue an invoice for one-off items or deposits (B1, B10). Raises Refused.

    The same form key again answers the first invoice.
    """
    items = _items(session)
    today = clock.office_day(session, now)
    ledger.lock_postings(session)
    if form_key is not None:
        known = session.scalars(
            select(Invoice).where(
                Invoice.unit_id == unit_id, Invoice.kind == "one_off", Invoice.part == form_key
            )
        ).one_or_none()
        if known is not None:
            return known
    if due_on < today:
        raise Refused(N_("The due day has passed already"))
    try:
        lines = tuple(
            NewInvoiceLine(
                items[one.fee_item].id, quote(Basis(items[one.fee_item].basis), one.quantity, one.rate)
            )
            for one in charges
        )
    except (MoneyError, KeyError) as problem:
        raise Refused(N_("This can't be charged")) from problem
    before = session.scalar(
        select(func.count()).select_from(Invoice).where(Invoice.unit_id == unit_id, Invoice.kind == "one_off")
    )
    new = NewInvoice(
        "one_off",
        form_key or f"{(before or 0) + 1:03d}",
        unit_id,
        payer_id,
        Period.of(today),
        today,
        due_on,
        lines,
    )
    large_sums.ask_again(session, "charge", new.amount, today)
    made = issue(session, [new], now=now, is_credit_used=is_credit_used)
    if not made:
        raise Refused(N_("This can't be charged"))
    invoice = session.get_one(Invoice, made[0])
    audit.record(session, now, staff_id, "charge", invoice, {"amount": new.amount})
    return invoice


def _items(session: Session) -> Mapping[str, FeeItem]:
    return {item.code: item for item in session.scalars(select(FeeItem))}


@dataclass(frozen=True)
class NewCreditNote:
    """A correction of an issued invoice downwards, in yuan (B5).

    An error was never owed: the late fee that it caused goes with it. Goodwill leaves the late fee.
    """

    invoice_id: int
    amount: Decimal
    reason: str
    staff_id: int | None
    kind: CreditKind = "error"
    fee_item_id: int | None = None


def credit_note(session: Session, new: NewCreditNote, *, now: datetime) -> CreditNote:
    """Correct an issued invoice downwards (B5). What was paid too much comes back as credit.

    Service slips on a bill that is credited in full wait for the next bill again (B3), its readings can be
    corrected (B18); what is credited as a reward is not asked for again. Raises Refused for who
    charged the one-off bill or took money for it: they don't do it alone (F21).
    """
    if not new.reason.strip():
        raise Refused(N_("Say why"))
    refuse_same_person(entered_by(session, new.invoice_id), new.staff_id)
    large_sums.ask_again(session, "credit", new.amount, clock.office_day(session, now))
    note = write_credit_note(session, new, now=now)
    if session.scalars(
        select(INVOICE.c.credited == INVOICE.c.amount).where(INVOICE.c.id == new.invoice_id)
    ).one():
        _release_slips(session, new.invoice_id)
        _release_readings(session, new.invoice_id)
    return note


def entered_by(session: Session, invoice_id: int) -> set[int | None]:
    """Who charged an invoice by hand, and the cashiers of what has paid it."""
    charged = select(Audit.staff_id).where(
        Audit.table_name == INVOICE.name, Audit.row_id == invoice_id, Audit.action == "charge"
    )
    paid = (
        select(Payment.cashier_id)
        .join(Allocation, Allocation.payment_id == Payment.id)
        .where(Allocation.invoice_id == invoice_id, Payment.state == "posted")
    )
    return {*session.scalars(charged), *session.scalars(paid)}


def write_credit_note(session: Session, new: NewCreditNote, *, now: datetime) -> CreditNote:
    """A credit note that another decision brings about: a deposit returned, a move, a reward (B5)."""
    amount = amounts.amount_of(new.amount)
    unit_id = session.scalars(select(INVOICE.c.unit_id).where(INVOICE.c.id == new.invoice_id)).one_or_none()
    if unit_id is None:
        raise Refused(N_("There is no such invoice"))
    ledger.lock_units(session, [unit_id])
    today = clock.office_day(session, now)
    policy = late_fees.policy_on(session, today)
    (bill,) = ledger.receivables(session, INVOICE.c.id == new.invoice_id, policy=policy)
    if amount > bill.creditable:
        raise Refused(N_("Only %(amount)s of this invoice can be credited"), amount=bill.creditable)
    lines = [line for line in _lines(session, bill.id) if new.fee_item_id in {None, line.fee_item_id}]
    if new.fee_item_id is not None and amount > (left := _left_of(lines)):
        raise Refused(N_("Only %(amount)s of this fee item can be credited on this invoice"), amount=left)
    was_open, kept = bill.balance > 0, max(amount - bill.principal, ZERO)
    parts = credited_on(amount, lines)
    too_much = {
        line.id: over
        for line in lines
        if (over := parts.get(line.id, ZERO) + line.paid - line.creditable) > 0
    }
    ledger.load_lines(session, [bill], today)
    given = corrections.free_lines(session, bill, too_much, policy, now) if too_much else []
    note = CreditNote(
        number=numbering.written(
            f"{CREDIT_NOTES}{today.year}", numbering.take(session, CREDIT_NOTES, today.year)
        ),
        invoice_id=new.invoice_id,
        fee_item_id=new.fee_item_id,
        amount=amount,
        kind=new.kind,
        reason=new.reason.strip(),
        issued_on=today,
        issued_at=now,
        staff_id=new.staff_id,
    )
    session.add(note)
    session.flush()
    bulk_insert.insert_rows(
        session,
        NOTE_LINE,
        ("invoice_line_id", "amount"),
        parts.items(),
        constants={"credit_note_id": note.id, "is_estimated": False},
    )
    bill.credit(amount, today, is_error=new.kind == "error", lines=parts)
    corrections.lay_again(session, given, kept, now)
    if overpaid := bill.late_fee_overpaid(policy, today):
        corrections.free_late_fee(session, bill, overpaid, policy, now)
    bill.accrue(policy, today)
    state = bill.settled_state(is_credited=was_open)
    ledger.write_receivables(session, [bill], states={bill.id: state})
    details = {"amount": amount, "kind": new.kind, "reason": note.reason}
    audit.record(session, now, new.staff_id, "credit", note, details)
    return note


def _left_of(lines: Sequence[BilledLine]) -> Decimal:
    """What lines still ask for after their credit notes, in yuan."""
    return sum((line.creditable for line in lines), ZERO)


def _lines(session: Session, invoice_id: int) -> list[BilledLine]:
    """The lines of an invoice with what is credited and paid of each."""
    rows = session.execute(
        select(
            *LINE.c["id", "fee_item_id"], FeeItem.basis == "deposit", *LINE.c["amount", "credited", "paid"]
        )
        .join(FeeItem, FeeItem.id == LINE.c.fee_item_id)
        .where(LINE.c.invoice_id == invoice_id)
        .order_by(LINE.c.id)
    )
    return [BilledLine(row[0], row[1], bool(row[2]), row[3], row[4], row[5]) for row in rows]


def _release_readings(session: Session, invoice_id: int) -> None:
    session.execute(update(MeterReading).where(MeterReading.invoice_id == invoice_id).values(invoice_id=None))


def _release_slips(session: Session, invoice_id: int) -> None:
    session.execute(
        update(ServiceSlip)
        .where(ServiceSlip.invoice_id == invoice_id)
        .values(state="open", invoice_id=None, row_version=ServiceSlip.row_version + 1)
    )
