"""The ladder's policy rows, the days they name, and whether an edited ladder can be saved (C1, §9)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Protocol

from rules.calendar_months import months_later
from rules.codes import ContactMethod, Role, SendingChannel
from rules.gates import Gates, LegalGate
from rules.money import ZERO
from rules.policy_values import MOST, Amount, Checked, FeeItemCode, NotNegative, Positive, Range
from rules.reasons import Reason

DAY = timedelta(days=1)


class WorkingDays(Protocol):
    """What the ladder needs of the office's calendar."""

    def is_working_day(self, day: date, /) -> bool: ...

    def next_working_day(self, day: date, /) -> date:
        """The first working day from `day` on, `day` itself included."""
        ...


class Trigger(StrEnum):
    """What a stage's day is counted from (C1)."""

    DAY_OF_MONTH = "day_of_month"  # of the month of the due day, plus month_offset
    DAYS_FROM_DUE = "days_from_due"
    MONTHS_FROM_DUE = "months_from_due"


class Subject(StrEnum):
    """What a stage is made for: each invoice by itself, or the episode."""

    INVOICE = "invoice"
    EPISODE = "episode"


class Roll(StrEnum):
    """Where a stage goes whose day is not a working day."""

    NONE = "none"
    NEXT_WORKING_DAY = "next_working_day"


class Deadline(StrEnum):
    """Which last day a stage's paper names."""

    NONE = ""
    END_OF_MONTH = "end_of_month"
    DAYS = "days"


StageChannel = SendingChannel | ContactMethod
StageDocument = Literal[
    "payment_notice", "payment_reminder", "demand", "final_letter", "restriction_notice", "lawyer_letter"
]


@dataclass(frozen=True)
class Stage(Checked):
    """One row of the ladder (C1)."""

    order: Positive
    code: str
    subject: Subject
    trigger: Trigger
    trigger_number: Annotated[int, Range(-MOST)]
    month_offset: NotNegative = 0
    roll: Roll = Roll.NONE
    gap_days: NotNegative | None = None  # none: the ladder's least gap
    channels: tuple[StageChannel, ...] = ("print",)
    document: Literal[""] | StageDocument = ""
    carried_by: Literal[""] | Role = ""
    is_automatic: bool = False
    approved_by: Literal[""] | Role = ""
    after: str = ""
    gate: Literal["", "legal"] = ""
    batch_size: NotNegative = 0
    deadline: Deadline = Deadline.NONE
    deadline_days: NotNegative = 0
    effective_day: Annotated[int, Range(0, 31)] = 0
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def least_gap_days(self) -> int:
        """How many days must lie between the stage before and this one."""
        return max(self.gap_days or 0, 1)

    @property
    def is_joinable(self) -> bool:
        """Whether one paper may speak for several units: not where each has its own request or case (C19)."""
        return not self.gate and self.document != "restriction_notice"

    def is_valid(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )

    def trigger_on(self, due_on: date) -> date:
        """The stage's day for a debt due on that day, before any roll."""
        if self.trigger == Trigger.DAYS_FROM_DUE:
            return due_on + timedelta(days=self.trigger_number)
        if self.trigger == Trigger.MONTHS_FROM_DUE:
            return months_later(due_on, self.trigger_number)
        return months_later(due_on.replace(day=1), self.month_offset, day_of_month=self.trigger_number)


@dataclass(frozen=True)
class Ladder:
    """The stages in order, and for all of them the tolerance in yuan, the hour of judging, the gate.

    The other fields are those of `LadderTerms`.
    """

    stages: tuple[Stage, ...]
    tolerance: Decimal
    judged_at: time
    legal_gate: LegalGate
    shortest_deadline_days: int = 7
    counted_items: frozenset[str] = frozenset()
    least_debt: Decimal = ZERO
    is_one_notice_per_payer: bool = False

    def deadline(self, stage: Stage | None, out_on: date) -> date:
        """The last day to pay that a paper names which goes out on a day: never sooner than is fair (D4)."""
        earliest = out_on + self.shortest_deadline_days * DAY
        return max(earliest, (deadline_on(stage, out_on) if stage else None) or earliest)

    def stages_on(self, day: date, subject: Subject) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.subject == subject and stage.is_valid(day))

    def find(self, code: str) -> Stage | None:
        """The stage of that code; None when the ladder has none."""
        return next((stage for stage in self.stages if stage.code == code), None)

    def stage(self, code: str) -> Stage:
        """The stage of that code. Raises KeyError."""
        found = self.find(code)
        if found is None:
            raise KeyError(code)
        return found


@dataclass(frozen=True)
class LadderTerms(Checked):
    """What holds for all stages: the hour of judging, the tolerance in yuan, the usual gap in days.

    `longest_promise_days` is how far ahead a payer may promise to pay, since a promise holds the stages (C6);
    `shortest_deadline_days` how long a letter leaves at least from the day it goes out (D4).
    After the due day only what is open of `counted_items` counts, of all items when none is chosen, and a
    payer and unit are left alone while less than `least_debt` yuan of it is past due (C20).
    `is_one_notice_per_payer`: a payer's units are reminded by one message, letter or call (C19).
    """

    judged_at: time
    tolerance: Amount
    least_gap_days: NotNegative
    longest_promise_days: Positive = 31
    shortest_deadline_days: Positive = 7
    counted_items: frozenset[FeeItemCode] = frozenset()
    least_debt: Amount = ZERO
    is_one_notice_per_payer: bool = False


