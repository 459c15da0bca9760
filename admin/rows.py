"""The rows of a list as one string: no form, macro or template per row (decisions: Speed)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from admin import lists


def draw(view: Any, rows: Sequence[Any], columns: Sequence[lists.Column], *, has_ticks: bool) -> Markup:
    """`<tr>` for each row: a tick box where rows can be acted on, then the cells; the first is the link."""
    details = url_for(f"{view.screen}.details_view")
    can_edit = view.can_edit and view.may("edit")
    cells = [
        (column.key, column.show, _opening(column, position, can_edit), {} if column.is_by_value else None)
        for position, column in enumerate(columns)
    ]
    drawn: list[str] = []
    put = drawn.append
    for row in rows:
        key = row.id
        put(f'<tr data-id="{key}" data-version="{getattr(row, "row_version", "")}">')
        if has_ticks:
            put(
                f'<td class="tick"><input type="checkbox" name="rowid" value="{key}" form="acting" '
                f'aria-label="{key}"></td>'
            )
        is_first = True
        for name, show, opening, known in cells:
            value = getattr(row, name)
            if known is None:
                shown = escape(show(value, row))
            elif value in known:
                shown = known[value]
            else:
                shown = known[value] = escape(show(value, row))
            put(opening)
            put(f'<a href="{details}?id={key}">{shown}</a>' if is_first and "<a " not in shown else shown)
            put("</td>")
            is_first = False
        put("</tr>")
    return Markup("".join(drawn))  # noqa: S704 -- each value above went through escape()


def _opening(column: lists.Column, position: int, can_edit: bool) -> str:  # noqa: FBT001 -- one flag
    classes = " ".join(filter(None, (column.layout, "first" if position == 0 else "")))
    label = escape(str(column.label))
    editable = f' data-edit="{escape(column.name)}" tabindex="0"' if can_edit and column.is_editable else ""
    return f'<td class="{classes}" data-label="{label}"{editable}>'
