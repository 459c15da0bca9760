"""A ticket's lifecycle: which state follows which, and what each step needs (T7, T9, T11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from rules.codes import Role, Severity
from rules.policy_values import Checked, PolicyValueError, Positive, Range
from rules.reasons import Reason
from rules.working_time import OfficeCalendar


class State(StrEnum):
    REGISTERED = "registered"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    FOLLOWED_UP = "followed_up"
    CLOSED = "closed"
    REOPENED = "reopened"
    INVALID = "invalid"


SOLVED = frozenset({State.RESOLVED, State.FOLLOWED_UP, State.CLOSED, State.INVALID})
ENDED = frozenset({State.CLOSED, State.INVALID})


class Verb(StrEnum):
    """What a person or the scheduler does with a ticket."""

    ASSIGN = "assign"
    START = "start"
    RESOLVE = "resolve"
    RESOLVE_ON_SPOT = "resolve_on_spot"
    FOLLOW_UP = "follow_up"
    CLOSE = "close"
    REOPEN = "reopen"
    CLOSE_UNREACHABLE = "close_unreachable"
    CLOSE_BY_DECISION = "close_by_decision"
    REQUEST_INVALID = "request_invalid"
    APPROVE_INVALID = "approve_invalid"


@dataclass(frozen=True)
class ComplaintPolicy(Checked):
    """What an office may change about a ticket's life (T4, T7–T9, T11); 0 months = no month rule."""

    months_until_major: Annotated[int, Range(0, 1200)]  # no calendar answers for more than a century
    kept_years: Annotated[int, Range(1, 100)]
    reviewed_severities: tuple[Severity, ...]
    invalid_approved_by: tuple[Role, ...]
    decided_by: tuple[Role, ...]
    due_soon_minutes: Positive = 120  # a deadline that is this near is due soon

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("invalid_approved_by", "decided_by"):
            if not getattr(self, field):
                raise PolicyValueError("list_empty", field=field)


@dataclass(frozen=True)
class Context:
    """What is known about the ticket and the actor when a verb is tried.

    Ids are staff ids; `tries_left` are the visits still to try before a ticket counts as unreachable.
    """

    severity: str = ""
    has_department: bool = False
    has_solution: bool = False
    has_review_meeting: bool = False
    has_invalid_request: bool = False
    tries_left: int = 1
    explanation: str = ""
    actor_id: int | None = None
    roles: frozenset[str] = frozenset()
    handler_id: int | None = None
    accused_id: int | None = None
    invalid_requested_by: int | None = None


Need = Callable[[ComplaintPolicy, Context], Reason | None]


def _department(_: ComplaintPolicy, context: Context) -> Reason | None:
    return None if context.has_department else Reason("department_missing")


def _handler_not_accused(_: ComplaintPolicy, context: Context) -> Reason | None:
    is_accused = context.handler_id is not None and context.handler_id == context.accused_id
    return Reason("handler_is_accused") if is_accused else None


def _solution(_: ComplaintPolicy, context: Context) -> Reason | None:
    return None if context.has_solution else Reason("solution_missing")


def _explanation(_: ComplaintPolicy, context: Context) -> Reason | None:
    return None if context.explanation.strip() else Reason("explanation_missing")


def _review_meeting(policy: ComplaintPolicy, context: Context) -> Reason | None:
    if context.severity not in policy.reviewed_severities or context.has_review_meeting:
        return None
    return Reason("review_meeting_missing", {"severity": context.severity})


def _no_open_request(_: ComplaintPolicy, context: Context) -> Reason | None:
    return Reason("invalid_already_requested") if context.has_invalid_request else None


def _request(_: ComplaintPolicy, context: Context) -> Reason | None:
    return None if context.has_invalid_request else Reason("invalid_request_missing")


def _another_approves(_: ComplaintPolicy, context: Context) -> Reason | None:
    is_another = context.actor_id is not None and context.actor_id != context.invalid_requested_by
    return None if is_another else Reason("approval_by_requester")


def _approver(policy: ComplaintPolicy, context: Context) -> Reason | None:
    return _role(policy.invalid_approved_by, context)


