"""For `flask check`: what must always hold of tickets, clocks, escalations and visits (T4, T7, T9, V1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.complaints import Escalation, ReviewMeeting, Ticket, TicketClock
from models.office import JobRun
from models.visits import Visit
from office.complaints.policies_in_force import PolicyTimeline
from office.core import clock as office_clock
from office.core.integrity import Finding
from rules import lifecycle

SOLVED = [state.value for state in lifecycle.SOLVED]
ENDED = [state.value for state in lifecycle.ENDED]
LIVE = ("running", "paused")


def clocks_follow_their_tickets(session: Session) -> Iterable[Finding]:
    """No clock runs on an ended ticket, and only the follow-up clock on a solved one."""
    running = TicketClock.state.in_(LIVE)
    wrong = or_(
        and_(Ticket.state.in_(ENDED), running),
        and_(Ticket.state.in_(SOLVED), running, TicketClock.clock != "follow_up"),
        and_(Ticket.state.not_in(SOLVED), running, TicketClock.clock == "follow_up"),
    )
    query = (
        select(TicketClock.id, Ticket.number, TicketClock.clock, TicketClock.state, Ticket.state)
        .join(TicketClock.ticket)
        .where(wrong)
    )
    for id_, number, name, state, ticket_state in session.execute(query):
        yield Finding(
            "ticket_clock_follows_ticket", "ticket_clock", id_, f"{number} {name}", state, ticket_state
        )


def clock_states_are_true(session: Session) -> Iterable[Finding]:
    """Met clocks were stopped in time, breached ones were not, and a stopped clock is in no open state."""
    wrong = or_(
        and_(TicketClock.state == "met", TicketClock.stopped_at.is_(None)),
        and_(TicketClock.state == "met", TicketClock.stopped_at > TicketClock.due_at),
        and_(
            TicketClock.state == "breached",
            TicketClock.stopped_at.is_not(None),
            TicketClock.stopped_at <= TicketClock.due_at,
        ),
        and_(TicketClock.state.in_(LIVE), TicketClock.stopped_at.is_not(None)),
        and_(TicketClock.state == "running", TicketClock.next_at.is_(None)),
    )
    return _clock_findings(session, "ticket_clock_state_true", select(TicketClock).where(wrong), "otherwise")


def what_was_due_was_done(session: Session) -> Iterable[Finding]:
    """The last sweep left no clock unprocessed, and no ticket that should have turned major."""
    last = session.execute(
        select(func.max(JobRun.due_for)).where(JobRun.job == "ticket_clocks", JobRun.state == "done")
    ).scalar_one_or_none()
    if last is None:
        return
    is_late = or_(TicketClock.next_at < last, and_(TicketClock.state == "running", TicketClock.due_at < last))
    late = select(TicketClock).where(is_late, TicketClock.started_at < last)
    yield from _clock_findings(session, "ticket_clock_looked_at", late, str(last))
    query = select(Ticket.id, Ticket.number, Ticket.turns_major_at).where(
        Ticket.turns_major_at < last, Ticket.registered_at < last
    )
    for id_, number, at in session.execute(query):
        yield Finding("ticket_turned_major", "ticket", id_, number, str(at), f"be major since {at}")


def escalations_are_in_order(session: Session) -> Iterable[Finding]:
    """A clock's escalations go level by level from its first, none before it was due or after it stopped."""
    stated = (
        select(
            TicketClock.id,
            Ticket.number + " " + TicketClock.clock,
            TicketClock.first_level,
            TicketClock.last_level,
            func.count(Escalation.id).label("made"),
            func.coalesce(func.max(Escalation.level), 0).label("top"),
        )
        .join(Escalation, Escalation.ticket_clock_id == TicketClock.id)
        .join(TicketClock.ticket)
        .group_by(
            TicketClock.id, Ticket.number, TicketClock.clock, TicketClock.first_level, TicketClock.last_level
        )
        .having(
            or_(
                func.count(Escalation.id) != func.max(Escalation.level) - TicketClock.first_level + 1,
                func.max(Escalation.level) != TicketClock.last_level,
            )
        )
    )
    for id_, name, first, last, made, top in session.execute(stated):
        yield Finding(
            "escalations_without_gap", "ticket_clock", id_, name, f"{made} up to {top}", f"{first} to {last}"
        )
    dated = (
        select(Escalation.id, Ticket.number + " " + Escalation.clock, Escalation.at)
        .join(TicketClock, TicketClock.id == Escalation.ticket_clock_id)
        .join(TicketClock.ticket)
        .where(or_(Escalation.at < TicketClock.due_at, Escalation.at >= TicketClock.stopped_at))
    )
    for id_, name, at in session.execute(dated):
        yield Finding("escalation_while_late", "escalation", id_, name, str(at), "lie while it was late")


