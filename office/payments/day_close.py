"""The end of a cashier's day: expected against counted, then locked; opened again by two people (M3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from models.base import Money
from models.payments import DayClose, DayCloseLine, DayReopening, Payment
from models.people import Staff
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.core.staff import refuse_same_person, roles_of
from office.payments.payments import in_force, is_closed
from office.receivables import ledger
from rules.money import ZERO
from rules.roles import may_open_days

MOST_OPEN_DAYS = 31


@dataclass(frozen=True)
class Counted:
    """What was counted of one way to pay, in yuan, and why it differs."""

    amount: Decimal
    reason: str = ""


ORIGINAL = aliased(Payment)


def _cashier_of_drawer() -> ColumnElement[int | None]:
    """Whose drawer an entry changes: an undone receipt that of who took it, not of who undid it (M2)."""
    return case((Payment.kind == "reversal", ORIGINAL.cashier_id), else_=Payment.cashier_id)


@dataclass(frozen=True)
class Drawer:
    """What one way to pay brought into a drawer on a day, in yuan; voided receipts are counted apart."""

    expected: Decimal
    entries: int
    voided: int
    voided_amount: Decimal


def drawers(session: Session, cashier_id: int, day: date) -> dict[str, Drawer]:
    """What a cashier's drawer holds of a day, by way to pay: what they took less what they gave back (M3).

    A receipt voided on the day it was taken is expected no more and counted as voided (M2).
    """
    is_same_day = Payment.posted_on == ORIGINAL.posted_on
    voids = and_(Payment.kind == "reversal", is_same_day)
    rows = session.execute(
        select(
            Payment.method,
            func.sum(Payment.amount),
            func.count() - 2 * func.sum(case((voids, 1), else_=0)),
            func.sum(case((voids, 1), else_=0)),
            func.coalesce(func.sum(case((voids, -Payment.amount))), 0, type_=Money()),
        )
        .outerjoin(ORIGINAL, ORIGINAL.id == Payment.counters_id)
        .where(Payment.posted_on == day, _cashier_of_drawer() == cashier_id)
        .group_by(Payment.method)
        .order_by(Payment.method)
    )
    return {method: Drawer(*found) for method, *found in rows}


@dataclass(frozen=True)
class OpenDay:
    """A past day of a cashier with entries, not closed yet; yuan."""

    day: date
    cashier_id: int
    cashier: str
    amount: Decimal


def still_open(session: Session, cashier_id: int | None, today: date) -> list[OpenDay]:
    """Days before today on which a cashier (or any) posted something and that nobody closed, newest first."""
    closed = exists().where(DayClose.day == Payment.posted_on, DayClose.cashier_id == Staff.id, in_force())
    rows = session.execute(
        select(Payment.posted_on, Staff.id, Staff.name, func.sum(Payment.amount))
        .outerjoin(ORIGINAL, ORIGINAL.id == Payment.counters_id)
        .join(Staff, Staff.id == _cashier_of_drawer())
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
    if is_closed(session, cashier_id, day):
        raise Refused(N_("The day %(day)s is closed already"), day=day)
    before = session.scalar(
        select(func.count()).where(DayClose.day == day, DayClose.cashier_id == cashier_id)
    )
    wanted = {method: one.expected for method, one in drawers(session, cashier_id, day).items()}
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
    closed = DayClose(
        day=day,
        cashier_id=cashier_id,
        round=(before or 0) + 1,
        closed_by_id=closed_by_id,
        closed_at=now,
        lines=lines,
    )
    session.add(closed)
    session.flush()
    total = sum((line.counted for line in lines), ZERO)
    audit.record(session, now, closed_by_id, "close", closed, {"day": day, "counted": total})
    return closed


def ask_to_reopen(
    session: Session, day_close_id: int, *, reason: str, staff_id: int, now: datetime
) -> DayReopening:
    """Ask another person to open a closed day again (M3). Raises Refused."""
    if not reason.strip():
        raise Refused(N_("Say why"))
    closed = session.scalars(
        select(DayClose).where(DayClose.id == day_close_id, in_force()).with_for_update()
    ).one_or_none()
    asked = select(DayReopening.id).where(
        DayReopening.day_close_id == day_close_id, DayReopening.state == "requested"
    )
    if closed is None or session.scalar(asked):
        raise Refused(N_("The day is open already, or somebody asked for it"))
    request = DayReopening(day_close_id=closed.id, reason=reason.strip(), asked_by_id=staff_id, asked_at=now)
    session.add(request)
    session.flush()
    audit.record(session, now, staff_id, "request", request, {"day": closed.day, "reason": request.reason})
    return request


def decide_reopening(
    session: Session, request_id: int, *, is_approved: bool, staff_id: int, now: datetime
) -> DayReopening:
    """Open a closed day again, or refuse to (M3).

    Raises Refused for who asked, whose day it is, and who is no manager.
    """
    request = session.scalars(
        select(DayReopening).where(DayReopening.id == request_id).with_for_update()
    ).one_or_none()
    if request is None or request.state != "requested":
        raise Refused(N_("This request is decided already"))
    if not may_open_days(roles_of(session, staff_id)):
        raise Refused(N_("Only a manager may open a closed day"))
    refuse_same_person([request.asked_by_id, request.day_close.cashier_id], staff_id)
    ledger.lock_postings(session)
    request.state = "approved" if is_approved else "refused"
    request.decided_by_id, request.decided_at = staff_id, now
    session.flush()
    verb = "approve" if is_approved else "refuse"
    audit.record(session, now, staff_id, verb, request, {"day": request.day_close.day})
    return request
