"""The end of a cashier's day: expected against counted, then locked (M3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models.payments import DayClose, DayCloseLine, Payment
from models.people import Staff
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.receivables import ledger
from rules.money import ZERO

MOST_OPEN_DAYS = 31


@dataclass(frozen=True)
class Counted:
    """What was counted of one way to pay, in yuan, and why it differs."""

    amount: Decimal
    reason: str = ""


def expected(session: Session, cashier_id: int, day: date) -> dict[str, Decimal]:
    """Yuan a cashier took on a day, less what they gave back, by way to pay."""
    return dict(
        session.execute(
            select(Payment.method, func.sum(Payment.amount))
            .where(Payment.posted_on == day, Payment.cashier_id == cashier_id)
            .group_by(Payment.method)
            .order_by(Payment.method)
        ).all()
    )


def receipts(session: Session, cashier_id: int, day: date) -> dict[str, int]:
    """How many entries a cashier posted on a day, by way to pay."""
    return dict(
        session.execute(
            select(Payment.method, func.count())
            .where(Payment.posted_on == day, Payment.cashier_id == cashier_id)
            .group_by(Payment.method)
        ).all()
    )


@dataclass(frozen=True)
class OpenDay:
    """A past day of a cashier with entries, not closed yet; yuan."""

    day: date
    cashier_id: int
    cashier: str
    amount: Decimal


def still_open(session: Session, cashier_id: int | None, today: date) -> list[OpenDay]:
    """Days before today on which a cashier (or any) posted something and that nobody closed, newest first."""
    closed = exists().where(DayClose.day == Payment.posted_on, DayClose.cashier_id == Payment.cashier_id)
    rows = session.execute(
        select(Payment.posted_on, Staff.id, Staff.name, func.sum(Payment.amount))
        .join(Staff, Staff.id == Payment.cashier_id)
        .where(Payment.posted_on < today, *(() if cashier_id is None else (Staff.id == cashier_id,)), ~closed)
        .group_by(Payment.posted_on, Staff.id, Staff.name)
        .order_by(Payment.posted_on.desc(), Staff.id)
        .limit(MOST_OPEN_DAYS)
    )
    return [OpenDay(*row) for row in rows]


def close_day(
    session: Session,
    *,
    cashier_id: int,
    day: date,
    counted: Mapping[str, Counted],
    closed_by_id: int,
    now: datetime,
) -> DayClose:
    """Close a cashier's day; nothing is posted into it afterwards (M3).

    Raises Refused when it is closed, has not come, or a difference has no reason.
    """
    if day > clock.office_day(session, now):
        raise Refused(N_("%(day)s has not come yet"), day=day)
    ledger.lock_postings(session)
    if session.scalar(select(DayClose.id).where(DayClose.day == day, DayClose.cashier_id == cashier_id)):
        raise Refused(N_("The day %(day)s is closed already"), day=day)
    wanted = expected(session, cashier_id, day)
    lines = []
    for method in sorted({*wanted, *counted}):
        found = counted.get(method, Counted(ZERO))
        should = wanted.get(method, ZERO)
        if found.amount != should and not found.reason.strip():
            raise Refused(
                N_("%(method)s: expected %(expected)s, counted %(counted)s: say why"),
                method=method,
                expected=should,
                counted=found.amount,
            )
        lines.append(
            DayCloseLine(method=method, expected=should, counted=found.amount, reason=found.reason.strip())
        )
    closed = DayClose(day=day, cashier_id=cashier_id, closed_by_id=closed_by_id, closed_at=now, lines=lines)
    session.add(closed)
    session.flush()
    total = sum((line.counted for line in lines), ZERO)
    audit.record(session, now, closed_by_id, "close", closed, {"day": day, "counted": total})
    return closed
