"""Complaints: registered, worked on, solved, and judged by the clock (T1–T8, T12).

Verbs take `now` (aware UTC), never commit, and raise Refused with a sentence for people. Each first brings
the ticket's clocks up to `now` (office/complaints/deadlines.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.complaints import (
    CHANNELS_IN,
    FACTS,
    Category,
    ClockPause,
    Complainant,
    Ticket,
    TicketEvent,
    WorkSlip,
)
from models.people import Department, Occupancy, Owner, Staff
from office.complaints import alerts, deadlines, visits
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.transitions import (
    LockedTicket,
    active_staff,
    becomes_major_at,
    lock,
    refusal,
    reopen_locked,
    solved_spans,
)
from office.core import audit, numbering
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from rules.deadlines import Moment
from rules.lifecycle import State, Verb
from rules.reasons import Reason
from rules.severity import Facts, change_refusal, proposal

SERIES, SLIP_SERIES = "ticket", "work_slip"
WAITING_FOR = ("resident", "outside")
SOLVED = frozenset({State.RESOLVED, State.FOLLOWED_UP, State.CLOSED, State.INVALID})
ENDED = frozenset({State.CLOSED, State.INVALID})


@dataclass(frozen=True)
class NewComplainant:
    """One of a ticket's complainants (T1); an owner's id where they are known."""

    name: str
    phone: str = ""
    owner_id: int | None = None
    unit_id: int | None = None


def open_ticket(
    session: Session,
    *,
    channel: str,
    category: str,
    statement: str,
    facts: Facts,
    registered_at: datetime,
    now: datetime,
    unit_id: int | None = None,
    clerk_id: int | None = None,
    number: str | None = None,
    severity: str | None = None,
    severity_note: str = "",
    complainants: Sequence[NewComplainant] = (),
    is_anonymous: bool = False,
    occurred_at: datetime | None = None,
    place: str = "",
    wish: str = "",
    present: str = "",
    accused_id: int | None = None,
    department_id: int | None = None,
    handler_id: int | None = None,
    repeat_of_id: int | None = None,
    invoice_id: int | None = None,
) -> Ticket:
    """Register a complaint with its severity and clocks (T1–T4). Raises Refused for what can't be."""
    if channel not in CHANNELS_IN:
        raise Refused(N_("There is no channel %(channel)s"), channel=channel)
    if not statement.strip():
        raise Refused(N_("Write down what happened"))
    if registered_at > now:
        raise Refused(N_("A complaint can't be registered in the future"))
    if handler_id is not None and handler_id == accused_id:
        raise refusal((Reason("handler_is_accused"),))
    kind = category_of(session, category)
    policies = PolicyTimeline(session)
    in_force = policies.at(registered_at)
    proposed = proposal(in_force.severities, facts)
    reason = proposed.reason
    if severity and severity != proposed.severity:
        _check_severity(in_force.severities, severity)
        clerk = active_staff(session, clerk_id)
        roles = clerk.roles if clerk else frozenset()
        problem = change_refusal(
            in_force.severities, proposed.severity, severity, roles=roles, explanation=severity_note
        )
        if problem:
            raise refusal((problem,))
        reason = Reason("chosen_by_staff", {"proposed": proposed.severity, "note": severity_note})
    chosen = severity or proposed.severity
    ticket = Ticket(
        number=number or next_number(session, registered_at.astimezone(policies.zone).year),
        registered_at=registered_at,
        clerk_id=clerk_id,
        channel=channel,
        unit_id=unit_id,
        category_id=kind.id,
        department_id=department_id or kind.department_id,
        handler_id=handler_id,
        occurred_at=occurred_at,
        place=place,
        statement=statement.strip(),
        wish=wish,
        present=present,
        is_anonymous=is_anonymous,
        accused_id=accused_id,
        severity=chosen,
        severity_reason=reason.to_json(),
        state=State.REGISTERED.value,
        level=in_force.level_of(chosen),
        repeat_of_id=repeat_of_id,
        turns_major_at=becomes_major_at(policies, registered_at, chosen),
        **fact_columns(facts),
    )
    session.add(ticket)
    session.flush()
    session.add_all(_complainants(ticket.id, complainants))
    session.add(
        TicketEvent(
            ticket_id=ticket.id,
            at=registered_at,
            staff_id=clerk_id,
            verb="register",
            reason=ticket.severity_reason,
        )
    )
    deadlines.start_clocks(session, policies, ticket, Moment.REGISTERED, registered_at)
    audit.record(
        session, now, clerk_id, "open_ticket", ticket, {"number": ticket.number, "severity": ticket.severity}
    )
    if invoice_id is not None:
        link_debt(session, ticket.id, invoice_id=invoice_id, now=now, staff_id=clerk_id)
    deadlines.process_due_clocks(session, now, ticket_ids=[ticket.id], policies=policies)
    session.refresh(ticket)
    return ticket


