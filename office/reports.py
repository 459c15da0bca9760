"""The figures managers look at, set-based, each with what it was counted from (K1–K5).

Collection figures read one period's invoices through `invoice_once_per_unit_payer_period`; ageing and
everything overdue reads open invoices only, so that the cost follows what is owed, not the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models.base import Money
from models.billing import Invoice
from models.collection import Contact
from models.complaints import Category, Ticket, TicketClock
from models.office import CollectionTarget
from models.payments import Payment
from models.people import Department
from models.property import Area, Building, Unit
from models.visits import Visit
from office import clock, figures, policies
from office.timetable import Outcome
from rules.kpi import Collected, age_band, age_bands, is_old_arrears, kept_rate, on_time_rate, percent
from rules.money import ZERO


@dataclass(frozen=True)
class Rate:
    """The collection rate of one building, or of its whole area when `building` is empty (K1)."""

    period: str
    area_name: str
    building: str
    collected: Collected


def collection_rates(session: Session, period: str) -> list[Rate]:
    """Each area's buildings in order, behind them the area itself; money in yuan (K1).

    `period` is a month (`2026-06`) or a year (`2026`).
    """
    collected = figures.collected(session, period)
    buildings = session.execute(
        select(Area.name, Building.id, Building.name)
        .join(Area, Area.id == Building.area_id)
        .order_by(Area.position, Area.name, Building.position, Building.name)
    )
    by_area: dict[str, list[Rate]] = {}
    for area, building_id, building in buildings:
        if building_id in collected:
            by_area.setdefault(area, []).append(Rate(period, area, building, collected[building_id]))
    return [
        rate
        for area, rates in by_area.items()
        for rate in (*rates, Rate(period, area, "", sum((each.collected for each in rates), Collected())))
    ]


def whole_rate(rates: Sequence[Rate]) -> Collected:
    """The estate's own figures from its areas'."""
    return sum((rate.collected for rate in rates if not rate.building), Collected())


def periods(session: Session, count: int) -> list[str]:
    """The latest billed periods, newest first; walks the period index, not the rows."""
    found: list[str] = []
    latest = select(func.max(Invoice.period))
    period = session.execute(latest).scalar_one()
    while period and len(found) < count:
        found.append(period)
        period = session.execute(latest.where(Invoice.period < period)).scalar_one()
    return found


def target(session: Session, year: int) -> int | None:
    """The estate's collection target of a year in percent (K1)."""
    return session.execute(
        select(CollectionTarget.percent).where(
            CollectionTarget.year == year, CollectionTarget.area_id.is_(None)
        )
    ).scalar_one_or_none()


@dataclass(frozen=True)
class AgeRow:
    """One column of the ageing table: debts so many days past due (K2)."""

    code: str
    amount: Decimal
    invoices: int
    households: int


def ageing(session: Session, today: date) -> list[AgeRow]:
    """What is past due by age, in the bands of the billing policy; money in yuan (K2).

    A household counts once, in the band of its oldest debt.
    """
    bands = age_bands(policies.document(session, "billing", today)["ageing"]["bounds"])
    rows = {band.code: AgeRow(band.code, ZERO, 0, 0) for band in bands}
    for owed in figures.owed(session):
        if band := age_band(bands, owed.due_on, today):
            row = rows[band.code]
            rows[band.code] = AgeRow(
                band.code,
                row.amount + owed.amount,
                row.invoices + owed.invoices,
                row.households + owed.households,
            )
    return list(rows.values())


@dataclass(frozen=True)
class Overdue:
    amount: Decimal
    invoices: int
    households: int


def overdue(session: Session, today: date) -> Overdue:
    """Everything past due today (K4)."""
    late = [owed for owed in figures.owed(session) if owed.due_on < today]
    return Overdue(
        sum((owed.amount for owed in late), ZERO),
        sum(owed.invoices for owed in late),
        sum(owed.households for owed in late),
    )


def year_split(session: Session, today: date) -> dict[str, Decimal]:
    """What is open of this year's bills and of old arrears, in yuan (K1, 当年款/往年款)."""
    split = {"current_year": ZERO, "old_arrears": ZERO}
    for owed in figures.owed(session):
        is_old = is_old_arrears(int(owed.period[:4]), today.year)
        split["old_arrears" if is_old else "current_year"] += owed.amount
    return split


