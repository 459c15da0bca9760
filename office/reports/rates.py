"""The figures managers look at, set-based, each with what it was counted from (K1–K5).

Collection figures read one period's invoices through `invoice_once_per_unit_payer_period`; ageing and
everything overdue reads open invoices only, so that the cost follows what is owed, not the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Select, bindparam, exists, func, literal, select
from sqlalchemy.orm import Session

from models.billing import BillingRun, Invoice
from models.complaints import Ticket
from models.property import Area, Building
from office.core import clock
from office.policies import store
from office.reports import aggregates
from rules.billing import BillingDocument, Period
from rules.money import ZERO
from rules.report_rates import Collected, age_band, age_bands


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


def newest_period(session: Session) -> str | None:
    """The newest period of which a billing run made bills; without a run, the newest billed one (K1).

    A one-off charge makes no period: it would hide the month that the office collects.
    """
    of_run = exists().where(Invoice.period == BillingRun.period, Invoice.kind == "regular")
    newest = session.scalar(select(func.max(BillingRun.period)).where(of_run))
    return newest or next(iter(periods(session, 1)), None)


def choosable_months(session: Session, today: date) -> list[str]:
    """Every month from the first bill or complaint to the present or the newest bill, newest first (K1)."""
    oldest_bill, newest_bill = (
        session.scalar(select(extreme(Invoice.period))) for extreme in (func.min, func.max)
    )
    first_ticket = session.scalar(select(func.min(Ticket.registered_at)))
    present = f"{today:%Y-%m}"
    registered = f"{clock.office_day(session, first_ticket):%Y-%m}" if first_ticket else present
    first, month = min(oldest_bill or present, registered), Period.parse(max(newest_bill or present, present))
    months = []
    while str(month) >= first:
        months.append(str(month))
        month = month.plus(-1)
    return months


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


# Complaints (K3) --------------------------------------------------------------------------------------


def month_span(session: Session, period: str) -> tuple[datetime, datetime]:
    """The first instant of a month in office time, and that of the next."""
    zone = clock.zone(session)
    first = date.fromisoformat(f"{period}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return datetime.combine(first, time(), zone), datetime.combine(following, time(), zone)