def fact_columns(facts: Facts) -> dict[str, Any]:
    """A ticket's fact columns; a complaint comes from at least one household."""
    columns: dict[str, Any] = {name: facts.value(name) for name in FACTS}
    return {**columns, "household_count": max(1, facts.household_count)}


def category_of(session: Session, code: str) -> Category:
    """A category by its code. Raises Refused when there is none in use (T2)."""
    found = session.execute(select(Category).where(Category.code == code, Category.is_active))
    category = found.scalar_one_or_none()
    if category is None:
        raise Refused(N_("There is no category %(category)s"), category=code)
    return category


def next_number(session: Session, year: int) -> str:
    """The next number of the office's own series, which an imported ticket may already bear (T1)."""
    while True:
        number = numbering.written(f"T{year}", numbering.take(session, SERIES, year))
        if session.execute(select(Ticket.id).where(Ticket.number == number)).first() is None:
            return number


def _complainants(ticket_id: int, joining: Sequence[NewComplainant]) -> list[Complainant]:
    return [
        Complainant(
            ticket_id=ticket_id,
            name=one.name.strip(),
            phone=one.phone.strip() or None,
            owner_id=one.owner_id,
            unit_id=one.unit_id,
        )
        for one in joining
        if one.name.strip()
    ]


def add_complainant(
    session: Session,
    ticket_id: int,
    joining: NewComplainant,
    *,
    now: datetime,
    staff_id: int | None,
    is_further_household: bool = True,
) -> Ticket:
    """Another complainant joins a ticket; a further household may make it more severe at once (T1, T3).

    Raises Refused without a name, or when the complaint is closed.
    """
    locked = lock(session, ticket_id, now, staff_id)
    ticket = locked.ticket
    if locked.state in ENDED:
        raise Refused(N_("The complaint is closed"))
    added = _complainants(ticket_id, [joining])
    if not added:
        raise Refused(N_("Write down the name"))
    session.add_all(added)
    before = ticket.household_count
    ticket.household_count += is_further_household
    locked.note("join")
    locked.audit("join", household_count=(before, ticket.household_count))
    _follow_facts(session, locked)
    return _done(locked)


def _follow_facts(session: Session, locked: LockedTicket) -> None:
    """Raise an unsolved ticket to the severity that its facts now give; they never lower it (T3)."""
    ticket, policy = locked.ticket, locked.in_force.severities
    proposed = proposal(policy, deadlines.TicketProfile.of(ticket).facts)
    if locked.state in SOLVED or policy.rank(proposed.severity) <= policy.rank(ticket.severity):
        return
    before, ticket.severity = ticket.severity, proposed.severity
    ticket.severity_reason = proposed.reason.to_json()
    ticket.level = max(ticket.level, locked.in_force.level_of(proposed.severity))
    _follow_severity(session, locked, is_raised=True)
    locked.note("raise_severity", reason=proposed.reason)
    locked.audit("change_severity", severity=(before, ticket.severity))


# --- work ------------------------------------------------------------------------------------------


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
    deadlines.stop_clocks(session, ticket.id, now, names=("acknowledge",))
    return _done(locked)


def start_work(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None = None, note: str = ""
) -> Ticket:
    """The handler begins (T7); who begins handles it, unless somebody was named."""
    locked = lock(session, ticket_id, now, staff_id)
    handler_id = locked.ticket.handler_id or staff_id
    locked.move(Verb.START, note=note, handler_id=handler_id)
    locked.ticket.handler_id = handler_id
    return _done(locked)