@dataclass(frozen=True)
class LadderDocument:
    """The policy document ladder.toml (C1)."""

    policy: LadderTerms
    stage: tuple[Stage, ...]

    def ladder(self, gates: Gates) -> Ladder:
        """The stages in order, each with its gap, and the gate before a legal case."""
        usual = self.policy.least_gap_days
        stages = (
            stage if stage.gap_days is not None else replace(stage, gap_days=usual) for stage in self.stage
        )
        return Ladder(
            stages=tuple(sorted(stages, key=lambda stage: stage.order)),
            tolerance=self.policy.tolerance,
            judged_at=self.policy.judged_at,
            legal_gate=gates.legal,
            shortest_deadline_days=self.policy.shortest_deadline_days,
            counted_items=self.policy.counted_items,
            least_debt=self.policy.least_debt,
            is_one_notice_per_payer=self.policy.is_one_notice_per_payer,
        )


def deadline_on(stage: Stage, made_on: date) -> date | None:
    """The last day that a stage's paper names: the end of the month it is made in, or so many days later."""
    if stage.deadline == Deadline.END_OF_MONTH:
        return made_on.replace(day=monthrange(made_on.year, made_on.month)[1])
    if stage.deadline == Deadline.DAYS:
        return made_on + stage.deadline_days * DAY
    return None


def effective_on(stage: Stage, calendar: WorkingDays, due_on: date, approved_on: date) -> date:
    """The day a restriction takes effect: the stage's effective day of the month of its trigger.

    If that has passed at the last approval, the first working day after the approval (contract, C9).
    """
    wanted = stage.trigger_on(due_on)
    if stage.effective_day:
        wanted = months_later(wanted, 0, day_of_month=stage.effective_day)
        if approved_on <= wanted:
            return wanted
    return calendar.next_working_day(approved_on + DAY)


def ladder_problems(ladder: Ladder, due_day: int) -> tuple[Reason, ...]:
    """What is wrong with a ladder on saving: nothing when it is ordered, complete, without gaps (§9).

    `due_day` is the day of month on which bills are due: stages must come in the order of their days for
    every month of a leap year and a common one.
    """
    problems = [problem for stage in ladder.stages for problem in _stage_problems(stage)]
    codes = [stage.code for stage in ladder.stages]
    problems += [
        Reason("code_twice", {"stage": code}) for code in sorted(set(codes)) if codes.count(code) > 1
    ]
    orders = [stage.order for stage in ladder.stages]
    if orders != list(range(1, len(orders) + 1)):
        problems.append(Reason("order_not_complete", {"orders": " ".join(map(str, orders))}))
    subjects = [stage.subject for stage in ladder.stages]
    if Subject.EPISODE not in subjects:
        problems.append(Reason("no_episode_stage"))
    if subjects != sorted(subjects, key=[Subject.INVOICE, Subject.EPISODE].index):
        problems.append(Reason("invoice_stage_after_episode_stage"))
    for earlier, later in pairwise(ladder.stages):
        if later.after != earlier.code:
            problems.append(Reason("predecessor_wrong", {"stage": later.code, "wanted": earlier.code}))
    if ladder.stages and ladder.stages[0].after:
        problems.append(Reason("predecessor_wrong", {"stage": ladder.stages[0].code, "wanted": ""}))
    return (*problems, *_day_problems(ladder, due_day))


def _stage_problems(stage: Stage) -> Iterable[Reason]:
    is_day, is_months = stage.trigger == Trigger.DAY_OF_MONTH, stage.trigger == Trigger.MONTHS_FROM_DUE
    is_episode = stage.subject == Subject.EPISODE
    is_never = bool(stage.valid_from and stage.valid_to and stage.valid_to < stage.valid_from)
    for is_wrong, code in (
        (not stage.code, "code_empty"),
        (is_day and not 1 <= stage.trigger_number <= 31, "day_of_month_impossible"),
        (is_months and stage.trigger_number < 1, "months_impossible"),
        (is_episode and not stage.gap_days, "gap_too_small"),
        (not stage.channels, "channel_missing"),
        (not stage.is_automatic and not stage.carried_by, "carrier_missing"),
        (stage.deadline == Deadline.DAYS and stage.deadline_days < 1, "deadline_impossible"),
        (is_never, "validity_impossible"),
    ):
        if is_wrong:
            yield Reason(code, {"stage": stage.code, "order": stage.order})


def _day_problems(ladder: Ladder, due_day: int) -> list[Reason]:
    due_days = [
        months_later(date(year, 1, 1), month, day_of_month=due_day)
        for year in (2027, 2028)
        for month in range(12)
    ]
    problems = []
    for earlier, later in pairwise(ladder.stages):
        if earlier.subject == later.subject and any(
            later.trigger_on(due_on) < earlier.trigger_on(due_on) for due_on in due_days
        ):
            problems.append(Reason("stage_before_predecessor", {"stage": later.code}))
    for stage in ladder.stages:
        is_after = [stage.trigger_on(due_on) > due_on for due_on in due_days]
        if stage.subject == Subject.EPISODE and not all(is_after):
            problems.append(Reason("stage_before_due", {"stage": stage.code}))
        if stage.subject == Subject.INVOICE and any(is_after):
            problems.append(Reason("notice_after_due", {"stage": stage.code}))
    return problems
