"""What is owed on each invoice on a day, counted again from raw rows; nothing of the program's arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
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


class Terms(NamedTuple):
    """A late fee's rate a day, days of grace, and cap as a part of the principal."""

    rate: Decimal
    cap: Decimal
    grace: int = 0


Lowered = list[tuple[int, date, Decimal, bool]]  # line, day, yuan, whether it was never owed


def debts(
    session: Session,
    on: date,
    *,
    daily_rate: Decimal,
    cap_rate: Decimal,
    own: Mapping[str, Terms] | None = None,
) -> list[Debt]:
    """What each invoice owed at the end of a day, by the contract's words, day after day.

    `own` are the terms of items that have some of their own, by code.
    """
    paid = _rows(session, "SELECT invoice_id, allocated_on, amount, part FROM allocation")
    credited = _rows(session, "SELECT invoice_id, issued_on, amount, kind FROM credit_note")
    waived = _rows(session, "SELECT invoice_id, waived_on, amount FROM late_fee_waiver")
    lines = _rows(session, LINES)
    lowered_lines: Lowered = [
        (line, _day(at), Decimal(fen) / 100, kind == "error")
        for line, at, fen, kind in _rows(session, LOWERED)
    ]
    found = []
    query = "SELECT id, number, unit_id, payer_id, due_on, amount FROM invoice ORDER BY due_on, id"
    for invoice_id, number, unit_id, payer_id, due, fen in _rows(session, query):
        due_on, amount = _day(due), Decimal(fen) / 100
        own_paid = [(_day(at), Decimal(fen) / 100, part) for of, at, fen, part in paid if of == invoice_id]
        notes = [(_day(at), Decimal(fen) / 100, kind) for of, at, fen, kind in credited if of == invoice_id]
        lowered = [(at, value) for at, value, part in own_paid if part == "principal"]
        lowered += [(at, value) for at, value, _kind in notes]
        of_bill = [
            (line, code, Decimal(fen) / 100)
            for of, line, code, fen, bears in lines
            if of == invoice_id and bears
        ]
        fee = NIL
        for terms in {"": Terms(daily_rate, cap_rate), **(own or {})}.items():
            code, said = terms
            some = {
                line: value
                for line, item, value in of_bill
                if item == code or (not code and item not in (own or {}))
            }
            fee += _accrued(some, lowered_lines, due_on, on, said)
        fee = _half_up(fee)
        fee -= sum((Decimal(fen) / 100 for of, at, fen in waived if of == invoice_id and _day(at) <= on), NIL)
        fee_paid = sum((value for at, value, part in own_paid if part == "late_fee" and at <= on), NIL)
        principal = amount - sum((value for at, value in lowered if at <= on), NIL)
        found.append(Debt(number, unit_id, payer_id, due_on, principal, max(fee, fee_paid, NIL) - fee_paid))
    return found


LINES = (
    "SELECT l.invoice_id, l.id, f.code, l.amount, l.bears_late_fee FROM invoice_line l "
    "JOIN fee_item f ON f.id = l.fee_item_id"
)
LOWERED = (
    "SELECT a.invoice_line_id, p.allocated_on, a.amount, 'paid' FROM allocation_line a "
    "JOIN allocation p ON p.id = a.allocation_id UNION ALL "
    "SELECT c.invoice_line_id, n.issued_on, c.amount, n.kind FROM credit_note_line c "
    "JOIN credit_note n ON n.id = c.credit_note_id"
)


def _accrued(lines: Mapping[int, Decimal], lowered: Lowered, due_on: date, on: date, terms: Terms) -> Decimal:
    """The exact fee of some lines for every whole day between the due day, the grace and `on`."""
    own = [one for one in lowered if one[0] in lines]
    owed = sum(lines.values(), NIL) - sum((value for _, at, value, never in own if never and at <= on), NIL)
    total, day = NIL, due_on + timedelta(days=1 + terms.grace)
    while day < on:
        total += max(owed - sum((value for _, at, value, never in own if not never and at <= day), NIL), NIL)
        day += timedelta(days=1)
    return min(total * terms.rate, owed * terms.cap)


def _half_up(exact: Decimal) -> Decimal:
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(query))]


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