def take_on(session: Session, ticket_id: int, *, now: datetime, staff_id: int) -> Ticket:
    """Who takes a complaint on handles it and begins at once (T7). Raises Refused as assigning does."""
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
    """What a clock asks for was done: on site, reported, planned, first word given, answered (T4).

    Solving and following up have verbs of their own. Raises Refused when no such clock runs.
    """
    locked = lock(session, ticket_id, now, staff_id)
    if clock in {"solve", deadlines.FOLLOW_UP}:
        raise Refused(N_("Resolve the complaint or record the visit instead"))
    if not deadlines.stop_clocks(session, ticket_id, now, names=(clock,)):
        raise Refused(N_("This deadline is not running"))
    locked.note(f"keep_{clock}", note=note)
    locked.audit("keep_clock", clock=clock)
    return _done(locked)


def resolve_ticket(
    session: Session,
    ticket_id: int,
    *,
    resolution: str,
    now: datetime,
    staff_id: int | None = None,
    is_on_spot: bool = False,
) -> Ticket:
    """The matter is solved: all clocks stop, the follow-up visit is planned (T7, V1).

    `is_on_spot`: at the desk, without assignment. Raises Refused with all that is missing.
    """
    locked = lock(session, ticket_id, now, staff_id)
    verb = Verb.RESOLVE_ON_SPOT if is_on_spot else Verb.RESOLVE
    locked.move(verb, note=resolution, has_solution=bool(resolution.strip()))
    ticket = locked.ticket
    ticket.resolution = resolution.strip()
    ticket.resolved_at = now
    ticket.resolved_by_id = staff_id or ticket.handler_id
    ticket.turns_major_at = None
    _end_pause(session, locked)
    deadlines.stop_clocks(session, ticket.id, now)
    deadlines.start_clocks(session, locked.policies, ticket, Moment.RESOLVED, now)
    session.flush()
    visits.plan_follow_up(session, ticket, now, policies=locked.policies)
    return _done(locked)


def resolve_on_spot(
    session: Session, ticket_id: int, *, resolution: str, now: datetime, staff_id: int | None = None
) -> Ticket:
    """Solved while it was being taken down; it is registered and followed up all the same (T1)."""
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
    """The resident is not satisfied: one level up, a new clock, unsolved again (V3)."""
    locked = lock(session, ticket_id, now, staff_id)
    reopen_locked(locked, note=note, reason=reason)
    visits.cancel_follow_up(session, ticket_id, now, Reason("ticket_reopened"))
    return _done(locked)


def _done(locked: LockedTicket) -> Ticket:
    locked.session.flush()
    locked.session.refresh(locked.ticket)
    return locked.ticket


