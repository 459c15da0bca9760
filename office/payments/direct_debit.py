"""Direct debits: the bank's file out, its results in, and the reminder to fetch them (M4)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, joinedload

import seed
from models.billing import Invoice
from models.office import Erasure
from models.payments import DebitMandate, DirectDebit, DirectDebitBatch
from models.property import Unit
from office.core import amounts, audit, clock, numbering
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.payments import payments
from office.payments.payments import NewPayment
from office.payments.statement_matching import PaymentWithNumber, payments_with
from office.receivables import ledger, sums
from rules.allocation import Pick
from rules.money import to_fen, yuan
from rules.reasons import Reason

SERIES = "D"
COLUMNS_READ = ("reference", "result", "reason")  # of the bank's answer
AMOUNTS_READ = ("amount", "amount_fen")  # of the bank's answer, where it has one


@dataclass(frozen=True)
class BankLayout:
    """How one bank wants its file and how it answers, as data: see seed/direct_debit.toml."""

    code: str
    name: str
    encoding: str
    delimiter: str
    has_header: bool
    out: tuple[tuple[str, str], ...]
    back: Mapping[str, Any]
    columns_back: tuple[str, ...] = ()


def layouts() -> dict[str, BankLayout]:
    """Every bank's layout by code."""
    rows = seed.direct_debit_layouts()
    return {
        row["code"]: BankLayout(
            code=row["code"],
            name=row["name"],
            encoding=row["encoding"],
            delimiter=row["delimiter"],
            has_header=row["has_header"],
            out=tuple((header, value) for header, value in row["out"]),
            back=row["back"],
            columns_back=tuple(row.get("columns_back", ())),
        )
        for row in rows
    }


def _layout(code: str) -> BankLayout:
    found = layouts().get(code)
    if found is None:
        raise Refused(N_("There is no direct-debit layout %(layout)s"), layout=code)
    return found


def export_batch(
    session: Session, *, period: str, layout: str, now: datetime, staff_id: int | None = None
) -> tuple[DirectDebitBatch, bytes]:
    """The bank's file with what payers with a mandate owe up to a period, each invoice in one open batch.

    Raises Refused when there is nothing to debit.
    """
    chosen = _layout(layout)
    today = clock.office_day(session, now)
    ledger.lock_postings(session)
    under_way = exists().where(
        DirectDebit.invoice_id == Invoice.id,
        DirectDebit.batch_id == DirectDebitBatch.id,
        or_(DirectDebitBatch.state == "exported", DirectDebit.state == "waiting"),
    )
    owed = session.execute(
        select(Invoice, DebitMandate, Unit.code)
        .join(
            DebitMandate,
            (DebitMandate.unit_id == Invoice.unit_id) & (DebitMandate.owner_id == Invoice.payer_id),
        )
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(
            ledger.is_open(),
            Invoice.period <= period,
            DebitMandate.signed_on <= today,
            DebitMandate.ended_on.is_(None) | (DebitMandate.ended_on > today),
            ~under_way,
        )
        .order_by(Unit.code, Invoice.due_on, Invoice.id)
    ).all()
    if not owed:
        raise Refused(N_("Nothing is left to debit"))
    sums_now = {one.id: one.total for one in sums.owed_at(session, {row[0].unit_id for row in owed}, today)}
    running = numbering.take(session, SERIES, today.year)
    batch = DirectDebitBatch(
        number=numbering.written(f"{SERIES}{today.year}", running),
        period=period,
        layout=layout,
        exported_at=now,
        rows=[
            DirectDebit(
                invoice=invoice,
                amount=sums_now[invoice.id],
                unit_code=unit_code,
                bank=mandate.bank,
                account=mandate.account,
                account_name=mandate.account_name,
            )
            for invoice, mandate, unit_code in owed
        ],
    )
    session.add(batch)
    session.flush()
    audit.record(session, now, staff_id, "export_debits", batch, {"rows": len(owed)})
    return batch, _file(chosen, batch, batch.rows)


def batch_file(session: Session, batch_id: int) -> tuple[DirectDebitBatch, bytes]:
    """The file of a batch again, byte for byte as it was sent.

    Raises Refused when there is no such batch, and when a payer in it was erased: another file than the bank
    got is never made (F23).
    """
    batch = session.get(DirectDebitBatch, batch_id)
    if batch is None:
        raise Refused(N_("There is no such batch"))
    debits = session.scalars(
        select(DirectDebit)
        .where(DirectDebit.batch_id == batch_id)
        .options(joinedload(DirectDebit.invoice))
        .order_by(DirectDebit.id)
    ).all()
    erased = select(Erasure.id).join(Invoice, Invoice.payer_id == Erasure.owner_id)
    if session.scalar(erased.where(Invoice.id.in_([row.invoice_id for row in debits])).limit(1)):
        raise Refused(
            N_("The personal data of a payer in this file was erased: the bank's file can't be made again")
        )
    return batch, _file(_layout(batch.layout), batch, debits)


