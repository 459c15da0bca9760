"""The ladder: which reminder a debt gets on which day, which it doesn't, and why (C1–C13).

An episode is the oldest unpaid invoice of a payer and unit that is past due. When it is paid, the next oldest
one begins its own climb at the first stage; what was made for an invoice stays made, whatever came between.
Every day is judged once, as itself, at the policy's hour: the same days give the same answers in any pattern
of ticks.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from rules.allocation import number_key
from rules.money import ZERO
from rules.reasons import Reason

DAY = timedelta(days=1)
Row = TypeVar("Row")


class WorkingDays(Protocol):
    """What the ladder needs of the office's calendar."""

    def is_working_day(self, day: date, /) -> bool: ...

    def next_working_day(self, day: date, /) -> date:
        """The first working day from `day` on, `day` itself included."""
        ...


# --- the policy rows ------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class Stage:
    """One row of the ladder (C1)."""

    order: int
    code: str
    subject: Subject
    trigger: Trigger
    trigger_number: int
    month_offset: int = 0
    roll: Roll = Roll.NONE
    gap_days: int = 0
    channels: tuple[str, ...] = ("print",)
    document: str = ""
    carried_by: str = ""
    is_automatic: bool = False
    approved_by: str = ""
    after: str = ""
    gate: str = ""
    batch_size: int = 0
    deadline: Deadline = Deadline.NONE
    deadline_days: int = 0
    effective_day: int = 0
    valid_from: date | None = None
    valid_to: date | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """The stage of a stored row or of a `[[stage]]` in ladder.toml. Raises KeyError, ValueError."""
        channels = row.get("channels", ("print",))
        return cls(
            order=_int(row["order"]),
            code=str(row["code"]),
            subject=Subject(str(row["subject"])),
            trigger=Trigger(str(row["trigger"])),
            trigger_number=_int(row["trigger_number"]),
            month_offset=_int(row.get("month_offset")),
            roll=Roll(str(row.get("roll") or Roll.NONE)),
            gap_days=_int(row.get("gap_days")),
            channels=tuple(
                channels.split() if isinstance(channels, str) else map(str, channels)  # type: ignore[call-overload]
            ),
            document=str(row.get("document") or ""),
            carried_by=str(row.get("carried_by") or ""),
            is_automatic=bool(row.get("is_automatic")),
            approved_by=str(row.get("approved_by") or ""),
            after=str(row.get("after") or ""),
            gate=str(row.get("gate") or ""),
            batch_size=_int(row.get("batch_size")),
            deadline=Deadline(str(row.get("deadline") or "")),
            deadline_days=_int(row.get("deadline_days")),
            effective_day=_int(row.get("effective_day")),
            valid_from=_date(row.get("valid_from")),
            valid_to=_date(row.get("valid_to")),
        )

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
class LegalGate:
    """What must have happened before the law is called (C10)."""

    months_in_arrears: int
    attempt_methods: int
    is_letter_needed: bool

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """The gate of a stored row or of `[legal]` in gates.toml. Raises KeyError, ValueError."""
        return cls(
            _int(row["months_in_arrears"]), _int(row["attempt_methods"]), bool(row["is_letter_needed"])
        )


@dataclass(frozen=True)
class RestrictionGate:
    """What must have happened before a service is restricted, and which services may be (C9)."""

    calls: int
    visits: int
    is_letter_needed: bool
    is_head_visit_needed: bool
    approvals: int
    signing_role: str
    services: frozenset[str]

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """The gate of a stored row or of `[restriction]` in gates.toml. Raises KeyError, ValueError."""
        services = row["services"]
        if not isinstance(services, list | tuple | frozenset | set):
            raise TypeError("services must be a list of codes")
        return cls(
            calls=_int(row["calls"]),
            visits=_int(row["visits"]),
            is_letter_needed=bool(row["is_letter_needed"]),
            is_head_visit_needed=bool(row["is_head_visit_needed"]),
            approvals=_int(row["approvals"]),
            signing_role=str(row["signing_role"]),
            services=frozenset(map(str, services)),
        )


