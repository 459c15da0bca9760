"""The list of a table: filters, chips, one page of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from markupsafe import Markup

from admin.panel import paging, row_counts, row_names, table_rows, totals
from admin.panel.addresses import address_with
from admin.panel.columns import Column
from admin.panel.filters import Filter
from admin.panel.list_query import read_query
from admin.panel.list_request import CURSORS, Query
from admin.panel.list_settings import ListSettings, device
from models.base import db


class ListPage(ListSettings):
    @expose("/")
    def index_view(self) -> Any:
        saved_views, setting = self._saved_views(), self.setting()
        if not request.args and (start := self.start_address(saved_views)):
            return redirect(start)
        query = read_query(self, request.args)
        conditions = self.conditions(query)
        query = paging.narrowed(db.session(), self, query, conditions)
        by = totals.is_grouped(self, query)
        page = self._rows_page(query, conditions) if by is None else paging.Page([], count=0)
        columns = self.columns(query.columns)
        return self.render(
            self.list_template,
            page=page,
            query=query,
            columns=columns,
            setting=setting,
            widths=tuple((name, setting.widths.get(name)) for name in query.columns if setting.widths),
            device=device(),
            is_home=query.key in {(), (("all", "1"),)},
            plain_address=self.get_url(".index_view", **({"all": "1"} if setting.start else {})),
            told=totals.sentence(self, totals.of_page(self, query, page.rows)) if page.is_whole else "",
            group_by={each: self.filter_label(found) for each, found in totals.group_filters(self).items()},
            grouped=by and self.filter_label(by),
            groups=by and totals.groups(db.session(), self, query, conditions, by),
            sum_names=totals.sum_names(self, query),
            rows=self.rendered_rows(page.rows, columns),
            address=self.address(query),
            export_address=lambda kind: address_with(
                f"{self.screen}.export",
                {**dict(query.key), "columns": ",".join(query.columns)},
                export_type=kind,
            ),
            chips=self._chips(query),
            unread=self.unread_filters(query),
            actions=self.allowed_actions("rows"),
            list_actions=self.allowed_actions("list"),
            saved_views=saved_views,
            ticks_key=urlencode(query.filtered),
            options=tuple(each.found_options(self) for each in self.filters),
        )

    def _rows_page(self, query: Query, conditions: Sequence[Any]) -> paging.Page:
        page = paging.page(db.session(), self, query, conditions)
        page.is_whole = page.count is not None
        if page.count is None:
            page.count, page.is_count_exact = row_counts.count(db.session(), self, conditions)
        return page

    @expose("/totals/")
    def totals_view(self) -> Any:
        """How many rows match and the sums of their money, in a sentence that the list asks for."""
        query = read_query(self, request.args)
        found = totals.totals(db.session(), self, query, self.conditions(query))
        return jsonify(text=totals.sentence(self, found))

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
