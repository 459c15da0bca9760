"""One page of a list by keyset: an index walk instead of an offset, columns instead of entities (S1–S3).

A page is two statements: the ids of its rows, for which the database walks an index and stops after one page,
and the shown columns of these ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import operators

from admin.panel.columns import Source
from admin.panel.list_query import written_cursor
from admin.panel.list_request import Query
from admin.panel.list_screen import ListScreen

MOST_STATEMENTS = 500  # of a screen: readers choose columns as they like


@dataclass
class Page:
    """The rows of one page, and how many there are in all where that is known already."""

    rows: list[Any]
    before: str = ""  # cursor of the page before this one, empty on the first
    after: str = ""
    count: int | None = None
    is_count_exact: bool = True
    query: Query | None = field(default=None, repr=False)


def page(session: Session, view: ListScreen, query: Query, conditions: Iterable[Any]) -> Page:
    """One page of a screen's rows: first their ids in order, then the shown columns of these."""
    found = list(session.connection().execute(_ids(view, query, list(conditions))))
    if query.is_backward:
        found.reverse()
    result = _cut(found, query)
    result.rows = shown_rows(session, view, query.columns, [row.id for row in result.rows])
    return result


def _ids(view: ListScreen, query: Query, conditions: list[Any]) -> Select[Any]:
    source = Source(view.model, view.language, view.column_computed)
    key = source.expression(query.sort)
    own = view.model.id
    statement = source.joined(select(own.label("id"), key.label("sort__key")).select_from(view.model))
    backwards = query.is_descending != query.is_backward
    if query.cursor is not None:
        conditions = _without_bound(conditions, key, is_upper=backwards)
        conditions.append(_beyond(view, key, query, is_descending=backwards))
    order = _order(key, own, is_descending=backwards)
    return statement.where(*conditions).order_by(*order).limit(query.size + 1)


def shown_rows(session: Session, view: ListScreen, names: tuple[str, ...], ids: list[int]) -> list[Any]:
    """The named columns of these rows, in the order of `ids`; a row that is gone is left out."""
    if not ids:
        return []
    given = json.dumps(ids) if view.dialect == "sqlite" else ids
    rows = session.connection().execute(_shown_columns(view, names), {"ids": given}).all()
    found = {row.id: row for row in rows}
    return [found[key] for key in ids if key in found]


def _shown_columns(view: ListScreen, names: tuple[str, ...]) -> Select[Any]:
    """The statement that reads columns of given `ids`; built once for each screen, language and columns.

    The ids are one parameter, so that the statement's text is the same for every page.
    """
    place = (view.language, names)
    if place not in view.statements:
        if len(view.statements) > MOST_STATEMENTS:
            view.statements.clear()
        source = Source(view.model, view.language, view.column_computed)
        shown = [source.expression(name).label(name.replace(".", "__")) for name in names]
        version = [view.model.row_version.label("row_version")] if hasattr(view.model, "row_version") else []
        statement = source.joined(select(view.model.id.label("id"), *version, *shown).select_from(view.model))
        if view.dialect == "sqlite":
            wanted = view.model.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))
        else:
            wanted = view.model.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
        view.statements[place] = statement.where(wanted)
    found: Select[Any] = view.statements[place]
    return found


def _order(key: Any, identity: Any, *, is_descending: bool) -> tuple[Any, ...]:
    pair = (identity,) if key is identity else (key, identity)
    return tuple(each.desc() if is_descending else each.asc() for each in pair)


def _beyond(view: ListScreen, key: Any, query: Query, *, is_descending: bool) -> Any:
    """The rows after the cursor in this order; a nullable key has its nulls first on SQLite, last on PG."""
    assert query.cursor is not None
    value, identity = query.cursor
    own = view.model.id
    if key is own:
        return own < identity if is_descending else own > identity
    is_nullable = (
        getattr(getattr(key, "property", None), "columns", [None])[0] is None
        or key.property.columns[0].nullable
    )
    if not is_nullable and value is not None:
        pair, cursor = tuple_(key, own), tuple_(literal(value, key.type), literal(identity))
        return pair < cursor if is_descending else pair > cursor
    are_nulls_low = view.dialect == "sqlite"
    nulls_come_first = are_nulls_low != is_descending
    later_id = own < identity if is_descending else own > identity
    if value is None:
        tied = and_(key.is_(None), later_id)
        return or_(tied, key.is_not(None)) if nulls_come_first else tied
    bound = literal(value, key.type)
    later = or_(key < bound if is_descending else key > bound, and_(key == bound, later_id))
    return later if nulls_come_first else or_(later, key.is_(None))


def _without_bound(conditions: list[Any], key: Any, *, is_upper: bool) -> list[Any]:
    """The conditions without the bound that the cursor tightens: SQLite uses only one bound a side."""
    side = {operators.le, operators.lt} if is_upper else {operators.ge, operators.gt}
    column = getattr(key, "key", None)

    def is_that_bound(condition: Any) -> bool:
        return (
            getattr(condition, "operator", None) in side
            and getattr(condition.left, "key", None) == column
            and getattr(condition.left, "table", None)
            is getattr(getattr(key, "property", None), "columns", [key])[0].table
        )

    return [condition for condition in conditions if not is_that_bound(condition)]


def _cut(rows: list[Any], query: Query) -> Page:
    has_more = len(rows) > query.size
    if query.is_backward:  # the one row too many is the first
        rows = rows[1:] if has_more else rows
        more_before, more_after = has_more, query.cursor is not None
    else:
        rows = rows[: query.size]
        more_before, more_after = query.cursor is not None, has_more
    result = Page(rows, query=query)
    if rows and more_before:
        result.before = written_cursor(query, rows[0])
    if rows and more_after:
        result.after = written_cursor(query, rows[-1])
    if query.cursor is None and not has_more:
        result.count = len(rows)
    return result
