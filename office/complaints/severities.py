"""How serious a ticket is: changed by a person, or raised by its facts (T3)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import FACTS, Ticket, TicketClock
from office.complaints import deadlines, visits
from office.complaints.transitions import LockedTicket, lock, refusal, solved_spans
from office.core.errors import N_, Refused
from rules.deadlines import Moment
from rules.lifecycle import ENDED, SOLVED, State
from rules.reasons import Reason
from rules.severity import Facts, SeverityPolicy, change_refusal, proposal


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

    When it is raised, the clocks of the new severity start now and replace those of their kind that still
    run. When it is lowered, clocks that the new severity does not have become void, and the others are
    counted anew by its rules from their old start.
    """
    locked = lock(session, ticket_id, now, staff_id)
    ticket, policy = locked.ticket, locked.in_force.severities
    if locked.state in ENDED:
        raise Refused(N_("The complaint is closed"))
    check_known(policy, severity)
    if severity == ticket.severity:
        raise Refused(N_("The complaint already has this severity"))
    problem = change_refusal(policy, ticket.severity, severity, roles=locked.roles, explanation=note)
    if problem:
        raise refusal((problem,))
    before, is_raised = ticket.severity, policy.rank(severity) > policy.rank(ticket.severity)
    _set_severity(locked, severity, Reason("changed_by_staff", {"from": before, "note": note}))
    if locked.state not in SOLVED:
        _exchange_clocks(locked, is_raised=is_raised)
    elif locked.state is State.RESOLVED:
        _replan_follow_up(locked)
    locked.record("raise_severity" if is_raised else "lower_severity", note=note)
    locked.audit("change_severity", severity=(before, severity))
    return locked.saved()


def raise_to_facts(locked: LockedTicket) -> None:
    """Raise an unsolved ticket to the severity that its facts now give; facts never lower it (T3)."""
    ticket, policy = locked.ticket, locked.in_force.severities
    proposed = proposal(policy, deadlines.TicketProfile.of(ticket).facts)
    if locked.state in SOLVED or policy.rank(proposed.severity) <= policy.rank(ticket.severity):
        return
    before = ticket.severity
    _set_severity(locked, proposed.severity, proposed.reason)
    _exchange_clocks(locked, is_raised=True)
    locked.record("raise_severity", reason=proposed.reason)
    locked.audit("change_severity", severity=(before, ticket.severity))


def confirm_claims(
    session: Session,
    ticket_id: int,
    *,
    is_so: bool,
    now: datetime,
    staff_id: int | None = None,
    note: str = "",
) -> Ticket:
    """Confirm what the sender of the public form says, or that it is not so (T3, T4).

    Confirmed facts add to those that the office knows, raise the severity and start their clocks now. Either
    way the complaint is acknowledged. Raises Refused when nothing waits for that.
    """
    locked = lock(session, ticket_id, now, staff_id)
    ticket = locked.ticket
    claimed = claims_of(ticket)
    if claimed is None or locked.state in ENDED:
        raise Refused(N_("Nothing of this complaint waits to be confirmed"))
    for name in FACTS if is_so else ():
        setattr(ticket, name, max(getattr(ticket, name), claimed.value(name)))  # a tick, a count, a sum
    before, ticket.claimed_facts = ticket.severity, None
    decided = proposal(locked.in_force.severities, deadlines.TicketProfile.of(ticket).facts)
    if decided.severity == ticket.severity:
        ticket.severity_reason = decided.reason.to_json()
    deadlines.stop_clocks(session, ticket.id, now, names=(deadlines.ACKNOWLEDGE,))
    raise_to_facts(locked)
    if locked.state not in SOLVED:
        had = set(session.scalars(select(TicketClock.clock).where(TicketClock.ticket_id == ticket.id)))
        profile = deadlines.TicketProfile.of(ticket)
        deadlines.insert_clocks(session, deadlines.clocks_of_facts(locked.policies, profile, had, now))
    locked.record("confirm_facts" if is_so else "dismiss_facts", note=note)
    said = ", ".join(sorted(name for name, value in asdict(claimed).items() if value))
    locked.audit("confirm_facts", claimed_facts=(said, None), severity=(before, ticket.severity))
    return locked.saved()


def claims_of(ticket: Ticket) -> Facts | None:
    """The facts that its sender claims and nobody has confirmed yet, if any."""
    return Facts.from_json(ticket.claimed_facts) if ticket.claimed_facts else None


def proposed_severity(policy: SeverityPolicy, ticket: Ticket) -> str:
    """The severity that a ticket's claimed facts would give; its own when nothing waits."""
    claimed = claims_of(ticket)
    return ticket.severity if claimed is None else proposal(policy, claimed).severity


def check_known(policy: SeverityPolicy, severity: str) -> None:
    """Raise Refused for a severity that the policy does not have."""
    known = [level.code for level in policy.level]
    if severity not in known:
        raise Refused(
            N_("There is no severity %(severity)s (known: %(known)s)"),
            severity=severity,
            known=", ".join(known),
        )


def _set_severity(locked: LockedTicket, severity: str, reason: Reason) -> None:
    ticket = locked.ticket
    ticket.severity = severity
    ticket.severity_reason = reason.to_json()
    ticket.level = max(ticket.level, locked.in_force.level_of(severity))


def _exchange_clocks(locked: LockedTicket, *, is_raised: bool) -> None:
    """Give an unsolved ticket the clocks of its new severity, and the instant at which it turns major."""
    session, ticket, now = locked.session, locked.ticket, locked.now
    if is_raised:
        deadlines.apply_raised_severity(session, locked.policies, ticket, now)
        if ticket.severity == locked.in_force.most_severe:
            ticket.became_major_at = now
    else:
        deadlines.apply_lowered_severity(session, locked.policies, ticket, now)
        ticket.became_major_at = None
    ticket.turns_major_at = locked.turns_major_at(solved_spans(session, ticket.id))
    if ticket.turns_major_at and ticket.turns_major_at <= now:  # lowered after a month: one more month
        months = locked.in_force.lifecycle.months_until_major
        ticket.turns_major_at = locked.in_force.calendar.months_later(now, months)


def _replan_follow_up(locked: LockedTicket) -> None:
    """Restart the follow-up clock of a resolved ticket for its new severity, and plan its visit by it."""
    session, ticket, now = locked.session, locked.ticket, locked.now
    deadlines.stop_clocks(session, ticket.id, now, names=(deadlines.FOLLOW_UP,), is_void=True)
    profile = deadlines.TicketProfile.of(ticket)
    started_at = ticket.resolved_at or now
    deadlines.insert_clocks(
        session, deadlines.new_clocks(locked.policies, profile, Moment.RESOLVED, started_at)
    )
    session.flush()
    visits.plan_follow_up(session, ticket, now, policies=locked.policies)
