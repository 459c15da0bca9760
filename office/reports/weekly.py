"""The weekly meeting: who collected what against the target, what is escalated, what was promised (K5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Staff, steward_building
from models.property import Area, Building
from office.documents.pdf.reports import EscalatedRow, PromiseRow, StewardRow, WeeklyMeeting
from office.reports import catalog, collection
from office.reports.table import Wanted
from rules.calendar_months import week_of
from rules.money import ZERO, rounded

FULL = Decimal(100)


def meeting(session: Session, wanted: Wanted) -> WeeklyMeeting:
    """The values of this week's sheet; a steward's target is in yuan of what was billed (K5)."""
    monday, sunday = week_of(wanted.today)
    areas = _areas(session)
    stewards = collection.stewards(session, wanted)
    keys = [column.key for column in stewards.columns]
    return WeeklyMeeting(
        week_from=monday,
        week_to=sunday,
        stewards=tuple(_steward(dict(zip(keys, line.cells, strict=True)), areas) for line in stewards.lines),
        escalated=tuple(
            EscalatedRow(
                number=number,
                unit_code=unit,
                category=category,
                level=level,
                department=department,
                due_at=due_at,
                statement=statement,
            )
            for number, unit, category, statement, department, level, due_at in (
                line.cells for line in catalog.escalated(session, wanted).lines
            )
        ),
        promises=tuple(
            PromiseRow(unit, payer, promised_on, amount or ZERO, steward)
            for unit, payer, promised_on, amount, steward in (
                line.cells for line in catalog.promises_due(session, wanted).lines
            )
        ),
    )


def _steward(figures: Mapping[str, Any], areas: Mapping[str, str]) -> StewardRow:
    aim = figures.get("target")
    return StewardRow(
        steward=figures["steward"],
        area=areas.get(figures["steward"], ""),
        target=None if aim is None else rounded(figures["billed"] * aim / FULL),
        collected=figures["collected"],
        billed=figures["billed"],
    )


def _areas(session: Session) -> dict[str, str]:
    """The areas of each steward's buildings, by the steward's name."""
    rows = session.execute(
        select(Staff.name, Area.name)
        .join(steward_building, steward_building.c.staff_id == Staff.id)
        .join(Building, Building.id == steward_building.c.building_id)
        .join(Area, Area.id == Building.area_id)
        .distinct()
        .order_by(Staff.name, Area.name)
    )
    found: dict[str, str] = {}
    for name, area in rows:
        found[name] = f"{found[name]}、{area}" if name in found else area
    return found
