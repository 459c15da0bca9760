"""The page of one record: its values, related rows, history, and masked values shown for a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import abort, flash, g, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from markupsafe import escape
from sqlalchemy import inspect, select

from admin.panel import formats, row_access, row_names, wording
from admin.panel.addresses import address_with
from admin.panel.audit import BATCH, record
from admin.panel.columns import name_column
from admin.panel.list_page import ListPage
from admin.panel.list_query import read_query
from admin.panel.paging import page as page_of
from admin.panel.paging import shown_rows
from admin.panel.registry import view_of, view_of_table
from admin.panel.request_values import is_clean
from admin.panel.responses import safe_target
from admin.panel.table_screen import TableScreen
from models.base import db
from models.office import Audit
from models.people import Staff
from models.secrets import Sealed

HISTORY_ROWS = 100


class RecordPage(ListPage):
    @expose("/details/")
    def details_view(self) -> Any:
        row = self.get_or_404(request.args.get("id"))
        return self._details(row)

    def _details(self, row: Any) -> str:
        return self.render(
            self.details_template,
            row=row,
            heading=self.heading_of(row),
            facts=self.facts(row),
            links=self.fact_links(row),
            related=self.related_lists(row),
            history=self.history(row.id),
            actions=self.record_actions(row),
            revealed=g.get("revealed", {}),
        )

    @expose("/peek/")
    def peek_view(self) -> Any:
        """What a record's page says of it, without leaving the list: for the drawer beside the list."""
        row = self.get_or_404(request.args.get("id"))
        return self.render(
            "panel/peek.html",
            row=row,
            heading=self.heading_of(row),
            facts=self.facts(row),
            links=self.fact_links(row),
            actions=self.record_actions(row),
            back=safe_target(request.args.get("url")) or self.get_url(".index_view"),
        )

    @expose("/reveal/", methods=("POST",))
    def reveal_view(self) -> Any:
        """Show one masked value to a person who gives a reason, which the audit row stores (F16)."""
        row = self.get_or_404(request.form.get("id"))
        name, reason = request.form.get("column", ""), request.form.get("reason", "").strip()
        attributes = inspect(self.model).column_attrs
        if name not in attributes or not isinstance(attributes[name].columns[0].type, Sealed):
            abort(404)
        if not reason or not is_clean(reason):
            flash(_("Please give a reason."), "error")
            return redirect(self.get_url(".details_view", id=row.id))
        record("reveal", self.model.__tablename__, row.id, {}, {"column": name, "reason": reason[:300]})
        db.session.commit()
        g.revealed = {name: getattr(row, name)}
        return self._details(row)

    def heading_of(self, row: Any) -> str:
        """What a record is called; if rows have no names, its kind and the list's first two columns."""
        if row_names.is_named(row) or type(self).text_of is not TableScreen.text_of:
            return self.text_of(row)
        names = tuple(self.column_list[:2])
        (found,) = shown_rows(db.session(), self, names, [row.id])
        values = [(self.column(name), getattr(found, self.column(name).key)) for name in names]
        shown = [escape(column.show(value, found)).striptags() for column, value in values if value]
        return f"{self.record_name} · {' · '.join(shown)}" if shown else self.text_of(row)

    def fact_links(self, row: Any) -> dict[str, str]:
        """Column name → address of the record it comes from, where the reader may see that one."""
        relations = inspect(self.model).relationships
        found = {}
        for name in self.fact_names():
            step, _dot, rest = name.partition(".")
            if "." in rest or step not in relations or relations[step].uselist:
                continue
            key = getattr(row, relations[step].local_remote_pairs[0][0].key, None)
            view = view_of_table(relations[step].mapper.class_)
            if key and view is not None and view.may("see"):
                found[name] = view.get_url(f"{view.screen}.details_view", id=key)
        return found

    def fact_names(self) -> tuple[str, ...]:
        """The columns that a record's page shows."""
        own = (*self.column_names, *self._plain_form_columns())
        return tuple(self.detail_columns) or tuple(dict.fromkeys(own))

    def facts(self, row: Any) -> list[tuple[str, Any, Any, bool]]:
        """(name, label, shown value, whether it can be revealed) of each column of a record's page."""
        names = self.fact_names()
        columns = [self.column(name) for name in names]
        (found,) = shown_rows(db.session(), self, names, [row.id])
        revealed = g.get("revealed", {})
        return [
            (
                column.name,
                column.label,
                revealed.get(column.name) or column.show(getattr(found, column.key), found),
                isinstance(self.sort_type(column.name), Sealed) and "." not in column.name,
            )
            for column in columns
        ]

    def _plain_form_columns(self) -> list[str]:
        """The form's columns as list columns; a relation that the list doesn't show as its row's name."""
        found = []
        mapper = inspect(self.model)
        shown = {name.partition(".")[0] for name in self.column_names if "." in name}
        for name in self.form_columns:
            if name in mapper.column_attrs:
                found.append(name)
            elif (
                name in mapper.relationships and name not in shown and not mapper.relationships[name].uselist
            ):
                called = name_column(mapper.relationships[name].mapper.class_)
                if called:
                    found.append(f"{name}.{'name' if called == 'name_zh_hans' else called}")
        return found

    def related_lists(self, row: Any) -> list[dict[str, Any]]:
        """The first rows of each related screen that the reader may see."""
        found = []
        for each in self.related:
            view = view_of(each.screen)
            if view is None or not view.may("see"):
                continue
            query = read_query(view, {each.column: str(row.id)})
            query.size = each.size
            query.columns = each.columns or tuple(view.column_list)
            page = page_of(db.session(), view, query, view.conditions(query))
            columns = [view.column(name) for name in query.columns]
            found.append(
                {
                    "title": each.title or view.title,
                    "view": view,
                    "page": page,
                    "columns": columns,
                    "rows": view.rendered_rows(page.rows, columns, has_ticks=False),
                    "all": address_with(f"{view.screen}.index_view", {each.column: row.id}),
                    "new": address_with(f"{view.screen}.create_view", {each.column: row.id})
                    if view.can_create and view.form_columns and view.may("create")
                    else "",
                }
            )
        return found

    def history(self, row_id: int) -> list[dict[str, Any]]:
        """What was changed on a record, newest first; nothing of a record out of reach that is shown."""
        if row_access.visible_rows(self.model) and row_access.find(self.model, row_id) is None:
            return []
        return history_of(self.model.__tablename__, row_id, self.get_column_name)


def history_of(table: str, row_id: int, label: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Audit rows of one record, newest first, with before and after of each column."""
    statement = (
        select(Audit.id, Audit.at, Audit.action, Audit.changes, Staff.name.label("staff"))
        .join(Staff, Staff.id == Audit.staff_id, isouter=True)
        .where(Audit.table_name == table, Audit.row_id == row_id, *row_access.visible_rows(Audit))
        .order_by(Audit.id.desc())
        .limit(HISTORY_ROWS)
    )
    return [
        {
            "id": row.id,
            "at": formats.instant(row.at),
            "staff": row.staff,
            "action": row.action,
            "changes": [
                (label(name), *(wording.value(name, each) for each in pair))
                for name, pair in json.loads(row.changes).items()
                if name != BATCH
            ],
        }
        for row in db.session.execute(statement)
    ]
