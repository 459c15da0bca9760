"""Tickets are removed after their years of retention; only their number and dates stay on record (T11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import String, cast, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from models.complaints import (
    TICKET_PAPERS,
    Attachment,
    CaseEntry,
    ClockPause,
    Complainant,
    Escalation,
    InvalidRequest,
    RetentionRemoval,
    ReviewMeeting,
    Ticket,
    TicketClock,
    TicketEvent,
    WorkSlip,
)
from models.incidents import IncidentTicket
from models.office import Message, Paper, paper_base_number
from models.visits import Visit
from office.complaints.policies_in_force import PolicyTimeline
from office.core.jobs import JobResult
from rules.lifecycle import kept_until

PER_RUN = 5000  # tickets a night; the rest go the next
CHUNK = 500
SHORTEST_YEAR = timedelta(days=365)
# what belongs to a ticket and goes with it, children first
BELONGINGS = (
    Escalation,
    ClockPause,
    TicketClock,
    TicketEvent,
    Complainant,
    WorkSlip,
    InvalidRequest,
    ReviewMeeting,
    IncidentTicket,
    Message,
)


def remove_expired(session: Session, due_for: datetime) -> JobResult:
    """Job, each night: remove tickets closed longer ago than the retention years, unless on hold (T11)."""
    policies = PolicyTimeline(session)
    in_force = policies.at(due_for)
    latest = due_for - SHORTEST_YEAR * in_force.lifecycle.kept_years
    closed = session.execute(
        select(Ticket.id, Ticket.number, Ticket.closed_at)
        .where(Ticket.closed_at <= latest, Ticket.is_on_hold.is_(False))
        .order_by(Ticket.closed_at, Ticket.id)
        .limit(PER_RUN)
    ).all()
    expired = [
        row for row in closed if kept_until(in_force.calendar, in_force.lifecycle, row.closed_at) <= due_for
    ]
    for start in range(0, len(expired), CHUNK):
        some = expired[start : start + CHUNK]
        _remove(session, [row.id for row in some])
        session.execute(
            insert(RetentionRemoval),
            [
                {"kind": "ticket", "number": row.number, "closed_at": row.closed_at, "removed_at": due_for}
                for row in some
            ],
        )
    return JobResult(done=len(expired))


def _remove(session: Session, ids: Sequence[int]) -> None:
    """Remove tickets with all that belongs to them; a case of the library stays without its ticket."""
    numbers = select(Ticket.number).where(Ticket.id.in_(ids))
    slips = select(WorkSlip.number).where(WorkSlip.ticket_id.in_(ids))
    closures = (
        select(Ticket.number + "-" + cast(InvalidRequest.id, String))
        .select_from(InvalidRequest)
        .join(InvalidRequest.ticket)
        .where(Ticket.id.in_(ids))
    )
    meetings = (
        select(Ticket.number + "-" + cast(ReviewMeeting.id, String))
        .select_from(ReviewMeeting)
        .join(ReviewMeeting.ticket)
        .where(Ticket.id.in_(ids))
    )
    visited = select(Visit.number).where(Visit.ticket_id.in_(ids))
    numbered = {
        **dict.fromkeys(TICKET_PAPERS, numbers),
        "invalid_closure": closures,
        "review_minutes": meetings,
        "visit_sheet": visited,
        "work_contact_slip": slips,
    }
    own = paper_base_number()  # those that were filed anew too
    their_papers = or_(*((Paper.kind == kind) & own.in_(asked) for kind, asked in numbered.items()))
    their_visits = select(Visit.id).where(Visit.ticket_id.in_(ids))
    plain = {"synchronize_session": False}
    session.execute(
        delete(Attachment).where(Attachment.ticket_id.in_(ids) | Attachment.visit_id.in_(their_visits)),
        execution_options=plain,
    )
    session.execute(delete(Paper).where(their_papers), execution_options=plain)
    session.execute(delete(Visit).where(Visit.ticket_id.in_(ids)), execution_options=plain)
    for table in BELONGINGS:
        session.execute(delete(table).where(table.ticket_id.in_(ids)), execution_options=plain)
    session.execute(
        update(CaseEntry).where(CaseEntry.ticket_id.in_(ids)).values(ticket_id=None),
        execution_options=plain,
    )
    session.execute(
        update(Ticket).where(Ticket.repeat_of_id.in_(ids)).values(repeat_of_id=None),
        execution_options=plain,
    )
    session.execute(delete(Ticket).where(Ticket.id.in_(ids)), execution_options=plain)
