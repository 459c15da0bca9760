"""The book of deposits: its numbered entries, and what is still held of one that was taken (B10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import Deposit
from office.core import clock, numbering
from rules.money import ZERO

SERIES = "Y"


@dataclass(frozen=True)
class DepositOf:
    """Whose deposit: unit, payer, fee item, and the payment that brought it."""

    unit_id: int
    payer_id: int
    fee_item_id: int
    payment_id: int


def add_entry(
    session: Session,
    entry: str,
    of: DepositOf,
    amount: Decimal,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Deposit:
    """Add the next entry to the book; `amount` in yuan."""
    today = clock.office_day(session, now)
    row = Deposit(
        number=numbering.written(f"{SERIES}{today.year}", numbering.take(session, SERIES, today.year)),
        unit_id=of.unit_id,
        payer_id=of.payer_id,
        fee_item_id=of.fee_item_id,
        entry=entry,
        amount=amount,
        reason=reason.strip(),
        posted_on=today,
        payment_id=of.payment_id,
        staff_id=staff_id,
    )
    session.add(row)
    session.flush()
    return row


def deposit_left(session: Session, taken: Deposit) -> Decimal:
    """Yuan of a taken deposit that is still held."""
    gone = session.scalar(
        select(func.coalesce(func.sum(Deposit.amount), 0)).where(
            Deposit.payment_id == taken.payment_id,
            Deposit.fee_item_id == taken.fee_item_id,
            Deposit.unit_id == taken.unit_id,
            Deposit.entry != "taken",
        )
    )
    return taken.amount - (gone or ZERO)
