"""What a report is: a table of plain values with its columns, lines, links and chart (K1–K6).

A table says its columns by key; office/documents/pdf/wording.toml names them in the reader's language. A
line may lead to the list behind its figures. Rates are in percent with one decimal, money in yuan; None of
nothing.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.people import steward_building
from models.property import Area, Building


@dataclass(frozen=True)
class Column:
    """One column: its key in the papers' words, what its values are, and which table names its codes."""

    key: str
    kind: str = "text"  # text, code, money, count, rate, points, hours, score, day, instant, flag
    codes: str = ""


@dataclass(frozen=True)
class Link:
    """The list behind a line: a screen and its query."""

    screen: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    cells: tuple[Any, ...]
    link: Link | None = None
    is_total: bool = False


@dataclass(frozen=True)
class Chart:
    """How a table is drawn: which column names the values, which hold them, and a line to reach."""

    label: int
    values: tuple[int, ...]
    kind: str = "bar"
    target: Decimal | None = None


@dataclass(frozen=True)
class Table:
    code: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    chart: Chart | None = None
    counted_at: datetime | None = None  # of figures that are counted at night
    is_counted: bool = False
    head: int = 0  # the column that names a line and leads to its list


@dataclass(frozen=True)
class Wanted:
    """What a report is asked for: a month (`2026-06`) or a year (`2026`), and of which part of the estate."""

    period: str
    now: datetime
    today: date
    language: str = "zh_Hans"
    area_id: int | None = None
    building_id: int | None = None
    steward_id: int | None = None
    fee_item_id: int | None = None
    department_id: int | None = None
    own_tickets: tuple[ColumnElement[bool], ...] = field(default=())  # what the reader may see of complaints

    @property
    def year(self) -> int:
        return int(self.period[:4])

    @property
    def is_year(self) -> bool:
        return len(self.period) == 4

    @property
    def is_whole(self) -> bool:
        return not (self.area_id or self.building_id or self.steward_id)

    def months(self) -> list[str]:
        """The months of the year, or the one month."""
        return [f"{self.year:04}-{month:02}" for month in range(1, 13)] if self.is_year else [self.period]

    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        first, last = self.months()[0], self.months()[-1]
        _, length = calendar.monthrange(int(last[:4]), int(last[5:]))
        return date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-{length}")


@dataclass(frozen=True)
class Place:
    """A building and where it stands."""

    area_id: int
    area: str
    building_id: int
    building: str


def places(session: Session, wanted: Wanted) -> list[Place]:
    """The buildings of the wanted part of the estate, in their order."""
    query = (
        select(Area.id, Area.name, Building.id, Building.name)
        .join(Area, Area.id == Building.area_id)
        .order_by(Area.position, Area.name, Building.position, Building.name)
    )
    if wanted.area_id:
        query = query.where(Area.id == wanted.area_id)
    if wanted.building_id:
        query = query.where(Building.id == wanted.building_id)
    if wanted.steward_id:
        own = select(steward_building.c.building_id).where(steward_building.c.staff_id == wanted.steward_id)
        query = query.where(Building.id.in_(own))
    return [Place(*row) for row in session.execute(query)]
