"""The queue of statement rows that wait for a person: suggestions, posting to a unit, setting aside (M5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Payment, StatementRow
from models.people import Occupancy, Owner
from models.property import Unit
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.payments import corrections, payer_accounts, payments
from office.payments.payments import NewPayment
from office.payments.statement_entries import ROW
from office.payments.statement_matching import posted_with
from office.policies import large_sums
from office.receivables import ledger, sums
from rules import matching
from rules.matching import CodeIndex, Suggestion, UnitCandidate
from rules.reasons import Reason


def suggestions(session: Session, row: StatementRow, *, most: int = 5) -> tuple[Suggestion, ...]:
    """The likeliest units for a waiting row, the best first, each with its reasons (M5)."""
    index = CodeIndex(session.scalars(select(Unit.code)))
    asked = matching.RowToMatch(row.memo, row.amount, row.payer_name, row.counter_account)
    return matching.suggestions(asked, _candidates(session, asked, index), index, most=most)


def _candidates(session: Session, row: matching.RowToMatch, index: CodeIndex) -> list[UnitCandidate]:
    """Units named in the memo, paid for by that name, or owing that amount: those the rule can rank."""
    name = row.payer_name.replace("*", "%")
    codes = set(index.found(row.memo))
    named = select(Unit.code).join(Occupancy).join(Owner).where(Occupancy.is_payer)
    if name.strip("% "):
        codes |= set(session.scalars(named.where(Owner.name.like(name)).limit(200)))
        codes |= set(session.scalars(_paid_by(StatementRow.payer_name == row.payer_name)))
    if row.counter_account:
        codes |= set(session.scalars(_paid_by(StatementRow.counter_account == row.counter_account)))
    owing = select(Unit.code).join(Invoice).where(ledger.is_open(), Invoice.balance == row.amount)
    codes |= set(session.scalars(owing.limit(200)))
    in_memo = session.execute(select(Owner.name).distinct()).scalars() if row.memo else ()
    names = [one for one in in_memo if matching.is_in_memo(one, row.memo)]
    if names:
        codes |= set(session.scalars(named.where(Owner.name.in_(names)).limit(200)))
    return _read_candidates(session, codes)


def _paid_by(condition: ColumnElement[bool]) -> Select[str]:
    return (
        select(Unit.code)
        .join(Payment, Payment.unit_id == Unit.id)
        .join(StatementRow, StatementRow.payment_id == Payment.id)
        .where(condition)
        .distinct()
        .limit(200)
    )


def _read_candidates(session: Session, codes: Iterable[str]) -> list[UnitCandidate]:
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
    accounts: dict[str, set[str]] = defaultdict(set)
    for code, name, account in session.execute(
        select(Unit.code, StatementRow.payer_name, StatementRow.counter_account)
        .join(Payment, Payment.unit_id == Unit.id)
        .join(StatementRow, StatementRow.payment_id == Payment.id)
        .where(Unit.code.in_(wanted))
        .distinct()
    ):
        before[code].add(name)
        accounts[code].add(account)
    return [
        UnitCandidate(
            code,
            payers.get(code, ""),
            tuple(balances[code]),
            frozenset(before[code]),
            frozenset(accounts[code]),
        )
        for code in wanted
    ]


def next_waiting(session: Session, *, after: int | None = None) -> StatementRow | None:
    """The next row that waits, the first one again after the last."""
    waiting = select(StatementRow).where(text("state = 'waiting'")).order_by(StatementRow.id).limit(1)
    row = session.scalars(waiting.where(StatementRow.id > (after or 0))).one_or_none()
    if row is None and after:
        row = session.scalars(waiting.where(StatementRow.id < after)).one_or_none()
    return row


def rows_from(session: Session, row: StatementRow, *, most: int) -> list[StatementRow]:
    """A waiting row and those that follow it in turn, the first ones again after the last."""
    waiting = select(StatementRow).where(text("state = 'waiting'")).order_by(StatementRow.id).limit(most)
    rows = list(session.scalars(waiting.where(StatementRow.id >= row.id)))
    if len(rows) < most:
        rows += session.scalars(waiting.where(StatementRow.id < row.id).limit(most - len(rows)))
    return rows


def previous_waiting(session: Session, *, before: int) -> StatementRow | None:
    """The row that waits before this one, the last one before the first."""
    waiting = select(StatementRow).where(text("state = 'waiting'")).order_by(StatementRow.id.desc()).limit(1)
    row = session.scalars(waiting.where(StatementRow.id < before)).one_or_none()
    return row or session.scalars(waiting.where(StatementRow.id > before)).one_or_none()


def count_waiting(session: Session) -> int:
    """How many rows wait for a person."""
    return session.scalar(select(func.count()).select_from(ROW).where(text("state = 'waiting'"))) or 0


def owed(session: Session, unit_id: int) -> Decimal:
    """What is open for a unit, in yuan."""
    return sums.together(sums.owed_at(session, [unit_id], clock.today(session))).total


def match_row(session: Session, row_id: int, *, unit_id: int, staff_id: int | None, now: datetime) -> Payment:
    """Post a waiting row for the unit a person chose (M5). Raises Refused."""
    ledger.lock_postings(session)  # before the row, as an import does
    row = _waiting(session, row_id)
    if row.amount <= 0 or row.paid_at is None:
        raise Refused(N_("This row brings no money: ignore it with a reason"))
    for one in posted_with(session, [row.number]).get(row.number, ()) if row.number else ():
        if one.unit_id == unit_id and one.amount == row.amount:
            raise Refused(
                N_("Receipt %(number)s has this money already: ignore this row with a reason"),
                number=one.receipt_no,
            )
    new = NewPayment(
        unit_id=unit_id,
        amount=row.amount,
        method=row.method,
        paid_at=row.paid_at,
        reference=row.number,
        cashier_id=staff_id,
        form_key=f"statement:{row.id}:{row.row_version}",
    )
    with large_sums.confirmed(session, row.amount):  # the bank names the sum, and a person says whose it is
        payment = payments.record_payment(session, new, now=now)
    payer_accounts.remember(session, row, payment, staff_id=staff_id, now=now)
    row.state, row.payment_id, row.reason = "posted", payment.id, ""
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
    row.reason_before = row.reason
    row.state, row.reason = "ignored", Reason("staff", {"reason": reason.strip()}).to_json()
    session.flush()
    audit.record(session, now, staff_id, "ignore", row, {"state": ("waiting", "ignored"), "reason": reason})
    return row


def undo(session: Session, row_id: int, *, staff_id: int, now: datetime, reason: str = "") -> StatementRow:
    """Let a decided row wait again (M5).

    An ignored one waits as it did before. The receipt of a posted one is voided, for a reason and by another
    person than its cashier, as on any screen (M2, F21). Raises Refused.
    """
    ledger.lock_postings(session)  # before the row, as an import does
    row = session.get(StatementRow, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Refused(N_("There is no such row"))
    if row.state == "waiting":
        raise Refused(N_("This row waits already"))
    before = row.state
    if row.payment_id is not None:
        corrections.void_payment(session, row.payment_id, reason=reason, staff_id=staff_id, now=now)
    else:
        row.state, row.reason = "waiting", row.reason_before or row.reason
        session.flush()
    audit.record(session, now, staff_id, "undo", row, {"state": (before, "waiting")})
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
