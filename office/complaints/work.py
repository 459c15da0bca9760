"""Work on a ticket: assigned, begun, deadlines met, resolved, reopened (T2, T4, T7, V3).

Every verb locks the ticket and first writes what had come due on it. It takes `now` (aware UTC), never
commits, and raises Refused with a sentence for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.complaints import Ticket, is_unresolved
from models.people import Staff
from office.complaints import deadlines, visits
from office.complaints.pauses import end_pause
from office.complaints.transitions import active_staff, lock, reopen_locked
from office.core.errors import N_, Refused
from rules.assignment import Candidate, proposed_handler
from rules.deadlines import Moment
from rules.lifecycle import SOLVED, State, Verb
from rules.reasons import Reason


def possible_handlers(session: Session, ticket: Ticket) -> Sequence[Staff]:
    """The active staff of a ticket's department, without the person complained about (T2)."""
    query = select(Staff).where(Staff.is_active, Staff.department_id == ticket.department_id)
    if ticket.accused_id is not None:
        query = query.where(Staff.id != ticket.accused_id)
    return session.execute(query.order_by(Staff.name, Staff.id)).scalars().all()


def proposed(session: Session, ticket: Ticket) -> Candidate | None:
    """Who is proposed to handle a ticket that nobody handles: of its department, by load (T26)."""
    if ticket.handler_id is not None or State(ticket.state) in SOLVED:
        return None
    people = possible_handlers(session, ticket)
    load: dict[int, int] = dict(
        session.execute(
            select(Ticket.handler_id, func.count())
            .where(Ticket.handler_id.in_([one.id for one in people]), is_unresolved())
            .group_by(Ticket.handler_id)
        ).all()  # type: ignore[arg-type] # rows of two
    )
    able = (Candidate(one.id, one.name, load.get(one.id, 0)) for one in people)
    return proposed_handler(able, ticket.accused_id)


def assign(
    session: Session,
    ticket_id: int,
    *,
    now: datetime,
    staff_id: int | None = None,
    department_id: int | None = None,
    handler_id: int | None = None,
    note: str = "",
) -> Ticket:
    """Give a ticket to a department and a person, never the one complained about (T2, T7)."""
    locked = lock(session, ticket_id, now, staff_id)
    ticket = locked.ticket
    handler = active_staff(session, handler_id)
    locked.move(Verb.ASSIGN, note=note, handler_id=handler_id)
    if department_id is not None:
        ticket.department_id = department_id
    ticket.handler_id = handler.id if handler else None
    ticket.assigned_at = now
    if ticket.claimed_facts is None:  # else it is confirming that acknowledges
        deadlines.stop_clocks(session, ticket.id, now, names=("acknowledge",))
    return locked.saved()


def start_work(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None = None, note: str = ""
) -> Ticket:
    """Begin the work (T7); who begins becomes the handler, unless somebody is already named."""
    locked = lock(session, ticket_id, now, staff_id)
    handler_id = locked.ticket.handler_id or staff_id
    locked.move(Verb.START, note=note, handler_id=handler_id)
    locked.ticket.handler_id = handler_id
    return locked.saved()


def take_on(session: Session, ticket_id: int, *, now: datetime, staff_id: int) -> Ticket:
    """Assign a ticket to oneself and begin the work at once (T7)."""
    assign(session, ticket_id, now=now, staff_id=staff_id, handler_id=staff_id)
    return start_work(session, ticket_id, now=now, staff_id=staff_id)


def meet_clock(
    session: Session,
    ticket_id: int,
    clock: str,
    *,
    now: datetime,
    staff_id: int | None = None,
    note: str = "",
) -> Ticket:
    """Stop a clock because what it asks for was done, such as the first word to the resident (T4).

    Raises Refused when no such clock runs, and for the solution and the follow-up, which have own verbs.
    """
    locked = lock(session, ticket_id, now, staff_id)
    if clock in {"solve", deadlines.FOLLOW_UP}:
        raise Refused(N_("Resolve the complaint or record the visit instead"))
    if not deadlines.stop_clocks(session, ticket_id, now, names=(clock,)):
        raise Refused(N_("This deadline is not running"))
    locked.record(f"keep_{clock}", note=note)
    locked.audit("keep_clock", clock=clock)
    return locked.saved()


def resolve_ticket(
    session: Session,
    ticket_id: int,
    *,
    resolution: str,
    now: datetime,
    staff_id: int | None = None,
    is_on_spot: bool = False,
) -> Ticket:
    """Resolve a ticket: stop its clocks, start the follow-up clock and plan the follow-up visit (T7, V1).

    `is_on_spot` resolves a ticket at the desk that was never assigned.
    """
    locked = lock(session, ticket_id, now, staff_id)
    if locked.ticket.claimed_facts is not None:
        raise Refused(N_("First confirm what the sender says, or that it is not so"))
    verb = Verb.RESOLVE_ON_SPOT if is_on_spot else Verb.RESOLVE
    locked.move(verb, note=resolution, has_solution=bool(resolution.strip()))
    ticket = locked.ticket
    ticket.resolution = resolution.strip()
    ticket.resolved_at = now
    ticket.resolved_by_id = staff_id or ticket.handler_id
    ticket.turns_major_at = None
    end_pause(locked)
    deadlines.stop_clocks(session, ticket.id, now)
    deadlines.start_clocks(session, locked.policies, ticket, Moment.RESOLVED, now)
    session.flush()
    visits.plan_follow_up(session, ticket, now, policies=locked.policies)
    return locked.saved()


def resolve_on_spot(
    session: Session, ticket_id: int, *, resolution: str, now: datetime, staff_id: int | None = None
) -> Ticket:
    """Resolve a ticket at the desk while it is registered; it is followed up like any other (T1)."""
    return resolve_ticket(
        session, ticket_id, resolution=resolution, now=now, staff_id=staff_id, is_on_spot=True
    )


def reopen(
    session: Session,
    ticket_id: int,
    *,
    now: datetime,
    staff_id: int | None = None,
    note: str = "",
    reason: Reason | None = None,
) -> Ticket:
    """Reopen a resolved ticket: one level up, with new clocks (V3)."""
    locked = lock(session, ticket_id, now, staff_id)
    reopen_locked(locked, note=note, reason=reason)
    visits.cancel_follow_up(session, ticket_id, now, Reason("ticket_reopened"))
    return locked.saved()
