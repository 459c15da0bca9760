"""One page of a list by keyset: an index walk instead of an offset, columns instead of entities (S1–S3).

A page is two statements: the ids of its rows, for which the database walks an index and stops after one page,
and the shown columns of these ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import AliasedInsp
from sqlalchemy.sql import operators

from admin.panel import row_counts
from admin.panel.columns import Source, python_type
from admin.panel.list_query import written_cursor
from admin.panel.list_request import Query
from admin.panel.list_screen import ListScreen

MOST_SORTED = 10_000  # rows that are sorted by a column without an index
COMPARISONS = frozenset(
    {operators.eq, operators.lt, operators.le, operators.gt, operators.ge, operators.between_op}
)
MOST_STATEMENTS = 500  # of a screen: readers choose columns as they like


@dataclass
class Page:
    """The rows of one page, and how many there are in all where that is known already."""

    rows: list[Any]
    before: str = ""  # cursor of the page before this one, empty on the first
    after: str = ""
    count: int | None = None
    is_count_exact: bool = True
    is_whole: bool = False  # all that match is on it
    query: Query | None = field(default=None, repr=False)


def page(session: Session, view: ListScreen, query: Query, conditions: Iterable[Any]) -> Page:
    """One page of a screen's rows: first their ids in order, then the shown columns of these."""
    found: list[Any] = []
    for statement in _ids(view, query, list(conditions)):
        if len(found) <= query.size:
            found += session.connection().execute(statement.limit(query.size + 1 - len(found)))
    if query.is_backward:
        found.reverse()
    result = _cut(found, query)
    result.rows = shown_rows(session, view, query.columns, [row.id for row in result.rows])
    return result


def narrowed(session: Session, view: ListScreen, query: Query, conditions: Sequence[Any]) -> Query:
    """The query, in the list's own order where more rows match than are sorted without an index.

    It then says in `unsorted` by what it was to be ordered.
    """
    if query.sort in view.indexed_names or row_counts.are_at_most(session, view, conditions, MOST_SORTED):
        return query
    sort, is_descending = view.default_sort(query.one_click)
    return replace(
        query, unsorted=query.sort, sort=sort, is_descending=is_descending, cursor=None, is_backward=False
    )


def _ids(view: ListScreen, query: Query, conditions: list[Any]) -> Iterator[Select[Any]]:
    """The statements whose rows, one after the other, are those from the cursor on in this order.

    Rows without the sort key come last in both directions, so a key that may be missing takes two of them:
    each walks one stretch of the index, whichever end the database keeps its NULLs at.
    """
    source = Source(view.model, view.language, view.column_computed)
    key, own = source.sort_key(query.sort), view.model.id
    asked = source.joined(select(own.label("id"), key.label("sort__key")).select_from(view.model))
    backwards = query.is_descending != query.is_backward
    is_past_keys = query.cursor is not None and query.cursor[0] is None
    later = () if query.cursor is None else (own < query.cursor[1] if backwards else own > query.cursor[1],)
    if key is own:
        yield asked.where(*conditions, *later).order_by(*_order(key, own, is_descending=backwards))
        return
    with_key = list(conditions)
    if query.cursor is not None and not is_past_keys:
        with_key = _without_bound(conditions, key, is_upper=backwards)
        with_key.append(_beyond(view, key, query, is_descending=backwards))
    may_lack = _may_lack(key) and not any(_compares(each, key) for each in conditions)
    if may_lack:
        with_key.append(_has(view, key))
    keyed = asked.where(*with_key).order_by(*_order(key, own, is_descending=backwards))
    unkeyed = asked.where(*conditions, key.is_(None), *(later if is_past_keys else ()))
    unkeyed = unkeyed.order_by(own.desc() if backwards else own.asc())
    if not may_lack:
        yield keyed
    elif query.is_backward:
        if query.cursor is None or is_past_keys:
            yield unkeyed
        yield keyed
    else:
        if not is_past_keys:
            yield keyed
        yield unkeyed


def _may_lack(key: Any) -> bool:
    """Whether a row may have no such value: a nullable column, a joined one, a computed one."""
    columns = getattr(getattr(key, "property", None), "columns", None)
    if columns is None or isinstance(getattr(key, "parent", None), AliasedInsp):
        return True
    return bool(columns[0].nullable)


def _compares(condition: Any, key: Any) -> bool:
    """Whether a condition compares the sort key, which no row without one meets."""
    if getattr(condition, "operator", None) is operators.and_:
        return any(_compares(each, key) for each in condition.clauses)
    if getattr(condition, "operator", None) not in COMPARISONS:
        return False
    columns = getattr(getattr(key, "property", None), "columns", None)
    if not columns:
        return False
    left = condition.left
    return left.key == columns[0].key and getattr(left, "table", None) is columns[0].table


def _has(view: ListScreen, key: Any) -> Any:
    """The key is not NULL; for SQLite as a bound, by which it leaves out an index's stretch of NULLs."""
    if view.dialect != "sqlite":
        return key.is_not(None)
    is_text = issubclass(python_type(key.type), str | date)  # as which SQLite keeps days and instants
    return key >= literal_column("''" if is_text else "-9e999", key.type)


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
    """The rows with a sort key after the cursor in this order."""
    assert query.cursor is not None
    value, identity = query.cursor
    pair, cursor = tuple_(key, view.model.id), tuple_(literal(value, key.type), literal(identity))
    return pair < cursor if is_descending else pair > cursor


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
