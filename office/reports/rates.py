"""The figures managers look at, set-based, each with what it was counted from (K1–K5).

Collection figures read one period's invoices through `invoice_once_per_unit_payer_period`; ageing and
everything overdue reads open invoices only, so that the cost follows what is owed, not the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, func, literal, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Contact
from models.office import CollectionTarget
from models.property import Area, Building
from office.core import clock
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
