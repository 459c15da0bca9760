"""Why a row is where it is, and what comes next, when (C12). One part per kind; `flask explain` prints it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Invoice, InvoiceLine
from models.collection import Reminder
from models.people import Owner
from models.property import Unit
from office.arrears import holds as arrears_holds
from office.arrears import limitation
from office.arrears.debts import Debt, Debtor, counted, owed, total
from office.arrears.dunning import Day, LadderHistory, StoredHistory, lookahead, notices, stages_up_to
from office.core import clock
from office.core.errors import N_, Refused
from office.receivables import sums
from office.receivables.ledger import INVOICE
from rules import dunning
from rules.dunning import DayFacts, DunningCase
from rules.gates import NOTHING_TRIED
from rules.money import yuan
from rules.reasons import Reason
from rules.text_keys import text_key

FORECAST_DAYS = 30  # what a screen shows; no rule


@dataclass(frozen=True)
class Standing:
    """Where a payer's and unit's debt stands on the next day to judge."""

    invoices: tuple[Debt, ...]
    oldest: Debt | None
    state: DunningCase | None
    facts: DayFacts


def next_day(session: Session, now: datetime) -> Day:
    """The first day that is not judged yet."""
    zone = clock.zone(session)
    today = now.astimezone(zone).date()
    judged_at = arrears_holds.stored_ladder(session, today).judged_at
    at = _instant(today, judged_at, zone)
    return Day.of(session, at if now < at else _instant(today + timedelta(days=1), judged_at, zone))


def _instant(day: date, at: time, zone: Any) -> datetime:
    return datetime.combine(day, at, zone)


def standings(
    session: Session,
    day: Day,
    units: Collection[int] | None = None,
    past: LadderHistory | None = None,
    until: date | None = None,
) -> dict[Debtor, Standing]:
    """What the ladder will see on a day, per payer and unit; with `units` only theirs."""
    debts = owed(session, day.as_of, until=until or lookahead(day.ladder, day.on), units=units)
    past = past or StoredHistory(session)
    recent, stages = past.recent(day), past.stages(day, debts)
    holds = arrears_holds.holds_at(session, day.as_of, units)
    counts = counted(session, day.as_of, debts, day.ladder.counted_items)
    oldest = {debtor: dunning.episode(day.ladder, counts.get(debtor, ()), day.on) for debtor in debts}
    since = {debtor: one.due_on for debtor, one in oldest.items() if one is not None}
    tried = arrears_holds.attempts_since(session, day.as_of, since)
    reach = arrears_holds.reachable(session, {payer for _, payer in debts}, day.channels)
    letters = arrears_holds.letter_stages(day.ladder)
    found = {}
    for debtor, rows in debts.items():
        legal = tried[debtor].legal(letters) if debtor in tried else NOTHING_TRIED
        facts = arrears_holds.day_facts(debtor, day.as_of, holds, reach.get(debtor[1]), legal)
        first = oldest[debtor]
        state = None
        if first is not None:
            last_on, taken_on = recent.get(debtor, (None, None))
            state = DunningCase(
                due_on=first.due_on,
                made=stages_up_to(day.ladder)[stages.get(first.id, "")],
                last_on=last_on,
                is_plan_kept=first.is_in_kept_plan,
                is_day_taken=taken_on == day.on,
            )
        found[debtor] = Standing(tuple(rows), first, state, facts)
    return found


def invoice(session: Session, number: str, *, now: datetime) -> dict[str, Any]:
    """Why this bill is at its stage, by which rule and inputs, what comes next and when (C12)."""
    row = session.execute(
        select(Invoice, Unit.code, Owner.name)
        .join(Unit, Unit.id == Invoice.unit_id)
        .join(Owner, Owner.id == Invoice.payer_id)
        .where(Invoice.number == text_key(number).upper())
    ).one_or_none()
    if row is None:
        raise Refused(N_("There is no invoice %(number)s"), number=number)
    bill, unit_code, payer_name = row
    history = _history(session, bill.id)
    made = [one for one in history if one["state"] != "not_made"]
    day = next_day(session, now)
    ahead = max(lookahead(day.ladder, day.on), bill.due_on)
    standing = standings(session, day, [bill.unit_id], until=ahead).get((bill.unit_id, bill.payer_id))
    coming = _coming(day, standing, bill, day.on + timedelta(days=FORECAST_DAYS))
    holds = _holds(day, standing)
    late = dunning.past_due(standing.invoices, day.on) if standing else []
    today = clock.office_day(session, now)
    open_now = sums.together(sums.owed(session, today, INVOICE.c.id == bill.id))
    limited = limitation.of_invoice(session, bill.id, today)
    return {
        "unit_code": unit_code,
        "payer_name": payer_name,
        "state": bill.state,
        "due_on": bill.due_on.isoformat(),
        "principal": yuan(open_now.principal),
        "late_fee": yuan(open_now.late_fee),
        "balance": yuan(open_now.total),
        "debt": yuan(total(late)),
        "stage": bill.stage,
        "stage_on": made[-1]["planned_on"] if made else None,
        "rule": made[-1]["why"] if made else None,
        "episode": standing.oldest.number if standing and standing.oldest else None,
        "next": coming[0] if coming else None,
        "holds": [_as_json(reason) for reason in holds],
        "forecast": coming,
        "history": history,
        "limitation": limitation.as_json(limited, today) if limited else None,
        "lines": [_line(line) for line in bill.lines],
    }


def _line(line: InvoiceLine) -> dict[str, Any]:
    """A line of the bill: quantity × rate = amount, and how it came about (B5)."""
    return {
        "fee_item": line.fee_item.code,
        "quantity": f"{line.quantity.normalize():f}",
        "rate": f"{line.rate.normalize():f}",
        "amount": yuan(line.amount),
        "why": _as_json(Reason.from_json(line.explanation)) if line.explanation else None,
    }


def _history(session: Session, invoice_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Reminder).where(Reminder.subject_id == invoice_id).order_by(Reminder.planned_on, Reminder.id)
    )
    return [
        {
            "stage": row.stage,
            "planned_on": row.planned_on.isoformat(),
            "state": row.state,
            "debt": str(row.debt),
            "why": _as_json(Reason.from_json(row.why)) if row.why else None,
            "reason": _as_json(Reason.from_json(row.reason)) if row.reason else None,
        }
        for row in rows
    ]


def _as_json(reason: Reason) -> dict[str, Any]:
    """A reason for JSON: its code and inputs as stored."""
    plain = Reason.from_json(reason.to_json())
    return {"code": plain.code, "inputs": dict(plain.inputs)}


def _holds(day: Day, standing: Standing | None) -> tuple[Reason, ...]:
    if standing is None or standing.state is None:
        return ()
    stage = dunning.following(day.ladder, standing.state.made, day.on)
    if stage is None:
        return ()
    found = dunning.holds(day.ladder, stage, standing.state, standing.facts)
    # a gate is asked when its stage comes, not before
    is_early = stage.trigger_on(standing.state.due_on) > day.on
    return tuple(one for one in found if not (is_early and one.code in {"gate", "no_contact"}))


def _coming(day: Day, standing: Standing | None, bill: Invoice, until: date) -> list[dict[str, Any]]:
    """The stages to come for a bill: its notice, or those of the debt whose oldest bill it is."""
    if standing is None or all(one.id != bill.id for one in standing.invoices):
        return []
    if bill.due_on >= day.on:
        return _notices(day, bill.due_on, bill.stage) + _stages_after_due(day, standing, bill, until)
    if standing.oldest is None or standing.state is None:
        small = Reason("below_tolerance", {"open": bill.balance, "tolerance": day.ladder.tolerance})
        return [{"stage": "", "planned_on": None, "reason": _as_json(small)}]
    if standing.oldest.id != bill.id:
        older = Reason("older_debt_first", {"invoice": standing.oldest.number})
        return [{"stage": "", "planned_on": None, "reason": _as_json(older)}]
    steps = dunning.forecast(day.ladder, day.calendar, standing.state, standing.facts, until)
    return [_step(one, day, standing.state.due_on) for one in steps]


def _step(one: dunning.Forecast, day: Day, due_on: date) -> dict[str, Any]:
    return {
        "stage": one.stage,
        "trigger_on": day.ladder.stage(one.stage).trigger_on(due_on).isoformat(),
        "planned_on": one.planned_on.isoformat() if one.planned_on else None,
        "reason": _as_json(one.reason),
    }


def _notices(day: Day, due_on: date, reached: str) -> list[dict[str, Any]]:
    """The notices still to come for a bill that is not due yet."""
    made = stages_up_to(day.ladder).get(reached, ())
    return [
        {
            "stage": stage.code,
            "planned_on": max(stage.trigger_on(due_on), day.on).isoformat(),
            "reason": _as_json(Reason("notice_due", {"trigger_on": stage.trigger_on(due_on)})),
        }
        for stage in day.ladder.stages
        if stage.code in notices(day.ladder)
        and stage.code not in made
        and max(stage.trigger_on(due_on), day.on) <= due_on
    ]


def _stages_after_due(day: Day, standing: Standing, bill: Invoice, until: date) -> list[dict[str, Any]]:
    """The stages after the due day, if nothing is paid and no older debt comes first."""
    if standing.oldest is not None:
        return []
    state = DunningCase(due_on=bill.due_on)
    facts = replace(standing.facts, day=max(bill.due_on + timedelta(days=1), day.on))
    steps = dunning.forecast(day.ladder, day.calendar, state, facts, until)
    return [_step(one, day, bill.due_on) for one in steps]


# --- the office's next days -----------------------------------------------------------------------


@dataclass(frozen=True)
class ComingStage:
    """What the scheduler will do on a day if nothing is paid: how many debtors, how many yuan (C12)."""

    day: date
    stage: str
    debtors: int
    debt: Decimal


def coming_stages(
    session: Session, now: datetime, *, days: int = FORECAST_DAYS, units: Collection[int] | None = None
) -> list[ComingStage]:
    """The calendar of the next days; asked of the rules once for each distinct situation (C12)."""
    day = next_day(session, now)
    until = day.on + timedelta(days=days - 1)
    known: dict[tuple[DunningCase, DayFacts], tuple[dunning.Forecast, ...]] = {}
    counts: dict[tuple[date, str], list[Decimal]] = defaultdict(list)
    for standing in standings(session, day, units).values():
        for bill in standing.invoices:
            for one in _notices(day, bill.due_on, bill.stage) if bill.due_on >= day.on else ():
                counts[date.fromisoformat(one["planned_on"]), one["stage"]].append(bill.balance)
        if standing.state is None:
            continue
        key = (standing.state, standing.facts)
        if key not in known:
            known[key] = dunning.forecast(day.ladder, day.calendar, *key, until)
        amount = dunning.debt(standing.invoices, day.on)
        for step in known[key]:
            if step.planned_on is not None and step.planned_on <= until:
                counts[step.planned_on, step.stage].append(amount)
    return [
        ComingStage(on, stage, len(amounts), sum(amounts, Decimal(0)))
        for (on, stage), amounts in sorted(counts.items())
    ]
