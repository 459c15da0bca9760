"""Visits: when, by whom, and what follows from the resident's answer (V1–V4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from rules.codes import Role, Severity, VisitKind
from rules.lifecycle import Verb
from rules.policy_values import Checked, NotNegative, PolicyValueError, Positive
from rules.reasons import Reason
from rules.working_time import MINUTE, OfficeCalendar

SATISFACTIONS = range(1, 6)
FOLLOW_UP = "follow_up"


class VisitOutcome(StrEnum):
    SATISFIED = "satisfied"
    PARTLY = "partly"
    DISSATISFIED = "dissatisfied"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class VisitRule(Checked):
    """One policy row: who visits, and from how many elapsed minutes after the cause on (V1, V4).

    The first row that fits the kind and the severity stands (no `severities` = all). A follow-up's due time
    is its clock's; other kinds are due `due_after` elapsed minutes after the cause. `is_by_clerk`: by the
    clerk who took the ticket, if possible.
    """

    code: str
    kind: VisitKind
    assignee_role: Role
    planned_after: NotNegative = 0
    due_after: NotNegative = 0
    severities: tuple[Severity, ...] = ()
    is_by_clerk: bool = False


@dataclass(frozen=True)
class VisitPolicy(Checked):
    """A preset's visits: the rows, the stand-ins in order, and what an answer means (V1–V3).

    `is_try_enough`: a try that reached nobody meets the follow-up clock. After `tries` of them
    `unreachable_asks` decides; otherwise the next is on the `again_after`-th working day.
    """

    rule: tuple[VisitRule, ...]
    dissatisfied_up_to: NotNegative
    satisfied_from: NotNegative
    tries: Positive
    again_after: Positive
    is_try_enough: bool
    unreachable_asks: Role
    partly_asks: Role
    stand_ins: tuple[Role, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.dissatisfied_up_to < self.satisfied_from:
            raise PolicyValueError("satisfied_not_above_dissatisfied")
        if not any(rule.kind == FOLLOW_UP and not rule.severities for rule in self.rule):
            raise PolicyValueError("follow_up_rule_missing")

    def rule_for(self, kind: str, severity: str = "") -> VisitRule | None:
        """Answer the first row for this kind of visit and severity, None when the office plans none."""
        fits = (rule for rule in self.rule if rule.kind == kind)
        return next((rule for rule in fits if not rule.severities or severity in rule.severities), None)


@dataclass(frozen=True)
class VisitPlan:
    """When a visit may begin, when it is due, which role makes it, and why."""

    planned_from: datetime
    due_at: datetime
    assignee_role: str
    reason: Reason


@dataclass(frozen=True)
class VisitorCandidate:
    """A member of staff who could make the visit."""

    staff_id: int
    roles: frozenset[str]


@dataclass(frozen=True)
class Choice:
    """Who makes the visit; None when nobody may, with the reason."""

    staff_id: int | None
    reason: Reason


@dataclass(frozen=True)
class VisitResult:
    """What follows from a visit.

    `verbs` are tried on the ticket in order (a refused `close` leaves it followed up); `again_from` is the
    next try; `asks_role` has to decide; `is_clock_stopped` says whether it meets the follow-up clock.
    """

    outcome: VisitOutcome
    reason: Reason
    verbs: tuple[Verb, ...] = ()
    is_clock_stopped: bool = True
    again_from: datetime | None = None
    asks_role: str = ""


def visit_plan(rule: VisitRule, caused_at: datetime, due_at: datetime | None = None) -> VisitPlan:
    """Answer when and by which role a visit is made (V1, V4).

    `caused_at` is the resolving (or the repair, the hand-over); `due_at` the follow-up clock's due time.
    """
    planned_from = caused_at.astimezone(UTC) + rule.planned_after * MINUTE
    due = due_at or max(planned_from, caused_at.astimezone(UTC) + rule.due_after * MINUTE)
    return VisitPlan(
        planned_from, due, rule.assignee_role, Reason("visit_rule", {"rule": rule.code, "from": caused_at})
    )


def visitor(
    policy: VisitPolicy,
    rule: VisitRule,
    candidates: Iterable[VisitorCandidate],
    *,
    clerk_id: int | None = None,
    barred_ids: Collection[int] = (),
) -> Choice:
    """Answer who makes a visit: the clerk, else the role, else a stand-in; never who is barred (V1).

    Barred are all who did the work, and the person complained about.
    """
    free = sorted(
        (person for person in candidates if person.staff_id not in barred_ids),
        key=lambda person: person.staff_id,
    )
    if rule.is_by_clerk and any(person.staff_id == clerk_id for person in free):
        return Choice(clerk_id, Reason("visitor_took_it"))
    for role in (rule.assignee_role, *policy.stand_ins):
        for person in free:
            if role in person.roles:
                return Choice(person.staff_id, Reason("visitor_has_role", {"role": role}))
    return Choice(None, Reason("visitor_missing", {"role": rule.assignee_role}))


def own_stewards_first(
    candidates: Iterable[VisitorCandidate], steward_ids: Collection[int]
) -> list[VisitorCandidate]:
    """Answer the candidates for a visit to a unit, only its own stewards counting as stewards (V4).

    `steward_ids` are the stewards of the unit's building; without any, every steward counts.
    """
    return [
        person
        if not steward_ids or person.staff_id in steward_ids
        else VisitorCandidate(person.staff_id, person.roles - {"steward"})
        for person in candidates
    ]


def outcome(policy: VisitPolicy, satisfaction: int | None) -> VisitOutcome:
    """Answer what a satisfaction of 1 to 5 means, None being nobody reached (V2).

    Raises ValueError for other numbers.
    """
    if satisfaction is None:
        return VisitOutcome.UNREACHABLE
    if satisfaction not in SATISFACTIONS:
        raise ValueError("satisfaction is 1 to 5")
    if satisfaction <= policy.dissatisfied_up_to:
        return VisitOutcome.DISSATISFIED
    return VisitOutcome.SATISFIED if satisfaction >= policy.satisfied_from else VisitOutcome.PARTLY


def visit_result(
    policy: VisitPolicy, calendar: OfficeCalendar, at: datetime, satisfaction: int | None, tries: int
) -> VisitResult:
    """Answer what follows from a visit at `at`; `tries` counts this one too (V2, V3).

    Satisfied: followed up and closed if nothing is missing. Partly: followed up, a person decides.
    Dissatisfied: reopened. Nobody reached: again on a later working day, in the end the manager's word.
    """
    meaning = outcome(policy, satisfaction)
    said = Reason(f"visit_{meaning}", {"satisfaction": satisfaction})
    if meaning is VisitOutcome.SATISFIED:
        return VisitResult(meaning, said, (Verb.FOLLOW_UP, Verb.CLOSE))
    if meaning is VisitOutcome.PARTLY:
        return VisitResult(meaning, said, (Verb.FOLLOW_UP,), asks_role=policy.partly_asks)
    if meaning is VisitOutcome.DISSATISFIED:
        return VisitResult(meaning, said, (Verb.REOPEN,))
    return _not_reached(policy, calendar, at, tries)


def _not_reached(policy: VisitPolicy, calendar: OfficeCalendar, at: datetime, tries: int) -> VisitResult:
    reason = Reason("visit_unreachable", {"tries": tries, "at_most": policy.tries})
    if tries >= policy.tries:
        return VisitResult(
            VisitOutcome.UNREACHABLE,
            reason,
            is_clock_stopped=policy.is_try_enough,
            asks_role=policy.unreachable_asks,
        )
    again = calendar.opening(calendar.nth_working_day_after(calendar.local_day(at), policy.again_after))
    return VisitResult(
        VisitOutcome.UNREACHABLE, reason, is_clock_stopped=policy.is_try_enough, again_from=again
    )
