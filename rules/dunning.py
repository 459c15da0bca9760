"""Dunning: which stage of the ladder a debt gets on which day, which it doesn't, and why (C1–C13).

An episode is the oldest unpaid invoice of a payer and unit that is past due. When it is paid, the next oldest
one starts at the first stage; what was made for an invoice stays made, whatever came between.
Every day is judged once, as itself, at the policy's hour: the same days give the same answers in any pattern
of ticks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar

from rules.allocation import Dated, by_age
from rules.calendar_months import months_later
from rules.gates import NOTHING_TRIED, LegalFacts, legal_missing
from rules.ladder import DAY, Ladder, Roll, Stage, Subject, WorkingDays
from rules.money import ZERO
from rules.reasons import Reason

Row = TypeVar("Row")


# --- what is known of one payer and unit at the hour of judging -----------------------------------


class Owable(Dated, Protocol):
    """What the ladder asks of a bill, however the caller keeps it."""

    @property
    def balance(self) -> Decimal: ...
    @property
    def is_in_kept_plan(self) -> bool: ...


Owed = TypeVar("Owed", bound=Owable)


@dataclass(frozen=True)
class DayFacts:
    """What may hold the ladder of a payer and unit on a day; `reachable` None: every channel works."""

    day: date
    promised_on: date | None = None
    is_complaint_open: bool = False
    is_on_hold: bool = False
    reachable: frozenset[str] | None = None
    legal: LegalFacts = NOTHING_TRIED


@dataclass(frozen=True)
class DunningCase:
    """Where an episode stands: few distinct values, so a set-based caller can ask once for each.

    `made`: its stages. `last_on`: the day of the last episode stage of payer and unit, also in another
    episode. `is_day_taken`: a notice of another invoice was made today.
    """

    due_on: date
    made: tuple[str, ...] = ()
    last_on: date | None = None
    is_plan_kept: bool = False
    is_day_taken: bool = False


class DunningOutcome(StrEnum):
    """What a day brings an episode."""

    MADE = "made"
    NOT_MADE = "not_made"  # something holds it
    WAITING = "waiting"
    DONE = "done"  # no stage left


@dataclass(frozen=True)
class Decision:
    """What the ladder decides: the stage it is about, the day it is planned for, and why (C12)."""

    outcome: DunningOutcome
    stage: Stage | None
    planned_on: date | None
    reason: Reason


# --- the rule -------------------------------------------------------------------------------------


def following(ladder: Ladder, made: Sequence[str], day: date) -> Stage | None:
    """The episode's next stage: the first one behind the last that was made (C1)."""
    stages = ladder.stages_on(day, Subject.EPISODE)
    reached = max((stage.order for stage in ladder.stages if stage.code in made), default=None)
    return next((stage for stage in stages if reached is None or stage.order > reached), None)


def planned_on(stage: Stage, calendar: WorkingDays, state: DunningCase, day: date) -> date:
    """The first day from `day` on which the stage's trigger, its gap, the order of days and the roll allow.

    It never lies on or before the due day, and never on a day that another stage has taken (C13).
    """
    earliest = max(stage.trigger_on(state.due_on), state.due_on + DAY, day)
    if state.last_on is not None:  # two stages never on one day, whatever the row says
        earliest = max(earliest, state.last_on + stage.least_gap_days * DAY)
    if state.is_day_taken and earliest == day:
        earliest += DAY
    return rolled(stage, calendar, earliest)


def rolled(stage: Stage, calendar: WorkingDays, day: date) -> date:
    """The day itself, or the next working day for a stage that people carry out."""
    return calendar.next_working_day(day) if stage.roll == Roll.NEXT_WORKING_DAY else day


def next_stage(ladder: Ladder, calendar: WorkingDays, state: DunningCase, facts: DayFacts) -> Decision:
    """What `facts.day` brings an episode whose invoice is past due, open by the tolerance or more (C12).

    State and facts are hashable and nothing else counts: ask once for each distinct pair.
    """
    stage = following(ladder, state.made, facts.day)
    if stage is None:
        return Decision(DunningOutcome.DONE, None, None, Reason("ladder_done", {"due_on": state.due_on}))
    own_day = planned_on(stage, calendar, state, facts.day)
    if own_day > facts.day:
        return Decision(DunningOutcome.WAITING, stage, own_day, _why_waiting(stage, state, facts.day))
    held = holds(ladder, stage, state, facts)
    if not held:
        return Decision(DunningOutcome.MADE, stage, own_day, _why_made(stage, state))
    return Decision(DunningOutcome.NOT_MADE, stage, own_day, held[0])


def _why_made(stage: Stage, state: DunningCase) -> Reason:
    inputs: dict[str, object] = {"stage": stage.code, "due_on": state.due_on}
    inputs |= {"trigger": stage.trigger.value, "number": stage.trigger_number}
    if state.last_on is not None:
        inputs |= {"gap_days": stage.gap_days, "last_on": state.last_on}
    return Reason("trigger_reached", inputs)


def _why_waiting(stage: Stage, state: DunningCase, day: date) -> Reason:
    trigger_on = stage.trigger_on(state.due_on)
    if trigger_on > day:
        return Reason("before_trigger", {"stage": stage.code, "trigger_on": trigger_on})
    if state.last_on is not None and day < state.last_on + stage.least_gap_days * DAY:
        return Reason(
            "gap", {"stage": stage.code, "last_on": state.last_on, "gap_days": stage.least_gap_days}
        )
    if state.is_day_taken:
        return Reason("day_taken", {"stage": stage.code})
    return Reason("no_working_day", {"stage": stage.code})


