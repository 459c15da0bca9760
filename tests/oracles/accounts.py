"""What a statement of account must say, counted again from raw rows (M11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.oracles.debts import NIL, debts

CAP = Decimal(1)  # of the principal, as in the factory's policy
OFFICE_TIME = timedelta(hours=8)


class Sums(NamedTuple):
    """What was billed, credited and paid in some days, and what is held after them; yuan."""

    billed: Decimal
    credited: Decimal
    paid: Decimal
    prepaid: Decimal
    deposit: Decimal


def owed(
    session: Session, of: tuple[int | None, int | None], on: date, today: date, daily_rate: Decimal
) -> Decimal:
    """What a unit, a payer, or a payer at a unit owed at the end of a day, late fees included."""
    dated = _rows(session, "SELECT number, issued_on FROM invoice")
    issued = {number: min(_day(issued_on), today) for number, issued_on in dated}
    found = debts(session, on, daily_rate=daily_rate, cap_rate=CAP)
    own = [one for one in found if _is_of(of, one.unit_id, one.payer_id) and issued[one.number] <= on]
    return sum((one.total for one in own), NIL)


def sums(session: Session, of: tuple[int | None, int | None], first: date, last: date, today: date) -> Sums:
    """The movements of the days from first to last, and what is held at the end of the last."""
    whose = {row[0]: (row[1], row[2]) for row in _rows(session, "SELECT id, unit_id, payer_id FROM invoice")}
    billed = _rows(session, "SELECT id, issued_on, amount FROM invoice")
    credited = _rows(session, "SELECT invoice_id, issued_on, amount FROM credit_note")
    out = {row[0]: min(_day(row[1]), today) for row in billed}
    laid = _rows(session, "SELECT invoice_id, allocated_on, amount, payment_id FROM allocation")
    paid = [
        (row[0], max(_day(row[1]), out[row[0]]), *row[2:]) for row in laid
    ]  # prepaid until the bill is out
    in_days = {
        name: sum(
            (
                Decimal(row[2]) / 100
                for row in rows
                if _is_of(of, *whose[row[0]]) and first <= min(_day(row[1]), today) <= last
            ),
            NIL,
        )
        for name, rows in (("billed", billed), ("credited", credited), ("paid", paid))
    }
    money = _rows(session, "SELECT id, unit_id, payer_id, paid_at, amount FROM payment")
    own = {row[0] for row in money if _is_of(of, row[1], row[2])}
    got = sum((Decimal(row[4]) / 100 for row in money if row[0] in own and _local(row[3]) <= last), NIL)
    spent = sum((Decimal(row[2]) / 100 for row in paid if row[3] in own and _day(row[1]) <= last), NIL)
    book = _rows(session, "SELECT unit_id, payer_id, posted_on, amount, entry FROM deposit")
    held = sum(
        (
            (Decimal(row[3]) if row[4] == "taken" else -Decimal(row[3])) / 100
            for row in book
            if _is_of(of, row[0], row[1]) and _day(row[2]) <= last
        ),
        NIL,
    )
    return Sums(prepaid=got - spent, deposit=held, **in_days)


def _is_of(of: tuple[int | None, int | None], unit_id: int, payer_id: int) -> bool:
    return of[0] in {None, unit_id} and of[1] in {None, payer_id}


def _rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(text(query))]


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _local(value: object) -> date:
    """The office's day of an instant; SQLite keeps them in UTC."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return ((at if at.tzinfo is None else at.astimezone(UTC)) + OFFICE_TIME).date()
