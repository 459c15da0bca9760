"""What is owed on each invoice on a day, counted again from raw rows; nothing of the program's arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

NIL = Decimal(0)


class Debt(NamedTuple):
    """Principal and late fee in yuan, of one invoice."""

    number: str
    unit_id: int
    payer_id: int
    due_on: date
    principal: Decimal
    late_fee: Decimal

    @property
    def total(self) -> Decimal:
        return self.principal + self.late_fee


def debts(session: Session, on: date, *, daily_rate: Decimal, cap_rate: Decimal) -> list[Debt]:
    """What each invoice owed at the end of a day, by the contract's words, day after day."""
    paid = _rows(session, "SELECT invoice_id, allocated_on, amount, part FROM allocation")
    credited = _rows(session, "SELECT invoice_id, issued_on, amount, kind FROM credit_note")
    waived = _rows(session, "SELECT invoice_id, waived_on, amount FROM late_fee_waiver")
    found = []
    query = "SELECT id, number, unit_id, payer_id, due_on, amount FROM invoice ORDER BY due_on, id"
    for invoice_id, number, unit_id, payer_id, due, fen in _rows(session, query):
        due_on, amount = _day(due), Decimal(fen) / 100
        own = [(_day(at), Decimal(fen) / 100, part) for of, at, fen, part in paid if of == invoice_id]
        notes = [(_day(at), Decimal(fen) / 100, kind) for of, at, fen, kind in credited if of == invoice_id]
        never_owed = sum((value for at, value, kind in notes if kind == "error" and at <= on), NIL)
        lowered = [(at, value) for at, value, part in own if part == "principal"]
        lowered += [(at, value) for at, value, kind in notes if kind == "goodwill"]
        fee = _accrued(amount - never_owed, due_on, on, lowered, daily_rate, cap_rate)
        fee -= sum((Decimal(fen) / 100 for of, at, fen in waived if of == invoice_id and _day(at) <= on), NIL)
        fee_paid = sum((value for at, value, part in own if part == "late_fee" and at <= on), NIL)
        principal = amount - sum((value for at, value in lowered if at <= on), NIL)
        principal -= sum((value for at, value, kind in notes if kind == "error" and at <= on), NIL)
        found.append(Debt(number, unit_id, payer_id, due_on, principal, max(fee, fee_paid, NIL) - fee_paid))
    return found


def _accrued(
    owed: Decimal,
    due_on: date,
    on: date,
    lowered: Sequence[tuple[date, Decimal]],
    rate: Decimal,
    cap: Decimal,
) -> Decimal:
    """The fee of every whole day between the due day and `on`."""
    total, day = NIL, due_on + timedelta(days=1)
    while day < on:
        total += max(owed - sum((value for at, value in lowered if at <= day), NIL), NIL)
        day += timedelta(days=1)
    return min(_half_up(total * rate), _half_up(owed * cap))


def _half_up(exact: Decimal) -> Decimal:
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(query))]


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
