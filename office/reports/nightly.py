"""Figures counted each night and stored with their time, because they read a month's whole history (K1, K2).

Unprompted payment reads every bill of a month and what paid it, the effect of a channel every message and
what was paid after it. Their cost grows with a month of the estate's business, not with its age. A month is
counted again when a row behind it has changed, however old it is; a person may have any counted at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder
from models.office import ReportCount
from models.payments import Allocation
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.estate import owners
from office.policies import store
from office.reports import aggregates, rates
from rules.billing import BillingDocument, Period
from rules.report_rates import is_effect, is_judged, is_unprompted

Figures = Mapping[str, Mapping[str, int]]
REACHED = ("sent", "printed", "done")  # states of a reminder that went out
EVER = 100_000  # months: all of them
AT_ONCE = 24  # months that were never counted, in one night


@dataclass(frozen=True)
class NightlyCount:
    """What was counted of a month, and when."""

    at: datetime
    figures: Figures


def counted(session: Session, report: str, periods: Sequence[str]) -> dict[str, NightlyCount]:
    """The stored counts of a report by month; one that was never counted is not there."""
    rows = session.execute(
        select(ReportCount.period, ReportCount.counted_at, ReportCount.figures).where(
            ReportCount.report == report, ReportCount.period.in_(list(periods))
        )
    )
    return {period: NightlyCount(at, figures) for period, at, figures in rows}


def count(session: Session, report: str, period: str, now: datetime) -> NightlyCount:
    """Count a report of a month anew and keep it. Raises Refused for a report that is not kept."""
    if report not in COUNTS:
        raise Refused(N_("Only these are counted at night: %(reports)s"), reports=", ".join(COUNTS))
    # first: who marks it meanwhile waits until this is committed, and it is counted once more
    session.execute(
        update(ReportCount)
        .where(ReportCount.report == report, ReportCount.period == period)
        .values(is_stale=False)
    )
    found = COUNTS[report](session, period, now)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(ReportCount)
    values = {"counted_at": now, "figures": found}
    session.execute(
        insert.values(report=report, period=period, **values).on_conflict_do_update(
            index_elements=["report", "period"], set_=values
        )
    )
    return NightlyCount(now, found)


def count_all(session: Session, due_for: datetime) -> JobResult:
    """Nightly job: what was never counted, and what changed since; safe to run twice (K2, §8).

    However old a month is, it is counted again when a row behind it changed. The months whose messages may
    still be answered are counted every night.
    """
    aggregates.store(session, due_for)
    today = clock.office_day(session, due_for)
    young = {f"{day:%Y-%m}" for day in (today, today - timedelta(days=effect_days(session, today) + 1))}
    done = 0
    for report, periods in (
        ("unprompted", rates.periods(session, EVER)),
        ("channels", _months_of_messages(session, today)),
        ("unreachable", [f"{today:%Y-%m}"]),
    ):
        always = {"unprompted": set(), "channels": young, "unreachable": set(periods)}[report]
        known = _known(session, report)
        fresh = {period for period, is_stale in known.items() if not is_stale} - always
        never = [period for period in periods if period not in known][:AT_ONCE]
        changed = [period for period in periods if period in known and period not in fresh]
        for period in (*never, *changed):
            count(session, report, period, due_for)
            done += 1
    return JobResult(done=done)


def _known(session: Session, report: str) -> dict[str, bool]:
    """The periods of a report that were counted, and whether they changed since."""
    rows = session.execute(
        select(ReportCount.period, ReportCount.is_stale).where(ReportCount.report == report)
    )
    return {period: is_stale for period, is_stale in rows}  # noqa: C416 -- rows, not pairs


def _months_of_messages(session: Session, today: date) -> list[str]:
    """The months since the first reminder, newest first."""
    first = session.scalar(select(func.min(Reminder.planned_on)))
    months, month = [], Period.of(today)
    while first is not None and month.last_on >= first:
        months.append(str(month))
        month = month.plus(-1)
    return months


def effect_days(session: Session, today: date) -> int:
    """Up to how many days after a message a payment counts as its effect (K2)."""
    return store.in_force(session, BillingDocument, today).effect.days


# --- unprompted payment (主动缴费率) ---------------------------------------------------------------------


def _unprompted(session: Session, period: str, _now: datetime) -> Figures:
    """Households billed for a month, those that owe nothing for it, and those who paid before any reminder.

    A reminder is one of the ladder that went out after the bill's due day: what goes out before tells
    of the bill. A household counts when its last bill was paid before the first reminder about any of them.
    """
    kinds = set(aggregates.household_kinds(session))
    bills = [bill for bill in aggregates.bills_of_month(session, period) if bill.unit_kind in kinds]
    paid_on, reminded_on = _paid_days(session, period), _reminded(session, period, clock.zone(session))
    owes: dict[int, bool] = {}
    last: dict[int, date] = {}
    first: dict[int, date] = {}
    for bill in bills:
        owes[bill.unit_id] = owes.get(bill.unit_id, False) or bill.balance > 0
        if day := paid_on.get(bill.invoice_id):
            last[bill.unit_id] = max(day, last.get(bill.unit_id, day))
        if day := reminded_on.get(bill.invoice_id):
            first[bill.unit_id] = min(day, first.get(bill.unit_id, day))
    paid = [unit_id for unit_id, owed in owes.items() if not owed]
    unprompted = sum(
        1 for unit_id in paid if unit_id in last and is_unprompted(last[unit_id], first.get(unit_id))
    )
    return {"all": {"billed": len(owes), "paid": len(paid), "unprompted": unprompted}}


def _paid_days(session: Session, period: str) -> dict[int, date]:
    """The last day from which a payment in force pays for the principal of a month's bill, by bill."""
    net = (
        select(
            Allocation.invoice_id,
            func.max(Allocation.allocated_on).filter(Allocation.amount > 0).label("day"),
        )
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(Invoice.period == period, Allocation.part == "principal")
        .group_by(Allocation.invoice_id, Allocation.payment_id)
        .having(func.sum(Allocation.amount) > 0)
        .subquery()
    )
    rows = session.execute(select(net.c.invoice_id, func.max(net.c.day)).group_by(net.c.invoice_id))
    return {invoice_id: day for invoice_id, day in rows}  # noqa: C416 -- rows, not pairs


