"""A table's screen: its columns, and the rows that the signed-in person may touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, inspect, select

from admin.panel import formats, language, request_values, row_access, row_names, search, wording
from admin.panel.columns import Column, attribute_of
from admin.panel.list_request import Query
from admin.panel.table_options import TableOptions
from models.secrets import Sealed, fingerprint
from models.text_keys import ORDERED, order_column

MOST_COLUMN_LISTS = 500  # of a screen: readers choose columns as they like
UNBROKEN = {"code", "number", "period"}  # columns whose values stay on one line


class TableScreen(TableOptions):
    """Turns column names into columns, and requests into conditions and rows."""

    def __init__(self, **kwargs: Any) -> None:
        self.statements: dict[Any, Any] = {}  # SQL of the list, built once
        self._columns: dict[tuple[str, str], Column] = {}
        self._column_lists: dict[tuple[str, tuple[str, ...]], list[Column]] = {}
        super().__init__(**kwargs)
        self.sortable_names = self._sortable_names()
        self.indexed_names = self._indexed_names()

    # Columns

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
    def several_names(self) -> frozenset[str]:
        """The parameters that take several values."""
        return frozenset(name for each in self.filters for name in each.several())

    @property
    def one_click_codes(self) -> frozenset[str]:
        return frozenset(each.code for each in self.one_click)

    def _sortable_names(self) -> frozenset[str]:
        """What the list may be ordered by: every column but sealed ones, whose order says nothing."""
        names = {name for name in self.column_names if not isinstance(self.sort_type(name), Sealed)}
        return frozenset(names | {"id", self._plain_default_sort()[0]})

    def _indexed_names(self) -> frozenset[str]:
        """What it may be ordered by however many rows match: of large tables what an index begins with."""
        own = {self._plain_default_sort()[0], *(each.sort.removeprefix("-") for each in self.one_click)}
        return frozenset(own | {"id"} | _indexed(self.model)) if self.is_large else self.sortable_names

    def default_sort(self, one_click: str = "") -> tuple[str, bool]:
        for each in self.one_click:
            if each.code == one_click and each.sort:
                return each.sort.removeprefix("-"), each.sort.startswith("-")
        return self._plain_default_sort()

    def _plain_default_sort(self) -> tuple[str, bool]:
        sort = self.column_default_sort or "-id"
        return sort.removeprefix("-"), sort.startswith("-")

    def column(self, name: str) -> Column:
        """A column of the list in the reader's language, ready to show."""
        key = (language.current(), name)
        if key not in self._columns:
            kind = self.sort_type(name)
            show, layout = formats.automatic(kind)
            is_by_value = show in {formats.day, formats.yes_no} or name in self.choices
            if name in self.choices:
                has_tones = any(code in formats.TONES for code in self.choices[name])
                show = (formats.badge if has_tones else formats.label)(self.choices[name])
                layout = "text"
            elif layout == "text" and name.rpartition(".")[2] in UNBROKEN:
                layout = "code"
            self._columns[key] = Column(
                name=name,
                label=str(self.get_column_name(name)),
                key=name.replace(".", "__"),
                layout=layout,
                show=self.column_formats.get(name, show),
                is_sortable=name in self.sortable_names,
                is_editable=name in self.column_editable_list,
                is_by_value=is_by_value and name not in self.column_formats,
                is_plain=self.column_formats.get(name, show) in formats.PLAIN,
            )
        return self._columns[key]

    def columns(self, names: tuple[str, ...]) -> list[Column]:
        key = (language.current(), names)
        if key not in self._column_lists:
            if len(self._column_lists) > MOST_COLUMN_LISTS:
                self._column_lists.clear()
            self._column_lists[key] = [self.column(name) for name in names]
        return self._column_lists[key]

    def attribute_path(self, name: str) -> Any:
        """The model attribute that a dotted name ends at."""
        entity = self.model
        *steps, last = name.split(".")
        for step in steps:
            entity = getattr(entity, step).property.mapper.class_
        return attribute_of(entity, last, language.current())

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

    @property
    def record_name(self) -> str:
        """What one record of this screen is called."""
        return str(wording.table(self.model.__tablename__))

    # Rows

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
                statement = statement.order_by(order_column(getattr(model, column)))
        return statement

    def get_one(self, id: Any) -> Any:  # noqa: A002 -- Flask-Admin's name
        """The record in scope, or None."""
        return row_access.find(self.model, id, within=self.scope())

    def get_or_404(self, key: Any) -> Any:
        return row_access.find_or_404(self.model, key, within=self.scope())

    def fingerprint(self, words: str) -> str:
        return fingerprint(words)

    def conditions(self, query: Query) -> list[Any]:
        """The SQL conditions of a list: scope, one-click view, filters, parents in the address, search.

        Filters that can't be read are left out: `unread` names them.
        """
        found = list(self.scope())
        for view in self.one_click:
            if view.code == query.one_click:
                found.extend(view.conditions(self))
        for filter_ in self.filters:
            if filter_.is_active(query.readable):
                found.extend(filter_.conditions(self, query.readable))
        for name in self._parents(query.readable):
            key = request_values.row_id(query.readable[name])
            found.append(getattr(self.model, name) == key)
        if query.search:
            found.append(self.search_condition(query.search))
        return found

    def unread(self, query: Query) -> dict[str, str]:
        """What is wrong with each filter of an address that can't be read, by its parameter."""
        found: dict[str, str] = {}
        for filter_ in self.filters:
            found |= filter_.problems(self, query.args)
            found |= dict.fromkeys(
                query.unstorable.intersection(filter_.parameters()),
                _("This holds characters that can't be stored."),
            )
        for name in self._parents(query.args):
            if self.parent_row(name, query.args[name]) is None:
                found[name] = _("Please choose one of the list.")
        asked = query.args.get("view", "")
        if asked and asked not in self.one_click_codes:
            found["view"] = _("Please choose one of the list.")
        return found

    def parent_row(self, name: str, value: str) -> Any:
        """The row that a foreign key in the address names, if the reader may know it; else None."""
        relation = next(
            (
                each
                for each in inspect(self.model).relationships
                if name in {c.key for c in each.local_columns}
            ),
            None,
        )
        if relation is None:
            return None
        target = relation.mapper.class_
        return row_access.find(target, value, within=self.lookup_scope(relation.key, target))

    def search_condition(self, words: str) -> Any:
        """The SQL condition of a search; a screen may override it."""
        return search.search_condition(self, words)

    def _parents(self, args: Mapping[str, str]) -> list[str]:
        """Foreign keys of this table that the address narrows by and no filter owns."""
        owned = {name for each in self.filters for name in each.parameters()}
        attributes = inspect(self.model).column_attrs
        return [
            name
            for name in args
            if name in attributes and attributes[name].columns[0].foreign_keys and name not in owned
        ]


def _indexed(model: Any) -> set[str]:
    table = model.__table__
    found = {next(iter(index.columns)).key for index in table.indexes if index.columns}
    found |= {column.key for column in table.columns if column.unique or column.primary_key}
    return {str(name).removesuffix(ORDERED) for name in found}
