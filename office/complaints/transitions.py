"""One locked ticket: moved to its next state by the rules, or refused with all that is missing (T7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import InvalidRequest, ReviewMeeting, Ticket, TicketEvent
from models.people import Staff
from models.visits import Visit
from office.complaints import deadlines
from office.complaints.due_clocks import process_and_alert
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.core import audit
from office.core.errors import N_, Refusals, Refused
from rules.deadlines import Moment
from rules.lifecycle import Context, State, Verb, reopened_level, transition
from rules.old_registers import Outcome
from rules.reasons import Reason

Span = tuple[datetime, datetime | None]
RESOLVINGS = (Verb.RESOLVE.value, Verb.RESOLVE_ON_SPOT.value)

# the sentence for each reason of a refusal, with the inputs of the rule (T7, T9)
MISSING: Mapping[str, str] = {
    "wrong_state": N_("Not possible while the complaint is in state %(state)s (possible: %(allowed)s)"),
    "department_missing": N_("Choose the department that leads"),
    "handler_is_accused": N_("The person complained about can't handle the complaint"),
    "solution_missing": N_("Write down what was done"),
    "explanation_missing": N_("Give the reason"),
    "review_meeting_missing": N_("A complaint of this severity closes only after its review meeting"),
    "invalid_request_missing": N_("Nobody has asked to close this complaint as invalid"),
    "invalid_already_requested": N_("Somebody has already asked to close this complaint as invalid"),
    "approval_by_requester": N_("Somebody other than who asked for it must approve"),
    "role_missing": N_("Only these roles may do this: %(roles)s"),
    "tries_missing": N_("Try to reach the resident %(left)s more times first"),
    "lowering_needs_role": N_("Only these roles may lower the severity: %(roles)s"),
    "lowering_needs_explanation": N_("Give the reason for lowering the severity"),
}


@dataclass
class LockedTicket:
    """A ticket locked for one verb; what came due on it up to `now` (aware UTC) is already written."""

    session: Session
    ticket: Ticket
    policies: PolicyTimeline
    now: datetime
    staff: Staff | None = None

    @property
    def in_force(self) -> PoliciesInForce:
        """The complaint policies in force now."""
        return self.policies.at(self.now)

    @property
    def state(self) -> State:
        return State(self.ticket.state)

    @property
    def staff_id(self) -> int | None:
        return self.staff.id if self.staff else None

    @property
    def roles(self) -> frozenset[str]:
        return self.staff.roles if self.staff else frozenset()

    def context(self, **more: Any) -> Context:
        """What the rules of the lifecycle need to know of the ticket and the actor."""
        request = pending_request(self.session, self.ticket.id)
        known = Context(
            severity=self.ticket.severity,
            has_department=self.ticket.department_id is not None,
            has_review_meeting=_has_review(self.session, self.ticket.id),
            has_invalid_request=request is not None,
            invalid_requested_by=request.requested_by_id if request else None,
            tries_left=max(0, self.in_force.visits.tries - _visit_attempts(self.session, self.ticket.id)),
            actor_id=self.staff_id,
            roles=self.roles,
            handler_id=self.ticket.handler_id,
            accused_id=self.ticket.accused_id,
        )
        return replace(known, **more)

    def missing(self, verb: Verb, **more: Any) -> tuple[Reason, ...]:
        """The reasons for which a verb is refused; none when it may be done (T7)."""
        return transition(self.in_force.lifecycle, self.state, verb, self.context(**more)).missing

    def move(self, verb: Verb, *, note: str = "", reason: Reason | None = None, **more: Any) -> None:
        """Move the ticket by a verb and record it in its history. Raises Refused with all that is missing."""
        answer = transition(self.in_force.lifecycle, self.state, verb, self.context(**more))
        if answer.state is None:
            raise refusal(answer.missing)
        before = self.ticket.state
        self.ticket.state = answer.state.value
        self.record(verb.value, note=note, reason=reason)
        self.audit(verb.value, state=(before, self.ticket.state))

    def record(self, verb: str, *, note: str = "", reason: Reason | None = None) -> None:
        """Add a line to the ticket's history."""
        self.session.add(
            TicketEvent(
                ticket_id=self.ticket.id,
                at=self.now,
                staff_id=self.staff_id,
                verb=verb,
                reason=reason.to_json() if reason else "",
                note=note,
            )
        )

    def audit(self, action: str, **changes: Any) -> None:
        """Add a row to the audit; a change is the new value, or a pair of the former and the new one."""
        audit.record(self.session, self.now, self.staff_id, action, self.ticket, changes)

    def turns_major_at(self, solved: Sequence[Span] = ()) -> datetime | None:
        """When this ticket turns major by the policies of its registration, if nobody solves it (T8)."""
        at_start = self.policies.at(self.ticket.registered_at)
        return at_start.turns_major_at(self.ticket.registered_at, self.ticket.severity, solved)

    def saved(self) -> Ticket:
        """Write what changed and return the ticket as it is stored."""
        self.session.flush()
        self.session.refresh(self.ticket)
        return self.ticket