def promises(session: Session, since: date, until: date) -> dict[str, Any]:
    """Promises whose day lies in a span, by state, and the share that was kept (K2)."""
    rows = session.execute(
        select(Contact.promise_state, func.count())
        .where(Contact.promised_on >= since, Contact.promised_on <= until)
        .group_by(Contact.promise_state)
    )
    counts: dict[str, int] = {state: count for state, count in rows}  # noqa: C416 -- a Row is no pair to mypy
    kept, broken = counts.get("kept", 0), counts.get("broken", 0)
    return {"open": counts.get("open", 0), "kept": kept, "broken": broken, "rate": kept_rate(kept, broken)}


# Complaints (K3) --------------------------------------------------------------------------------------


def month_span(session: Session, period: str) -> tuple[datetime, datetime]:
    """The first instant of a month in office time, and that of the next."""
    zone = clock.zone(session)
    first = date.fromisoformat(f"{period}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return datetime.combine(first, time(), zone), datetime.combine(following, time(), zone)


def _in_month(session: Session, period: str) -> ColumnElement[bool]:
    since, until = month_span(session, period)
    return and_(Ticket.registered_at >= since, Ticket.registered_at < until)


def complaints_by(session: Session, period: str, what: str) -> list[tuple[str, int]]:
    """A month's valid complaints by `category`, `department`, `severity`, `building` or `channel` (K3)."""
    columns: dict[str, Any] = {
        "category": Category.code,
        "department": Department.code,
        "severity": Ticket.severity,
        "channel": Ticket.channel,
        "building": Building.name,
    }
    column = columns[what]
    query: Select[Any] = (
        select(column, func.count())
        .select_from(Ticket)
        .join(Category, Category.id == Ticket.category_id)
        .join(Department, Department.id == Ticket.department_id)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(Building, Building.id == Unit.building_id)
        .where(_in_month(session, period), Ticket.state != "invalid")
        .group_by(column)
        .order_by(func.count().desc(), column)
    )
    return [(code or "", count) for code, count in session.execute(query)]


@dataclass(frozen=True)
class ComplaintFigures:
    """A month of complaints; rates in percent, hours with one decimal; None of nothing (K3)."""

    registered: int
    invalid: int
    resolved: int
    reopened: int
    on_time: Decimal | None
    follow_up_rate: Decimal | None
    satisfied_rate: Decimal | None
    satisfaction: Decimal | None


def complaint_figures(session: Session, period: str) -> ComplaintFigures:
    """What became of the complaints registered in a month (K3)."""
    in_month = _in_month(session, period)
    is_valid = Ticket.state != "invalid"

    def count(*conditions: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)

    registered, invalid, resolved, reopened, visited, satisfied, score = session.execute(
        select(
            count(is_valid),
            count(~is_valid),
            count(is_valid, Ticket.resolved_at.is_not(None)),
            count(is_valid, Ticket.reopen_count > 0),
            count(is_valid, Ticket.satisfaction.is_not(None)),
            count(is_valid, Ticket.satisfaction >= 4),
            func.coalesce(func.sum(case((is_valid, Ticket.satisfaction), else_=0)), 0),
        ).where(in_month)
    ).one()
    met, breached = session.execute(
        select(
            func.coalesce(func.sum(case((TicketClock.state == "met", 1), else_=0)), 0),
            func.coalesce(func.sum(case((TicketClock.state == "breached", 1), else_=0)), 0),
        )
        .join(Ticket, Ticket.id == TicketClock.ticket_id)
        .where(in_month, is_valid)
    ).one()
    average = (Decimal(score) / visited).quantize(Decimal("0.1")) if visited else None
    return ComplaintFigures(
        registered=registered,
        invalid=invalid,
        resolved=resolved,
        reopened=reopened,
        on_time=on_time_rate(met, breached),
        follow_up_rate=percent(visited, resolved),
        satisfied_rate=percent(satisfied, visited),
        satisfaction=average,
    )


# The start page (K4) ----------------------------------------------------------------------------------

OPEN_STATES = ("registered", "assigned", "in_progress", "reopened")


@dataclass(frozen=True)
class Today:
    """What waits for someone today: counts that lead to their lists (K4)."""

    escalated: int
    breached: int
    breaching_soon: int
    open_tickets: int
    visits_due: int
    promises_due: int
    payments_today: Decimal


def today_counts(session: Session, now: datetime) -> Today:
    """The counts of the start page; each reads a partial index of what is open."""
    day = now.astimezone(clock.zone(session)).date()
    is_open = Ticket.state.in_(OPEN_STATES)
    running = and_(TicketClock.stopped_at.is_(None), TicketClock.state.in_(("running", "breached")))
    escalated, open_tickets = session.execute(
        select(func.coalesce(func.sum(case((Ticket.level > 0, 1), else_=0)), 0), func.count()).where(
            is_open, Ticket.closed_at.is_(None)
        )
    ).one()
    breached, soon = session.execute(
        select(
            func.coalesce(func.sum(case((TicketClock.due_at < now, 1), else_=0)), 0),
            func.coalesce(func.sum(case((TicketClock.due_at >= now, 1), else_=0)), 0),
        ).where(
            running,
            TicketClock.due_at <= now + timedelta(hours=2),
            or_(TicketClock.next_at.is_not(None), TicketClock.state == "breached"),
        )
    ).one()
    tomorrow = datetime.combine(day + timedelta(days=1), time(), clock.zone(session))
    visits_due = session.execute(
        select(func.count()).select_from(Visit).where(Visit.done_at.is_(None), Visit.planned_from < tomorrow)
    ).scalar_one()
    promises_due = session.execute(
        select(func.count())
        .select_from(Contact)
        .where(Contact.promise_state == "open", Contact.promised_on <= day)
    ).scalar_one()
    received = session.execute(
        select(func.coalesce(func.sum(Payment.amount), 0, type_=Money())).where(Payment.posted_on == day)
    ).scalar_one()
    return Today(escalated, breached, soon, open_tickets, visits_due, promises_due, received)


def file_monthly_report(session: Session, due_for: datetime) -> Outcome:
    """File last month's report of all valid complaints; safe to run twice (K3, §8)."""
    from models.office import Paper as FiledPaper
    from models.property import Estate
    from office import paperwork
    from office.papers.reports import ComplaintRow, MonthlyComplaints

    day = due_for.astimezone(clock.zone(session)).date()
    period = (day.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    number = f"complaints-{period}"
    if session.execute(select(FiledPaper.id).where(FiledPaper.number == number)).first():
        return Outcome()
    language = session.execute(select(Estate.language)).scalar_one()
    late = (
        select(func.count())
        .where(TicketClock.ticket_id == Ticket.id, TicketClock.state == "breached")
        .scalar_subquery()
    )
    rows = session.execute(
        select(Ticket, Unit.code, Category, Department, late)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .join(Category, Category.id == Ticket.category_id)
        .join(Department, Department.id == Ticket.department_id)
        .where(_in_month(session, period), Ticket.state != "invalid")
        .order_by(Ticket.registered_at, Ticket.id)
    )
    report = MonthlyComplaints(
        period,
        day,
        tuple(
            ComplaintRow(
                number=ticket.number,
                registered_at=ticket.registered_at,
                unit_code=code or "",
                category=category.name_in(language),
                severity=ticket.severity,
                statement=ticket.statement,
                department=department.name_in(language),
                result=ticket.resolution,
                resolved_at=ticket.resolved_at,
                is_on_time=breaches == 0,
                satisfaction=ticket.satisfaction,
            )
            for ticket, code, category, department, breaches in rows
        ),
    )
    paperwork.file(session, "monthly_complaints", report, number=number, language=language, now=due_for)
    return Outcome(done=len(report.rows), result={"period": period})


def names(session: Session, language: str) -> dict[str, str]:
    """What categories and departments are called in a language, by code."""
    rows = [*session.execute(select(Category)).scalars(), *session.execute(select(Department)).scalars()]
    return {row.code: row.name_in(language) for row in rows}
