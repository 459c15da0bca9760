"""Figures counted each night and stored with their time, because they read a month's whole history (K1, K2).

Unprompted payment reads every bill and payment of a month, the effect of a channel every message and what was
paid after it, and what old arrears brought reads a year's payments. Their cost grows with a month (a year) of
the estate's business, not with its age. A person may have any of them counted again at once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder
from models.office import ReportCount
from models.payments import Allocation, Payment
from office.core import clock
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.estate import owners
from office.policies import store
from office.reports import rates
from rules.billing import BillingDocument
from rules.money import to_fen
from rules.report_rates import is_effect, is_unprompted

Figures = Mapping[str, Mapping[str, int]]
REACHED = ("sent", "printed", "done")  # states of a reminder that went out
YOUNG = 2  # the newest months are counted every night
KEPT = 24  # older ones once, so many back


@dataclass(frozen=True)
class NightlyCount:
    """What was counted of a month or year, and when."""

    at: datetime
    figures: Figures


def counted(session: Session, report: str, periods: Sequence[str]) -> dict[str, NightlyCount]:
    """The stored counts of a report by month or year; one that was never counted is not there."""
    rows = session.execute(
        select(ReportCount.period, ReportCount.counted_at, ReportCount.figures).where(
            ReportCount.report == report, ReportCount.period.in_(list(periods))
        )
    )
    return {period: NightlyCount(at, figures) for period, at, figures in rows}


def count(session: Session, report: str, period: str, now: datetime) -> NightlyCount:
    """Count a report of a month or year anew and keep it. Raises Refused for a report that is not kept."""
    if report not in COUNTS:
        raise Refused(N_("Only these are counted at night: %(reports)s"), reports=", ".join(COUNTS))
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
    """Nightly job: the newest months again, others if they never were; safe to run twice (K2, §8)."""
    months = rates.periods(session, KEPT)
    wanted = {
        "unprompted": months,
        "channels": months,
        "old_arrears": sorted({month[:4] for month in months}, reverse=True),
        "unreachable": [f"{due_for.astimezone(clock.zone(session)):%Y-%m}"],
    }
    done = 0
    for report, periods in wanted.items():
        known = counted(session, report, periods)
        for position, period in enumerate(periods):
            if position < YOUNG or period not in known:
                count(session, report, period, due_for)
                done += 1
    return JobResult(done=done)


# --- unprompted payment (主动缴费率) ---------------------------------------------------------------------


def _unprompted(session: Session, period: str, _now: datetime) -> Figures:
    """Households billed for a month, those that owe nothing for it, and those who paid before any reminder.

    A reminder is one of the ladder that went out after the bill's due day: what goes out before tells
    of the bill. A household counts when its last bill was paid before the first reminder about any of them.
    """
    zone = clock.zone(session)
    owes, paid_on = _paid_days(session, period, zone)
    reminded_on = _reminded(session, period, zone)
    unprompted = sum(
        1
        for unit_id, owed in owes.items()
        if not owed and unit_id in paid_on and is_unprompted(paid_on[unit_id], reminded_on.get(unit_id))
    )
    paid = sum(1 for owed in owes.values() if not owed)
    return {"all": {"billed": len(owes), "paid": paid, "unprompted": unprompted}}


def _paid_days(session: Session, period: str, zone: ZoneInfo) -> tuple[dict[int, bool], dict[int, date]]:
    """Of each unit billed for a month: whether it owes, and the day on which its last payment was made."""
    last = (
        select(Allocation.invoice_id, func.max(Payment.paid_at).label("at"))
        .join(Payment, Payment.id == Allocation.payment_id)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(Invoice.period == period, Payment.state == "posted", Payment.kind == "payment")
        .group_by(Allocation.invoice_id)
        .subquery()
    )
    owes: dict[int, bool] = {}
    paid_on: dict[int, date] = {}
    rows = session.execute(
        select(Invoice.unit_id, Invoice.balance, last.c.at)
        .outerjoin(last, last.c.invoice_id == Invoice.id)
        .where(Invoice.period == period)
    )
    for unit_id, balance, at in rows:
        owes[unit_id] = owes.get(unit_id, False) or balance > 0
        if at is not None:
            day = at.astimezone(zone).date()
            paid_on[unit_id] = max(day, paid_on.get(unit_id, day))
    return owes, paid_on


def _reminded(session: Session, period: str, zone: ZoneInfo) -> dict[int, date]:
    """The day of the first reminder about a month's bill, by unit."""
    rows = session.execute(
        select(Invoice.unit_id, Reminder.sent_at, Reminder.planned_on)
        .join(Reminder, (Reminder.unit_id == Invoice.unit_id) & (Reminder.payer_id == Invoice.payer_id))
        .where(
            Invoice.period == period,
            Reminder.state.in_(REACHED),
            Reminder.planned_on > Invoice.due_on,
        )
    )
    first: dict[int, date] = {}
    for unit_id, sent_at, planned_on in rows:
        day = left_on(sent_at, planned_on, zone)
        first[unit_id] = min(day, first.get(unit_id, day))
    return first


