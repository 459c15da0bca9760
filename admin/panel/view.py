"""OfficeView: the one hardened screen that every table's screen inherits, and OfficePage for hand-made ones.

Writing a screen
    class TariffView(OfficeView):
        table = Tariff                      # the model
        screen = "tariffs"                  # address, endpoint and row in admin/panel/permissions.py
        title = _l("Tariffs")
        room = "bills"                      # heading of the sidebar, see ROOMS
        icon = "tag"                        # a symbol of static/icons.svg
        column_list = ("fee_item.name", "unit_kind", "rate", "valid_from", "valid_to")
        column_searchable_list = ("fee_item.code",)          # prefix search; dotted names are fine
        search_exact = ("owner.phones.number_mac",)          # found by the exact value's fingerprint
        column_default_sort = "-valid_from"                  # a leading - is descending
        filters = (ChoiceFilter("unit_kind"), RelationFilter("fee_item"), RangeFilter("valid_from"))
        one_click = (OneClick("current", _l("In force"), lambda view: [Tariff.valid_to.is_(None)]),)
        choices = {"unit_kind": labels.UNIT_KINDS}           # code → label: badge, select and filter alike
        form_columns = ("fee_item", "unit_kind", "rate", "valid_from", "valid_to")
        form_sections = ((_l("What"), ("fee_item", "unit_kind")), (_l("How much"), ("rate", …)))
        column_descriptions = {"rate": _l("Yuan for each unit of the basis")}   # help under the field
        related = (Related("invoices", "unit_id"),)          # lists shown under a record
        large_relations = {"unit": ("code",)}                # pickers that search by these columns

Columns: `number`, `unit.code` (joined), or a key of `column_computed` = {"is_overdue": lambda model: SQL}.
`name` of a table named in three languages is the reader's name. Formats come from the column's type
(money, date, office time, flag, masked); `column_formats = {"stage": formats.badge(labels.STAGES)}`
overrules, a format is `(value, row) -> text or Markup` and never queries. Labels come from
admin/panel/labels.py unless `column_labels` says otherwise. `detail_columns` defaults to the list's and
the form's columns. Large tables set `is_large = True`: only indexed columns sort.
Rows a reader may touch: admin/panel/row_access.py says it for each table, or override `scope(self) -> list
of SQL conditions`; it holds for the list, one record, look-ups, export, actions and inline edit.
`lookup_scope(name, model)` does so for a picker's rows.
Read-only tables set `can_create = can_edit = can_delete = False` (or leave the letters out in permissions).

Actions: a method that calls one office verb. The base checks the role, loads the rows in scope, asks for
confirmation and for the `fields`, writes the audit row, commits, translates `Refused`, flashes.
        @office_action("void", _l("Void"), confirm=_l("Void these receipts?"), tone="bad",
                       fields=(Ask("reason", _l("Reason"), is_required=True),))
        def void(self, rows, given):
            payments.void(db.session(), rows, reason=given["reason"], staff=current_staff(), now=self.now())
            return _("%(count)s receipts were voided.", count=len(rows))     # the flash; or a Response
`on="row"` offers it on one record only, `on="list"` without rows (the handler gets []); `states=("draft",)`
only on the page of a record in one of these states (the verb refuses the others all the same).

Hooks around saving: `before_save(form, row, is_new)` (raise Refused to refuse) and `after_save(row, is_new)`,
both inside the transaction. An own page beside the table: `@expose("/close/", methods=("GET", "POST"))` with
`verbs = {"close_view": "act"}` and `self.render("office/…html", …)`; each POST form holds {{ csrf_field() }}.
A hand-made screen without a table derives from OfficePage (screen, title, room, icon; `verbs` as above).
A form that is sent twice works once: the base's own forms do. An own template holds
`{{ idempotency_field() }}`, its view function has `@idempotent` (admin/panel/idempotency.py) under `@expose`.
Confirmation in own templates: `<form data-confirm="…">`. No inline script or on… attributes: the CSP blocks
them; `<script nonce="{{ csp_nonce() }}">` or a file in static/ works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import abort, flash, g, jsonify, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import Select, inspect, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm.exc import StaleDataError

from admin.panel import (
    error_messages,
    formats,
    forms,
    idempotency,
    labels,
    language,
    lists,
    office_time,
    row_access,
    row_names,
    wording,
)
from admin.panel.actions import Action, Actions, Ask, office_action, read_asked
from admin.panel.addresses import address_with
from admin.panel.audit import Audit, pending_changes, record, record_reading, snapshot
from admin.panel.bulk_edit import BATCH, BulkEdit
from admin.panel.lists import (
    ChoiceFilter,
    Filter,
    FlagFilter,
    IsFilter,
    OneClick,
    RangeFilter,
    RelationFilter,
    TextFilter,
)
from admin.panel.permissions import may
from admin.panel.registry import view_of, view_of_table
from admin.panel.responses import safe_target
from admin.panel.saved_views import SavedViews
from admin.panel.signed_in import current_staff, staff_if_signed_in
from models.base import db
from models.office import Task
from models.secrets import Sealed, fingerprint
from office.core import background_tasks
from office.core.errors import Refused, Stale

ROOMS = {
    "today": (_l("Today"), "sun"),
    "property": (_l("Property"), "building-2"),
    "bills": (_l("Bills"), "receipt-text"),
    "money": (_l("Money"), "wallet"),
    "arrears": (_l("Arrears"), "bell-ring"),
    "complaints": (_l("Complaints"), "message-square-warning"),
    "visits": (_l("Visits"), "footprints"),
    "reports": (_l("Reports"), "chart-column"),
    "policies": (_l("Policies"), "scale"),
    "office": (_l("Office"), "settings"),
}
HISTORY_ROWS = 100
RELATED_ROWS = 8
MOST_KEPT = 500  # columns and their combinations

NEVER_BROKEN = {"code", "number", "period"}  # columns whose values stay on one line


@dataclass(frozen=True)
class Related:
    """Another screen's rows that point at this record: shown under it, as `column` = its id."""

    screen: str
    column: str
    title: Any = None
    columns: tuple[str, ...] = ()
    size: int = RELATED_ROWS


