"""Totals of what is filtered, and a list grouped by one of its columns: counts and sums.

Both look at MOST_ADDED rows at most, so that they cost the same however large the table is; where more match,
the answer says so instead of a figure that is not exact (goals S2, S15).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import Session

from admin.panel import formats, row_counts
from admin.panel.columns import Source, money_columns, python_type
from admin.panel.filters import EMPTY, ChoiceFilter, Filter, FlagFilter, IsFilter, RangeFilter, RelationFilter
from admin.panel.list_request import Query
from admin.panel.table_screen import TableScreen

MOST_ADDED = 100_000  # rows that are added up or put into groups
MOST_GROUPS = 500


@dataclass(frozen=True)
class Totals:
    """How many rows match, and the sum of each money column; no sums where more match than are added up."""

    count: int
    is_exact: bool = True
    sums: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """The rows with one value: what it is called, and the address of the list of them, if there is one."""

    text: Any
    address: str
    count: int
    sums: tuple[Decimal, ...]


def totals(session: Session, view: TableScreen, query: Query, conditions: Sequence[Any]) -> Totals:
    """The totals of all rows that match."""
    names = money_columns(view.model, query.columns)
    if not conditions:
        estimated = row_counts.estimate(session, view.model.__tablename__)
        if estimated > MOST_ADDED:
            return Totals(estimated, is_exact=False)
    inner = _matching(view, conditions, [getattr(view.model, name).label(name) for name in names]).subquery()
    found = session.connection().execute(
        select(func.count(), *(func.sum(inner.c[name]) for name in names)).select_from(inner)
    )
    count, *sums = found.one()
    if count > MOST_ADDED:
        return Totals(MOST_ADDED, is_exact=False)
    return Totals(count, sums={name: value or Decimal(0) for name, value in zip(names, sums, strict=True)})


def of_page(view: TableScreen, query: Query, rows: Sequence[Any]) -> Totals:
    """The totals of a list that is all on one page, without asking the database."""
    names = money_columns(view.model, query.columns)
    return Totals(
        len(rows),
        sums={name: sum((getattr(row, name) or Decimal(0) for row in rows), Decimal(0)) for name in names},
    )


def sentence(view: TableScreen, found: Totals) -> str:
    """The totals as a list says them under its rows."""
    count = f"{found.count:,}"
    if found.is_exact:
        told = ngettext("%(count)s row", "%(count)s rows", found.count, count=count)
    elif found.count > MOST_ADDED:
        told = _("about %(count)s rows", count=count)
    else:
        told = _("more than %(count)s rows", count=count)
    sums = [
        _("%(name)s: %(value)s", name=view.get_column_name(name), value=formats.amount(value))
        for name, value in found.sums.items()
    ]
    return " · ".join([told, *sums])


def _matching(view: TableScreen, conditions: Sequence[Any], columns: Sequence[Any]) -> Select[Any]:
    """These columns of the rows that match, of one more than are added up."""
    asked = select(view.model.id, *columns).select_from(view.model)
    return asked.where(*conditions).limit(MOST_ADDED + 1)


# --- groups -------------------------------------------------------------------------------------------


def group_filters(view: TableScreen) -> dict[str, Filter]:
    """What a list can be grouped by: the filters with known values, and days by their month."""
    return {each.key: each for each in view.filters if _can_group(view, each)}


def _can_group(view: TableScreen, each: Filter) -> bool:
    if isinstance(each, IsFilter):
        return False
    if isinstance(each, RelationFilter):
        return not each.is_large
    if isinstance(each, RangeFilter):
        kind = python_type(view.sort_type(each.name))
        return issubclass(kind, date) and not issubclass(kind, datetime)
    return isinstance(each, ChoiceFilter | FlagFilter)


def groups(
    session: Session, view: Any, query: Query, conditions: Sequence[Any], by: Filter
) -> list[Group] | None:
    """The groups with the most rows first; None where more rows match than are put into groups."""
    names = money_columns(view.model, query.columns)
    source = Source(view.model, view.language, view.column_computed)
    key = source.expression(by.column_name(view) if isinstance(by, RelationFilter) else by.name)
    if isinstance(by, RangeFilter):
        is_sqlite = view.dialect == "sqlite"
        key = func.substr(cast(key, String), 1, 7) if is_sqlite else func.to_char(key, "YYYY-MM")
    columns = [key.label("group__key"), *(getattr(view.model, name).label(name) for name in names)]
    inner = source.joined(_matching(view, conditions, columns)).subquery()
    asked = select(inner.c.group__key, func.count(), *(func.sum(inner.c[name]) for name in names))
    rows = session.connection().execute(
        asked.group_by(inner.c.group__key)
        .order_by(func.count().desc(), inner.c.group__key)
        .limit(MOST_GROUPS)
    )
    found = rows.all()
    if sum(row[1] for row in found) > MOST_ADDED:
        return None
    address = view.address(query)
    options = by.options(view)
    return [_group(by, options, address, *row) for row in found]


def _group(by: Filter, options: Mapping[str, Any], address: Any, key: Any, count: int, *sums: Any) -> Group:
    added = tuple(value or Decimal(0) for value in sums)
    without = {"group": None}
    if key is None or key == "":
        wanted = {by.parameters()[-1]: EMPTY} if EMPTY in options else None
        return Group(formats.EMPTY, address(**without, **wanted) if wanted else "", count, added)
    if isinstance(by, RangeFilter):
        first = date.fromisoformat(f"{key}-01")
        last = date(first.year + first.month // 12, first.month % 12 + 1, 1).toordinal() - 1
        from_, to, _within = by.parameters()
        span = {from_: first.isoformat(), to: date.fromordinal(last).isoformat()}
        return Group(key, address(**without, **span), count, added)
    code = str(int(key)) if isinstance(by, FlagFilter) else str(key)
    return Group(str(options.get(code, code)), address(**without, **{by.key: code}), count, added)


def sum_names(view: TableScreen, query: Query) -> tuple[str, ...]:
    """The columns whose sums a list's groups have."""
    return money_columns(view.model, query.columns)


def is_grouped(view: TableScreen, query: Query) -> Filter | None:
    """The filter by which the address asks to group, if it is one."""
    return group_filters(view).get(query.args.get("group", ""))
