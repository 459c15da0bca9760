"""A ticket's clocks: which ones start, when each is due, and who is informed when it is late (T4, T6, T8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Literal

from rules.codes import ClockName, Role, Severity
from rules.policy_values import MOST, Checked, NotNegative, Percent, PolicyValueError, Positive
from rules.reasons import Reason
from rules.severity import Facts, TickedFact
from rules.working_time import MINUTE, OfficeCalendar


class ClockUnit(StrEnum):
    """In what a clock counts: minutes that pass, minutes of office hours, or working days."""

    ELAPSED = "elapsed"
    OFFICE = "office"
    WORKING_DAYS = "working_days"


class Moment(StrEnum):
    """The moments of a ticket at which clocks start."""

    REGISTERED = "registered"
    MAJOR = "major"
    REOPENED = "reopened"
    RESOLVED = "resolved"


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    VOID = "void"


@dataclass(frozen=True)
class ClockRule(Checked):
    """One policy row: a clock, for whom it starts and when, how long it runs (T4).

    `length` is minutes, or days for working days. No `severities` means all; `needs_fact` names a fact that
    must be true. `is_from_registration` counts the length from the registration instead of the start, and
    `least_minutes` is the elapsed time that the holder has in any case (follow-up, *tower*).
    Raises PolicyValueError for a row that can't be.
    """

    code: str
    clock: ClockName
    starts_at: tuple[Moment, ...]
    unit: ClockUnit
    length: NotNegative
    severities: tuple[Severity, ...] = ()
    needs_fact: Literal[""] | TickedFact = ""
    warn_percent: Percent = 80
    is_pausable: bool = False
    is_from_registration: bool = False
    least_minutes: NotNegative = 0
    is_active: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit is ClockUnit.WORKING_DAYS and not self.length:
            raise PolicyValueError("out_of_range", field="length", value=0, least=1, most=MOST)

    def is_for(self, moment: Moment, severity: str, facts: Facts) -> bool:
        """Answer whether a ticket of this severity and these facts gets the clock at the moment."""
        return (
            self.is_active
            and moment in self.starts_at
            and (not self.severities or severity in self.severities)
            and (not self.needs_fact or bool(facts.value(self.needs_fact)))
        )


@dataclass(frozen=True)
class ClockPolicy:
    """The clocks of the policy in their order (T4). Raises PolicyValueError when two rows have one code."""

    rule: tuple[ClockRule, ...]

    def __post_init__(self) -> None:
        codes = [rule.code for rule in self.rule]
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise PolicyValueError("clock_code_twice", code=", ".join(sorted(twice)))


@dataclass(frozen=True)
class Pause:
    """A time in which nobody could go on (T6); `until_at` is None while it lasts."""

    from_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True)
class Deadline:
    """When a clock warns, when it is due, and the reason with the numbers it was counted from."""

    warn_at: datetime
    due_at: datetime
    reason: Reason


@dataclass(frozen=True)
class EscalationStep(Checked):
    """One policy row: the wait before the next level up is informed, for one `clock` or, when empty, for all.

    The first step is counted from `due_at`; working days end at the office's closing time.
    """

    order: Positive
    unit: ClockUnit
    length: NotNegative
    clock: Literal[""] | ClockName = ""


@dataclass(frozen=True)
class EscalationLevel(Checked):
    """Which role is informed at a level."""

    level: Positive
    role: Role


@dataclass(frozen=True)
class FirstLevel(Checked):
    """The level at which clocks begin that start while the ticket has this severity."""

    severity: Severity
    level: Positive


@dataclass(frozen=True)
class EscalationPolicy(Checked):
    """The steps in order, the role of each level, and the level at which a severity's clocks begin (T4)."""

    step: tuple[EscalationStep, ...]
    level: tuple[EscalationLevel, ...]
    first: tuple[FirstLevel, ...] = ()
    first_level: Positive = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.level or sorted(each.level for each in self.level) != list(range(1, len(self.level) + 1)):
            raise PolicyValueError("levels_not_complete")
        if not {self.first_level, *(first.level for first in self.first)} <= self.roles.keys():
            raise PolicyValueError("first_level_without_role")
        if not any(not step.clock for step in self.step):
            raise PolicyValueError("steps_for_all_missing")

    @cached_property
    def roles(self) -> Mapping[int, str]:
        """The role of each level."""
        return {each.level: each.role for each in self.level}

    @property
    def top_level(self) -> int:
        return max(self.roles)

    def level_at_start(self, severity: str) -> int:
        """Answer the level that a clock begins at which starts while the ticket has this severity."""
        return next((each.level for each in self.first if each.severity == severity), self.first_level)

    def steps_for(self, clock: str) -> tuple[EscalationStep, ...]:
        own = [step for step in self.step if step.clock == clock]
        chosen = own or [step for step in self.step if not step.clock]
        return tuple(sorted(chosen, key=lambda step: step.order))


