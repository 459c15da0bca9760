"""A ticket's clocks: which ones start, when each is due, and who is informed when it is late (T4, T6, T8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from rules.policy_values import tables, whole, words
from rules.reasons import Reason
from rules.severity import FACT_KINDS, Facts
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
class ClockRule:
    """One policy row: a clock, for whom it starts and when, how long it runs (T4).

    `length` is minutes, or days for working days. No `severities` means all; `needs_fact` names a fact that
    must be true. `is_from_registration` counts the length from the registration instead of the start, and
    `least_minutes` is the elapsed time that the holder has in any case (follow-up, *tower*).
    Raises ValueError for a row that can't be.
    """

    code: str
    clock: str
    starts_at: tuple[Moment, ...]
    unit: ClockUnit
    length: int
    severities: tuple[str, ...] = ()
    needs_fact: str = ""
    warn_percent: int = 80
    is_pausable: bool = False
    is_from_registration: bool = False
    least_minutes: int = 0
    is_active: bool = True

    def __post_init__(self) -> None:
        if self.length < (1 if self.unit is ClockUnit.WORKING_DAYS else 0) or self.least_minutes < 0:
            raise ValueError(f"{self.code}: impossible length")
        if not 0 <= self.warn_percent <= 100:
            raise ValueError(f"{self.code}: warn_percent must be 0 to 100")
        if self.needs_fact and FACT_KINDS.get(self.needs_fact) is not bool:
            raise ValueError(f"{self.code}: {self.needs_fact} is no yes-or-no fact")

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> ClockRule:
        """Build from a row of clocks.toml or of the stored policy; lists may be comma-separated text."""
        return cls(
            code=str(row["code"]),
            clock=str(row["clock"]),
            starts_at=tuple(Moment(word) for word in words(row["starts_at"])),
            unit=ClockUnit(str(row["unit"])),
            length=whole(row["length"]),
            severities=words(row.get("severities")),
            needs_fact=str(row.get("needs_fact") or ""),
            warn_percent=whole(row.get("warn_percent"), 80),
            is_pausable=bool(row.get("is_pausable")),
            is_from_registration=bool(row.get("is_from_registration")),
            least_minutes=whole(row.get("least_minutes")),
            is_active=bool(row.get("is_active", True)),
        )

    def is_for(self, moment: Moment, severity: str, facts: Facts) -> bool:
        """Answer whether a ticket of this severity and these facts gets the clock at the moment."""
        return (
            self.is_active
            and moment in self.starts_at
            and (not self.severities or severity in self.severities)
            and (not self.needs_fact or bool(facts.value(self.needs_fact)))
        )


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
class EscalationStep:
    """One policy row: the wait before the next level up is informed, for one `clock` or, when empty, for all.

    The first step is counted from `due_at`; working days end at the office's closing time.
    """

    order: int
    unit: ClockUnit
    length: int
    clock: str = ""

    def __post_init__(self) -> None:
        if self.length < 0:
            raise ValueError("a wait can't be negative")

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> EscalationStep:
        return cls(
            order=whole(row["order"]),
            unit=ClockUnit(str(row["unit"])),
            length=whole(row["length"]),
            clock=str(row.get("clock") or ""),
        )


@dataclass(frozen=True)
class EscalationPolicy:
    """The steps in order, the role of each level, and the level at which a severity's clocks begin (T4)."""

    steps: tuple[EscalationStep, ...]
    roles: Mapping[int, str]
    first_levels: Mapping[str, int]
    first_level: int = 1

    def __post_init__(self) -> None:
        if sorted(self.roles) != list(range(1, len(self.roles) + 1)) or not self.roles:
            raise ValueError("escalation levels must count 1, 2, 3 … without a gap")
        if not {self.first_level, *self.first_levels.values()} <= set(self.roles):
            raise ValueError("clocks can't begin at a level that nobody has")
        if not any(not step.clock for step in self.steps):
            raise ValueError("steps for all clocks are needed")

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> EscalationPolicy:
        """Build from escalation.toml: `step`, `level`, `first` (lists of rows) and `first_level` (T4)."""
        return cls(
            steps=tuple(EscalationStep.from_row(step) for step in tables(row, "step")),
            roles={whole(level["level"]): str(level["role"]) for level in tables(row, "level")},
            first_levels={str(first["severity"]): whole(first["level"]) for first in tables(row, "first")},
            first_level=whole(row.get("first_level"), 1),
        )

    @property
    def top_level(self) -> int:
        return max(self.roles)

    def level_at_start(self, severity: str) -> int:
        """Answer the level that a clock begins at which starts while the ticket has this severity."""
        return self.first_levels.get(severity, self.first_level)

    def steps_for(self, clock: str) -> tuple[EscalationStep, ...]:
        own = [step for step in self.steps if step.clock == clock]
        chosen = own or [step for step in self.steps if not step.clock]
        return tuple(sorted(chosen, key=lambda step: step.order))


@dataclass(frozen=True)
class Escalation:
    """One level of staff informed that a clock is late; the rule gives `at`, whenever the row is written."""

    level: int
    at: datetime
    to_role: str
    reason: Reason


def clock_rules(document: Mapping[str, object]) -> tuple[ClockRule, ...]:
    """Answer the rules of clocks.toml in order. Raises ValueError when two rows have one code (T4)."""
    rules = tuple(ClockRule.from_row(row) for row in tables(document, "rule"))
    twice = {rule.code for rule in rules if sum(other.code == rule.code for other in rules) > 1}
    if twice:
        raise ValueError(f"each clock row needs a code of its own: {', '.join(sorted(twice))}")
    return rules


def clocks_starting(
    rules: Iterable[ClockRule], moment: Moment, severity: str, facts: Facts
) -> tuple[ClockRule, ...]:
    """Answer the rules of the clocks a ticket gets at a moment: the first row that fits for each clock (T4).

    Moments: registered; major (it turned major later); reopened; resolved.
    """
    chosen: dict[str, ClockRule] = {}
    for rule in rules:
        if rule.clock not in chosen and rule.is_for(moment, severity, facts):
            chosen[rule.clock] = rule
    return tuple(chosen.values())


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
