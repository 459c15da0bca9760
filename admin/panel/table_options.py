"""The options of a table's screen; a screen sets those it needs as class attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_admin.contrib.sqla import ModelView
from sqlalchemy import inspect

from admin.panel import form_converter, forms, pickers
from admin.panel.column_names import column_name
from admin.panel.filters import Filter, OneClick
from admin.panel.formats import Format
from admin.panel.screen import Screen
from models.base import db

RELATED_ROWS = 8


@dataclass(frozen=True)
class Related:
    """The rows of another screen that point at a record: shown under it, those whose `column` is its id."""

    screen: str
    column: str
    title: Any = None  # else the other screen's
    columns: tuple[str, ...] = ()  # else those of its list
    size: int = RELATED_ROWS


class TableOptions(Screen, ModelView):
    """The options; a column name is `number`, `unit.code` (joined), or a key of `column_computed`."""

    # The table
    table: Any = None  # the model
    is_large = False  # a column without an index sorts only what is narrowed (paging.MOST_SORTED)
    can_create = can_edit = can_delete = True
    can_view_details = True
    can_export = True
    can_import = True  # whether a file of new rows may be imported through the form

    # The list
    column_list: Sequence[str] = ()
    column_hidden: Sequence[str] = ()  # offered by the column chooser, not shown at first
    column_computed: Mapping[str, Callable[[Any], Any]] = {}  # name → function of the model that gives SQL
    column_labels: Mapping[str, Any] = {}  # else admin/panel/column_names.py
    column_formats: Mapping[str, Format] = {}  # else by the column's type; `(value, row)` → text or Markup
    choices: Mapping[str, Mapping[str, Any]] = {}  # code → label: for the list, its filter and the form
    column_searchable_list: Sequence[str] = ()  # found by a prefix
    search_exact: Sequence[str] = ()  # fingerprints of sealed columns, found by the exact value
    column_editable_list: Sequence[str] = ()  # edited in the list
    column_default_sort = ""  # a leading - is descending
    filters: Sequence[Filter] = ()
    one_click: Sequence[OneClick] = ()  # views of the list one click away
    page_size = 50
    empty_hint: Any = ""  # shown instead of an empty list

    # A record
    detail_columns: Sequence[str] = ()  # else those of the list and the form
    related: Sequence[Related] = ()

    # The form
    form_columns: Sequence[str] = ()  # nothing else can be assigned
    form_sections: Sequence[tuple[Any, Sequence[str]]] = ()  # headings and their fields
    column_descriptions: Mapping[str, Any] = {}  # help under a field
    bulk_columns: Sequence[str] = ()  # fields that may be changed in several rows together
    large_relations: Mapping[str, tuple[str, ...]] = {  # relation → columns by which its picker searches
        "unit": ("code",),
        "owner": ("name", "pinyin_initials"),
        "payer": ("name", "pinyin_initials"),
        "ticket": ("number",),
        "invoice": ("number",),
        "payment": ("receipt_no",),
    }

    list_template = "panel/list.html"
    create_template = edit_template = "panel/form.html"
    details_template = "panel/details.html"
    form_base_class = forms.OfficeForm
    model_form_converter = form_converter.Converter
    column_auto_select_related = False
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
        "acted_view": "see",
        "peek_view": "see",
        "totals_view": "see",
        "arrange_view": "see",
        "start_view": "see",
        "open_view": "see",
        "views_view": "see",
        "change_view": "see",
        "reveal_view": "act",
        "index_view": "see",
        "details_view": "see",
        "ajax_lookup": "see",
        "save_view": "see",
        "forget_view": "see",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(self.table, db, name=self.title, endpoint=self.screen, **kwargs)

    # What Flask-Admin would otherwise work out from the model

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
            name: pickers.Loader(self, name, mapper.relationships[name].mapper.class_, fields)
            for name, fields in self.large_relations.items()
            if name in mapper.relationships
        }

    def get_column_name(self, field: str) -> Any:
        if field in self.column_labels:
            return self.column_labels[field]
        return column_name(field) or self._prettify_name(field)
