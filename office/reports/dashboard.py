"""What waits for someone today: the counts and short lists of the start page (K4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from models.base import Money
from models.collection import Contact, Reminder, ReminderBatch
from models.complaints import Category, Ticket, is_escalated
from models.office import Message
from models.payments import Payment, StatementRow
from models.property import Unit
from models.visits import Visit
from office.complaints import queries
from office.core import clock
from office.scheduling import job_status
from office.scheduling.timetable import Timetable
from rules.calendar_months import week_of

SHORT = 8  # lines of a short list
NEWEST = 100_000  # messages looked at

Conditions = Sequence[ColumnElement[bool]]
WAITING = text("statement_row.state = 'waiting'")  # literal, as the partial index says it
TO_DO = text("reminder.state IN ('planned', 'approved')")


@dataclass(frozen=True)
class Complaints:
    """Open complaints within reach, as the lists behind them count them (K4)."""

    open: int
    escalated: int
    late: int
    soon: int
    due_soon_minutes: int  # what `soon` means


def complaints(session: Session, now: datetime, within: Conditions) -> Complaints:
    """How many complaints are open, escalated, past a deadline, due soon."""
    minutes = queries.due_soon_minutes(session, now)
    row = session.execute(
        select(
            func.count(),
            func.count().filter(is_escalated()),
            func.count().filter(queries.is_overdue()),
            func.count().filter(queries.is_due_soon(now, minutes)),
        ).where(queries.is_open(), *within)
    ).one()
    return Complaints(*row, minutes)


def visits_to_make(session: Session, now: datetime, within: Conditions) -> int:
    """Visits not made yet whose time comes before tonight."""
    zone = clock.zone(session)
    tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
    return session.execute(
        select(func.count())
        .select_from(Visit)
        .where(Visit.done_at.is_(None), Visit.planned_from < tomorrow, *within)
    ).scalar_one()


def promises_due(session: Session, today: date, within: Conditions) -> int:
    """Open promises whose day lies in this week or is past."""
    _, sunday = week_of(today)
    return session.execute(
        select(func.count())
        .select_from(Contact)
        .where(Contact.promise_state == "open", Contact.promised_on <= sunday, *within)
    ).scalar_one()


def batches_to_approve(session: Session, within: Conditions) -> int:
    """Reminder batches that nobody has looked through yet."""
    return session.execute(
        select(func.count()).select_from(ReminderBatch).where(ReminderBatch.state == "draft", *within)
    ).scalar_one()


def reminders_to_do(session: Session, today: date, within: Conditions) -> int:
    """Reminders that are planned or approved and whose day has come."""
    return session.execute(
        select(func.count()).select_from(Reminder).where(TO_DO, Reminder.planned_on <= today, *within)
    ).scalar_one()


def tickets(session: Session, within: Conditions, *, most: int = SHORT) -> Sequence[Any]:
    """Open complaints with their first deadline, the one that comes first on top."""
    due = queries.first_due_at()
    return session.execute(
        select(
            Ticket.id,
            Ticket.number,
            Ticket.statement,
            Ticket.severity,
            Ticket.state,
            Ticket.level,
            Unit.code,
            due.label("due_at"),
        )
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .where(queries.is_open(), *within)
        .order_by(due.is_(None), due, Ticket.id)
        .limit(most)
    ).all()


def registered_today(
    session: Session, now: datetime, within: Conditions, *, most: int = SHORT
) -> Sequence[Any]:
    """Today's complaints, newest first: id, number, instant, statement, severity, state, unit code."""
    zone = clock.zone(session)
    begins = datetime.combine(now.astimezone(zone).date(), time(), zone)
    return session.execute(
        select(
            Ticket.id,
            Ticket.number,
            Ticket.registered_at,
            Ticket.statement,
            Ticket.severity,
            Ticket.state,
            Unit.code,
        )
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .join(Category, Category.id == Ticket.category_id)
        .where(Ticket.registered_at >= begins, *within)
        .order_by(Ticket.registered_at.desc(), Ticket.id.desc())
        .limit(most)
    ).all()


def takings(session: Session, today: date, cashier_id: int | None) -> list[tuple[str, int, Decimal]]:
    """What was taken today by method, of one cashier or of all: method, receipts, yuan (M3)."""
    query = (
        select(Payment.method, func.count(), func.sum(Payment.amount, type_=Money()))
        .where(Payment.posted_on == today)
        .group_by(Payment.method)
        .order_by(Payment.method)
    )
    if cashier_id is not None:
        query = query.where(Payment.cashier_id == cashier_id)
    return [(method, count, amount) for method, count, amount in session.execute(query)]


def waiting_rows(session: Session, *, most: int = SHORT) -> tuple[int, Sequence[Any]]:
    """How many statement rows wait for a person, and the oldest: id, instant, amount, memo (M5)."""
    count = session.execute(select(func.count()).select_from(StatementRow).where(WAITING)).scalar_one()
    rows = session.execute(
        select(StatementRow.id, StatementRow.paid_at, StatementRow.amount, StatementRow.memo)
        .where(WAITING)
        .order_by(StatementRow.id)
        .limit(most)
    ).all()
    return count, rows


@dataclass(frozen=True)
class Health:
    """What IT looks at first: jobs whose last run failed, messages nobody knows of, the last backup."""

    failed_jobs: tuple[str, ...]
    lost_messages: int
    backed_up_at: datetime | None


def health(session: Session, timetable: Timetable, now: datetime) -> Health:
    """The state of the scheduler, of the newest messages and of the backups."""
    statuses = {status.job: status for status in job_status.statuses(session, timetable, now)}
    newest = select(func.coalesce(func.max(Message.id), 0)).scalar_subquery()
    lost = session.execute(
        select(func.count())
        .select_from(Message)
        .where(Message.id > newest - NEWEST, Message.state.in_(("unknown", "dead")))
    ).scalar_one()
    backup = statuses["backup"]
    return Health(
        tuple(job for job, status in statuses.items() if status.state in {"failed", "dead"}),
        lost,
        backup.finished_at if backup.state == "done" else None,
    )


def next_jobs(
    session: Session, timetable: Timetable, now: datetime, *, most: int = SHORT
) -> list[tuple[str, datetime]]:
    """What the scheduler does next: each dated job with its instant, the soonest first (§8)."""
    zone = clock.zone(session)
    coming = [(job.code, job.next_after(now, zone)) for job in timetable if job.at is not None]
    return sorted(coming, key=lambda pair: pair[1])[:most]