@dataclass(frozen=True)
class Ladder:
    """The stages in order, and for all of them the tolerance in yuan, the hour of judging, the gate."""

    stages: tuple[Stage, ...]
    tolerance: Decimal
    judged_at: time
    legal_gate: LegalGate

    @classmethod
    def from_row(cls, row: Mapping[str, object], gates: Mapping[str, object]) -> Self:
        """The ladder of ladder.toml (`policy`, `stage`) and gates.toml. Raises KeyError, ValueError."""
        policy, stages, legal = row["policy"], row["stage"], gates["legal"]
        if not (
            isinstance(policy, Mapping) and isinstance(stages, list | tuple) and isinstance(legal, Mapping)
        ):
            raise TypeError("a ladder needs one policy row, a list of stages and a legal gate")
        least_gap = policy["least_gap_days"]
        return cls(
            stages=tuple(
                sorted(
                    (Stage.from_row({"gap_days": least_gap} | dict(stage)) for stage in stages),
                    key=lambda stage: stage.order,
                )
            ),
            tolerance=Decimal(str(policy["tolerance"])),
            judged_at=_time(policy["judged_at"]),
            legal_gate=LegalGate.from_row(legal),
        )

    def stages_on(self, day: date, subject: Subject) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.subject == subject and stage.is_valid(day))

    def stage(self, code: str) -> Stage:
        """The stage of that code. Raises KeyError."""
        for stage in self.stages:
            if stage.code == code:
                return stage
        raise KeyError(code)


def _int(given: object) -> int:
    return int(str(given)) if given not in {None, ""} else 0


def _date(given: object) -> date | None:
    if given in {None, ""}:
        return None
    return given if isinstance(given, date) else date.fromisoformat(str(given))


def _time(given: object) -> time:
    return given if isinstance(given, time) else time.fromisoformat(str(given))


# --- days -----------------------------------------------------------------------------------------


def months_later(day: date, months: int, *, day_of_month: int | None = None) -> date:
    """The same day so many months later, the last one where that month is shorter."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day_of_month or day.day, monthrange(year, month)[1]))


def months_in_arrears(due_on: date, day: date) -> int:
    """Whole calendar months since the due day; 0 until the first has passed (contract "Settled besides")."""
    months = (day.year - due_on.year) * 12 + day.month - due_on.month
    if months_later(due_on, months) > day:
        months -= 1
    return max(months, 0)


def days_to_judge(since: datetime, until: datetime, judged_at: time, zone: str) -> tuple[date, ...]:
    """The office's days whose hour of judging lies after `since` and not after `until`, in order (C13)."""
    office = ZoneInfo(zone)
    day, last = since.astimezone(office).date(), until.astimezone(office).date()
    days = []
    while day <= last:
        if since < datetime.combine(day, judged_at, office) <= until:
            days.append(day)
        day += DAY
    return tuple(days)


# --- what is known of one payer and unit at the hour of judging -----------------------------------


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice with its balance in yuan, late fee included; plans keep their invoices out (B9)."""

    number: str
    due_on: date
    balance: Decimal
    is_in_kept_plan: bool = False


@dataclass(frozen=True)
class LegalFacts:
    """What was tried before the law: contact methods used, a letter delivered, premises vacated (C10)."""

    methods: frozenset[str] = frozenset()
    is_letter_delivered: bool = False
    is_vacated: bool = False


@dataclass(frozen=True)
class DayFacts:
    """What may hold the ladder of a payer and unit on a day; `reachable` None: every channel works."""

    day: date
    promised_on: date | None = None
    is_complaint_open: bool = False
    is_on_hold: bool = False
    reachable: frozenset[str] | None = None
    legal: LegalFacts = LegalFacts()


@dataclass(frozen=True)
class EpisodeState:
    """Where an episode stands: few distinct values, so a set-based caller can ask once for each.

    `made`: its stages so far. `last_on`: the day of the last episode stage for this payer and unit, also in
    another episode. `told`: (stage, reason code) pairs already stored as not made. `is_day_taken`: a notice of
    another invoice was made today.
    """

    due_on: date
    made: tuple[str, ...] = ()
    last_on: date | None = None
    told: frozenset[tuple[str, str]] = frozenset()
    is_plan_kept: bool = False
    is_day_taken: bool = False


class Outcome(StrEnum):
    """What a day brings an episode."""

    MADE = "made"
    NOT_MADE = "not_made"  # held, and to be stored as such
    HELD = "held"  # held, and already stored
    WAITING = "waiting"
    DONE = "done"  # no stage left


@dataclass(frozen=True)
class Decision:
    """What the ladder decides: the stage it is about, the day it is planned for, and why (C12)."""

    outcome: Outcome
    stage: Stage | None
    planned_on: date | None
    reason: Reason


# --- the rule -------------------------------------------------------------------------------------


def following(ladder: Ladder, made: Sequence[str], day: date) -> Stage | None:
    """The episode's next stage: the first one behind the last that was made (C1)."""
    stages = ladder.stages_on(day, Subject.EPISODE)
    reached = max((stage.order for stage in ladder.stages if stage.code in made), default=None)
    return next((stage for stage in stages if reached is None or stage.order > reached), None)