def tickets_ended_rightly(session: Session) -> Iterable[Finding]:
    """States agree with their instants and people; no major ticket is closed without its review meeting."""
    wrong = or_(
        and_(Ticket.state.in_(ENDED), Ticket.closed_at.is_(None)),
        and_(Ticket.state.not_in(ENDED), Ticket.closed_at.is_not(None)),
        and_(Ticket.state.in_(("resolved", "followed_up")), Ticket.resolved_at.is_(None)),
        and_(Ticket.handler_id.is_not(None), Ticket.handler_id == Ticket.accused_id),
    )
    for id_, number, state in session.execute(select(Ticket.id, Ticket.number, Ticket.state).where(wrong)):
        yield Finding("ticket_state_true", "ticket", id_, number, state, "agree with its instants and people")
    reviewed = PolicyTimeline(session).at(office_clock.now(session)).lifecycle.reviewed_severities
    unreviewed = select(Ticket.id, Ticket.number).where(
        Ticket.state == "closed",
        Ticket.severity.in_(reviewed),
        Ticket.taken_over_at.is_(None),  # what the old office held was its own affair
        ~exists().where(ReviewMeeting.ticket_id == Ticket.id),
    )
    for id_, number in session.execute(unreviewed):
        yield Finding(
            "major_closed_with_review", "ticket", id_, number, "no meeting", "have a review meeting"
        )


def visits_are_planned(session: Session) -> Iterable[Finding]:
    """A resolved ticket has a follow-up visit, and not by the person who resolved it."""
    of_ticket = aliased(Visit)
    unvisited = select(Ticket.id, Ticket.number).where(
        Ticket.state == "resolved",
        ~exists().where(of_ticket.ticket_id == Ticket.id, of_ticket.kind == "follow_up"),
    )
    for id_, number in session.execute(unvisited):
        yield Finding("resolved_has_visit", "ticket", id_, number, "no visit", "have a follow-up visit")
    own_work = (
        select(Visit.id, Visit.number)
        .join(Visit.ticket)
        .where(
            Visit.kind == "follow_up",
            Visit.done_at.is_(None),
            or_(Visit.assignee_id == Ticket.resolved_by_id, Visit.assignee_id == Ticket.accused_id),
        )
    )
    for id_, number in session.execute(own_work):
        yield Finding("visitor_did_no_work", "visit", id_, number, "who did the work", "be another person")


def _clock_findings(session: Session, check: str, query: Select[Any], should: str) -> Iterable[Finding]:
    for clock, number in session.execute(query.join(TicketClock.ticket).add_columns(Ticket.number)):
        name, says = f"{number} {clock.clock}", f"{clock.state} {clock.next_at}"
        yield Finding(check, "ticket_clock", clock.id, name, says, should)


def all_hold(session: Session) -> Iterable[Finding]:
    """Run every check of this room."""
    for check in (
        clocks_follow_their_tickets,
        clock_states_are_true,
        what_was_due_was_done,
        escalations_are_in_order,
        tickets_ended_rightly,
        visits_are_planned,
    ):
        yield from check(session)