def _decider(policy: ComplaintPolicy, context: Context) -> Reason | None:
    return _role(policy.decided_by, context)


def _role(allowed: tuple[str, ...], context: Context) -> Reason | None:
    if context.roles & set(allowed):
        return None
    return Reason("role_missing", {"roles": ", ".join(allowed)})


def _tries(_: ComplaintPolicy, context: Context) -> Reason | None:
    return Reason("tries_missing", {"left": context.tries_left}) if context.tries_left > 0 else None


@dataclass(frozen=True)
class Transition:
    """One row of the lifecycle: a verb, the states it starts from, the state it leads to (None = stays)."""

    verb: Verb
    sources: frozenset[State]
    target: State | None
    needs: tuple[Need, ...] = ()


WAITING = frozenset({State.REGISTERED, State.REOPENED})
AT_WORK = frozenset({State.ASSIGNED, State.IN_PROGRESS})
ANSWERED = frozenset({State.RESOLVED, State.FOLLOWED_UP})

TRANSITIONS = (
    Transition(Verb.ASSIGN, WAITING | AT_WORK, State.ASSIGNED, (_department, _handler_not_accused)),
    Transition(
        Verb.START, frozenset({State.ASSIGNED, State.REOPENED}), State.IN_PROGRESS, (_handler_not_accused,)
    ),
    Transition(Verb.RESOLVE, frozenset({State.IN_PROGRESS}), State.RESOLVED, (_solution,)),
    Transition(Verb.RESOLVE_ON_SPOT, frozenset({State.REGISTERED}), State.RESOLVED, (_solution,)),
    Transition(Verb.FOLLOW_UP, frozenset({State.RESOLVED}), State.FOLLOWED_UP),
    Transition(Verb.CLOSE, frozenset({State.FOLLOWED_UP}), State.CLOSED, (_review_meeting,)),
    Transition(Verb.REOPEN, ANSWERED, State.REOPENED),
    Transition(
        Verb.CLOSE_UNREACHABLE,
        frozenset({State.RESOLVED}),
        State.CLOSED,
        (_tries, _decider, _explanation, _review_meeting),
    ),
    Transition(
        Verb.CLOSE_BY_DECISION,
        ANSWERED | {State.REOPENED},
        State.CLOSED,
        (_decider, _explanation, _review_meeting),
    ),
    Transition(Verb.REQUEST_INVALID, WAITING | AT_WORK, None, (_no_open_request, _explanation)),
    Transition(
        Verb.APPROVE_INVALID, WAITING | AT_WORK, State.INVALID, (_request, _another_approves, _approver)
    ),
)
_BY_VERB = {row.verb: row for row in TRANSITIONS}


@dataclass(frozen=True)
class Answer:
    """The state that follows, or None and all that is missing for it."""

    state: State | None
    missing: tuple[Reason, ...] = ()

    @property
    def is_refused(self) -> bool:
        return self.state is None


def transition(policy: ComplaintPolicy, state: State, verb: Verb, context: Context) -> Answer:
    """Answer the state a verb leads to, or a refusal that names everything missing (T7, T9)."""
    row = _BY_VERB[verb]
    if state not in row.sources:
        allowed = ", ".join(sorted(row.sources))
        return Answer(None, (Reason("wrong_state", {"verb": verb, "state": state, "allowed": allowed}),))
    missing = tuple(reason for need in row.needs if (reason := need(policy, context)))
    return Answer(None, missing) if missing else Answer(row.target or state)


def verbs_from(state: State) -> tuple[Verb, ...]:
    """Answer the verbs that a ticket's state knows, whatever else they need (T7)."""
    return tuple(row.verb for row in TRANSITIONS if state in row.sources)


def reopened_level(level: int, top_level: int) -> int:
    """Answer the level of a ticket that is reopened: one up, at most the top (V3)."""
    return min(level + 1, top_level)


def kept_until(calendar: OfficeCalendar, policy: ComplaintPolicy, closed_at: datetime) -> datetime:
    """Answer the UTC instant until which a closed ticket is kept (T11)."""
    return calendar.months_later(closed_at, 12 * policy.kept_years)