@dataclass(frozen=True)
class Escalation:
    """One level of staff informed that a clock is late; the rule gives `at`, whenever the row is written."""

    level: int
    at: datetime
    to_role: str
    reason: Reason


def clocks_starting(
    rules: Iterable[ClockRule], moment: Moment, severity: str, facts: Facts
) -> tuple[ClockRule, ...]:
    """Answer the rules of the clocks a ticket gets at a moment: the first row that fits for each clock (T4).

    Moments: registered; major (it turned major later); reopened; resolved. Every reopened ticket gets a
    `solve` clock, where no row gives one by `reopened_rules` (T20).
    """
    candidates = tuple(rules)
    if moment is Moment.REOPENED:
        candidates += reopened_rules(candidates)
    chosen: dict[str, ClockRule] = {}
    for rule in candidates:
        if rule.clock not in chosen and rule.is_for(moment, severity, facts):
            chosen[rule.clock] = rule
    return tuple(chosen.values())


def reopened_rules(rules: Iterable[ClockRule]) -> tuple[ClockRule, ...]:
    """Answer the `solve` rules of reopened tickets whose severity has no row of its own for that (T20).

    In order: the length that a solution has otherwise, that of the department's plan, 2 working days. Their
    codes are those of the rows they follow behind REOPENED_PREFIX.
    """
    active = [rule for rule in rules if rule.is_active and Moment.REOPENED not in rule.starts_at]
    followed = [rule for clock in ("solve", "department_plan") for rule in active if rule.clock == clock]
    return tuple(
        replace(
            rule,
            code=f"{REOPENED_PREFIX}{rule.code}",
            clock="solve",
            starts_at=(Moment.REOPENED,),
            is_pausable=True,
            is_from_registration=False,
            least_minutes=0,
        )
        for rule in (*followed, _TWO_WORKING_DAYS)
    )


REOPENED_PREFIX = "reopened_"
_TWO_WORKING_DAYS = ClockRule(
    "two_days", "solve", (Moment.REOPENED,), ClockUnit.WORKING_DAYS, 2
)  # where the office has no time for a solution or a plan at all


def deadline(
    calendar: OfficeCalendar,
    rule: ClockRule,
    started_at: datetime,
    pauses: Sequence[Pause] = (),
    *,
    registered_at: datetime | None = None,
    as_of: datetime | None = None,
) -> Deadline:
    """Answer when a clock started at `started_at` warns and is due (T4, T6; contract: Exact meanings).

    Pauses move it by their time in the clock's own unit, if they began while it ran and the rule is pausable;
    one that still lasts counts up to `as_of`, or not at all. `registered_at` is needed by rules that count
    from the registration. All instants are aware, the answer's in UTC.
    """
    counted_from = (registered_at or started_at) if rule.is_from_registration else started_at
    waits = _merged_pauses(pauses, started_at, as_of) if rule.is_pausable else []
    due_at, paused = _end_of(calendar, rule.unit, counted_from, rule.length, waits)
    if rule.unit is ClockUnit.WORKING_DAYS:
        warn_at = calendar.opening(calendar.local_day(due_at))
    else:
        warn_at, _ = _end_of(calendar, rule.unit, counted_from, _share(rule.length, rule.warn_percent), waits)
    inputs: dict[str, object] = {"rule": rule.code, "length": rule.length, "from": counted_from}
    if paused:
        inputs["paused"] = _whole(paused)
    if rule.unit is not ClockUnit.ELAPSED and calendar.is_provisional(calendar.local_day(due_at).year):
        inputs["provisional_year"] = calendar.local_day(due_at).year
    answer = Deadline(warn_at, due_at, Reason(f"due_{rule.unit}", inputs))
    return _with_least_time(rule, started_at, answer)