def planned_on(stage: Stage, calendar: WorkingDays, state: EpisodeState, day: date) -> date:
    """The first day from `day` on which the stage's trigger, its gap, the order of days and the roll allow.

    It never lies on or before the due day, and never on a day that another stage has taken (C13).
    """
    earliest = max(stage.trigger_on(state.due_on), state.due_on + DAY, day)
    if state.last_on is not None:  # two stages never on one day, whatever the row says
        earliest = max(earliest, state.last_on + max(stage.gap_days, 1) * DAY)
    if state.is_day_taken and earliest == day:
        earliest += DAY
    return rolled(stage, calendar, earliest)


def rolled(stage: Stage, calendar: WorkingDays, day: date) -> date:
    """The day itself, or the next working day for a stage that people carry out."""
    return calendar.next_working_day(day) if stage.roll == Roll.NEXT_WORKING_DAY else day


def next_stage(ladder: Ladder, calendar: WorkingDays, state: EpisodeState, facts: DayFacts) -> Decision:
    """What `facts.day` brings an episode whose invoice is past due, open by the tolerance or more (C12).

    State and facts are hashable and nothing else counts: ask once for each distinct pair.
    """
    stage = following(ladder, state.made, facts.day)
    if stage is None:
        return Decision(Outcome.DONE, None, None, Reason("ladder_done", {"due_on": state.due_on}))
    own_day = planned_on(stage, calendar, state, facts.day)
    if own_day > facts.day:
        return Decision(Outcome.WAITING, stage, own_day, _why_waiting(stage, state, facts.day))
    held = holds(ladder, stage, state, facts)
    if not held:
        return Decision(Outcome.MADE, stage, own_day, _why_made(stage, state))
    is_told = (stage.code, held[0].code) in state.told
    return Decision(Outcome.HELD if is_told else Outcome.NOT_MADE, stage, own_day, held[0])


def _why_made(stage: Stage, state: EpisodeState) -> Reason:
    inputs: dict[str, object] = {"stage": stage.code, "due_on": state.due_on}
    inputs |= {"trigger": stage.trigger.value, "number": stage.trigger_number}
    if state.last_on is not None:
        inputs |= {"gap_days": stage.gap_days, "last_on": state.last_on}
    return Reason("trigger_reached", inputs)


def _why_waiting(stage: Stage, state: EpisodeState, day: date) -> Reason:
    trigger_on = stage.trigger_on(state.due_on)
    if trigger_on > day:
        return Reason("before_trigger", {"stage": stage.code, "trigger_on": trigger_on})
    if state.last_on is not None and day < state.last_on + max(stage.gap_days, 1) * DAY:
        return Reason(
            "gap", {"stage": stage.code, "last_on": state.last_on, "gap_days": max(stage.gap_days, 1)}
        )
    if state.is_day_taken:
        return Reason("day_taken", {"stage": stage.code})
    return Reason("no_working_day", {"stage": stage.code})


