"""Statements of banks and payment services: each row once, sure matches posted, the rest in a queue (M5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import cast

from sqlalchemy import Select, Table, func, select, text
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Payment, StatementRow
from models.people import Occupancy, Owner
from models.property import Unit
from office.core import audit, bulk_insert, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.estate.owners import payers_on
from office.payments import payments
from office.payments.payments import NewPayment
from office.receivables import ledger
from rules import matching
from rules.matching import Candidate, CodeIndex, Suggestion
from rules.reasons import Reason

ROW = cast("Table", StatementRow.__table__)
BATCH = 5000

Outcome = tuple[str, str, int | None]  # a row's state, the reason why it waits, its payment


@dataclass(frozen=True)
class Entry:
    """One movement of money as a statement tells it; `amount` in yuan."""

    transaction_id: str
    paid_at: datetime | None
    amount: Decimal
    method: str
    memo: str = ""
    payer_name: str = ""
    is_incoming: bool = True
    is_successful: bool = True
    is_refund: bool = False

    def row(self) -> matching.StatementRow:
        return matching.StatementRow(
            self.memo, self.amount, self.payer_name, self.is_incoming, self.is_successful, self.is_refund
        )


@dataclass(frozen=True)
class Read:
    """What a statement brought: rows posted, waiting, and known before."""

    posted: int = 0
    waiting: int = 0
    known: int = 0
    reasons: Mapping[str, int] | None = None


def post_statement(session: Session, rows: Iterable[Entry], source: str, now: datetime) -> Read:
    """Take in a statement's rows, each (source, transaction) once; sure matches become payments (M5).

    The transaction id becomes the payment's reference. What is not sure waits with its reason.
    """
    ledger.lock_postings(session)
    units = dict(session.execute(select(Unit.code, Unit.id)).all())
    index = CodeIndex(units)
    posted = waiting = known = 0
    reasons: Counter[str] = Counter()
    for entries in _batches(rows):
        once: dict[str, Entry] = {}
        for entry in entries:
            once.setdefault(entry.transaction_id, entry)
        for transaction_id in _known(session, source, once):
            del once[transaction_id]
        known += len(entries) - len(once)
        sure, unsure = _matched(session, list(once.values()), index, units)
        paid = payments.record_payments(session, [payment for _, payment in sure], now=now)
        outcomes: dict[str, Outcome] = {
            entry.transaction_id: ("posted", "", one.payment_id)
            for (entry, _), one in zip(sure, paid, strict=True)
        }
        for entry, reason in unsure:
            outcomes[entry.transaction_id] = ("waiting", reason.to_json(), None)
        _insert(session, source, now, ((entry, outcomes[entry.transaction_id]) for entry in once.values()))
        posted += len(sure)
        waiting += len(unsure)
        reasons.update(reason.code for _, reason in unsure)
    return Read(posted, waiting, known, dict(reasons))


def _batches(rows: Iterable[Entry]) -> Iterable[list[Entry]]:
    batch: list[Entry] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _known(session: Session, source: str, transaction_ids: Iterable[str]) -> list[str]:
    """Those of the transactions that an earlier statement brought."""
    known: list[str] = []
    for some in chunks(list(transaction_ids)):
        asked = select(ROW.c.transaction_id).where(ROW.c.source == source, ROW.c.transaction_id.in_(some))
        known += session.scalars(asked)
    return known


def _insert(session: Session, source: str, now: datetime, rows: Iterable[tuple[Entry, Outcome]]) -> None:
    told = ("transaction_id", "paid_at", "amount", "method", "memo", "payer_name")
    of = attrgetter(*told)
    bulk_insert.insert_rows(
        session,
        ROW,
        (*told, "state", "reason", "payment_id"),
        ((*of(entry), *outcome) for entry, outcome in rows),
        constants={"source": source, "imported_at": now, "row_version": 1},
    )


def _matched(
    session: Session, entries: Sequence[Entry], index: CodeIndex, units: Mapping[str, int]
) -> tuple[list[tuple[Entry, NewPayment]], list[tuple[Entry, Reason]]]:
    zone = clock.zone(session)
    found, unsure = [], []
    for entry in entries:
        match = matching.match(entry.row(), index)
        if match.state == "posted" and entry.paid_at is not None:
            found.append((entry, units[cast("str", match.unit_code)], entry.paid_at))
        else:
            unsure.append((entry, match.reason if match.state == "waiting" else Reason("no_time")))
    payers = payers_on(session, [(unit, at.astimezone(zone).date()) for _, unit, at in found])
    sure = []
    for (entry, unit_id, paid_at), payer in zip(found, payers, strict=True):
        if payer is None:
            unsure.append((entry, Reason("no_payer", {"memo": entry.memo})))
            continue
        new = NewPayment(unit_id, entry.amount, entry.method, paid_at, payer, reference=entry.transaction_id)
        sure.append((entry, new))
    return sure, unsure


def suggestions(session: Session, row: StatementRow, *, most: int = 5) -> tuple[Suggestion, ...]:
    """The likeliest units for a waiting row, the best first, each with its reasons (M5)."""
    index = CodeIndex(session.scalars(select(Unit.code)))
    asked = matching.StatementRow(row.memo, row.amount, row.payer_name)
    return matching.suggestions(asked, _candidates(session, asked, index), index, most=most)


def _candidates(session: Session, row: matching.StatementRow, index: CodeIndex) -> list[Candidate]:
    """Units named in the memo, paid for by that name, or owing that amount: those the rule can rank."""
    name = row.payer_name.replace("*", "%")
    codes = set(index.found(row.memo))
    named = select(Unit.code).join(Occupancy).join(Owner).where(Occupancy.is_payer)
    if name.strip("% "):
        codes |= set(session.scalars(named.where(Owner.name.like(name)).limit(200)))
        codes |= set(session.scalars(_paid_by(row.payer_name)))
    owing = select(Unit.code).join(Invoice).where(ledger.is_open(), Invoice.balance == row.amount)
    codes |= set(session.scalars(owing.limit(200)))
    in_memo = session.execute(select(Owner.name).distinct()).scalars() if row.memo else ()
    names = [one for one in in_memo if matching.is_in_memo(one, row.memo)]
    if names:
        codes |= set(session.scalars(named.where(Owner.name.in_(names)).limit(200)))
    return _read_candidates(session, codes)


def _paid_by(name: str) -> Select[str]:
    return (
        select(Unit.code)
        .join(Payment, Payment.unit_id == Unit.id)
        .join(StatementRow, StatementRow.payment_id == Payment.id)
        .where(StatementRow.payer_name == name)
        .distinct()
        .limit(200)
    )


def _read_candidates(session: Session, codes: Iterable[str]) -> list[Candidate]:
    wanted = sorted(codes)
    balances: dict[str, list[Decimal]] = defaultdict(list)
    for code, balance in session.execute(
        select(Unit.code, Invoice.balance)
        .join(Invoice)
        .where(Unit.code.in_(wanted), ledger.is_open())
        .order_by(Invoice.due_on, Invoice.id)
    ):
        balances[code].append(balance)
    payers = dict(
        session.execute(
            select(Unit.code, Owner.name)
            .join(Occupancy, Occupancy.unit_id == Unit.id)
            .join(Owner, Owner.id == Occupancy.owner_id)
            .where(Unit.code.in_(wanted), Occupancy.is_payer)
            .order_by(Occupancy.from_on)
        ).all()
    )
    before: dict[str, set[str]] = defaultdict(set)
    for code, name in session.execute(
        select(Unit.code, StatementRow.payer_name)
        .join(Payment, Payment.unit_id == Unit.id)
        .join(StatementRow, StatementRow.payment_id == Payment.id)
        .where(Unit.code.in_(wanted))
        .distinct()
    ):
        before[code].add(name)
    return [
        Candidate(code, payers.get(code, ""), tuple(balances[code]), frozenset(before[code]))
        for code in wanted
    ]


def next_waiting(session: Session, *, after: int | None = None) -> StatementRow | None:
    """The next row that waits, the first one again after the last."""
    waiting = select(StatementRow).where(text("state = 'waiting'")).order_by(StatementRow.id).limit(1)
    row = session.scalars(waiting.where(StatementRow.id > (after or 0))).one_or_none()
    if row is None and after:
        row = session.scalars(waiting.where(StatementRow.id < after)).one_or_none()
    return row


def count_waiting(session: Session) -> int:
    """How many rows wait for a person."""
    return session.scalar(select(func.count()).select_from(ROW).where(text("state = 'waiting'"))) or 0


def owed(session: Session, unit_id: int) -> Decimal:
    """What is open for a unit, in yuan."""
    return sum((bill.balance for bill in ledger.open_receivables(session, [unit_id])), Decimal(0))


def match_row(session: Session, row_id: int, *, unit_id: int, staff_id: int | None, now: datetime) -> Payment:
    """Post a waiting row for the unit a person chose (M5). Raises Refused."""
    row = _waiting(session, row_id)
    if row.amount <= 0 or row.paid_at is None:
        raise Refused(N_("This row brings no money: ignore it with a reason"))
    payment = payments.record_payment(
        session,
        NewPayment(
            unit_id=unit_id,
            amount=row.amount,
            method=row.method,
            paid_at=row.paid_at,
            reference=row.transaction_id,
            form_key=f"statement:{row.id}",
        ),
        now=now,
    )
    row.state, row.payment_id = "posted", payment.id
    session.flush()
    audit.record(session, now, staff_id, "match", row, {"state": ("waiting", "posted"), "unit_id": unit_id})
    return payment


def ignore_row(
    session: Session, row_id: int, *, reason: str, staff_id: int | None, now: datetime
) -> StatementRow:
    """Set a waiting row aside with a reason (M5). Raises Refused."""
    row = _waiting(session, row_id)
    if not reason.strip():
        raise Refused(N_("Say why"))
    row.state, row.reason = "ignored", Reason("staff", {"reason": reason.strip()}).to_json()
    session.flush()
    audit.record(session, now, staff_id, "ignore", row, {"state": ("waiting", "ignored"), "reason": reason})
    return row


def _waiting(session: Session, row_id: int) -> StatementRow:
    row = session.scalars(
        select(StatementRow).where(StatementRow.id == row_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise Refused(N_("There is no such row"))
    if row.state != "waiting":
        raise Refused(N_("This row is no longer waiting"))
    return row
