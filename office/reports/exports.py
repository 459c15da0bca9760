"""What `flask export` gives of reports: the collection rate of each period (contract "Exports")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from office.core.exports import Format, Table, amount, formatted, plain
from office.reports import rates
from rules.report_rates import percent

COLLECTION_RATE: Mapping[str, Format] = {
    "period": plain,
    "area_name": plain,
    "building": plain,
    "billed": amount,
    "paid": amount,
    "rate_amount": plain,
    "households_billed": plain,
    "households_paid": plain,
    "rate_households": plain,
    "late_fees": amount,
    "deposits_billed": amount,
    "deposits_paid": amount,
}


def collection_rate(session: Session) -> Table:
    formats = [*COLLECTION_RATE.values()]
    return [*COLLECTION_RATE], formatted(session, _collection_rates(session), formats)


def _collection_rates(session: Session) -> Iterator[Sequence[Any]]:
    """Each period's buildings and, behind them, their area; periods in order (K1)."""
    for period in reversed(rates.periods(session, 100_000)):
        for found in rates.collection_rates(session, period):
            figures = found.collected
            yield (
                period,
                found.area_name,
                found.building,
                figures.billed,
                figures.paid,
                percent(figures.paid, figures.billed),
                figures.households_billed,
                figures.households_paid,
                percent(figures.households_paid, figures.households_billed),
                figures.late_fees,
                figures.deposits_billed,
                figures.deposits_paid,
            )