def holds(
    ladder: Ladder, stage: Stage, state: EpisodeState, facts: DayFacts, balance: Decimal | None = None
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


def legal_missing(gate: LegalGate, facts: LegalFacts, due_on: date, day: date) -> tuple[str, ...]:
    """What a legal case still lacks: `months_in_arrears`, `attempt_methods`, `delivered_letter` (C10)."""
    is_long = months_in_arrears(due_on, day) >= gate.months_in_arrears
    return tuple(
        code
        for code, is_there in (
            ("months_in_arrears", is_long or facts.is_vacated),
            ("attempt_methods", len(facts.methods) >= gate.attempt_methods),
            ("delivered_letter", facts.is_letter_delivered or not gate.is_letter_needed),
        )
        if not is_there
    )


# --- one day of one payer and unit ----------------------------------------------------------------


@dataclass(frozen=True)
class Judgement:
    """A reminder row: made, or not made and why; `debt` in yuan, `number` the invoice it hangs on (C4)."""

    is_made: bool
    stage: str
    subject: Subject
    number: str
    planned_on: date
    due_on: date
    debt: Decimal
    channel: str
    reason: Reason


@dataclass(frozen=True)
class History:
    """What was made and stored as not made so far for one payer and unit."""

    judgements: tuple[Judgement, ...] = ()

    def plus(self, more: Iterable[Judgement]) -> History:
        return History((*self.judgements, *more))

    def made(self, number: str) -> tuple[str, ...]:
        """The stages made for an invoice; the last one is `invoices.stage`."""
        return tuple(one.stage for one in self.judgements if one.is_made and one.number == number)

    def told(self, number: str) -> frozenset[tuple[str, str]]:
        return frozenset(
            (one.stage, one.reason.code)
            for one in self.judgements
            if not one.is_made and one.number == number
        )

    @property
    def last_on(self) -> date | None:
        """The day of the last episode stage; notices cause no gap."""
        return max(
            (one.planned_on for one in self.judgements if one.is_made and one.subject == Subject.EPISODE),
            default=None,
        )


def by_age(invoices: Iterable[OpenInvoice]) -> list[OpenInvoice]:
    """Oldest due date first, then the lowest number."""
    return sorted(invoices, key=lambda one: (one.due_on, number_key(one.number)))


def past_due(invoices: Iterable[OpenInvoice], day: date) -> list[OpenInvoice]:
    """What is open and past due on the day, oldest first."""
    return by_age(one for one in invoices if one.balance > 0 and one.due_on < day)


def episode(ladder: Ladder, invoices: Iterable[OpenInvoice], day: date) -> OpenInvoice | None:
    """The oldest invoice past due by the tolerance or more; one in a kept plan only if all are (B9, C13)."""
    owed = [one for one in past_due(invoices, day) if one.balance >= ladder.tolerance]
    return next((one for one in owed if not one.is_in_kept_plan), owed[0] if owed else None)


def debt(invoices: Iterable[OpenInvoice], day: date) -> Decimal:
    """All that is past due for payer and unit on the day, in yuan; what a kept plan covers is left out."""
    owed = past_due(invoices, day)
    return sum((one.balance for one in owed if not one.is_in_kept_plan), ZERO) or sum(
        (one.balance for one in owed), ZERO
    )


def judge(
    ladder: Ladder,
    calendar: WorkingDays,
    facts: DayFacts,
    invoices: Sequence[OpenInvoice],
    history: History,
) -> tuple[Judgement, ...]:
    """The reminder rows of one payer and unit for one day: at most one made (C4, C12, C13)."""
    notice = _notice(ladder, calendar, facts, invoices, history)
    oldest = episode(ladder, invoices, facts.day)
    if oldest is None:
        return (*notice, *_below_tolerance(ladder, facts, invoices, history))
    state = EpisodeState(
        due_on=oldest.due_on,
        made=history.made(oldest.number),
        last_on=history.last_on,
        told=history.told(oldest.number),
        is_plan_kept=oldest.is_in_kept_plan,
        is_day_taken=bool(notice),
    )
    decision = next_stage(ladder, calendar, state, facts)
    if decision.stage is None or decision.outcome not in {Outcome.MADE, Outcome.NOT_MADE}:
        return notice
    row = Judgement(
        is_made=decision.outcome == Outcome.MADE,
        stage=decision.stage.code,
        subject=Subject.EPISODE,
        number=oldest.number,
        planned_on=facts.day,
        due_on=oldest.due_on,
        debt=debt(invoices, facts.day),
        channel=channel(decision.stage, facts.reachable) or "",
        reason=decision.reason,
    )
    return (*notice, row)


def notice_stage(
    ladder: Ladder, calendar: WorkingDays, day: date, due_on: date, made: Sequence[str]
) -> Stage | None:
    """The invoice's own stage of the day: once each, from its trigger to the due day (contract)."""
    for stage in ladder.stages_on(day, Subject.INVOICE):
        if stage.code in made or stage.trigger_on(due_on) > day:
            continue
        return stage if day <= due_on and rolled(stage, calendar, day) == day else None
    return None


def _notice(
    ladder: Ladder,
    calendar: WorkingDays,
    facts: DayFacts,
    invoices: Sequence[OpenInvoice],
    history: History,
) -> tuple[Judgement, ...]:
    for invoice in by_age(invoices):
        if invoice.balance < ladder.tolerance or invoice.is_in_kept_plan:
            continue
        stage = notice_stage(ladder, calendar, facts.day, invoice.due_on, history.made(invoice.number))
        if stage is None:
            continue
        trigger_on = stage.trigger_on(invoice.due_on)
        row = Judgement(
            is_made=True,
            stage=stage.code,
            subject=Subject.INVOICE,
            number=invoice.number,
            planned_on=facts.day,
            due_on=invoice.due_on,
            debt=invoice.balance,
            channel=channel(stage, facts.reachable) or "",
            reason=Reason("notice_due", {"stage": stage.code, "trigger_on": trigger_on}),
        )
        return (row,)
    return ()


def _below_tolerance(
    ladder: Ladder, facts: DayFacts, invoices: Sequence[OpenInvoice], history: History
) -> tuple[Judgement, ...]:
    owed = past_due(invoices, facts.day)
    stages = ladder.stages_on(facts.day, Subject.EPISODE)
    if not owed or not stages:
        return ()
    oldest, stage = owed[0], stages[0]
    if any(code == "below_tolerance" for _, code in history.told(oldest.number)):
        return ()
    inputs = {"open": oldest.balance, "tolerance": ladder.tolerance}
    row = Judgement(
        is_made=False,
        stage=stage.code,
        subject=Subject.EPISODE,
        number=oldest.number,
        planned_on=facts.day,
        due_on=oldest.due_on,
        debt=debt(invoices, facts.day),
        channel="",
        reason=Reason("below_tolerance", inputs),
    )
    return (row,)


Situation = tuple[DayFacts, Sequence[OpenInvoice]]


def judge_days(
    ladder: Ladder,
    calendar: WorkingDays,
    days: Iterable[date],
    situation: Callable[[date], Situation],
    history: History | None = None,
) -> History:
    """The history after judging each day in order, each with what was known at its own hour (C13)."""
    past = history or History()
    for day in days:
        facts, invoices = situation(day)
        past = past.plus(judge(ladder, calendar, facts, invoices, past))
    return past


# --- what comes next ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """A coming stage and its day; day None with the reason while something without an end holds it (C12)."""

    stage: str
    planned_on: date | None
    reason: Reason


def forecast(
    ladder: Ladder, calendar: WorkingDays, state: EpisodeState, facts: DayFacts, until: date
) -> tuple[Forecast, ...]:
    """The stages from `facts.day` through `until`, and the first one after it, if nothing is paid or changes.

    Give the first day not yet judged as `facts.day`. A promise is taken to be broken (C12).
    """
    coming: list[Forecast] = []
    while True:
        decision = next_stage(ladder, calendar, state, facts)
        if decision.stage is None or decision.planned_on is None:
            return tuple(coming)
        if decision.outcome == Outcome.WAITING:
            if not coming or decision.planned_on <= until:
                facts = replace(facts, day=decision.planned_on)
                state = replace(state, is_day_taken=False)
                continue
            return tuple(coming)
        if decision.outcome != Outcome.MADE:
            if decision.reason.code == "promise_not_due" and facts.promised_on is not None:
                facts = replace(facts, day=facts.promised_on + DAY)
                continue
            return (*coming, Forecast(decision.stage.code, None, decision.reason))
        coming.append(Forecast(decision.stage.code, decision.planned_on, decision.reason))
        if decision.planned_on > until:
            return tuple(coming)
        made = (*state.made, decision.stage.code)
        state = replace(state, made=made, last_on=decision.planned_on, is_day_taken=False)


def deadline_on(stage: Stage, made_on: date) -> date | None:
    """The last day that a stage's paper names: the end of the month it is made in, or so many days later."""
    if stage.deadline == Deadline.END_OF_MONTH:
        return made_on.replace(day=monthrange(made_on.year, made_on.month)[1])
    if stage.deadline == Deadline.DAYS:
        return made_on + stage.deadline_days * DAY
    return None


def batches(rows: Sequence[Row], size: int) -> tuple[tuple[Row, ...], ...]:
    """The rows cut into batches of at most `size`; 0 is one batch (C3)."""
    if not rows:
        return ()
    step = size or len(rows)
    return tuple(tuple(rows[start : start + step]) for start in range(0, len(rows), step))


# --- restriction of services ----------------------------------------------------------------------

# Civil Code art. 944: never a means of collecting fees, whatever a policy row says
PROTECTED_SERVICES = frozenset({"water", "power", "heat", "gas", "access"})


@dataclass(frozen=True)
class Approval:
    """A person's yes to a restriction."""

    staff: int
    role: str
    is_signed: bool
    on: date


@dataclass(frozen=True)
class RestrictionFacts:
    """What was done before a restriction and who approved it; `debt` in yuan past due (C9)."""

    service: str
    is_contracted: bool
    debt: Decimal
    calls: int = 0
    visits: int = 0
    is_letter_delivered: bool = False
    is_head_visit_done: bool = False
    requested_by: int | None = None
    approvals: tuple[Approval, ...] = field(default=())


def is_restrictable(gate: RestrictionGate, service: str) -> bool:
    """Whether a service may be restricted at all: optional by policy, and not protected by law (C9)."""
    return service in gate.services and service not in PROTECTED_SERVICES


def restriction_missing(
    gate: RestrictionGate, facts: RestrictionFacts, *, is_taking_effect: bool = False
) -> tuple[str, ...]:
    """What a restriction still lacks, in the gate's order; asked again when it takes effect (C9).

    Codes: `debt`, `optional_service`, `contracted_service`, `calls`, `visit`, `deadline_letter`, `head_visit`
    and, when it takes effect, `second_approval` and `manager_signature`.
    """
    others = {one.staff for one in facts.approvals if one.staff != facts.requested_by}
    is_signed = any(
        one.is_signed and one.role == gate.signing_role and one.staff in others for one in facts.approvals
    )
    return tuple(
        code
        for code, is_there in (
            ("debt", facts.debt > 0),
            ("optional_service", is_restrictable(gate, facts.service)),
            ("contracted_service", facts.is_contracted),
            ("calls", facts.calls >= gate.calls),
            ("visit", facts.visits >= gate.visits),
            ("deadline_letter", facts.is_letter_delivered or not gate.is_letter_needed),
            ("head_visit", facts.is_head_visit_done or not gate.is_head_visit_needed),
            ("second_approval", len(others) >= gate.approvals or not is_taking_effect),
            ("manager_signature", is_signed or not is_taking_effect),
        )
        if not is_there
    )


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


# --- promises and plans ---------------------------------------------------------------------------


def promise_state(promised_on: date, amount: Decimal, paid: Decimal, today: date) -> str:
    """`open`, `kept` or `broken`: kept when `amount` was paid from the promise to the end of its day (C6).

    `paid` is what came in yuan between the promise and the end of `promised_on`.
    """
    if paid >= amount:
        return "kept"
    return "broken" if today > promised_on else "open"


@dataclass(frozen=True)
class Instalment:
    """A part of a plan in yuan and the day by which it is to be paid."""

    due_on: date
    amount: Decimal


def plan_state(instalments: Sequence[Instalment], payments: Sequence[Instalment], today: date) -> Reason:
    """`plan_kept`, `plan_done` or `plan_broken` with the missed day (B9).

    `payments` are the sums that came in since the plan, by their day; an instalment is missed when all paid
    by the end of its day is less than all due by then.
    """
    paid = sum((one.amount for one in payments if one.due_on <= today), ZERO)
    if paid >= sum((one.amount for one in instalments), ZERO):
        return Reason("plan_done")
    wanted = ZERO
    for part in sorted(instalments, key=lambda one: one.due_on):
        if part.due_on >= today:
            break
        wanted += part.amount
        came = sum((one.amount for one in payments if one.due_on <= part.due_on), ZERO)
        if came < wanted:
            return Reason(
                "plan_broken", {"due_on": part.due_on, "amount": part.amount, "missing": wanted - came}
            )
    return Reason("plan_kept")


# --- checking an edited ladder --------------------------------------------------------------------

GATES = frozenset({"", "legal"})


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
    if ladder.tolerance < 0:
        problems.append(Reason("tolerance_negative"))
    return (*problems, *_day_problems(ladder, due_day))


def _stage_problems(stage: Stage) -> Iterable[Reason]:
    is_day, is_months = stage.trigger == Trigger.DAY_OF_MONTH, stage.trigger == Trigger.MONTHS_FROM_DUE
    is_episode = stage.subject == Subject.EPISODE
    is_never = bool(stage.valid_from and stage.valid_to and stage.valid_to < stage.valid_from)
    for is_wrong, code in (
        (not stage.code, "code_empty"),
        (is_day and not 1 <= stage.trigger_number <= 31, "day_of_month_impossible"),
        (is_months and stage.trigger_number < 1, "months_impossible"),
        (stage.month_offset < 0, "month_offset_negative"),
        (is_episode and stage.gap_days < 1, "gap_too_small"),
        (stage.batch_size < 0, "batch_size_negative"),
        (not stage.channels, "channel_missing"),
        (stage.gate not in GATES, "gate_unknown"),
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
