"""Printed documents of a complaint: form, work contact slip, closure as invalid (§10).

The filed form is the one without identity, so that who complained stands in one table alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import InvalidRequest, ReviewMeeting, Ticket, TicketEvent, WorkSlip
from models.people import Staff
from office.complaints import timeline
from office.core.errors import N_, Refused
from office.documents.filing import NewPaper, print_papers
from office.documents.pdf.complaints import ComplaintForm, FollowUp, InvalidClosure, Review, WorkContactSlip

PLANNED = "keep_department_plan"


def print_form(
    session: Session,
    ticket_id: int,
    *,
    language: str,
    now: datetime,
    staff_id: int | None,
    reason: str = "",
    has_identity: bool = False,
) -> bytes:
    """The complaint form as PDF, with or without the complainants; `reason` explains the severity (T1–T9)."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise Refused(N_("There is no such complaint"))
    shared = _form(session, ticket, language, reason)
    shown = _with_identity(shared, ticket) if has_identity else None
    paper = NewPaper(ticket.number, shared, ticket.unit_id, shown=shown)
    return print_papers(session, "complaint_form", [paper], language=language, now=now, staff_id=staff_id)


def _form(session: Session, ticket: Ticket, language: str, reason: str) -> ComplaintForm:
    slips = session.scalars(
        select(WorkSlip).where(WorkSlip.ticket_id == ticket.id).order_by(WorkSlip.id)
    ).all()
    review = session.scalars(
        select(ReviewMeeting).where(ReviewMeeting.ticket_id == ticket.id).order_by(ReviewMeeting.id.desc())
    ).first()
    due = [clock.due_at for clock in timeline.clocks(session, ticket) if clock.clock == "solve"]
    return ComplaintForm(
        number=ticket.number,
        registered_at=ticket.registered_at,
        channel=ticket.channel,
        category=ticket.category.code,
        severity=ticket.severity,
        statement=ticket.statement,
        unit_code=ticket.unit.code if ticket.unit else "",
        severity_reason=reason,
        asked_for=ticket.wish,
        lead_department=ticket.department.name_in(language),
        support_departments=tuple(slip.department.name_in(language) for slip in slips),
        deadline=due[-1] if due else None,
        plan="\n".join([*_plans(session, ticket), *(slip.plan for slip in slips if slip.plan)]),
        result=ticket.resolution,
        resolved_at=ticket.resolved_at,
        follow_ups=tuple(
            FollowUp(visit.done_at, visit.method or "phone", visit.satisfaction, visit.words)
            for visit in timeline.visits(session, ticket)
            if visit.done_at is not None and visit.satisfaction is not None
        ),
        review=Review(review.held_at, review.cause, review.correction, review.prevention, review.attended)
        if review
        else None,
        has_identity=False,
    )


def _plans(session: Session, ticket: Ticket) -> Sequence[str]:
    """The plans that the department wrote, in order (T4)."""
    query = select(TicketEvent.note).where(
        TicketEvent.ticket_id == ticket.id, TicketEvent.verb == PLANNED, TicketEvent.note != ""
    )
    return session.scalars(query.order_by(TicketEvent.id)).all()


def _with_identity(form: ComplaintForm, ticket: Ticket) -> ComplaintForm:
    people = ticket.complainants
    return replace(
        form,
        complainant=", ".join(one.name for one in people),
        contact=", ".join(one.phone for one in people if one.phone),
        has_identity=True,
    )


def print_slip(
    session: Session, slip_id: int, *, language: str, now: datetime, staff_id: int | None
) -> bytes:
    """A work contact slip as PDF (T2)."""
    slip = session.get(WorkSlip, slip_id)
    if slip is None:
        raise Refused(N_("There is no such work slip"))
    ticket = slip.ticket
    value = WorkContactSlip(
        number=slip.number,
        ticket_number=ticket.number,
        issued_at=slip.issued_at,
        from_department=ticket.department.name_in(language),
        to_department=slip.department.name_in(language),
        subject=ticket.category.name_in(language),
        requested=slip.task,
        reply_by=datetime.combine(slip.due_on, time(10), UTC) if slip.due_on else None,
        unit_code=ticket.unit.code if ticket.unit else "",
        reply=slip.plan,
    )
    paper = NewPaper(slip.number, value, ticket.unit_id)
    return print_papers(session, "work_contact_slip", [paper], language=language, now=now, staff_id=staff_id)


def print_invalid(
    session: Session, request_id: int, *, language: str, now: datetime, staff_id: int | None
) -> bytes:
    """The request and approval of a closure as invalid as PDF (T7)."""
    request = session.get(InvalidRequest, request_id)
    if request is None:
        raise Refused(N_("There is no such request"))
    ticket = request.ticket
    asker = session.get(Staff, request.requested_by_id)
    decider = session.get(Staff, request.decided_by_id) if request.decided_by_id else None
    value = InvalidClosure(
        ticket_number=ticket.number,
        registered_at=ticket.registered_at,
        category=ticket.category.code,
        statement=ticket.statement,
        ground=request.ground,
        findings=request.reason,
        requested_by=asker.name if asker else "",
        requested_at=request.requested_at,
        unit_code=ticket.unit.code if ticket.unit else "",
        decided_by=decider.name if decider else "",
        decided_at=request.decided_at,
    )
    paper = NewPaper(f"{ticket.number}-{request.id}", value, ticket.unit_id)
    return print_papers(session, "invalid_closure", [paper], language=language, now=now, staff_id=staff_id)