def _reminded(session: Session, period: str, zone: ZoneInfo) -> dict[int, date]:
    """The day of the first reminder about a month's bill, by bill.

    A reminder is about its oldest debt and what fell due after it.
    """
    rows = session.execute(
        select(Invoice.id, Reminder.sent_at, Reminder.planned_on)
        .join(Reminder, (Reminder.unit_id == Invoice.unit_id) & (Reminder.payer_id == Invoice.payer_id))
        .where(
            Invoice.period == period,
            Reminder.state.in_(REACHED),
            Reminder.due_on <= Invoice.due_on,
            Reminder.planned_on > Invoice.due_on,
        )
    )
    first: dict[int, date] = {}
    for invoice_id, sent_at, planned_on in rows:
        day = left_on(sent_at, planned_on, zone)
        first[invoice_id] = min(day, first.get(invoice_id, day))
    return first


def left_on(sent_at: datetime | None, planned_on: date, zone: ZoneInfo) -> date:
    """The office's day on which a reminder went out; without an instant, the day it was planned for."""
    return sent_at.astimezone(zone).date() if sent_at else planned_on


# --- which channel works --------------------------------------------------------------------------------


@dataclass(frozen=True)
class SentReminder:
    """A reminder that went out: to whom, by which way, about bills due since when, planned and gone when."""

    payer: tuple[int, int]  # unit and payer
    channel: str
    since: date
    planned_on: date
    left: date


def _channels(session: Session, period: str, now: datetime) -> Figures:
    """Reminders of a month by channel, and those after which a bill that they were about was paid (K2).

    Only those whose days are over are judged; the others are `young`.
    """
    today = clock.office_day(session, now)
    days = effect_days(session, today)
    sent = _sent(session, period, clock.zone(session))
    paid = _paid_after(session, sent)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"sent": 0, "effect": 0, "young": 0})
    for one in sent:
        if not is_judged(one.left, today, days):
            counts[one.channel]["young"] += 1
            continue
        counts[one.channel]["sent"] += 1
        counts[one.channel]["effect"] += any(
            one.since <= due_on < one.planned_on and is_effect(one.left, paid_on, days)
            for due_on, paid_on in paid.get(one.payer, ())
        )
    return dict(counts)


def _sent(session: Session, period: str, zone: ZoneInfo) -> list[SentReminder]:
    """The reminders after a due day that went out in a month."""
    since, until = rates.month_span(session, period)
    first, end = since.date(), until.date()
    rows = session.execute(
        select(
            Reminder.unit_id,
            Reminder.payer_id,
            Reminder.channel,
            Reminder.due_on,
            Reminder.planned_on,
            Reminder.sent_at,
        ).where(
            Reminder.state.in_(REACHED),
            Reminder.planned_on > Reminder.due_on,
            or_(
                Reminder.sent_at.between(since, until),
                Reminder.sent_at.is_(None) & Reminder.planned_on.between(first, end),
            ),
        )
    )
    found = [
        SentReminder((unit_id, payer_id), channel, due_on, planned_on, left_on(sent_at, planned_on, zone))
        for unit_id, payer_id, channel, due_on, planned_on, sent_at in rows
    ]
    return [one for one in found if first <= one.left < end]


def _paid_after(
    session: Session, sent: Sequence[SentReminder]
) -> dict[tuple[int, int], list[tuple[date, date]]]:
    """What payments in force paid of the reminded payers' bills: due day and day of payment, by payer."""
    wanted = {one.payer for one in sent}
    since = min((one.since for one in sent), default=date.max)
    found: dict[tuple[int, int], list[tuple[date, date]]] = defaultdict(list)
    for units in chunks(sorted({unit_id for unit_id, _ in wanted})):
        rows = session.execute(
            select(
                Invoice.unit_id,
                Invoice.payer_id,
                Invoice.due_on,
                func.sum(Allocation.amount),
                func.max(Allocation.allocated_on).filter(Allocation.amount > 0),
            )
            .join(Allocation, Allocation.invoice_id == Invoice.id)
            .where(Invoice.unit_id.in_(units), Invoice.due_on >= since)
            .group_by(Invoice.id, Invoice.unit_id, Invoice.payer_id, Invoice.due_on, Allocation.payment_id)
            .having(func.sum(Allocation.amount) > 0)
        )
        for unit_id, payer_id, due_on, _net, paid_on in rows:
            if (unit_id, payer_id) in wanted:
                found[unit_id, payer_id].append((due_on, paid_on))
    return found


# --- payers that nobody reaches (P6) --------------------------------------------------------------------


def _unreachable(session: Session, _period: str, now: datetime) -> Figures:
    """Units whose present payer has no contact that works."""
    today = clock.office_day(session, now)
    return {"all": {"units": len(owners.unreachable_payers(session, today, most=1_000_000))}}


COUNTS: Mapping[str, Any] = {
    "unprompted": _unprompted,
    "channels": _channels,
    "unreachable": _unreachable,
}
