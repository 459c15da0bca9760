"""The reference for the ladder: one payer and unit judged day by day, in memory (C1–C4, C12, C13).

Production judges all debtors of a day at once, from tables; here one debtor's whole history is a value. Tests
compare the two. Which stage follows and what holds it is asked of `rules.dunning`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from rules.allocation import by_age
from rules.dunning import (
    DayFacts,
    DunningCase,
    DunningOutcome,
    channel,
    debt,
    episode,
    next_stage,
    notice_stage,
    past_due,
)
from rules.ladder import DAY, Ladder, Subject, WorkingDays
from rules.reasons import Reason


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


@dataclass(frozen=True)
class OwedInvoice:
    """An invoice with its balance in yuan, late fee included; plans keep their invoices out (B9)."""

    number: str
    due_on: date
    balance: Decimal
    is_in_kept_plan: bool = False


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

    def recorded(self, number: str) -> frozenset[tuple[str, str]]:
        """The (stage, reason code) pairs stored as not made for an invoice."""
        return frozenset(
            (one.stage, one.reason.code)
            for one in self.judgements
            if not one.is_made and one.number == number
        )

    def is_taken(self, day: date) -> bool:
        """Whether a stage was made for the day already, of whatever invoice."""
        return any(one.is_made and one.planned_on == day for one in self.judgements)

    @property
    def last_on(self) -> date | None:
        """The day of the last episode stage; notices cause no gap."""
        return max(
            (one.planned_on for one in self.judgements if one.is_made and one.subject == Subject.EPISODE),
            default=None,
        )


def judge(
    ladder: Ladder,
    calendar: WorkingDays,
    facts: DayFacts,
    invoices: Sequence[OwedInvoice],
    history: History,
) -> tuple[Judgement, ...]:
    """The reminder rows of one payer and unit for one day: at most one made (C4, C12, C13)."""
    is_taken = history.is_taken(facts.day)  # a run that was cut short goes on here
    notice = () if is_taken else _notice(ladder, calendar, facts, invoices, history)
    oldest = episode(ladder, invoices, facts.day)
    if oldest is None:
        return (*notice, *_below_tolerance(ladder, facts, invoices, history))
    state = DunningCase(
        due_on=oldest.due_on,
        made=history.made(oldest.number),
        last_on=history.last_on,
        is_plan_kept=oldest.is_in_kept_plan,
        is_day_taken=is_taken or bool(notice),
    )
    decision = next_stage(ladder, calendar, state, facts)
    if decision.stage is None or decision.outcome not in {DunningOutcome.MADE, DunningOutcome.NOT_MADE}:
        return notice
    is_made = decision.outcome == DunningOutcome.MADE
    if not is_made and (decision.stage.code, decision.reason.code) in history.recorded(oldest.number):
        return notice
    row = Judgement(
        is_made=is_made,
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


def _notice(
    ladder: Ladder,
    calendar: WorkingDays,
    facts: DayFacts,
    invoices: Sequence[OwedInvoice],
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
    ladder: Ladder, facts: DayFacts, invoices: Sequence[OwedInvoice], history: History
) -> tuple[Judgement, ...]:
    owed = past_due(invoices, facts.day)
    stages = ladder.stages_on(facts.day, Subject.EPISODE)
    if not owed or not stages:
        return ()
    oldest, stage = owed[0], stages[0]
    if any(code == "below_tolerance" for _, code in history.recorded(oldest.number)):
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


Situation = tuple[DayFacts, Sequence[OwedInvoice]]


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