class Screen:
    """What tables' screens and hand-made pages share: who may, how it is drawn, what time it is."""

    screen = ""
    title: Any = ""
    room = "office"
    icon = "file"
    is_in_menu = True
    verbs: Mapping[str, str] = {}
    _verbs: Mapping[str, str] = {}

    def is_visible(self) -> bool:
        return self.is_in_menu

    def is_accessible(self) -> bool:
        """Whether the signed-in person may do what this request's view function does."""
        return self.may(self.verb_of((request.endpoint or "").rpartition(".")[2]))

    def verb_of(self, function: str) -> str:
        default = "see" if request.method in {"GET", "HEAD"} else "act"
        return self.verbs.get(function) or self._verbs.get(function) or default

    def rooms(self) -> Mapping[str, tuple[Any, str]]:
        return ROOMS

    def action_label(self, code: str) -> Any:
        """What an audit row's action is called."""
        own = getattr(self, "office_actions", {}).get(code)
        return own.label if own else wording.action(code)

    def may(self, verb: str) -> bool:
        staff = staff_if_signed_in()
        return staff is not None and may(staff.roles, self.screen, verb)

    def now(self) -> datetime:
        """The office's present instant."""
        return office_time.present()[0]

    def today(self) -> date:
        return self.now().astimezone(office_time.zone()).date()

    @property
    def dialect(self) -> str:
        return db.engine.dialect.name

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> Any:  # noqa: ARG002 -- Flask-Admin's signature
        return abort(403)

    def return_url(self, default: str | None = None) -> str:
        """Where the reader came from if that is on this site, else the list."""
        return safe_target(request.values.get("url")) or default or self.get_url(f"{self.screen}.index_view")  # type: ignore[attr-defined]


