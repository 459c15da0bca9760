"""The rows of a list as HTML, column by column: no template for each row (decisions: Speed)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from admin.panel.columns import Column
from admin.panel.table_screen import TableScreen


def render_rows(
    view: TableScreen, rows: Sequence[Any], columns: Sequence[Column], *, has_ticks: bool
) -> Markup:
    """`<tr>` for each row: a tick box where rows can be acted on, then the cells; the first is the link."""
    if not rows:
        return Markup("")
    can_edit = view.can_edit and view.may("edit")
    values = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    table = [_starts(values, has_ticks=has_ticks)]
    for position, column in enumerate(columns):
        cells = _cells(column, values[column.key], rows)
        if position == 0:
            details = url_for(f"{view.screen}.details_view")
            cells = [
                cell if "<a " in cell else f'<a href="{details}?id={key}">{cell}</a>'
                for key, cell in zip(values["id"], cells, strict=True)
            ]
        opening = _opening(column, position, can_edit)
        table.append([f"{opening}{cell}</td>" for cell in cells])
    lines = ["".join(parts) for parts in zip(*table, strict=True)]
    return Markup("".join(f"{line}</tr>" for line in lines))  # noqa: S704 -- _cells() escapes


def _cells(column: Column, values: Sequence[Any], rows: Sequence[Any]) -> list[str]:
    """What is seen of a column in each row, escaped."""
    if column.is_by_value:
        known = {value: escape(column.show(value, None)) for value in set(values)}
        return [known[value] for value in values]
    shown = [column.show(value, row) for value, row in zip(values, rows, strict=True)]
    return shown if column.is_plain else _escaped(shown)


def _escaped(shown: list[Any]) -> list[str]:
    """Each as HTML; a column of nothing but text in one go, which is four times faster."""
    if all(type(each) is str for each in shown):
        together = str(escape("\x00".join(shown))).split("\x00")
        if len(together) == len(
            shown
        ):  # no text has a NUL, which PostgreSQL refuses and request_values.is_clean too
            return together
    return [escape(each) for each in shown]


def _starts(values: Mapping[str, Sequence[Any]], *, has_ticks: bool) -> list[str]:
    """The beginning of each `<tr>`, with its tick box."""
    tick = ""
    if has_ticks:
        tick = (
            '<td class="tick"><input type="checkbox" name="rowid" value="{0}" form="acting" '
            'aria-label="{0}"></td>'
        )
    start = f'<tr data-id="{{0}}" data-version="{{1}}">{tick}'.format
    versions = values.get("row_version") or [""] * len(values["id"])
    return list(map(start, values["id"], versions))


def _opening(column: Column, position: int, can_edit: bool) -> str:  # noqa: FBT001 -- one flag
    classes = " ".join(filter(None, (column.layout, "first" if position == 0 else "")))
    label = escape(str(column.label))
    editable = f' data-edit="{escape(column.name)}" tabindex="0"' if can_edit and column.is_editable else ""
    return f'<td class="{classes}" data-label="{label}"{editable}>'