def left_on(sent_at: datetime | None, planned_on: date, zone: ZoneInfo) -> date:
    """The office's day on which a reminder went out; without an instant, the day it was planned for."""
    return sent_at.astimezone(zone).date() if sent_at else planned_on


# --- which channel works --------------------------------------------------------------------------------


def _channels(session: Session, period: str, now: datetime) -> Figures:
    """Reminders sent in a month by channel, and those followed by a payment within the policy's days."""
    zone = clock.zone(session)
    days = store.in_force(session, BillingDocument, now.astimezone(zone).date()).effect.days
    since, until = rates.month_span(session, period)
    first, end = since.date(), until.date()
    paid = _payments(session, first, until + timedelta(days=days), zone)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"sent": 0, "effect": 0})
    rows = session.execute(
        select(
            Reminder.unit_id, Reminder.payer_id, Reminder.channel, Reminder.sent_at, Reminder.planned_on
        ).where(
            Reminder.state.in_(REACHED),
            Reminder.planned_on > Reminder.due_on,
            or_(
                Reminder.sent_at.between(since, until),
                Reminder.sent_at.is_(None) & Reminder.planned_on.between(first, end),
            ),
        )
    )
    for unit_id, payer_id, channel, sent_at, planned_on in rows:
        left = left_on(sent_at, planned_on, zone)
        if not first <= left < end:
            continue
        counts[channel]["sent"] += 1
        counts[channel]["effect"] += _has_effect(left, paid.get((unit_id, payer_id), ()), days)
    return dict(counts)


def _payments(
    session: Session, first: date, until: datetime, zone: ZoneInfo
) -> dict[tuple[int, int], list[date]]:
    """The days on which payers paid for their units, in order."""
    found: dict[tuple[int, int], list[date]] = defaultdict(list)
    rows = session.execute(
        select(Payment.unit_id, Payment.payer_id, Payment.paid_at)
        .where(
            Payment.posted_on >= first,
            Payment.paid_at >= datetime.combine(first, time(), zone),
            Payment.paid_at < until,
            Payment.kind == "payment",
            Payment.state == "posted",
        )
        .order_by(Payment.paid_at)
    )
    for unit_id, payer_id, paid_at in rows:
        found[unit_id, payer_id].append(paid_at.astimezone(zone).date())
    return found


def _has_effect(left: date, days: Sequence[date], within: int) -> bool:
    place = bisect_left(days, left)
    return place < len(days) and is_effect(left, days[place], within)


# --- what old arrears brought (往年款) -------------------------------------------------------------------


def _old_arrears(session: Session, year: str, _now: datetime) -> Figures:
    """What was paid in a year of the principal of bills of earlier years, in fen."""
    paid = session.execute(
        select(func.coalesce(func.sum(Allocation.amount), 0))
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .where(
            Invoice.period < f"{year}-01",
            Allocation.part == "principal",
            Allocation.allocated_on >= date(int(year), 1, 1),
            Allocation.allocated_on <= date(int(year), 12, 31),
        )
    ).scalar_one()
    return {"all": {"paid": to_fen(paid)}}


# --- payers that nobody reaches (P6) --------------------------------------------------------------------


def _unreachable(session: Session, _period: str, now: datetime) -> Figures:
    """Units whose present payer has no contact that works."""
    today = clock.office_day(session, now)
    return {"all": {"units": len(owners.unreachable_payers(session, today, most=1_000_000))}}


COUNTS: Mapping[str, Any] = {
    "unprompted": _unprompted,
    "channels": _channels,
    "old_arrears": _old_arrears,
    "unreachable": _unreachable,
}
