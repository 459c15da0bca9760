"""A ticket waits for the resident or an outside body; its clocks are paused meanwhile (T6)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import ClockPause, Ticket
from office.complaints import deadlines
from office.complaints.due_clocks import process_and_alert
from office.complaints.transitions import LockedTicket, lock
from office.core.errors import N_, Refused
from rules.reasons import Reason

WAITING_FOR = ("resident", "outside")


def pause(
    session: Session,
    ticket_id: int,
    *,
    waiting_for: str,
    reason: str,
    look_again_on: date,
    now: datetime,
    staff_id: int | None = None,
) -> ClockPause:
    """Pause those clocks of a ticket that the policy lets pause (T6).

    `look_again_on` is the office day on which the handler is reminded. Raises Refused when no clock may be
    paused, without a reason, or when that day is not later than today.
    """
    locked = lock(session, ticket_id, now, staff_id)
    calendar = locked.in_force.calendar
    if waiting_for not in WAITING_FOR:
        raise Refused(N_("Say whether the resident or an outside body is waited for"))
    if not reason.strip():
        raise Refused(N_("Give the reason"))
    if look_again_on <= calendar.local_day(now):
        raise Refused(N_("Choose a later day on which to look again"))
    if open_pause(session, ticket_id) is not None:
        raise Refused(N_("The complaint is already waiting"))
    look_at = calendar.opening(look_again_on)
    if not deadlines.pause_clocks(session, locked.policies, ticket_id, now, look_at):
        raise Refused(N_("No deadline of this complaint may be paused now"))
    paused = ClockPause(
        ticket_id=ticket_id,
        from_at=now,
        waiting_for=waiting_for,
        reason=reason.strip(),
        look_again_on=look_again_on,
        staff_id=staff_id,
    )
    session.add(paused)
    locked.record("pause", note=reason, reason=Reason("waiting_for", {"whom": waiting_for}))
    locked.audit("pause", waiting_for=waiting_for, look_again_on=look_again_on)
    locked.saved()
    return paused


def resume(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None = None, note: str = ""
) -> Ticket:
    """End the waiting: the clocks run again, due later by the time that was paused (T6)."""
    locked = lock(session, ticket_id, now, staff_id)
    if not end_pause(locked):
        raise Refused(N_("The complaint is not waiting"))
    locked.record("resume", note=note)
    locked.audit("resume")
    session.flush()
    process_and_alert(session, now, ticket_ids=[ticket_id], policies=locked.policies)
    return locked.saved()


def open_pause(session: Session, ticket_id: int) -> ClockPause | None:
    """The pause of a ticket that still lasts."""
    return session.execute(
        select(ClockPause).where(ClockPause.ticket_id == ticket_id, ClockPause.to_at.is_(None))
    ).scalar_one_or_none()


def end_pause(locked: LockedTicket) -> bool:
    """End the pause of a ticket and resume its clocks; returns whether there was one."""
    session = locked.session
    paused = open_pause(session, locked.ticket.id)
    if paused is None:
        return False
    paused.to_at = locked.now
    session.flush()
    deadlines.resume_clocks(session, locked.policies, locked.ticket, locked.now)
    return True
