"""What lists, reports and the desk ask: open, late and due complaints; a unit's resident (K4, P4, T8, T9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select
from sqlalchemy.orm import Session

from models.complaints import ReviewMeeting, Ticket, TicketClock, is_unresolved
from models.people import Occupancy, Owner
from office.complaints.policies_in_force import PolicyTimeline
from office.core import clock
from office.policies import store
from rules.deadlines import ClockState
from rules.lifecycle import ComplaintPolicy, State


def is_open() -> ColumnElement[bool]:
    """The SQL condition that a complaint is not closed."""
    return Ticket.closed_at.is_(None)


def is_overdue() -> ColumnElement[bool]:
    """The SQL condition for "overdue" on every screen: unresolved, and a deadline has passed (T4, K4)."""
    return is_unresolved() & is_late()


def is_late() -> ColumnElement[bool]:
    """The SQL condition that a deadline of a complaint has passed and its clock was not stopped (T4)."""
    return _has_clock(TicketClock.state == ClockState.BREACHED.value, TicketClock.stopped_at.is_(None))


def due_soon_minutes(session: Session, now: datetime) -> int:
    """How many minutes before a deadline it is due soon (T4), as the policy in force says.

    Lists must open also when that can't be read: then the last readable version holds, or the usual value.
    """
    policy = store.last_readable(session, ComplaintPolicy, clock.office_day(session, now))
    return policy.due_soon_minutes if policy else ComplaintPolicy.due_soon_minutes


def is_due_soon(now: datetime, minutes: int) -> ColumnElement[bool]:
    """The SQL condition that a running clock of a complaint is due in so many minutes at most (T4)."""
    until = now + timedelta(minutes=minutes)
    return _has_clock(TicketClock.state == ClockState.RUNNING.value, TicketClock.due_at.between(now, until))


def _has_clock(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(TicketClock.ticket_id == Ticket.id, *conditions)


def awaits_review(session: Session, now: datetime) -> ColumnElement[bool]:
    """The SQL condition that a complaint only waits for the review meeting its severity needs (T9)."""
    reviewed = PolicyTimeline(session).at(now).lifecycle.reviewed_severities
    return (
        (Ticket.state == State.FOLLOWED_UP.value)
        & Ticket.severity.in_(reviewed)
        & ~exists().where(ReviewMeeting.ticket_id == Ticket.id)
    )


def first_due_at(ticket: Any = Ticket) -> ScalarSelect[datetime]:
    """When the first clock of a complaint that was not stopped is due, as a subquery (T4)."""
    return (
        select(func.min(TicketClock.due_at))
        .where(TicketClock.ticket_id == ticket.id, TicketClock.stopped_at.is_(None))
        .scalar_subquery()
    )


def open_tickets_of_units(session: Session, unit_ids: Collection[int]) -> Sequence[Ticket]:
    """The complaints of units that are not closed, newest first (T8, P8)."""
    return (
        session.execute(
            select(Ticket)
            .where(Ticket.unit_id.in_(unit_ids), Ticket.closed_at.is_(None))
            .order_by(Ticket.registered_at.desc(), Ticket.id.desc())
        )
        .scalars()
        .all()
    )


def resident_of(session: Session, unit_id: int, on: date) -> Owner | None:
    """Who lives in a unit on a day: the tenant before the owner, the payer before others (P4)."""
    return session.execute(
        select(Owner)
        .join(Occupancy, Occupancy.owner_id == Owner.id)
        .where(
            Occupancy.unit_id == unit_id,
            Occupancy.from_on <= on,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= on),
        )
        .order_by(Occupancy.kind.desc(), Occupancy.is_payer.desc(), Occupancy.id.desc())
        .limit(1)
    ).scalar_one_or_none()
