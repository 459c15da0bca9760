"""What a reader asks of a list, read from the query string: a wrong value is dropped or clamped.

A page is addressed by the last row before it (the cursor), never by a number of rows to skip.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from werkzeug.datastructures import MultiDict

from admin.panel import request_values
from admin.panel.columns import python_type
from admin.panel.list_request import Query
from admin.panel.list_screen import ListScreen
from admin.panel.request_values import BIGGEST_ID, LONGEST_INPUT, is_clean

LONGEST_CHOICE = 1000  # characters of a filter's several values
PAGE_SIZES = (25, 50, 100, 200)


def read_query(view: ListScreen, args: Mapping[str, str]) -> Query:
    """The query string as a Query; a filter that stands in it several times has each of its values."""
    given = {**args, **{name: _joined(args, name) for name in view.several_names if name in args}}
    clean = {name: _cut(view, name, value) for name, value in given.items() if value and is_clean(value)}
    sort = clean.get("sort", "")
    is_descending = sort.startswith("-")
    sort = sort.removeprefix("-")
    one_click = clean.get("view", "")
    if sort not in view.sortable_names:
        sort, is_descending = view.default_sort(one_click)
    columns = tuple(name for name in clean.get("columns", "").split(",") if name in view.column_names)
    query = Query(
        args=clean,
        search=clean.get("search", "").strip(),
        sort=sort,
        is_descending=is_descending,
        size=_size(view, clean.get("page_size", "")),
        cursor=None,
        is_backward=False,
        one_click=one_click if one_click in view.one_click_codes else "",
        columns=columns or view.default_columns,
        unstorable=frozenset(name for name, value in given.items() if not is_clean(value)),
    )
    query.unread = view.unread(query)
    for name, is_backward in (("after", False), ("before", True)):
        cursor = read_cursor(view, query, clean.get(name, ""))
        if cursor is not None:
            query.cursor, query.is_backward = cursor, is_backward
            break
    return query


def _joined(args: Mapping[str, str], name: str) -> str:
    values = args.getlist(name) if isinstance(args, MultiDict) else [args[name]]
    return ",".join(dict.fromkeys(value for value in values if value))


def _cut(view: ListScreen, name: str, value: str) -> str:
    """What is too long is cut; several values that are cut can't be read, because the last may be another."""
    if name not in view.several_names:
        return value[:LONGEST_INPUT]
    return value if len(value) <= LONGEST_CHOICE else f"{value[:LONGEST_CHOICE]},"


def written_cursor(query: Query, row: Any) -> str:
    """The cursor that addresses the page beside this row."""
    value = row.sort__key
    if isinstance(value, datetime | date):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    packed = json.dumps([query.sort, int(query.is_descending), value, row.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_cursor(view: ListScreen, query: Query, packed: str) -> tuple[Any, int] | None:
    """The sort key and id that a cursor holds; None when it is damaged or of another order."""
    if not packed:
        return None
    try:
        sort, descending, value, identity = json.loads(
            base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        )
        key = request_values.row_id(identity)
        if sort != query.sort or bool(descending) != query.is_descending or key is None:
            return None
        if value is not None:
            kind = python_type(view.sort_type(sort))
            value = _cursor_value(kind, value)
    except (ValueError, TypeError, ArithmeticError, binascii.Error, RecursionError):
        return None
    return value, key


def _cursor_value(kind: type, value: Any) -> Any:
    """A sort key from a cursor; raises ValueError for anything else."""
    if issubclass(kind, datetime):
        return _instant(value)
    if issubclass(kind, Decimal):  # as exact as the column, unlike what a person types
        amount = Decimal(value) if len(value) < 40 else Decimal("nan")
        if not amount.is_finite() or abs(amount) >= 10**12:
            raise ValueError(value)
        return amount
    if issubclass(kind, date):
        return date.fromisoformat(value)
    if issubclass(kind, int):
        number = int(value)
        if abs(number) > BIGGEST_ID:
            raise ValueError(value)
        return bool(number) if issubclass(kind, bool) else number
    return str(value)


def _instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None or not 1 < instant.year < 9999:  # a zone may lead beyond the calendar
        raise ValueError(value)
    return instant


def _size(view: ListScreen, asked: str) -> int:
    try:
        return min(PAGE_SIZES, key=lambda size: abs(size - int(asked[:9])))
    except ValueError:
        return view.page_size