def file_name(batch: DirectDebitBatch) -> str:
    """What the bank's file is called."""
    return f"{batch.number}.{'csv' if _layout(batch.layout).delimiter == ',' else 'txt'}"


def _file(layout: BankLayout, batch: DirectDebitBatch, debits: Sequence[DirectDebit]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    if layout.has_header:
        writer.writerow([header for header, _ in layout.out])
    for debit in debits:
        values = {
            "number": debit.invoice.number,
            "reference": reference(batch.number, debit.invoice.number),
            "unit_code": debit.unit_code,
            "account": debit.account,
            "account_name": debit.account_name,
            "bank": debit.bank,
            "amount": yuan(debit.amount),
            "amount_fen": str(to_fen(debit.amount)),
            "period": debit.invoice.period,
            "batch": batch.number,
        }
        writer.writerow([values[value] for _, value in layout.out])
    return text.getvalue().encode(layout.encoding)


def reference(batch: str, invoice: str) -> str:
    """What a debit is called in the bank's files and on our receipt."""
    return f"{batch}/{invoice}"


@dataclass(frozen=True)
class BankAnswer:
    """How many debits a bank's answer says were collected or failed, and its lines that are of no debit.

    `waiting` counts collected ones that a receipt had already, or whose amount is not the one that was sent.
    """

    collected: int
    failed: int
    unknown: tuple[str, ...]
    waiting: int = 0


def import_results(
    session: Session, batch_id: int, file: bytes, *, now: datetime, staff_id: int | None = None
) -> BankAnswer:
    """Take in the bank's results: collected debits are paid, failed ones keep the bank's reason (M4).

    What a statement, the cashier or an import posted already under the debit's reference waits, and is never
    paid twice (M5). So does a debit whose answer has another amount than was sent. The same file again
    changes nothing. Raises Refused for a file that can't be read, and on a day that who brings it has closed
    (M3).
    """
    batch = session.get(DirectDebitBatch, batch_id)
    if batch is None:
        raise Refused(N_("There is no such batch"))
    layout = _layout(batch.layout)
    ledger.lock_postings(session)
    sent = {
        reference(batch.number, row.invoice.number): row
        for row in session.scalars(
            select(DirectDebit)
            .where(DirectDebit.batch_id == batch_id)
            .options(joinedload(DirectDebit.invoice))
            .execution_options(populate_existing=True)
        )
    }
    collected: list[DirectDebit] = []
    failed, differing, unknown = 0, 0, []
    for line in _lines(layout, file):
        row = sent.get(line["reference"])
        if row is None:
            unknown.append(line["reference"])
        elif row.state == "sent" and line["result"] in layout.back["collected"]:
            if _is_amount_sent(row, line):
                collected.append(row)
            else:
                differing += 1
        elif row.state == "sent":
            row.state, row.bank_reason = "failed", (line["reason"] or line["result"])[:200]
            failed += 1
    waiting = differing + _hold_posted(session, batch, collected)
    due = [row for row in collected if row.state == "sent"]
    paid = payments.record_payments(session, [_payment(batch, row, now, staff_id) for row in due], now=now)
    for row, posted in zip(due, paid, strict=True):
        row.state, row.payment_id = "collected", posted.payment_id
    if all(row.state != "sent" for row in sent.values()):
        batch.state, batch.answered_at = "answered", now
    session.flush()
    audit.record(session, now, staff_id, "import_debits", batch, {"collected": len(due), "failed": failed})
    return BankAnswer(len(due), failed, tuple(unknown), waiting)


def _is_amount_sent(row: DirectDebit, line: Mapping[str, str]) -> bool:
    """Whether a line's own amount is the one that was sent; another, or one that can't be read, waits."""
    said = next((name for name in AMOUNTS_READ if name in line), None)
    if said is None:
        return True
    try:
        answered = amounts.amount_of(line[said])
        answered = answered if said == "amount" else answered / 100
    except Refused:
        row.state = "waiting"
        row.bank_reason = Reason("debit_amount_unread", {"sent": yuan(row.amount)}).to_json()
        return False
    if answered == row.amount:
        return True
    row.state, row.answered = "waiting", answered
    inputs = {"sent": yuan(row.amount), "answered": yuan(answered)}
    row.bank_reason = Reason("debit_amount_differs", inputs).to_json()
    return False


def _hold_posted(session: Session, batch: DirectDebitBatch, rows: Sequence[DirectDebit]) -> int:
    """Let debits wait whose reference, unit and amount a receipt has already; answers how many (M5)."""
    names = {reference(batch.number, row.invoice.number): row for row in rows}
    posted = payments_with(session, names)
    count = 0
    for name, row in names.items():
        one = next((one for one in posted.get(name, ()) if _is_of(one, row)), None)
        if one is not None:
            row.state, row.payment_id = "waiting", one.id
            row.bank_reason = Reason("posted_by_other_way", {"receipt_no": one.receipt_no}).to_json()
            count += 1
    return count


def _is_of(payment: PaymentWithNumber, row: DirectDebit) -> bool:
    return (payment.unit_id, payment.amount) == (row.invoice.unit_id, row.amount)


def accept_receipt(session: Session, debit_id: int, *, staff_id: int | None, now: datetime) -> DirectDebit:
    """Say that a waiting debit is the money of the receipt that it waits for (M5). Raises Refused."""
    row = _waiting(session, debit_id)
    if row.payment_id is None:
        raise Refused(N_("This debit waits for its amount, not for a receipt"))
    row.state, row.bank_reason = "collected", ""
    session.flush()
    audit.record(session, now, staff_id, "accept_receipt", row, {"state": ("waiting", "collected")})
    return row


def _waiting(session: Session, debit_id: int) -> DirectDebit:
    row = session.scalars(
        select(DirectDebit).where(DirectDebit.id == debit_id).with_for_update()
    ).one_or_none()
    if row is None or row.state != "waiting":
        raise Refused(N_("This debit is not waiting"))
    return row


def settle_amount(
    session: Session, debit_id: int, *, collected: Decimal, staff_id: int | None, now: datetime
) -> DirectDebit:
    """Say what the bank collected of a debit whose answer had another amount; 0 for nothing (M4).

    Raises Refused.
    """
    ledger.lock_postings(session)
    row = _waiting(session, debit_id)
    if row.payment_id is not None:
        raise Refused(N_("A receipt has this money already"))
    if collected < 0:
        raise Refused(N_("The amount can't be below zero"))
    said = Reason.from_json(row.bank_reason)
    if collected:
        new = replace(_payment(row.batch, row, now, staff_id), amount=collected, form_key=None)
        (posted,) = payments.record_payments(session, [new], now=now)
        row.state, row.payment_id, row.answered = "collected", posted.payment_id, collected
    else:
        row.state = "failed"
    session.flush()
    details = {"reason": said.code, "collected": collected}
    audit.record(session, now, staff_id, "settle_amount", row, details)
    return row


def _payment(batch: DirectDebitBatch, row: DirectDebit, now: datetime, staff_id: int | None) -> NewPayment:
    open_now = row.invoice.balance > Decimal(0)
    return NewPayment(
        unit_id=row.invoice.unit_id,
        amount=row.amount,
        method="direct_debit",
        paid_at=now,
        payer_id=row.invoice.payer_id,
        reference=reference(batch.number, row.invoice.number),
        cashier_id=staff_id,
        picks=(Pick(row.invoice.number),) if open_now else (),
        form_key=f"debit:{row.id}:{row.bank_reason}".rstrip(":"),  # which changes when a receipt is voided
    )


def _lines(layout: BankLayout, file: bytes) -> list[dict[str, str]]:
    try:
        text = file.decode(layout.encoding)
    except UnicodeDecodeError as problem:
        raise _not_as_agreed(layout) from problem
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=layout.delimiter) if any(row)]
    header = list(layout.columns_back) if layout.columns_back else (rows.pop(0) if rows else [])
    wanted = {name: layout.back[name] for name in COLUMNS_READ}
    places = {name: header.index(column) for name, column in wanted.items() if column in header}
    if len(places) != len(wanted):
        raise _not_as_agreed(layout)
    told = {name: layout.back[name] for name in AMOUNTS_READ if name in layout.back}
    places |= {name: header.index(column) for name, column in told.items() if column in header}
    return [
        {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
        for row in rows
    ]


def _not_as_agreed(layout: BankLayout) -> Refused:
    return Refused(
        N_("This file can't be read as %(name)s: choose the bank's answer, with the columns %(columns)s"),
        name=layout.name,
        columns="、".join(layout.columns_back or (layout.back[name] for name in COLUMNS_READ)),
    )


def remind_direct_debit(session: Session, due_for: datetime) -> JobResult:
    """Which batches the bank has not answered by the day it should have (job, M4)."""
    waiting = session.scalars(
        select(DirectDebitBatch.number)
        .where(DirectDebitBatch.state == "exported", DirectDebitBatch.exported_at < due_for)
        .order_by(DirectDebitBatch.number)
    ).all()
    return JobResult(done=len(waiting), result={"unanswered": list(waiting)})