def clock_state(
    at: datetime,
    due_at: datetime,
    *,
    stopped_at: datetime | None = None,
    paused_at: datetime | None = None,
    is_void: bool = False,
) -> ClockState:
    """Answer a clock's state at an instant: still running at `due_at` itself, breached after it (T4).

    `paused_at` is the start of the pause that still lasts; one begun after the breach changes nothing.
    """
    if is_void:
        return ClockState.VOID
    if stopped_at is not None and stopped_at <= at:
        return ClockState.MET if stopped_at <= due_at else ClockState.BREACHED
    if paused_at is not None and paused_at <= min(at, due_at):
        return ClockState.PAUSED
    return ClockState.BREACHED if at > due_at else ClockState.RUNNING


def replaced_state(state: ClockState) -> ClockState:
    """Answer what becomes of a clock that a new one of its kind replaces: void, unless it had ended (T8)."""
    return ClockState.VOID if state in {ClockState.RUNNING, ClockState.PAUSED} else state


def recalculated(stored: Deadline, fresh: Deadline, at: datetime) -> Deadline:
    """Answer the deadline after a policy, holiday or pause changed at `at` (T6).

    What was breached stays as it was; a deadline never moves to before the change.
    """
    if at > stored.due_at:
        return stored
    due_at = max(fresh.due_at, at)
    return replace(fresh, due_at=due_at, warn_at=min(fresh.warn_at, due_at))


def turns_major_at(
    calendar: OfficeCalendar,
    months: int,
    registered_at: datetime,
    solved: Iterable[tuple[datetime, datetime | None]] = (),
) -> datetime | None:
    """Answer when a ticket that nobody solves becomes major; None when it doesn't (T8).

    `months` is the policy's (0 = never); `solved` are the times it was resolved: from the resolving to the
    reopening or None. A reopened ticket counts as unsolved, from the reopening on.
    """
    if not months:
        return None
    at = calendar.months_later(registered_at, months)
    for resolved_at, reopened_at in sorted(solved, key=lambda span: span[0]):
        if resolved_at <= at and (reopened_at is None or at < reopened_at):
            if reopened_at is None:
                return None
            at = reopened_at
    return at


def escalations(
    calendar: OfficeCalendar, policy: EscalationPolicy, clock: str, first_level: int, due_at: datetime
) -> tuple[Escalation, ...]:
    """Answer every escalation of a clock that is never stopped, in order, up to the top level (T4)."""
    steps = []
    at, level = due_at, first_level
    for step in policy.steps_for(clock):
        if level > policy.top_level:
            break
        if step.length:
            at = _later(calendar, step.unit, at, step.length)
        inputs = {"due_at": due_at, "wait": step.length, "unit": step.unit.value}
        steps.append(Escalation(level, at, policy.roles[level], Reason(f"late_{clock}", inputs)))
        level += 1
    return tuple(steps)


def escalations_due(
    steps: Iterable[Escalation],
    up_to: datetime,
    *,
    stopped_at: datetime | None = None,
    made_levels: Collection[int] = (),
) -> tuple[Escalation, ...]:
    """Answer the escalations to write at `up_to`: their instant has passed, unstopped, and not made yet (T4).

    The same set results from any pattern of calls, as long as one comes when the clock stops or later.
    """
    end = up_to if stopped_at is None else min(up_to, stopped_at)
    return tuple(step for step in steps if step.at < end and step.level not in made_levels)


def next_instant(
    after: datetime, due: Deadline, steps: Iterable[Escalation] = (), *, is_warned: bool = False
) -> datetime | None:
    """Answer the next instant from `after` on at which a running clock changes, None when there is none.

    The minute tick reads only clocks whose next instant has come.
    """
    instants = [due.due_at, *(step.at for step in steps)]
    if not is_warned:
        instants.append(due.warn_at)
    return min((instant for instant in instants if instant >= after), default=None)