class OfficePage(Screen, BaseView):
    """A hand-made page: set screen, title, room, icon, and an `@expose("/")` method named `index`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(name=self.title, endpoint=self.screen, **kwargs)


class OfficeView(Screen, Actions, SavedViews, BulkEdit, ModelView):
    table: Any = None
    room = "office"
    is_large = False

    form_base_class = forms.OfficeForm
    model_form_converter = forms.Converter
    column_auto_select_related = False
    can_view_details = True
    can_export = True
    can_import = True  # whether a table of new rows may come in through the form
    page_size = 50
    list_template = "panel/list.html"
    create_template = edit_template = "panel/form.html"
    details_template = "panel/details.html"

    filters: Sequence[Filter] = ()
    one_click: Sequence[OneClick] = ()
    choices: Mapping[str, Mapping[str, Any]] = {}
    column_formats: Mapping[str, formats.Format] = {}
    column_computed: Mapping[str, Callable[[Any], Any]] = {}
    column_hidden: Sequence[str] = ()  # in the column chooser, not shown at first
    search_exact: Sequence[str] = ()
    column_default_sort = ""
    detail_columns: Sequence[str] = ()
    form_sections: Sequence[tuple[Any, Sequence[str]]] = ()
    form_columns: Sequence[str] = ()
    related: Sequence[Related] = ()
    large_relations: Mapping[str, tuple[str, ...]] = {
        "unit": ("code",),
        "owner": ("name", "pinyin_initials"),
        "payer": ("name", "pinyin_initials"),
        "ticket": ("number",),
        "invoice": ("number",),
        "payment": ("number",),
    }
    empty_hint: Any = ""
    _verbs: Mapping[str, str] = {
        "create_view": "create",
        "edit_view": "edit",
        "ajax_update": "edit",
        "bulk_view": "edit",
        "undo_view": "edit",
        "delete_view": "delete",
        "action_view": "act",
        "export": "export",
        "exported_view": "export",
        "reveal_view": "act",
        "index_view": "see",
        "details_view": "see",
        "ajax_lookup": "see",
        "save_view": "see",
        "forget_view": "see",
    }

    def __init__(self, **kwargs: Any) -> None:
        self._source_cache: dict[Any, Any] = {}
        self.statements: dict[Any, Any] = {}  # made once by admin/panel/lists.py
        super().__init__(self.table, db, name=self.title, endpoint=self.screen, **kwargs)
        self.office_actions = self._found_actions()
        self._attributes: dict[Any, Any] = {}

    # What Flask-Admin would otherwise work out from the model --------------------------------------

    def scaffold_auto_joins(self) -> list[Any]:
        return []

    def get_list_columns(self) -> list[Any]:
        return [(name, self.get_column_name(name)) for name in self.column_list or ()]

    get_details_columns = get_export_columns = get_list_columns

    def get_sortable_columns(self) -> dict[Any, Any]:
        return {}

    def init_search(self) -> bool:
        return bool(self.column_searchable_list)

    def init_actions(self) -> None:
        self._actions, self._actions_data = [], {}

    def get_filters(self) -> None:
        return None

    def scaffold_form(self) -> Any:
        """Only what `form_columns` lists: nothing else can be assigned."""
        return super().scaffold_form() if self.form_columns else forms.OfficeForm

    def _process_ajax_references(self) -> dict[str, Any]:
        mapper = inspect(self.model)
        return {
            name: forms.Loader(self, name, mapper.relationships[name].mapper.class_, fields)
            for name, fields in self.large_relations.items()
            if name in mapper.relationships
        }

    def verb_of(self, function: str) -> str:
        """An action takes the letter that it says; the others what their address does."""
        if function == "action_view":
            action = self.office_actions.get(request.form.get("action", ""))
            return action.verb if action is not None else "act"
        return super().verb_of(function)

    def get_column_name(self, field: str) -> Any:
        own = self.column_labels or {}
        if field in own:
            return own[field]
        return (
            labels.COLUMNS.get(field)
            or labels.COLUMNS.get(field.rpartition(".")[2])
            or self._prettify_name(field)
        )

    # Columns -----------------------------------------------------------------------------------------

    @property
    def language(self) -> str:
        return language.current()

    @property
    def column_names(self) -> tuple[str, ...]:
        return (*self.column_list, *self.column_hidden)

    @property
    def default_columns(self) -> tuple[str, ...]:
        return tuple(self.column_list)

    @property
    def one_click_codes(self) -> frozenset[str]:
        return frozenset(each.code for each in self.one_click)

    @property
    def sortable_names(self) -> frozenset[str]:
        """What the list may be ordered by: plain columns; of large tables only those an index begins with."""
        if "sortable" not in self._source_cache:
            names = {name for name in self.column_names if name in inspect(self.model).column_attrs}
            if self.is_large:
                names &= _indexed(self.model)
            else:
                names |= {name for name in self.column_names if "." in name}
            self._source_cache["sortable"] = frozenset(names | {"id", self._plain_default_sort()[0]})
        return self._source_cache["sortable"]

    def default_sort(self, one_click: str = "") -> tuple[str, bool]:
        for each in self.one_click:
            if each.code == one_click and each.sort:
                return each.sort.removeprefix("-"), each.sort.startswith("-")
        return self._plain_default_sort()

    def _plain_default_sort(self) -> tuple[str, bool]:
        sort = self.column_default_sort or "-id"
        return sort.removeprefix("-"), sort.startswith("-")

    def column(self, name: str) -> lists.Column:
        """A column ready to show, made once."""
        place = (language.current(), name)
        if place not in self._attributes:
            kind = self.sort_type(name)
            show, layout = formats.automatic(kind)
            is_by_value = show in {formats.day, formats.yes_no} or name in self.choices
            if name in self.choices:
                has_tones = any(code in formats.TONES for code in self.choices[name])
                show = (formats.badge if has_tones else formats.label)(self.choices[name])
                layout = "text"
            elif layout == "text" and name.rpartition(".")[2] in NEVER_BROKEN:
                layout = "code"
            self._attributes[place] = lists.Column(
                name=name,
                label=str(self.get_column_name(name)),
                key=name.replace(".", "__"),
                layout=layout,
                show=self.column_formats.get(name, show),
                is_sortable=name in self.sortable_names,
                is_editable=name in (self.column_editable_list or ()),
                is_by_value=is_by_value and name not in self.column_formats,
                is_plain=self.column_formats.get(name, show) in formats.PLAIN,
            )
        return self._attributes[place]

    def columns(self, names: tuple[str, ...]) -> list[lists.Column]:
        place = (language.current(), names)
        if place not in self._attributes:
            if len(self._attributes) > MOST_KEPT:  # readers choose columns as they like
                self._attributes.clear()
            self._attributes[place] = [self.column(name) for name in names]
        return self._attributes[place]

    def attribute_path(self, name: str) -> Any:
        """The model attribute that a dotted name ends at."""
        entity = self.model
        *steps, last = name.split(".")
        for step in steps:
            entity = getattr(entity, step).property.mapper.class_
        return lists.attribute_of(entity, last, language.current() if db else "en")

    def attribute(self, name: str) -> Any:
        return (
            self.column_computed[name](self.model)
            if name in self.column_computed
            else self.attribute_path(name)
        )

    def sort_type(self, name: str) -> Any:
        return self.attribute(name).type

    def text_of(self, row: Any) -> str:
        """What a record of this screen is called."""
        return row_names.name_of(row)

    # Which rows --------------------------------------------------------------------------------------

    def scope(self) -> list[Any]:
        """SQL conditions of the rows that the signed-in person may touch; none means all."""
        return row_access.visible_rows(self.model)

    def lookup_scope(self, _name: str, model: Any) -> list[Any]:
        """SQL conditions of the rows that a relation's field may offer and take."""
        return row_access.visible_rows(model)

    def lookup_statement(self, name: str, model: Any) -> Select[Any]:
        statement = select(model).where(*self.lookup_scope(name, model))
        for column in ("position", "name", "code", "number"):
            if column in inspect(model).column_attrs:
                statement = statement.order_by(getattr(model, column))
        return statement

    def get_one(self, id: Any) -> Any:  # noqa: A002 -- Flask-Admin's name
        """The record in scope, or None."""
        key = lists.row_id(id)
        if key is None:
            return None
        return db.session.scalars(select(self.model).where(self.model.id == key, *self.scope())).first()

    def get_or_404(self, key: Any) -> Any:
        row = self.get_one(key)
        return row if row is not None else abort(404)

    def fingerprint(self, words: str) -> str:
        return fingerprint(words)

    def conditions(self, query: lists.Query) -> list[Any]:
        """All that narrows a list: scope, one-click view, filters, parents in the address, search."""
        found = list(self.scope())
        for each in self.one_click:
            if each.code == query.one_click:
                found.extend(each.conditions(self))
        for each in self.filters:
            if each.is_active(query.args):
                found.extend(each.conditions(self, query.args))
        for name in self._parents(query.args):
            key = lists.row_id(query.args[name])
            found.append(getattr(self.model, name) == key)
        if query.search:
            found.append(self.search_condition(query.search))
        return found

    def search_condition(self, words: str) -> Any:
        return lists.search_condition(self, words)

    def _parents(self, args: Mapping[str, str]) -> list[str]:
        """Foreign keys of this table that the address narrows by and no filter owns."""
        owned = {name for each in self.filters for name in each.parameters()}
        attributes = inspect(self.model).column_attrs
        return [
            name
            for name in args
            if name in attributes and attributes[name].columns[0].foreign_keys and name not in owned
        ]

    # The list ----------------------------------------------------------------------------------------

    @expose("/")
    def index_view(self) -> Any:
        query = lists.read_query(self, request.args)
        conditions = self.conditions(query)
        page = lists.page(db.session(), self, query, conditions)
        if page.count is None:
            page.count, page.is_count_exact = lists.count(db.session(), self, conditions)
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
            actions=self.allowed_actions("rows"),
            list_actions=self.allowed_actions("list"),
            saved_views=self._saved_views(),
            options=tuple(each.found_options(self) for each in self.filters),
        )

    def rendered_rows(
        self, rows: Sequence[Any], columns: Sequence[lists.Column], *, has_ticks: bool | None = None
    ) -> Markup:
        """The body of the table, drawn without a form or macro per row (decisions: Speed)."""
        from admin.panel.table_rows import render_rows

        if has_ticks is None:
            has_ticks = bool(self.allowed_actions("rows") or self.bulk_columns)
        return render_rows(self, rows, columns, has_ticks=has_ticks)

    def address(self, query: lists.Query) -> Callable[..., str]:
        """A function that gives this list's address with some parameters changed; None removes one."""
        base = {name: value for name, value in query.args.items() if name not in {"after", "before"}}

        def changed(**changes: Any) -> str:
            return address_with(f"{self.screen}.index_view", {**base, **changes})

        return changed

    def _chips(self, query: lists.Query) -> list[tuple[Any, str, str]]:
        address = self.address(query)
        found = []
        if query.search:
            found.append((_("Search"), query.search, address(search=None)))
        for each in self.filters:
            if each.is_active(query.args):
                without = address(**dict.fromkeys(each.parameters()))
                found.append((self.filter_label(each), each.chip(self, query.args), without))
        for name in self._parents(query.args):
            relation = next(
                (r for r in inspect(self.model).relationships if name in {c.key for c in r.local_columns}),
                None,
            )
            key = lists.row_id(query.args[name])
            row = db.session.get(relation.mapper.class_, key) if relation is not None and key else None
            shown = row_names.name_of(row) if row is not None else query.args[name]
            found.append((self.get_column_name(name), shown, address(**{name: None})))
        return found

    def filter_label(self, each: Filter) -> Any:
        return each.label or self.get_column_name(each.name)

    # One record --------------------------------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.get_or_404(request.args.get("id"))
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

    @property
    def one(self) -> str:
        """What one record of this screen is called."""
        return wording.table(self.model.__tablename__)

    def heading_of(self, row: Any) -> str:
        """The name of a record; without one, what it is and how its line in the list begins."""
        if row_names.is_named(row) or type(self).text_of is not OfficeView.text_of:
            return self.text_of(row)
        names = tuple(self.column_list[:2])
        (found,) = lists.shown_rows(db.session(), self, names, [row.id])
        values = [(self.column(name), getattr(found, self.column(name).key)) for name in names]
        shown = [escape(column.show(value, found)).striptags() for column, value in values if value]
        return f"{self.one} · {' · '.join(shown)}" if shown else self.text_of(row)

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
        """The columns of a record's details."""
        own = (*self.column_names, *self._plain_form_columns())
        return tuple(self.detail_columns) or tuple(dict.fromkeys(own))

    def facts(self, row: Any) -> list[tuple[str, Any, Any, bool]]:
        """(name, label, shown value, can be revealed) of a record's details."""
        names = self.fact_names()
        columns = [self.column(name) for name in names]
        (found,) = lists.shown_rows(db.session(), self, names, [row.id])
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
        """Form columns as list columns; a relation, unless it is shown already, by its name."""
        found = []
        mapper = inspect(self.model)
        shown = {name.partition(".")[0] for name in self.column_names if "." in name}
        for name in self.form_columns:
            if name in mapper.column_attrs:
                found.append(name)
            elif (
                name in mapper.relationships and name not in shown and not mapper.relationships[name].uselist
            ):
                target = mapper.relationships[name].mapper.column_attrs
                called = next(
                    (each for each in ("name", "name_zh_hans", "number", "code") if each in target), None
                )
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
            query = lists.read_query(view, {each.column: str(row.id)})
            query.size = each.size
            query.columns = each.columns or query.columns
            page = lists.page(db.session(), view, query, view.conditions(query))
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
        """What was changed on a record, newest first."""
        return history_of(self.model.__tablename__, row_id, self.get_column_name)

    @expose("/reveal/", methods=("POST",))
    def reveal_view(self) -> Any:
        """Show one masked value to who gives a reason; the reason is kept (F16)."""
        row = self.get_or_404(request.form.get("id"))
        name, reason = request.form.get("column", ""), request.form.get("reason", "").strip()
        attributes = inspect(self.model).column_attrs
        if name not in attributes or not isinstance(attributes[name].columns[0].type, Sealed):
            abort(404)
        if not reason or not lists.is_clean(reason):
            flash(_("Please give a reason."), "error")
            return redirect(self.get_url(".details_view", id=row.id))
        record("reveal", self.model.__tablename__, row.id, {}, {"column": name, "reason": reason[:300]})
        db.session.commit()
        g.revealed = {name: getattr(row, name)}
        return self.render(
            self.details_template,
            row=row,
            heading=self.heading_of(row),
            facts=self.facts(row),
            links=self.fact_links(row),
            related=self.related_lists(row),
            history=self.history(row.id),
            actions=self.record_actions(row),
            revealed=g.revealed,
        )

    # Saving ------------------------------------------------------------------------------------------

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        if not self.can_create or not self.form_columns:
            abort(403)
        form = self.create_form()
        if request.method == "GET":
            self._prefill(form)
        elif form.validate():
            if not idempotency.is_first():
                return idempotency.already_processed(self.return_url())
            row = self.create_model(form)
            if row:
                flash(_("Saved."), "success")
                return redirect(self._after_saving(row))
        return self.render(
            self.create_template, form=form, row=None, sections=self.sections(form)
        ), self._form_status(form)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        if not self.can_edit or not self.form_columns:
            abort(403)
        row = self.get_or_404(request.args.get("id"))
        version = getattr(row, "row_version", 0)
        if request.method == "POST" and request.form.get("row_version") != str(version):
            return self._stale_page(row)
        form = self.edit_form(obj=row)
        if request.method == "POST" and form.validate():
            try:
                if self.update_model(form, row):
                    flash(_("Saved."), "success")
                    return redirect(self._after_saving(row))
            except StaleDataError:
                db.session.rollback()
                return self._stale_page(self.get_or_404(request.args.get("id")))
            row = self.get_or_404(request.args.get("id"))
        return (
            self.render(
                self.edit_template,
                form=form,
                row=row,
                version=version,
                heading=self.heading_of(row),
                sections=self.sections(form),
            ),
            self._form_status(form),
        )

    def _form_status(self, _form: Any) -> int:
        return 200 if request.method == "GET" else 422

    def _after_saving(self, row: Any) -> str:
        if "_add_another" in request.form:
            return self.get_url(".create_view", url=safe_target(request.values.get("url")))
        if "_continue_editing" in request.form:
            return self.get_url(".edit_view", id=row.id, url=safe_target(request.values.get("url")))
        return self.return_url(self.get_url(".details_view", id=row.id))

    def _prefill(self, form: Any) -> None:
        """`/new/?unit_id=5&kind=office` fills what the form has anyway."""
        for name, value in request.args.items():
            field_name = name.removesuffix("_id") if name.endswith("_id") else name
            if field_name in form and lists.is_clean(value):
                field = form[field_name]
                if isinstance(field, forms.PickerField):
                    field.data = field.loader.get_one(value)
                elif hasattr(field, "query_factory"):
                    field.data = next((row for row in field.query_factory() if str(row.id) == value), None)
                elif isinstance(field, forms.ChoiceField) and value in field.labels:
                    field.data = value

    def sections(self, form: Any) -> list[tuple[Any, list[Any]]]:
        """The form's fields under their headings."""
        named = [name for _heading, names in self.form_sections for name in names]
        found = [
            (heading, [form[name] for name in names if name in form]) for heading, names in self.form_sections
        ]
        rest = [field for field in form if field.name not in named]
        return [*found, *([("" if not found else _("More"), rest)] if rest else [])]

    def create_model(self, form: Any) -> Any:
        """The new row, saved with its audit row in one transaction; False when it was refused."""
        row = self.build_new_instance()
        return row if self._save(form, row, is_new=True) else False

    def update_model(self, form: Any, model: Any) -> bool:
        return self._save(form, model, is_new=False)

    def put(self, form: Any, row: Any, *, is_new: bool) -> None:
        """What the form says into the row, with its audit row; the caller commits."""
        with db.session.no_autoflush:
            form.populate_obj(row)
            self._find_again(row)
            self.before_save(form, row, is_new)
        if is_new:
            db.session.add(row)
        before, after = pending_changes(row)
        db.session.flush()
        if is_new or before or after:
            record("create" if is_new else "edit", self.model.__tablename__, row.id, before, after)
        self.after_save(row, is_new)

    def _save(self, form: Any, row: Any, *, is_new: bool) -> bool:
        try:
            self.put(form, row, is_new=is_new)
            db.session.commit()
        except (Refused, IntegrityError, DataError, StatementError) as error:
            if isinstance(error, StaleDataError):
                raise
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return False
        return True

    def _find_again(self, row: Any) -> None:
        """Keep the fingerprint beside each sealed column that was given a new value."""
        attributes = inspect(self.model).column_attrs
        for attribute in attributes:
            mac = f"{attribute.key}_mac"
            if mac in attributes and inspect(row).attrs[attribute.key].history.has_changes():
                value = getattr(row, attribute.key)
                setattr(row, mac, fingerprint(value) if value else None)

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- as Flask-Admin's hook
        """Own checks and derived values, inside the transaction; raise Refused to refuse."""

    def after_save(self, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- as Flask-Admin's hook
        """What must follow in the same transaction."""

    def _stale_page(self, row: Any) -> Any:
        """Both versions side by side; nothing typed is lost."""
        mine = self.edit_form(obj=row)
        with db.session.no_autoflush:
            theirs = self._edit_form_class(None, obj=row)
            pairs = [(field, _shown_field(field), _shown_field(theirs[field.name])) for field in mine]
        return (
            self.render(
                "panel/stale.html",
                row=row,
                heading=self.text_of(row),
                pairs=pairs,
                form=mine,
                version=row.row_version,
                history=self.history(row.id)[:3],
            ),
            409,
        )

    # Deleting ----------------------------------------------------------------------------------------

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Any:
        if not self.can_delete:
            abort(403)
        row = self.get_or_404(request.form.get("id"))
        if not request.form.get("confirmed"):
            return self.render(
                "panel/confirm.html",
                heading=self.text_of(row),
                rows=[row],
                ids=[row.id],
                action=None,
                fields=[],
            )
        if self.delete_model(row):
            flash(_("Deleted."), "success")
        return redirect(self.return_url())

    def delete_model(self, model: Any) -> bool:
        """Delete one row with its audit row; the database refuses what others refer to."""
        key, before = model.id, snapshot(model)
        try:
            db.session.delete(model)
            db.session.flush()
            record("delete", self.model.__tablename__, key, before, {})
            db.session.commit()
        except (Refused, IntegrityError, StatementError) as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return False
        return True

    # Look-ups, inline edit, export -------------------------------------------------------------------

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        loader = self._form_ajax_refs.get(request.args.get("name", ""))
        query = request.args.get("query", "")[: lists.LONGEST_INPUT].strip()
        if loader is None or not lists.is_clean(query):
            abort(404)
        return jsonify([loader.format(row) for row in loader.get_list(query, 0, 20)])

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        """Inline edit of one harmless column of one row."""
        name = request.form.get("name", "")
        if not self.can_edit or name not in (self.column_editable_list or ()):
            abort(403)
        row = self.get_or_404(request.form.get("id"))
        if request.form.get("row_version") != str(row.row_version):
            return jsonify(error=_("Somebody else changed this in the meantime.")), 409
        form = self.edit_form(obj=row)
        for field in list(form):
            if field.name != name:
                del form[field.name]
        try:
            is_saved = form.validate() and self.update_model(form, row)
        except StaleDataError:
            db.session.rollback()
            return jsonify(error=_("Somebody else changed this in the meantime.")), 409
        if not is_saved:
            problem = next((str(error) for field in form for error in field.errors), _("This was not saved."))
            return jsonify(error=problem), 422
        column = self.column(name)
        (found,) = lists.shown_rows(db.session(), self, (name,), [row.id])
        shown = column.show(getattr(found, column.key), found)
        return jsonify(html=Markup.escape(shown), row_version=row.row_version)

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """What the list shows, filtered and in its columns, as CSV (with BOM) or XLSX."""
        from admin.panel import list_exports

        if not self.can_export or export_type not in list_exports.KINDS:
            abort(404)
        query = lists.read_query(self, request.args)
        record_reading("export", self.model.__tablename__, None, {"format": export_type, **query.args})
        if list_exports.is_long(self, query):
            task = list_exports.begin(self, query, export_type, staff_id=current_staff().id)
            return redirect(self.get_url(".exported_view", id=task.id))
        return list_exports.answer(self, query, export_type)

    @expose("/exported/")
    def exported_view(self) -> Any:
        """A long export: how far it is (`?ask=1` for the page that waits), then its file (`?file=1`)."""
        from admin.panel import list_exports

        key, staff = lists.row_id(request.args.get("id")), current_staff()
        task = db.session.get(Task, key) if key else None
        if task is None or task.kind != list_exports.TASK or task.staff_id != staff.id:
            abort(404)
        if task.result["screen"] != self.screen:
            abort(404)
        is_working = task.state == "running" and not background_tasks.is_lost(task)
        if "ask" in request.args:
            return jsonify(done=task.done, total=task.total, is_working=is_working)
        if "file" in request.args and task.file_name:
            return list_exports.as_file(
                background_tasks.file_of(db.session(), task), task.file_name, task.result["format"]
            )
        return self.render("panel/exported.html", task=task, is_working=is_working, heading=_("Export"))


def history_of(table: str, row_id: int, label: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Audit rows of one record, newest first, with before and after of each column."""
    import json

    from models.people import Staff

    statement = (
        select(Audit.id, Audit.at, Audit.action, Audit.changes, Staff.name.label("staff"))
        .join(Staff, Staff.id == Audit.staff_id, isouter=True)
        .where(Audit.table_name == table, Audit.row_id == row_id)
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


def _shown_field(field: Any) -> str:
    if isinstance(field, forms.PickerField) or hasattr(field, "query_factory"):
        data = field.data
        if isinstance(data, list):
            return ", ".join(row_names.name_of(each) for each in data)
        return row_names.name_of(data) if data is not None else ""
    if isinstance(field, forms.ChoiceField):
        return str(field.labels.get(field.data, field.data or ""))
    if isinstance(field.data, bool):
        return _("Yes") if field.data else _("No")
    own_text = getattr(field, "_value", None)
    return str(own_text()) if own_text else str(field.data or "")


def _indexed(model: Any) -> set[str]:
    table = model.__table__
    found = {next(iter(index.columns)).key for index in table.indexes if index.columns}
    found |= {column.key for column in table.columns if column.unique or column.primary_key}
    return {str(name) for name in found}


__all__ = [
    "Action",
    "Ask",
    "ChoiceFilter",
    "FlagFilter",
    "IsFilter",
    "OfficePage",
    "OfficeView",
    "OneClick",
    "RangeFilter",
    "Refused",
    "Related",
    "RelationFilter",
    "Stale",
    "TextFilter",
    "office_action",
    "read_asked",
    "url_for",
]
