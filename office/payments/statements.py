"""Statements of banks and payment services: each movement once, sure matches posted, the rest waits (M5).

A file's rows become movements, each known or new (statement_identity); new ones are matched with units
(statement_matching), the sure ones posted, all of them stored; the rest waits in the queue (statement_queue).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.payments import StatementRow
from office.core import audit, bulk_insert, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.estate.owners import payers_on
from office.payments import payments
from office.payments.payments import NewPayment
from office.payments.statement_entries import ROW, Entry, IncomingRow
from office.payments.statement_identity import identify, incoming_rows
from office.payments.statement_matching import Matcher, waiting
from office.policies import large_sums
from office.receivables import ledger
from rules.bank_statements import Balanced, BalanceProof, balance_proof
from rules.matching import Match
from rules.reasons import Reason

__all__ = ["Entry", "Posted", "RowOutcome", "post_statement"]

BATCH = 5000
NO_CASH = N_("Cash stands in no statement: take it at the cashier desk")
WRITTEN = (
    "transaction_id", "paid_at", "is_time_known", "amount", "method", "memo", "payer_name", "number",
    "account", "counter_account", "balance", "status", "state", "reason", "payment_id",
)  # fmt: skip


@dataclass(frozen=True)
class RowOutcome:
    """What became of a row: `posted`, `waiting`, `known`, `refused`, or it `differs` from a posted one."""

    state: str
    reason: Reason
    unit_code: str = ""
    known_status: str = ""  # what the file that brought it first called its state


@dataclass(frozen=True)
class Posted:
    """What a statement brought: each row's outcome in the file's order, and what its balances prove."""

    outcomes: Sequence[RowOutcome]
    balance: BalanceProof
    day: date  # into which the sure rows go
    open_day: date  # the next one that their cashier has not closed: `day` itself, or rows are refused

    def _count(self, state: str) -> int:
        return sum(one.state == state for one in self.outcomes)

    @property
    def posted(self) -> int:
        return self._count("posted")

    @property
    def waiting(self) -> int:
        return self._count("waiting")

    @property
    def known(self) -> int:
        return self._count("known")

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many rows wait, by the code of their reason."""
        return Counter(one.reason.code for one in self.outcomes if one.state == "waiting")


def post_statement(
    session: Session, entries: Iterable[Entry], source: str, now: datetime, *, staff_id: int | None = None
) -> Posted:
    """Take in a statement, each movement of money once; sure matches become payments (M5).

    A movement is known by what it says, whichever file brought it. The bank's number becomes the payment's
    reference, who brought the file in its cashier. A row that waited for its final state posts when a later
    file tells it. On a day that its cashier has closed the sure rows are `refused`: the caller must undo all.

    Raises Refused for money in cash.
    """
    entries = list(entries)
    if any(entry.method == "cash" for entry in entries):
        raise Refused(NO_CASH)
    ledger.lock_postings(session)
    last_id = session.scalar(select(func.max(ROW.c.id))) or 0
    today = clock.office_day(session, now)
    open_day = payments.next_open_day(session, staff_id, today)
    rows = incoming_rows(session, entries, source)
    proof, contradicted = _balances(rows)
    matcher = Matcher(session)
    for batch in _by_days(rows):
        identify(session, batch, last_id)
        undecided = [row for row in batch if _is_undecided(row)]
        matcher.decide(undecided, contradicted)
        if open_day != today:
            _refuse_sure(undecided)
        _post(session, undecided, matcher.unit_ids, now, staff_id)
        kept = [row for row in undecided if row.decision.state != "refused"]
        _store(session, [row for row in kept if row.settles_id is None], source, now)
        for row in kept:
            if row.settles_id is not None:
                _settle(session, row, now, staff_id)
    return Posted([_outcome(row) for row in rows], proof, today, open_day)


def _refuse_sure(rows: Sequence[IncomingRow]) -> None:
    for row in rows:
        if row.decision.state == "posted":
            row.match = Match("refused", row.decision.unit_code, Reason("day_closed"))


def _is_undecided(row: IncomingRow) -> bool:
    is_new = row.identity.known_id is None and not row.identity.is_repeated
    return is_new or bool(row.identity.doubt) or row.settles_id is not None


def _balances(rows: Sequence[IncomingRow]) -> tuple[BalanceProof, set[int]]:
    """What the balance column proves, account by account, and the places of rows that wait because of it."""
    by_account: dict[str, list[IncomingRow]] = defaultdict(list)
    for row in rows:
        by_account[row.entry.account].append(row)
    proofs: list[BalanceProof] = []
    contradicted: set[int] = set()
    for some in by_account.values():
        told = [
            Balanced(one.entry.amount, one.entry.balance, one.entry.direction != "unknown") for one in some
        ]
        proof = balance_proof(told, is_latest_first=_is_latest_first(some))
        proofs.append(proof)
        places = range(len(some)) if proof.is_file_in_doubt else proof.turned
        contradicted |= {some[place].place for place in places}
    worst = ("contradicted", "gaps", "proven", "absent").index
    return min(proofs, key=lambda proof: worst(proof.state), default=BalanceProof("absent")), contradicted


