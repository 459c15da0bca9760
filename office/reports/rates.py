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

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Contact
from models.complaints import Category, Ticket, TicketClock
from models.office import CollectionTarget
from models.people import Department
from models.property import Area, Building, Unit
from office.core import clock
from office.core.jobs import JobResult
from office.policies import store
from office.reports import aggregates
from rules.billing import BillingDocument
from rules.money import ZERO
from rules.report_rates import Collected, age_band, age_bands, is_old_arrears, kept_rate


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
    collected = aggregates.collected(session, period)
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


def _newest_months() -> Select[str]:
    """The latest billed periods, newest first: steps along the period index, not through the rows."""
    first = select(func.max(Invoice.period).label("period"), literal(1).label("place"))
    months = first.cte("months", recursive=True)
    before = select(func.max(Invoice.period)).where(Invoice.period < months.c.period).scalar_subquery()
    is_wanted = months.c.period.is_not(None) & (months.c.place < bindparam("count"))
    months = months.union_all(select(before, months.c.place + 1).where(is_wanted))
    return select(months.c.period).where(months.c.period.is_not(None)).order_by(months.c.period.desc())


_MONTHS = _newest_months()


def periods(session: Session, count: int) -> list[str]:
    """The latest billed periods, newest first."""
    return list(session.scalars(_MONTHS, {"count": count}))


def target(session: Session, year: int) -> int | None:
    """The estate's collection target of a year in percent (K1)."""
    return session.execute(
        select(CollectionTarget.percent)
        .where(CollectionTarget.year == year, CollectionTarget.area_id.is_(None))
        .order_by(CollectionTarget.id.desc())
        .limit(1)
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
    bands = age_bands(store.in_force(session, BillingDocument, today).ageing.bounds)
    rows = {band.code: AgeRow(band.code, ZERO, 0, 0) for band in bands}
    for owed in aggregates.owed(session):
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
    late = [owed for owed in aggregates.owed(session) if owed.due_on < today]
    return Overdue(
        sum((owed.amount for owed in late), ZERO),
        sum(owed.invoices for owed in late),
        sum(owed.households for owed in late),
    )


def year_split(session: Session, today: date) -> dict[str, Decimal]:
    """What is open of this year's bills and of old arrears, in yuan (K1, 当年款/往年款)."""
    split = {"current_year": ZERO, "old_arrears": ZERO}
    for owed in aggregates.owed(session):
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


def file_monthly_report(session: Session, due_for: datetime) -> JobResult:
    """File last month's report of all valid complaints; safe to run twice (K3, §8)."""
    from models.office import Paper as FiledPaper
    from models.property import Estate
    from office.documents import archive
    from office.documents.pdf.reports import ComplaintRow, MonthlyComplaints

    day = clock.office_day(session, due_for)
    period = (day.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    number = f"complaints-{period}"
    if session.execute(select(FiledPaper.id).where(FiledPaper.number == number)).first():
        return JobResult()
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
    archive.file_document(
        session, "monthly_complaints", report, number=number, language=language, now=due_for
    )
    return JobResult(done=len(report.rows), result={"period": period})