# --- waiting ---------------------------------------------------------------------------------------


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
    """Stop the clocks that may stop while resident or outside body is waited for (T6).

    Raises Refused when nothing may pause, or without a reason and a later day to look again.
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
    if not deadlines.pause_clocks(session, ticket_id, now, look_at):
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
    locked.note("pause", note=reason, reason=Reason("waiting_for", {"whom": waiting_for}))
    locked.audit("pause", waiting_for=waiting_for, look_again_on=look_again_on)
    _done(locked)
    return paused


def resume(
    session: Session, ticket_id: int, *, now: datetime, staff_id: int | None = None, note: str = ""
) -> Ticket:
    """The waiting is over: clocks run on, due later by the time that was paused (T6)."""
    locked = lock(session, ticket_id, now, staff_id)
    if not _end_pause(session, locked):
        raise Refused(N_("The complaint is not waiting"))
    locked.note("resume", note=note)
    locked.audit("resume")
    session.flush()
    deadlines.process_due_clocks(session, now, ticket_ids=[ticket_id], policies=locked.policies)
    return _done(locked)


def open_pause(session: Session, ticket_id: int) -> ClockPause | None:
    """The pause that still lasts."""
    return session.execute(
        select(ClockPause).where(ClockPause.ticket_id == ticket_id, ClockPause.to_at.is_(None))
    ).scalar_one_or_none()


def _end_pause(session: Session, locked: LockedTicket) -> bool:
    paused = open_pause(session, locked.ticket.id)
    if paused is None:
        return False
    paused.to_at = locked.at
    session.flush()
    deadlines.resume_clocks(session, locked.ticket, locked.at)
    return True


# --- severity --------------------------------------------------------------------------------------


def change_severity(
    session: Session,
    ticket_id: int,
    severity: str,
    *,
    now: datetime,
    staff_id: int | None = None,
    note: str = "",
) -> Ticket:
    """Raise a ticket's severity freely, or lower it with the role and a reason for it (T3).

    Raised, the clocks of the new severity start now and replace those of their kind that still run. Lowered,
    clocks that the new severity has not become void, and others are counted by its rule from where they were.
    """
    locked = lock(session, ticket_id, now, staff_id)
    ticket, policy = locked.ticket, locked.in_force.severities
    if locked.state in ENDED:
        raise Refused(N_("The complaint is closed"))
    _check_severity(policy, severity)
    if severity == ticket.severity:
        raise Refused(N_("The complaint already has this severity"))
    problem = change_refusal(policy, ticket.severity, severity, roles=locked.roles, explanation=note)
    if problem:
        raise refusal((problem,))
    before, is_raised = ticket.severity, policy.rank(severity) > policy.rank(ticket.severity)
    ticket.severity = severity
    ticket.severity_reason = Reason("changed_by_staff", {"from": before, "note": note}).to_json()
    ticket.level = max(ticket.level, locked.in_force.level_of(severity))
    if locked.state not in SOLVED:
        _follow_severity(session, locked, is_raised=is_raised)
    elif locked.state is State.RESOLVED:
        deadlines.stop_clocks(session, ticket.id, now, names=(deadlines.FOLLOW_UP,), is_void=True)
        row = deadlines.new_clocks(
            locked.policies, deadlines.TicketProfile.of(ticket), Moment.RESOLVED, ticket.resolved_at or now
        )
        deadlines.insert_clocks(session, row)
        session.flush()
        visits.plan_follow_up(session, ticket, now, policies=locked.policies)
    locked.note("raise_severity" if is_raised else "lower_severity", note=note)
    locked.audit("change_severity", severity=(before, severity))
    return _done(locked)


def _follow_severity(session: Session, locked: LockedTicket, *, is_raised: bool) -> None:
    ticket, now = locked.ticket, locked.at
    if is_raised:
        deadlines.apply_raised_severity(session, locked.policies, ticket, now)
        if ticket.severity == locked.in_force.most_severe:
            ticket.became_major_at = now
    else:
        deadlines.apply_lowered_severity(session, locked.policies, ticket, now)
        ticket.became_major_at = None
    ticket.turns_major_at = becomes_major_at(
        locked.policies, ticket.registered_at, ticket.severity, solved_spans(session, ticket.id)
    )
    if ticket.turns_major_at and ticket.turns_major_at <= now:  # lowered after a month: a month more
        months = locked.in_force.life.months_until_major
        ticket.turns_major_at = locked.in_force.calendar.months_later(now, months)


def _check_severity(policy: Any, severity: str) -> None:
    known = [level.code for level in policy.levels]
    if severity not in known:
        raise Refused(
            N_("There is no severity %(severity)s (known: %(known)s)"),
            severity=severity,
            known=", ".join(known),
        )


# --- links -----------------------------------------------------------------------------------------


def link_repeat(
    session: Session, ticket_id: int, *, repeat_of_id: int, now: datetime, staff_id: int | None = None
) -> Ticket:
    """A second complaint on the same matter points to the first (T8). Raises Refused for circles."""
    locked = lock(session, ticket_id, now, staff_id)
    first = session.get(Ticket, repeat_of_id)
    if first is None or ticket_id in {first.id, first.repeat_of_id}:
        raise Refused(N_("Choose an earlier complaint"))
    locked.ticket.repeat_of_id = first.repeat_of_id or first.id
    locked.note("link_repeat", note=first.number)
    locked.audit("link_repeat", repeat_of_id=first.id)
    return _done(locked)


def link_debt(
    session: Session, ticket_id: int, *, invoice_id: int, now: datetime, staff_id: int | None = None
) -> None:
    """The complaint is about this bill: the ladder of its debt waits until it is closed (T12, C7)."""
    invoice = session.get(Invoice, invoice_id)
    ticket = session.get(Ticket, ticket_id)
    if invoice is None or ticket is None:
        raise Refused(N_("There is no such bill"))
    ticket.invoice_id = invoice.id
    session.add(
        TicketEvent(
            ticket_id=ticket.id, at=now, staff_id=staff_id, verb="link_debt", note=invoice.number or ""
        )
    )
    audit.record(session, now, staff_id, "link_debt", ticket, {"invoice_id": invoice.id})
    session.flush()


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


def issue_work_slip(
    session: Session,
    ticket_id: int,
    *,
    department_id: int,
    task: str,
    now: datetime,
    due_on: date | None = None,
    staff_id: int | None = None,
) -> WorkSlip:
    """Ask another department to support the one that leads (工作联系单, T2)."""
    locked = lock(session, ticket_id, now, staff_id)
    if not task.strip():
        raise Refused(N_("Write down what the department is asked to do"))
    if session.get(Department, department_id) is None or department_id == locked.ticket.department_id:
        raise Refused(N_("Choose a department other than the one that leads"))
    year = now.astimezone(locked.policies.zone).year
    slip = WorkSlip(
        number=numbering.written(f"WS{year}", numbering.take(session, SLIP_SERIES, year)),
        ticket_id=ticket_id,
        department_id=department_id,
        task=task.strip(),
        due_on=due_on,
        issued_at=now,
    )
    session.add(slip)
    locked.note("work_slip", note=slip.number)
    _done(locked)
    audit.record(session, now, staff_id, "issue_work_slip", slip, {"number": slip.number})
    return slip


def answer_work_slip(
    session: Session, slip_id: int, *, plan: str, is_done: bool, now: datetime, staff_id: int | None = None
) -> WorkSlip:
    """The supporting department writes its plan, or that it is done (T2)."""
    slip = session.get(WorkSlip, slip_id)
    if slip is None:
        raise Refused(N_("There is no such work slip"))
    slip.plan = plan.strip()
    if is_done and slip.done_at is None:
        slip.done_at = now
    audit.record(session, now, staff_id, "answer_work_slip", slip, {"plan": plan, "is_done": is_done})
    session.flush()
    return slip


def possible_handlers(session: Session, ticket: Ticket) -> Sequence[Staff]:
    """Who may handle a ticket: the active staff of its department, never the person complained about (T2)."""
    query = select(Staff).where(Staff.is_active, Staff.department_id == ticket.department_id)
    if ticket.accused_id is not None:
        query = query.where(Staff.id != ticket.accused_id)
    return session.execute(query.order_by(Staff.name, Staff.id)).scalars().all()


# --- the clock -------------------------------------------------------------------------------------


def sweep(session: Session, due_for: datetime) -> JobResult:
    """Job, every minute: warn, breach, escalate, turn major, look again (T4, T6, T8).

    Reads only what is due; safe to run twice; one run catches up whatever was missed.
    """
    swept = deadlines.process_due_clocks(session, due_for)
    told = alerts.enqueue_alerts(session, swept.events, due_for)
    result = {
        "clocks": swept.clocks,
        "escalations": swept.escalations,
        "majors": swept.majors,
        "told": told,
    }
    return JobResult(done=swept.clocks + swept.majors, result=result)


def recalculate(
    session: Session, now: datetime, *, is_provisional_only: bool = False
) -> deadlines.MovedDeadlines:
    """Judge running clocks by the policies and holidays in force now; answers what moved (T5, T6).

    All that was due before is warned and escalated first, as it stood.
    """
    alerts.enqueue_alerts(session, deadlines.process_due_clocks(session, now).events, now)
    return deadlines.recalculate_running(session, now, is_provisional_only=is_provisional_only)


def follow_policies(session: Session, due_for: datetime) -> JobResult:
    """Job, each night: policies that hold from today and newly published holidays move deadlines (T5)."""
    policies = PolicyTimeline(session)
    today = policies.at(due_for).calendar.local_day(due_for)
    is_new = policies.on(today) is not policies.on(today - timedelta(days=1))
    moved = recalculate(session, due_for, is_provisional_only=not is_new)
    return JobResult(done=moved.clocks, result={"clocks": moved.clocks, "tickets": len(moved.tickets)})
