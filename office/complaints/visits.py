"""Visits: planned for the right person, recorded with the answer, and what follows from it (V1–V4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.complaints import Ticket, TicketClock, TicketEvent
from models.people import Staff, StaffRole
from models.property import Building, Unit
from models.visits import VISIT_METHODS, Visit
from office.complaints import deadlines
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.transitions import LockedTicket, active_staff, close_locked, lock, reopen_locked
from office.core import audit, numbering
from office.core.errors import N_, Refused
from rules.lifecycle import State, Verb
from rules.reasons import Reason
from rules.visits import (
    FOLLOW_UP,
    Choice,
    VisitorCandidate,
    VisitOutcome,
    VisitResult,
    own_stewards_first,
    visit_plan,
    visit_result,
    visitor,
)

SERIES = "visit"
DONE = "done"  # a visit that asked for no satisfaction
WORK = (Verb.START.value, Verb.RESOLVE.value, Verb.RESOLVE_ON_SPOT.value)


@dataclass(frozen=True)
class RecordedVisit:
    """The result of a recorded visit: its outcome, the ticket's state, the next try, which role decides."""

    visit: Visit
    outcome: str
    ticket_state: str = ""
    again_from: datetime | None = None
    asks_role: str = ""
    missing: tuple[Reason, ...] = ()


