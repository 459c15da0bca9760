"""Columns of lists: from a name such as `unit.code` to its SQL, and what is needed to show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, func, inspect, literal_column, or_, select
from sqlalchemy.orm import aliased
from sqlalchemy.types import TypeEngine

from admin.panel.formats import Format
from models.base import Money
from models.text_keys import ORDERED


@dataclass(frozen=True)
class Column:
    """One column of a list, ready to select and to show."""

    name: str  # as in column_list: `number`, `unit.code`
    label: Any
    key: str  # its name in the row: `unit__code`
    layout: str  # num, date, flag, text
    show: Format
    is_sortable: bool
    is_editable: bool = False
    is_by_value: bool = False  # equal values look equal: each is rendered once a page
    is_plain: bool = False  # its format gives nothing that needs escaping


class Source:
    """Where a list's columns come from: the model, and the outer joins that dotted names need."""

    def __init__(self, model: Any, language: str, computed: Mapping[str, Callable[[Any], Any]]) -> None:
        self.model = model
        self.language = language
        self.computed = computed
        self.joins: dict[str, tuple[Any, Any]] = {}  # path → (alias, relationship)

    def sort_key(self, name: str) -> ColumnElement[Any]:
        """The SQL that a column's values are ordered by."""
        key = self.expression(name)
        *_steps, last = name.split(".")
        return key if name in self.computed else self._ordered(name, last, key)

    def _ordered(self, name: str, last: str, key: ColumnElement[Any]) -> ColumnElement[Any]:
        path = name.removesuffix(last)
        entity = self.joins[path][0] if path else self.model
        ordered: ColumnElement[Any] = getattr(entity, f"{last}{ORDERED}", key)
        return ordered

    def expression(self, name: str) -> ColumnElement[Any]:
        """The SQL of a column name; joins that it needs are remembered for `joined`."""
        if name in self.computed:
            computed: ColumnElement[Any] = self.computed[name](self.model)
            return computed
        *steps, last = name.split(".")
        entity, path = self.model, ""
        for step in steps:
            path = f"{path}{step}."
            if path not in self.joins:
                relation = getattr(entity, step)
                self.joins[path] = (aliased(relation.property.mapper.class_), relation)
            entity = self.joins[path][0]
        attribute: ColumnElement[Any] = attribute_of(entity, last, self.language)
        return attribute

    def joined(self, statement: Select[Any]) -> Select[Any]:
        for alias, relation in self.joins.values():
            statement = statement.join(relation.of_type(alias), isouter=True)
        return statement


def attribute_of(entity: Any, name: str, language: str) -> Any:
    """A model's attribute; `name` of a model named in three languages is the reader's."""
    if name == "name" and not hasattr(entity, "name") and hasattr(entity, "name_zh_hans"):
        order = {"en": ("en", "zh_hans", "zh_hant"), "zh_Hant": ("zh_hant", "zh_hans", "en")}.get(
            language, ("zh_hans", "zh_hant", "en")
        )
        return func.coalesce(*(func.nullif(getattr(entity, f"name_{each}"), "") for each in order), "")
    return getattr(entity, name)


def money_columns(model: Any, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns that are the table's own money: what can be added up."""
    attributes = inspect(model).column_attrs
    return tuple(
        name for name in names if name in attributes and isinstance(attributes[name].columns[0].type, Money)
    )


def coded(column: Any, *codes: str) -> ColumnElement[bool]:
    """The column is one of these codes, written into the SQL: only so SQLite uses a partial index."""
    assert all(code.isidentifier() for code in codes)
    written = [literal_column(f"'{code}'", String) for code in codes]
    found: ColumnElement[bool] = column == written[0] if len(written) == 1 else column.in_(written)
    return found


def along_relation(
    model: Any, name: str, clause: Callable[[Any], ColumnElement[bool]], limit: int | None = None
) -> Any:
    """A condition on a dotted name as `fk IN (SELECT …)`, which leaves the planner the choice of its way.

    `limit` is the most rows of the related table that are looked at.
    """
    step, _dot, rest = name.partition(".")
    if not rest:
        return clause(getattr(model, step))
    relation = getattr(model, step)
    target = relation.property.mapper.class_
    near, far = relation.property.local_remote_pairs[0]
    inner = select(far).where(along_relation(target, rest, clause))
    return near.in_(inner.limit(limit) if limit else inner)


def is_filled(column: Any) -> ColumnElement[bool]:
    """The column has a value: text that is not empty, anything but NULL."""
    found: ColumnElement[bool] = column != "" if python_type(column.type) is str else column.is_not(None)
    return found


def empty_along(model: Any, name: str) -> Any:
    """A condition that a dotted name has no value, also because there is no row on the way."""
    step, _dot, rest = name.partition(".")
    if not rest:
        column = getattr(model, step)
        none = column.is_(None)
        return or_(none, column == "") if python_type(column.type) is str else none
    relation = getattr(model, step)
    target = relation.property.mapper.class_
    near, far = relation.property.local_remote_pairs[0]
    without = near.in_(select(far).where(empty_along(target, rest)))
    return or_(near.is_(None), without) if near.nullable else without


def python_type(kind: TypeEngine[Any]) -> type:
    """The Python type of a column's values; `str` where SQLAlchemy names none."""
    try:
        return kind.python_type
    except NotImplementedError:
        return str


def name_column(model: Any) -> str | None:
    """The column that a model's rows are called by; None where they have no such column."""
    columns = inspect(model).column_attrs
    return next((name for name in ("name", "name_zh_hans", "code", "number") if name in columns), None)
