"""The list of a table: filters, chips, one page of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from markupsafe import Markup

from admin.panel import paging, row_counts, row_names, table_rows
from admin.panel.actions import Actions
from admin.panel.addresses import address_with
from admin.panel.columns import Column
from admin.panel.filters import Filter
from admin.panel.list_query import read_query
from admin.panel.list_request import CURSORS, Query
from admin.panel.saved_views import SavedViews
from models.base import db


class ListPage(Actions, SavedViews):
    @expose("/")
    def index_view(self) -> Any:
        query = read_query(self, request.args)
        conditions = self.conditions(query)
        query = paging.narrowed(db.session(), self, query, conditions)
        page = paging.page(db.session(), self, query, conditions)
        if page.count is None:
            page.count, page.is_count_exact = row_counts.count(db.session(), self, conditions)
        columns = self.columns(query.columns)
        return self.render(
            self.list_template,
            page=page,
            query=query,
            columns=columns,
            rows=self.rendered_rows(page.rows, columns),
            address=self.address(query),
            export_address=lambda kind: address_with(
                f"{self.screen}.export", dict(query.key), export_type=kind
            ),
            chips=self._chips(query),
            unread=self.unread_filters(query),
            actions=self.allowed_actions("rows"),
            list_actions=self.allowed_actions("list"),
            saved_views=self._saved_views(),
            ticks_key=urlencode(query.filtered),
            options=tuple(each.found_options(self) for each in self.filters),
        )

    def rendered_rows(
        self, rows: Sequence[Any], columns: Sequence[Column], *, has_ticks: bool | None = None
    ) -> Markup:
        """The `<tr>`s of these rows; by default with a tick box where rows can be chosen for an action."""
        if has_ticks is None:
            has_ticks = bool(self.allowed_actions("rows") or self.bulk_columns)
        return table_rows.render_rows(self, rows, columns, has_ticks=has_ticks)

    def address(self, query: Query) -> Callable[..., str]:
        """A function that gives this list's address with some parameters changed; None removes one."""
        base = {name: value for name, value in query.args.items() if name not in CURSORS}

        def changed(**changes: Any) -> str:
            return address_with(f"{self.screen}.index_view", {**base, **changes})

        return changed

    def _chips(self, query: Query) -> list[tuple[Any, str, str]]:
        address = self.address(query)
        found = []
        if query.search:
            found.append((_("Search"), query.search, address(search=None)))
        for each in self.filters:
            if each.is_active(query.readable):
                without = address(**dict.fromkeys(each.parameters()))
                found.append((self.filter_label(each), each.chip(self, query.readable), without))
        for name in self._parents(query.readable):
            row = self.parent_row(name, query.readable[name])
            shown = row_names.told_apart([row])[row.id]
            found.append((self.get_column_name(name), shown, address(**{name: None})))
        return found

    def unread_filters(self, query: Query) -> list[tuple[Any, str, str]]:
        """(label, what was given, the address without it) of each filter that isn't applied."""
        address = self.address(query)
        labels = {name: self.filter_label(each) for each in self.filters for name in each.parameters()}
        return [
            (
                labels.get(name) or self._parameter_label(name),
                query.args.get(name, "?"),
                address(**{name: None}),
            )
            for name in query.unread
        ]

    def _parameter_label(self, name: str) -> Any:
        return _("View") if name == "view" else self.get_column_name(name)

    def filter_label(self, each: Filter) -> Any:
        return each.label or self.get_column_name(each.name)
