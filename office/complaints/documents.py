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
from models.office import Paper, paper_base_number
from models.people import Staff
from models.visits import Visit
from office.complaints import timeline
from office.core import clock
from office.core.errors import N_, Refused
from office.documents.filing import NewPaper, print_papers
from office.documents.languages import estate_language, payer_language
from office.documents.pdf.complaints import ComplaintForm, FollowUp, InvalidClosure, Review, WorkContactSlip
from office.documents.pdf.service_papers import ResidentSlip, ReviewMinutes, VisitSheet, WrittenReply
from office.estate import owners

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
    due = [one.due_at for one in timeline.clocks(session, ticket) if one.clock == "solve"]
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


def _household_language(session: Session, ticket: Ticket, now: datetime) -> str:
    """In which language the household reads: that of who pays for the unit today, else the estate's (P12)."""
    if ticket.unit_id is not None:
        payer = owners.payer_of(session, ticket.unit_id, clock.office_day(session, now))
        if payer is not None:
            return payer_language(session, payer.owner_id)
    return estate_language(session)


def print_resident_slip(session: Session, ticket_id: int, *, now: datetime, staff_id: int | None) -> bytes:
    """The slip for who complained: number, what was said, who handles it, by when (T1, T24)."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise Refused(N_("There is no such complaint"))
    language = _household_language(session, ticket, now)
    due = {one.clock: one.due_at for one in timeline.clocks(session, ticket) if one.stopped_at is None}
    value = ResidentSlip(
        number=ticket.number,
        registered_at=ticket.registered_at,
        category=ticket.category.code,
        statement=ticket.statement,
        department=ticket.department.name_in(language),
        unit_code=ticket.unit.code if ticket.unit else "",
        first_word_by=due.get("first_word"),
        solved_by=due.get("solve"),
    )
    paper = NewPaper(ticket.number, value, ticket.unit_id)
    return print_papers(session, "resident_slip", [paper], language=language, now=now, staff_id=staff_id)


def print_reply(
    session: Session, ticket_id: int, *, has_identity: bool, now: datetime, staff_id: int | None
) -> bytes:
    """The written reply to a resolved complaint, or the letter of reasons for an invalid one (T15).

    Raises Refused before there is an answer.
    """
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise Refused(N_("There is no such complaint"))
    if not ticket.resolution.strip():
        raise Refused(N_("First write what was done: a reply needs an answer"))
    value = WrittenReply(
        number=ticket.number,
        issued_on=clock.office_day(session, now),
        registered_at=ticket.registered_at,
        statement=ticket.statement,
        answer=ticket.resolution,
        unit_code=ticket.unit.code if ticket.unit else "",
        is_unsolved=ticket.state == "invalid",
    )
    filed = _as_filed(session, "written_reply", value)
    shown = replace(filed, to=", ".join(one.name for one in ticket.complainants)) if has_identity else None
    paper = NewPaper(ticket.number, filed, ticket.unit_id, shown=shown)
    language = _household_language(session, ticket, now)
    return print_papers(session, "written_reply", [paper], language=language, now=now, staff_id=staff_id)


def _as_filed(session: Session, kind: str, value: WrittenReply) -> WrittenReply:
    """The reply with the day of the one that is in the file, where it says the same otherwise (D3)."""
    dated = session.scalar(
        select(Paper.dated)
        .where(Paper.kind == kind, paper_base_number() == value.number)
        .order_by(Paper.id.desc())
        .limit(1)
    )
    return replace(value, issued_on=dated) if dated is not None else value


def print_review(
    session: Session, meeting_id: int, *, language: str, now: datetime, staff_id: int | None
) -> bytes:
    """The minutes of a review meeting (T9)."""
    meeting = session.get(ReviewMeeting, meeting_id)
    if meeting is None:
        raise Refused(N_("There is no such review meeting"))
    ticket = meeting.ticket
    value = ReviewMinutes(
        number=f"{ticket.number}-{meeting.id}",
        ticket_number=ticket.number,
        held_at=meeting.held_at,
        category=ticket.category.code,
        statement=ticket.statement,
        cause=meeting.cause,
        correction=meeting.correction,
        prevention=meeting.prevention,
        attended=meeting.attended,
    )
    paper = NewPaper(value.number, value, ticket.unit_id)
    return print_papers(session, "review_minutes", [paper], language=language, now=now, staff_id=staff_id)


def print_visit(
    session: Session, visit_id: int, *, language: str, now: datetime, staff_id: int | None
) -> bytes:
    """The sheet of a visit, to take along or with what came of it (V1, V2)."""
    visit = session.get(Visit, visit_id)
    if visit is None:
        raise Refused(N_("There is no such visit"))
    ticket = visit.ticket
    unit = visit.unit or (ticket.unit if ticket else None)
    value = VisitSheet(
        number=visit.number,
        kind=visit.kind,
        planned_from=visit.planned_from,
        due_at=visit.due_at,
        role=visit.assignee_role,
        visitor=visit.assignee.name if visit.assignee else "",
        ticket_number=ticket.number if ticket else "",
        unit_code=unit.code if unit else "",
        category=ticket.category.code if ticket else "",
        done_at=visit.done_at,
        method=visit.method or "",
        satisfaction=visit.satisfaction,
        words=visit.words,
    )
    shown = replace(value, met=visit.met) if visit.met else None  # a name is not kept in the file
    paper = NewPaper(visit.number, value, unit.id if unit else None, shown=shown)
    return print_papers(session, "visit_sheet", [paper], language=language, now=now, staff_id=staff_id)
