"""How a complaint ends: closed, unreachable, by decision, or invalid with approval (T7, T9, T10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import CaseEntry, InvalidRequest, ReviewMeeting, Ticket
from office.complaints import visits
from office.complaints.transitions import LockedTicket, close_locked, lock, pending_request, refusal
from office.core import audit
from office.core.errors import N_, Refused
from rules.lifecycle import State, Verb
from rules.reasons import Reason
from rules.visits import VisitOutcome, outcome

GROUNDS = ("not_about_us", "not_in_our_power", "unfounded")


@dataclass(frozen=True)
class ReviewMinutes:
    """The minutes of a review meeting (T9)."""

    cause: str
    correction: str
    prevention: str
    attended: str


def close(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None = None, note: str = ""
) -> Ticket:
    """Close a ticket that was followed up; a major one only with its review meeting (T7, T9)."""
    locked = lock(session, ticket_id, now, staff_id)
    close_locked(locked, Verb.CLOSE, note=note)
    return locked.saved()


def close_unreachable(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None, note: str
) -> Ticket:
    """Close a ticket whose resident was not reached after all tries, by a role that may decide this (V2)."""
    locked = lock(session, ticket_id, now, staff_id)
    close_locked(locked, Verb.CLOSE_UNREACHABLE, note=note, explanation=note)
    visits.cancel_follow_up(session, ticket_id, now, Reason("ticket_closed_unreachable"))
    return locked.saved()


def close_by_decision(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None, note: str
) -> Ticket:
    """Close a ticket by a manager's decision with a reason (V3); clocks that still ran become void."""
    locked = lock(session, ticket_id, now, staff_id)
    close_locked(locked, Verb.CLOSE_BY_DECISION, note=note, is_void=True, explanation=note)
    visits.cancel_follow_up(session, ticket_id, now, Reason("ticket_closed_by_decision"))
    return locked.saved()


def request_invalid(
    session: Session, ticket_id: int, *, ground: str, reason: str, now: datetime, staff_id: int
) -> InvalidRequest:
    """Ask to close a complaint as invalid (非正常关闭审批); its clocks run on until it is approved (T7)."""
    locked = lock(session, ticket_id, now, staff_id)
    if ground not in GROUNDS:
        raise Refused(N_("Choose why the complaint is invalid"))
    locked.move(Verb.REQUEST_INVALID, note=reason, reason=Reason(ground), explanation=reason)
    request = InvalidRequest(
        ticket_id=ticket_id,
        ground=ground,
        reason=reason.strip(),
        requested_by_id=staff_id,
        requested_at=now,
    )
    session.add(request)
    session.flush()
    return request


def decide_invalid(
    session: Session,
    ticket_id: int,
    *,
    is_approved: bool,
    now: datetime,
    staff_id: int,
    note: str = "",
) -> Ticket:
    """Approve or refuse a request to close as invalid; by another person with the role (T7).

    Approval makes the clocks that still ran void.

    The history then says that the complainant is to be informed in writing.
    """
    locked = lock(session, ticket_id, now, staff_id)
    request = pending_request(session, ticket_id)
    if is_approved:
        close_locked(locked, Verb.APPROVE_INVALID, note=note, is_void=True)
        locked.record("notice_due", reason=Reason("tell_complainant"))
    else:
        missing = locked.missing(Verb.APPROVE_INVALID)
        if missing:
            raise refusal(missing)
        if not note.strip():
            raise refusal((Reason("explanation_missing"),))
        locked.record("refuse_invalid", note=note)
        locked.audit("refuse_invalid")
    assert request is not None  # else the move was refused
    request.decided_by_id = staff_id
    request.decided_at = now
    request.is_approved = is_approved
    return locked.saved()


def decide_request(
    session: Session, request_id: int, *, is_approved: bool, now: datetime, staff_id: int, note: str = ""
) -> Ticket:
    """Decide a request by its id, as `decide_invalid` does by its ticket's."""
    ticket_id = session.get_one(InvalidRequest, request_id).ticket_id
    return decide_invalid(session, ticket_id, is_approved=is_approved, now=now, staff_id=staff_id, note=note)


def hold_review(
    session: Session,
    ticket_id: int,
    minutes: ReviewMinutes,
    *,
    held_at: datetime,
    now: datetime,
    staff_id: int | None = None,
) -> Ticket:
    """Record a review meeting; a satisfied ticket that waited only for it is closed (T9)."""
    locked = lock(session, ticket_id, now, staff_id)
    if held_at > now or held_at < locked.ticket.registered_at:
        raise Refused(N_("The meeting was held between the registration and now"))
    if not all(
        text.strip() for text in (minutes.cause, minutes.correction, minutes.prevention, minutes.attended)
    ):
        raise Refused(N_("Write down cause, correction, prevention and who attended"))
    session.add(
        ReviewMeeting(
            ticket_id=ticket_id,
            held_at=held_at,
            cause=minutes.cause,
            correction=minutes.correction,
            prevention=minutes.prevention,
            attended=minutes.attended,
        )
    )
    locked.record("review_meeting", note=minutes.cause)
    locked.audit("hold_review")
    session.flush()
    if _waited_for_review(locked):
        close_locked(locked, Verb.CLOSE)
    return locked.saved()


def _waited_for_review(locked: LockedTicket) -> bool:
    satisfaction = locked.ticket.satisfaction
    return (
        locked.state is State.FOLLOWED_UP
        and satisfaction is not None
        and outcome(locked.in_force.visits, satisfaction) is VisitOutcome.SATISFIED
    )


def add_case(
    session: Session,
    *,
    title: str,
    what_happened: str,
    what_was_done: str,
    category_id: int,
    now: datetime,
    lesson: str = "",
    ticket_id: int | None = None,
    staff_id: int | None = None,
) -> CaseEntry:
    """Add a typical case to the library, without the names of its complainants (T10).

    Raises Refused when a complainant's name still stands in it.
    """
    texts = (title, what_happened, what_was_done, lesson)
    if not title.strip() or not what_happened.strip() or not what_was_done.strip():
        raise Refused(N_("Write a title, what happened and what was done"))
    refuse_names(session, ticket_id, texts)
    case = CaseEntry(
        ticket_id=ticket_id,
        category_id=category_id,
        title=title.strip(),
        what_happened=what_happened.strip(),
        what_was_done=what_was_done.strip(),
        lesson=lesson.strip(),
    )
    session.add(case)
    session.flush()
    audit.record(session, now, staff_id, "add_case", case, {"title": title})
    return case


def refuse_names(session: Session, ticket_id: int | None, texts: Iterable[str]) -> None:
    """Raise Refused when a name of the ticket's complainants stands in one of the texts (T10)."""
    ticket = session.get(Ticket, ticket_id) if ticket_id is not None else None
    names = [one.name for one in ticket.complainants] if ticket else []
    if any(name and name in text for text in texts for name in names):
        raise Refused(N_("Remove the complainant's name first"))


def invalid_requests(session: Session) -> list[InvalidRequest]:
    """The requests that wait for a decision, oldest first (T7)."""
    return list(
        session.execute(
            select(InvalidRequest)
            .where(InvalidRequest.decided_at.is_(None))
            .order_by(InvalidRequest.requested_at, InvalidRequest.id)
        ).scalars()
    )