def plan_follow_up(
    session: Session, ticket: Ticket, now: datetime, *, policies: PolicyTimeline | None = None
) -> Visit:
    """Plan the follow-up visit of a resolved ticket, or change the one that is already planned (V1).

    It is due when the follow-up clock is. Who did the work or was complained about never makes it.
    """
    policies = policies or PolicyTimeline(session)
    policy = policies.at(now).visits
    rule = policy.rule_for(FOLLOW_UP, ticket.severity)
    assert rule is not None  # the policy ends with a row for all
    due_at = session.execute(
        select(TicketClock.due_at)
        .where(
            TicketClock.ticket_id == ticket.id,
            TicketClock.clock == FOLLOW_UP,
            TicketClock.stopped_at.is_(None),
        )
        .order_by(TicketClock.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    plan = visit_plan(rule, ticket.resolved_at or now, due_at)
    choice = visitor(
        policy,
        rule,
        visitor_candidates(session),
        clerk_id=ticket.clerk_id,
        barred_ids=workers(session, [ticket])[ticket.id],
    )
    visit = open_follow_up(session, ticket.id)
    if visit is None:
        visit = Visit(number=next_number(session, policies, now), kind=FOLLOW_UP, ticket_id=ticket.id)
        session.add(visit)
    visit.unit_id = ticket.unit_id
    visit.planned_from = min(plan.planned_from, plan.due_at)
    visit.due_at = plan.due_at
    visit.assignee_role = plan.assignee_role
    visit.assignee_id = choice.staff_id
    visit.reason = _reason_json(plan.reason, choice)
    session.flush()
    return visit


def plan_visit(
    session: Session,
    kind: str,
    *,
    unit_id: int,
    caused_at: datetime,
    now: datetime,
    staff_id: int | None = None,
    assignee_id: int | None = None,
    ticket_id: int | None = None,
    barred_ids: Collection[int] = (),
) -> Visit:
    """Plan a repair, collection or courtesy visit (V4). Raises Refused when the office plans none such."""
    policies = PolicyTimeline(session)
    policy = policies.at(now).visits
    rule = policy.rule_for(kind)
    if kind == FOLLOW_UP or rule is None:
        raise Refused(N_("The office plans no visits of the kind %(kind)s"), kind=kind)
    plan = visit_plan(rule, caused_at)
    if assignee_id is not None and assignee_id in barred_ids:
        raise Refused(N_("Who did the work can't make the visit"))
    choice = (
        Choice(assignee_id, Reason("visitor_named"))
        if assignee_id is not None
        else visitor(policy, rule, _unit_candidates(session, unit_id), barred_ids=barred_ids)
    )
    visit = Visit(
        number=next_number(session, policies, now),
        kind=kind,
        ticket_id=ticket_id,
        unit_id=unit_id,
        planned_from=plan.planned_from,
        due_at=plan.due_at,
        assignee_role=plan.assignee_role,
        assignee_id=choice.staff_id,
        reason=_reason_json(plan.reason, choice),
    )
    session.add(visit)
    session.flush()
    audit.record(session, now, staff_id, "plan_visit", visit, {"number": visit.number, "kind": kind})
    return visit


def record_visit(
    session: Session,
    visit_id: int,
    *,
    now: datetime,
    satisfaction: int | None = None,
    method: str | None = None,
    met: str = "",
    words: str = "",
    staff_id: int | None = None,
    is_reached: bool = True,
) -> RecordedVisit:
    """Record a visit that was made now, with the resident's satisfaction or that nobody was reached (V2, V3).

    A follow-up needs a satisfaction of 1 to 5 when somebody was reached; other kinds may go without.
    Raises Refused for a visit already made, or made by who did the work.
    """
    visit = session.execute(select(Visit).where(Visit.id == visit_id).with_for_update()).scalar_one_or_none()
    if visit is None or visit.done_at is not None:
        raise Refused(N_("This visit is already recorded"))
    if method is not None and method not in VISIT_METHODS:
        raise Refused(N_("A visit is made by phone or at the door"))
    if is_reached and satisfaction is None and visit.kind == FOLLOW_UP:
        raise Refused(N_("Ask how satisfied the resident is, from 1 to 5"))
    if satisfaction is not None and not 1 <= satisfaction <= 5:
        raise Refused(N_("Satisfaction is a number from 1 to 5"))
    locked = lock(session, visit.ticket_id, now, staff_id) if visit.ticket_id is not None else None
    if locked is not None and staff_id in workers(session, [locked.ticket])[locked.ticket.id]:
        raise Refused(N_("Who did the work or was complained about can't make the visit"))
    visit.attempts += 1
    visit.method = method
    visit.met = met.strip()
    visit.words = words.strip()
    done_by = active_staff(session, staff_id)
    visit.done_by_id = done_by.id if done_by else None
    policies = locked.policies if locked else PolicyTimeline(session)
    in_force = policies.at(now)
    answer = satisfaction if is_reached else None
    result = visit_result(in_force.visits, in_force.calendar, now, answer, visit.attempts)
    if is_reached and satisfaction is None:
        recorded = _finished(visit, now, DONE)
    elif result.outcome is VisitOutcome.UNREACHABLE:
        recorded = _not_reached(visit, result, policies, now)
    else:
        visit.satisfaction = satisfaction
        recorded = _finished(visit, now, result.outcome.value, result.asks_role)
    audit.record(
        session, now, staff_id, "record_visit", visit, {"outcome": recorded.outcome, "satisfaction": answer}
    )
    if locked is None or visit.kind != FOLLOW_UP:
        session.flush()
        return recorded
    return _apply_to_ticket(locked, recorded, result, answer)


def _finished(visit: Visit, now: datetime, outcome: str, asks_role: str = "") -> RecordedVisit:
    visit.done_at = now
    visit.outcome = outcome
    return RecordedVisit(visit, outcome, asks_role=asks_role)


def _not_reached(visit: Visit, result: VisitResult, policies: PolicyTimeline, now: datetime) -> RecordedVisit:
    """Plan another try, or after the last one end the visit and say which role decides (V2)."""
    if result.again_from is None:
        return _finished(visit, now, VisitOutcome.UNREACHABLE.value, result.asks_role)
    calendar = policies.at(now).calendar
    visit.planned_from = result.again_from
    visit.due_at = max(visit.due_at, calendar.closing(calendar.local_day(result.again_from)))
    return RecordedVisit(visit, VisitOutcome.UNREACHABLE.value, again_from=result.again_from)


def _apply_to_ticket(
    locked: LockedTicket, recorded: RecordedVisit, result: VisitResult, answer: int | None
) -> RecordedVisit:
    """Apply the answer to the ticket: followed up, closed if nothing is missing, or reopened (V3)."""
    session, ticket, now = locked.session, locked.ticket, locked.now
    if result.is_clock_stopped:
        deadlines.stop_clocks(session, ticket.id, now, names=(FOLLOW_UP,))
    if answer is not None:
        ticket.satisfaction = answer
    locked.record("visit", note=recorded.visit.words, reason=result.reason)
    missing: tuple[Reason, ...] = ()
    session.flush()
    for verb in result.verbs:
        if verb is Verb.REOPEN:
            if locked.state in {State.RESOLVED, State.FOLLOWED_UP}:
                reopen_locked(locked, reason=result.reason)
        elif verb is Verb.CLOSE:
            missing = locked.missing(verb)
            if not missing:
                close_locked(locked, verb)
        elif locked.state is State.RESOLVED:
            locked.move(verb, reason=result.reason)
            ticket.followed_up_at = now
    session.flush()
    return RecordedVisit(
        recorded.visit,
        recorded.outcome,
        ticket.state,
        recorded.again_from,
        recorded.asks_role,
        missing,
    )


def cancel_follow_up(session: Session, ticket_id: int, now: datetime, reason: Reason) -> None:
    """End an open follow-up visit that is no longer needed, with the reason."""
    visit = open_follow_up(session, ticket_id)
    if visit is not None:
        visit.done_at = now
        visit.outcome = DONE
        visit.reason = reason.to_json()
        session.flush()


def open_follow_up(session: Session, ticket_id: int) -> Visit | None:
    """The follow-up visit of a ticket that is still to be made."""
    return session.execute(
        select(Visit).where(Visit.ticket_id == ticket_id, Visit.kind == FOLLOW_UP, Visit.done_at.is_(None))
    ).scalar_one_or_none()


def visits_today(
    session: Session, day: date, *, staff_id: int | None = None, role: str | None = None
) -> Sequence[Visit]:
    """The visits to make by the end of a day, in the order of a route: building, floor, unit (V1, V4).

    Of one person (also those of their roles that nobody was given), or of a role.
    """
    end = PolicyTimeline(session).on(day).calendar.instant(day + timedelta(days=1), time())
    query = (
        select(Visit)
        .outerjoin(Unit, Unit.id == Visit.unit_id)
        .where(Visit.done_at.is_(None), Visit.planned_from < end)
        .order_by(Unit.building_id, Unit.floor, Unit.code, Visit.due_at, Visit.id)
    )
    if staff_id is not None:
        staff = active_staff(session, staff_id)
        own = Visit.assignee_id == staff_id
        open_to = Visit.assignee_id.is_(None) & Visit.assignee_role.in_(staff.roles if staff else ())
        query = query.where(or_(own, open_to))
    if role is not None:
        query = query.where(Visit.assignee_role == role)
    return session.execute(query).scalars().all()


def reassign(
    session: Session, visit_id: int, *, assignee_id: int, now: datetime, staff_id: int | None
) -> Visit:
    """Give a visit to another person. Raises Refused for who did the work or was complained about (V1)."""
    visit = session.get(Visit, visit_id)
    if visit is None or visit.done_at is not None:
        raise Refused(N_("This visit is already recorded"))
    ticket = session.get(Ticket, visit.ticket_id) if visit.ticket_id else None
    active_staff(session, assignee_id)
    if ticket is not None and assignee_id in workers(session, [ticket])[ticket.id]:
        raise Refused(N_("Who did the work or was complained about can't make the visit"))
    before, visit.assignee_id = visit.assignee_id, assignee_id
    visit.reason = Reason("visitor_named").to_json()
    audit.record(session, now, staff_id, "reassign_visit", visit, {"assignee_id": (before, assignee_id)})
    session.flush()
    return visit


def visitor_candidates(session: Session) -> list[VisitorCandidate]:
    """All active staff with their roles."""
    roles: dict[int, set[str]] = defaultdict(set)
    rows = session.execute(
        select(Staff.id, StaffRole.role)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(Staff.is_active)
        .order_by(Staff.id)
    )
    for staff_id, role in rows:
        roles[staff_id].add(role)
    return [VisitorCandidate(staff_id, frozenset(held)) for staff_id, held in roles.items()]


def workers(session: Session, tickets: Sequence[Ticket]) -> dict[int, set[int]]:
    """Who may not visit for each ticket: those who worked on it, and the person complained about (V1).

    The clerk who solved it on the spot did the work; the clerk who only took it down did not.
    """
    barred: dict[int, set[int]] = defaultdict(set)
    for ticket in tickets:
        for staff_id in (ticket.handler_id, ticket.resolved_by_id, ticket.accused_id):
            if staff_id is not None:
                barred[ticket.id].add(staff_id)
    rows = session.execute(
        select(TicketEvent.ticket_id, TicketEvent.staff_id).where(
            TicketEvent.ticket_id.in_([ticket.id for ticket in tickets]),
            TicketEvent.verb.in_(WORK),
            TicketEvent.staff_id.is_not(None),
        )
    )
    for ticket_id, staff_id in rows:
        barred[ticket_id].add(int(staff_id or 0))
    return barred


def next_number(session: Session, policies: PolicyTimeline, now: datetime) -> str:
    """The next visit number of the office's year."""
    year = now.astimezone(policies.zone).year
    return numbering.written(f"V{year}", numbering.take(session, SERIES, year))


def _unit_candidates(session: Session, unit_id: int) -> list[VisitorCandidate]:
    """The candidates for a visit to a unit, with the stewards of its building before other stewards (V4)."""
    people = visitor_candidates(session)
    stewards = set(
        session.execute(
            select(Staff.id)
            .join(Staff.buildings)
            .join(Unit, Unit.building_id == Building.id)
            .where(Unit.id == unit_id, Staff.is_active)
        ).scalars()
    )
    return own_stewards_first(people, stewards)


def _reason_json(reason: Reason, choice: Choice) -> str:
    return Reason(reason.code, {**reason.inputs, "visitor": choice.reason.code}).to_json()
