"""Public notices of arrears: lists of unit codes, approved by a director, put up and taken down (C11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import ArrearsNotice
from models.property import Unit
from office.arrears.debts import AsOf
from office.core.audit import record
from office.core.errors import N_, Refused
from office.core.staff import refuse_same_person, roles_of
from rules.roles import is_at_least


def request_notice(
    session: Session,
    *,
    building_id: int | None,
    reason: str,
    place: str,
    from_on: date,
    to_on: date,
    now: datetime,
    staff_id: int,
) -> ArrearsNotice:
    """Ask for a list of unit codes to be put up, with its reason, place and end. Raises Refused."""
    if not reason.strip() or not place.strip():
        raise Refused(N_("A public list needs a reason and a place"))
    if to_on < from_on:
        raise Refused(N_("A public list needs an end date"))
    notice = ArrearsNotice(
        building_id=building_id,
        reason=reason.strip(),
        place=place.strip(),
        from_on=from_on,
        to_on=to_on,
        requested_by_id=staff_id,
    )
    session.add(notice)
    session.flush()
    record(session, now, staff_id, "request", notice, {"place": place, "to_on": to_on})
    return notice


def approve_notice(session: Session, notice_id: int, *, now: datetime, staff_id: int) -> ArrearsNotice:
    """Approve a list as director, who must be another person than asked for it. Raises Refused."""
    notice = session.get(ArrearsNotice, notice_id, populate_existing=True)
    if notice is None or notice.approved_by_id is not None:
        raise Refused(N_("This list is already approved"))
    if not is_at_least(roles_of(session, staff_id), "director"):
        raise Refused(N_("A public list is approved by the director"))
    refuse_same_person([notice.requested_by_id], staff_id)
    notice.approved_by_id, notice.approved_at = staff_id, now
    record(session, now, staff_id, "approve", notice, {"approved_by_id": staff_id})
    return notice


def notice_units(session: Session, notice: ArrearsNotice, *, at: datetime) -> Sequence[str]:
    """The unit codes that a list shows: nothing but codes, past due on the day (C11)."""
    as_of = AsOf.of(session, at)
    query = (
        select(Unit.code)
        .distinct()
        .join(Invoice, Invoice.unit_id == Unit.id)
        .where(Invoice.balance > 0, Invoice.due_on < as_of.day)
        .order_by(Unit.code)
    )
    if notice.building_id is not None:
        query = query.where(Unit.building_id == notice.building_id)
    return session.scalars(query).all()


def is_to_take_down(day: date) -> ColumnElement[bool]:
    """The SQL condition that a list was put up, is past its last day, and was not taken down."""
    return and_(
        ArrearsNotice.approved_by_id.is_not(None), ~ArrearsNotice.is_taken_down, ArrearsNotice.to_on <= day
    )


def take_down(session: Session, notice_id: int, *, now: datetime, staff_id: int) -> None:
    """A list was taken down. Raises Refused when it was before."""
    notice = session.get(ArrearsNotice, notice_id, populate_existing=True)
    if notice is None or notice.is_taken_down:
        raise Refused(N_("This list is already taken down"))
    notice.is_taken_down, notice.taken_down_on = True, AsOf.of(session, now).day
    record(session, now, staff_id, "take_down", notice, {"taken_down_on": notice.taken_down_on})