@dataclass(frozen=True)
class DueClock:
    """A running clock as it is stored, when its next instant has come (T4)."""

    clock: str
    due: Deadline
    first_level: int
    last_level: int
    is_warned: bool


@dataclass(frozen=True)
class ClockUpdate:
    """What is new about a clock at an instant; `next_at` is when to look at it again, None = never."""

    state: ClockState
    is_warning_due: bool
    escalations: tuple[Escalation, ...]
    next_at: datetime | None


def evaluate_clock(
    calendar: OfficeCalendar, policy: EscalationPolicy, clock: DueClock, up_to: datetime
) -> ClockUpdate:
    """Answer what has come due on a clock up to an instant: its warning, its breach, its escalations (T4)."""
    steps = escalations(calendar, policy, clock.clock, clock.first_level, clock.due.due_at)
    is_warning_due = not clock.is_warned and clock.due.warn_at <= up_to
    return ClockUpdate(
        state=clock_state(up_to, clock.due.due_at),
        is_warning_due=is_warning_due,
        escalations=escalations_due(steps, up_to, made_levels=range(clock.first_level, clock.last_level + 1)),
        next_at=next_instant(up_to, clock.due, steps, is_warned=clock.is_warned or is_warning_due),
    )


def _whole(amount: float) -> int | str:
    return int(amount) if amount == int(amount) else str(amount)


def _share(length: int, percent: int) -> float:
    return length * percent / 100


def _later(calendar: OfficeCalendar, unit: ClockUnit, at: datetime, amount: float) -> datetime:
    if unit is ClockUnit.WORKING_DAYS:
        return calendar.closing(calendar.nth_working_day_after(calendar.local_day(at), int(amount)))
    if unit is ClockUnit.OFFICE:
        return calendar.add_office_minutes(at, amount)
    return at.astimezone(UTC) + amount * MINUTE


def _measured(calendar: OfficeCalendar, unit: ClockUnit, after: datetime, until: datetime) -> float:
    """Answer the time between two instants in a clock's own unit."""
    if unit is ClockUnit.WORKING_DAYS:
        return calendar.working_days_between(calendar.local_day(after), calendar.local_day(until))
    if unit is ClockUnit.OFFICE:
        return calendar.office_minutes_between(after, until)
    return (until - after) / MINUTE


def _merged_pauses(
    pauses: Sequence[Pause], started_at: datetime, as_of: datetime | None
) -> list[tuple[datetime, datetime]]:
    """Answer the pauses since the start, in order, those that touch made one."""
    merged: list[tuple[datetime, datetime]] = []
    for pause in sorted(pauses, key=lambda pause: pause.from_at):
        begun, ended = max(pause.from_at, started_at), pause.until_at or as_of
        if ended is None or ended <= begun:
            continue
        if merged and begun <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ended))
        else:
            merged.append((begun, ended))
    return merged


def _end_of(
    calendar: OfficeCalendar,
    unit: ClockUnit,
    start: datetime,
    amount: float,
    pauses: Iterable[tuple[datetime, datetime]],
) -> tuple[datetime, float]:
    """Answer when `amount` of the unit has run outside the pauses, and how much of it was paused."""
    paused = 0.0
    end = _later(calendar, unit, start, amount)
    for begun, ended in pauses:
        if begun > end:
            break
        paused += _measured(calendar, unit, begun, ended)
        end = _later(calendar, unit, start, amount + paused)
    return end, paused


def _with_least_time(rule: ClockRule, started_at: datetime, answer: Deadline) -> Deadline:
    """Answer the deadline with the least time that the rule grants from the start."""
    if not rule.least_minutes:
        return answer
    least, warn = rule.least_minutes, _share(rule.least_minutes, rule.warn_percent)
    due_at = started_at.astimezone(UTC) + least * MINUTE
    if due_at <= answer.due_at:
        return answer
    warn_at = started_at.astimezone(UTC) + warn * MINUTE
    reason = Reason("due_least_time", {"rule": rule.code, "length": least, "from": started_at})
    return Deadline(warn_at, due_at, reason)