def _is_latest_first(rows: Sequence[IncomingRow]) -> bool | None:
    """Whether the file runs back in time; None where its instants do not tell."""
    times = [row.entry.paid_at for row in rows if row.entry.paid_at is not None]
    return None if not times or times[0] == times[-1] else times[0] > times[-1]


def _by_days(rows: Sequence[IncomingRow]) -> Iterator[list[IncomingRow]]:
    """The rows in batches; no day is parted, for equal movements lie on one day."""
    batch: list[IncomingRow] = []
    for row in sorted(rows, key=lambda row: row.movement.day or date.min):
        if len(batch) >= BATCH and row.movement.day != batch[-1].movement.day:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _post(
    session: Session,
    rows: Sequence[IncomingRow],
    unit_ids: Mapping[str, int],
    now: datetime,
    staff_id: int | None,
) -> None:
    """Make a payment of each sure row, for whoever pays for its unit on its day."""
    sure = [row for row in rows if row.decision.state == "posted"]
    units = [unit_ids[row.decision.unit_code or ""] for row in sure]
    days = [cast("date", row.movement.day) for row in sure]
    payers = payers_on(session, list(zip(units, days, strict=True)))
    large = large_sums.policy_on(session, clock.office_day(session, now))
    new: list[tuple[IncomingRow, NewPayment]] = []
    for row, unit_id, payer in zip(sure, units, payers, strict=True):
        entry = row.entry
        if payer is None:
            row.match = waiting("no_payer", memo=entry.memo)
            continue
        if large.asks("payment", entry.amount):
            row.match = waiting("large_sum", amount=entry.amount)
            continue
        paid_at = cast("datetime", entry.paid_at)
        payment = NewPayment(
            unit_id, entry.amount, entry.method, paid_at, payer, entry.transaction_id, cashier_id=staff_id
        )
        new.append((row, payment))
    posted = payments.record_payments(session, [payment for _, payment in new], now=now)
    for (row, _), one in zip(new, posted, strict=True):
        row.payment_id = one.payment_id


def _store(session: Session, rows: Sequence[IncomingRow], source: str, now: datetime) -> None:
    taken = _stored_numbers(session, rows, source)
    bulk_insert.insert_rows(
        session,
        ROW,
        WRITTEN,
        [_values(row, taken, now) for row in rows],
        constants={"source": source, "imported_at": now, "row_version": 1, "reason_before": ""},
    )


def _stored_numbers(session: Session, rows: Sequence[IncomingRow], source: str) -> set[str]:
    taken: set[str] = set()
    for some in chunks(sorted({row.movement.number for row in rows if row.movement.number})):
        asked = select(ROW.c.transaction_id).where(ROW.c.source == source, ROW.c.transaction_id.in_(some))
        taken |= set(session.scalars(asked))
    return taken


def _values(row: IncomingRow, taken: set[str], now: datetime) -> tuple[object, ...]:
    """The row as it is stored; under its number where no other row of the source has it, else a digest."""
    entry, number = row.entry, row.movement.number
    stored_as = number
    if not number or number in taken:
        said = f"{row.movement}\x1f{now.isoformat()}"
        stored_as = f"{hashlib.sha256(said.encode()).hexdigest()[:32]}-{row.place + 1}"
    taken.add(stored_as)
    return (
        stored_as,
        entry.paid_at,
        entry.is_time_known,
        entry.amount,
        entry.method,
        entry.memo,
        entry.payer_name,
        number,
        entry.account,
        entry.counter_account,
        entry.balance,
        entry.status,
        row.decision.state,
        "" if row.decision.state == "posted" else row.decision.reason.to_json(),
        row.payment_id,
    )


def _settle(session: Session, row: IncomingRow, now: datetime, staff_id: int | None) -> None:
    """Give a stored row that waited for its final state what this file says of it."""
    stored = session.get_one(StatementRow, row.settles_id)
    stored.status, stored.state, stored.payment_id = row.entry.status, row.decision.state, row.payment_id
    stored.reason = "" if row.decision.state == "posted" else row.decision.reason.to_json()
    session.flush()
    audit.record(session, now, staff_id, "match", stored, {"state": ("waiting", row.decision.state)})


def _outcome(row: IncomingRow) -> RowOutcome:
    if row.match is not None:
        return RowOutcome(row.match.state, row.match.reason, row.match.unit_code or "")
    if row.known_state == "posted" and row.entry.state != "done":
        # refunded or taken back since
        return RowOutcome("differs", Reason(row.entry.state), known_status=row.known_status)
    return RowOutcome("known", Reason("known"))