def holds(
    ladder: Ladder, stage: Stage, state: DunningCase, facts: DayFacts, balance: Decimal | None = None
) -> tuple[Reason, ...]:
    """Everything that keeps a stage from being made or sent, the first one first (C4, C12).

    With `balance` (yuan open on the episode's invoice) it is also the check just before sending.
    """
    missing = gate_missing(ladder, stage, state.due_on, facts)
    found: tuple[tuple[bool, str, dict[str, object]], ...] = (
        (balance is not None and balance <= 0, "paid", {}),
        (facts.promised_on is not None and facts.day <= facts.promised_on,
         "promise_not_due", {"promised_on": facts.promised_on}),
        (state.is_plan_kept, "plan_kept", {}),
        (facts.is_complaint_open, "complaint_open", {}),
        (balance is not None and 0 < balance < ladder.tolerance,
         "below_tolerance", {"open": balance, "tolerance": ladder.tolerance}),
        (facts.reachable is not None and channel(stage, facts.reachable) is None,
         "no_contact", {"channels": " ".join(stage.channels)}),
        (facts.is_on_hold, "hold", {}),
        (bool(missing), "gate", {"gate": stage.gate, "missing": " ".join(missing)}),
    )  # fmt: skip
    return tuple(Reason(code, inputs) for is_so, code, inputs in found if is_so)


def channel(stage: Stage, reachable: frozenset[str] | None) -> str | None:
    """The first of the stage's channels that reaches the payer (C5); None: there is none."""
    return next((code for code in stage.channels if reachable is None or code in reachable), None)


def gate_missing(ladder: Ladder, stage: Stage, due_on: date, facts: DayFacts) -> tuple[str, ...]:
    """What the stage's gate misses on the day; nothing for a stage without one (C10)."""
    if stage.gate != "legal":
        return ()
    return legal_missing(ladder.legal_gate, facts.legal, due_on, facts.day)


# --- the bills of one payer and unit --------------------------------------------------------------


def past_due(invoices: Iterable[Owed], day: date) -> list[Owed]:
    """What is open and past due on the day, oldest first."""
    return by_age([one for one in invoices if one.due_on < day and one.balance > 0])


def episode(ladder: Ladder, invoices: Sequence[Owed], day: date) -> Owed | None:
    """The oldest invoice past due by the tolerance or more; one in a kept plan only if all are (B9, C13).

    None while less than the ladder's least debt is past due (C20).
    """
    first = None
    if ladder.least_debt and debt(invoices, day) < ladder.least_debt:
        return None
    for one in past_due(invoices, day):
        if one.balance >= ladder.tolerance:
            if not one.is_in_kept_plan:
                return one
            first = first or one
    return first


def debt(invoices: Iterable[Owable], day: date) -> Decimal:
    """All that is past due for payer and unit on the day, in yuan; what a kept plan covers is left out."""
    owed = past_due(invoices, day)
    return sum((one.balance for one in owed if not one.is_in_kept_plan), ZERO) or sum(
        (one.balance for one in owed), ZERO
    )


def notice_stage(
    ladder: Ladder, calendar: WorkingDays, day: date, due_on: date, made: Sequence[str]
) -> Stage | None:
    """The invoice's own stage of the day: once each, from its trigger to the due day (contract)."""
    for stage in ladder.stages_on(day, Subject.INVOICE):
        if stage.code in made or stage.trigger_on(due_on) > day:
            continue
        return stage if day <= due_on and rolled(stage, calendar, day) == day else None
    return None


# --- what comes next ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """A coming stage and its day; day None with the reason while something without an end holds it (C12)."""

    stage: str
    planned_on: date | None
    reason: Reason


def forecast(
    ladder: Ladder, calendar: WorkingDays, state: DunningCase, facts: DayFacts, until: date
) -> tuple[Forecast, ...]:
    """The stages from `facts.day` through `until`, and the first one after it, if nothing is paid or changes.

    Give the first day not yet judged as `facts.day`. A promise is taken to be broken (C12).
    """
    coming: list[Forecast] = []
    while True:
        decision = next_stage(ladder, calendar, state, facts)
        if decision.stage is None or decision.planned_on is None:
            return tuple(coming)
        if decision.outcome == DunningOutcome.WAITING:
            facts = replace(facts, day=decision.planned_on)
            state = replace(state, is_day_taken=False)
            continue
        if decision.outcome != DunningOutcome.MADE:
            free_on = _free_on(ladder, decision, state, facts)
            if free_on is None:
                return (*coming, Forecast(decision.stage.code, None, decision.reason))
            facts = replace(facts, day=free_on)
            continue
        coming.append(Forecast(decision.stage.code, decision.planned_on, decision.reason))
        if decision.planned_on > until:
            return tuple(coming)
        made = (*state.made, decision.stage.code)
        state = replace(state, made=made, last_on=decision.planned_on)


def _free_on(ladder: Ladder, decision: Decision, state: DunningCase, facts: DayFacts) -> date | None:
    """The day on which a hold ends by itself: after a promise, or when the months in arrears are full."""
    if decision.reason.code == "promise_not_due" and facts.promised_on is not None:
        return facts.promised_on + DAY
    if decision.reason.inputs.get("missing") == "months_in_arrears":
        return months_later(state.due_on, ladder.legal_gate.months_in_arrears)
    return None


def batches(rows: Sequence[Row], size: int) -> tuple[tuple[Row, ...], ...]:
    """The rows cut into batches of at most `size`; 0 is one batch (C3)."""
    if not rows:
        return ()
    step = size or len(rows)
    return tuple(tuple(rows[start : start + step]) for start in range(0, len(rows), step))