def lock(session: Session, ticket_id: int, now: datetime, staff_id: int | None = None) -> LockedTicket:
    """Lock a ticket for a verb, and write and alert what came due on it up to `now`.

    Raises Refused when there is no such ticket, or no such active member of staff.
    """
    session.flush()
    row_lock = select(Ticket).where(Ticket.id == ticket_id).with_for_update()
    if session.execute(row_lock).scalar_one_or_none() is None:
        raise Refused(N_("There is no such complaint"))
    policies = PolicyTimeline(session)
    process_and_alert(session, now, ticket_ids=[ticket_id], policies=policies)
    ticket = session.execute(
        select(Ticket).where(Ticket.id == ticket_id), execution_options={"populate_existing": True}
    ).scalar_one()
    return LockedTicket(session, ticket, policies, now, active_staff(session, staff_id))


def active_staff(session: Session, staff_id: int | None) -> Staff | None:
    """An active member of staff by id. Raises Refused when there is none."""
    if staff_id is None:
        return None
    staff = session.get(Staff, staff_id)
    if staff is None or not staff.is_active:
        raise Refused(N_("There is no such member of staff"))
    return staff


def refusal(missing: tuple[Reason, ...]) -> Refused:
    """The reasons of a rule as one refusal, with a sentence for each that can be translated."""
    first = missing[0]
    if len(missing) == 1:
        return Refused(MISSING[first.code], **first.inputs)
    listed = Refusals(Refused(MISSING[reason.code], **reason.inputs) for reason in missing)
    return Refused(N_("Not possible yet: %(missing)s"), missing=listed)


def reopen_locked(locked: LockedTicket, *, note: str = "", reason: Reason | None = None) -> None:
    """Reopen a locked ticket: one level up, unsolved, with the clocks of the reopening (V3, T8)."""
    session, ticket, now = locked.session, locked.ticket, locked.now
    locked.move(Verb.REOPEN, note=note, reason=reason)
    ticket.level = reopened_level(ticket.level, locked.in_force.escalation.top_level)
    ticket.reopen_count += 1
    ticket.resolved_at = ticket.followed_up_at = None
    deadlines.stop_clocks(session, ticket.id, now)
    session.flush()
    ticket.turns_major_at = locked.turns_major_at(solved_spans(session, ticket.id))
    deadlines.start_clocks(session, locked.policies, ticket, Moment.REOPENED, now)
    session.flush()
    process_and_alert(session, now, ticket_ids=[ticket.id], policies=locked.policies)
    session.refresh(ticket)


def close_locked(
    locked: LockedTicket, verb: Verb, *, note: str = "", is_void: bool = False, **more: Any
) -> None:
    """End a locked ticket by a verb and stop all its clocks (T7).

    With `is_void`, clocks that were not yet late count neither as met nor as breached.
    """
    locked.move(verb, note=note, **more)
    locked.ticket.closed_at = locked.now
    locked.ticket.outcome = Outcome.INVALID if locked.state is State.INVALID else Outcome.SOLVED
    locked.ticket.turns_major_at = None
    locked.session.flush()
    deadlines.stop_clocks(locked.session, locked.ticket.id, locked.now, is_void=is_void)


def solved_spans(session: Session, ticket_id: int) -> list[Span]:
    """The times in which a ticket was solved: from resolving to reopening, or None while it lasts (T8)."""
    events = session.execute(
        select(TicketEvent.at, TicketEvent.verb)
        .where(TicketEvent.ticket_id == ticket_id, TicketEvent.verb.in_((*RESOLVINGS, Verb.REOPEN.value)))
        .order_by(TicketEvent.at, TicketEvent.id)
    )
    spans: list[Span] = []
    for at, verb in events:
        if verb in RESOLVINGS:
            spans.append((at, None))
        elif spans:
            spans[-1] = (spans[-1][0], at)
    return spans


def pending_request(session: Session, ticket_id: int) -> InvalidRequest | None:
    """The request for closure as invalid that nobody has decided (T7)."""
    return session.execute(
        select(InvalidRequest).where(
            InvalidRequest.ticket_id == ticket_id, InvalidRequest.decided_at.is_(None)
        )
    ).scalar_one_or_none()


def _has_review(session: Session, ticket_id: int) -> bool:
    found = session.execute(select(ReviewMeeting.id).where(ReviewMeeting.ticket_id == ticket_id).limit(1))
    return found.scalar_one_or_none() is not None


def _visit_attempts(session: Session, ticket_id: int) -> int:
    """How often the last follow-up visit was tried."""
    found = session.execute(
        select(Visit.attempts)
        .where(Visit.ticket_id == ticket_id, Visit.kind == "follow_up")
        .order_by(Visit.id.desc())
        .limit(1)
    )
    return found.scalar_one_or_none() or 0
