"""Filters of lists, and their views one click away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import false, select

from admin.panel import office_time, row_access, typed_text
from admin.panel.columns import along_relation, attribute_of, name_column
from admin.panel.list_request import Query
from admin.panel.list_screen import ListScreen
from admin.panel.request_values import row_id
from admin.panel.row_names import name_of, told_apart
from admin.panel.search import starts_with
from models.base import db

MOST_OPTIONS = 500  # of a filter's select


@dataclass(frozen=True)
class Filter:
    """A filter above the list; `name` is a column and may be dotted. Its values come from the query string.

    Subclasses say which parameters they own, how their values are read, which SQL conditions these make, and
    the text of their chip. Conditions are asked for without the values that can't be read.
    """

    name: str
    label: Any = None

    kind = "text"

    @property
    def key(self) -> str:
        return self.name.replace(".", "_")

    def parameters(self) -> tuple[str, ...]:
        return (self.key,)

    def found_options(self, view: ListScreen) -> tuple[tuple[str, Any], ...]:  # noqa: ARG002 -- subclasses use it
        """The options of its select that come from the database: part of the fragment's cache key."""
        return ()

    def options(self, view: ListScreen) -> Mapping[str, Any]:  # noqa: ARG002 -- subclasses use it
        return {}

    def problems(self, view: ListScreen, args: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with each parameter whose value can't be read."""
        found = {}
        for name in self.parameters():
            try:
                if args.get(name):
                    self.read(view, args[name])
            except ValueError as wrong:
                found[name] = str(wrong)
        return found

    def read(self, view: ListScreen, value: str) -> Any:  # noqa: ARG002 -- subclasses use it
        """The value of a parameter; raises ValueError, in words, for one that can't be read."""
        return value

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        raise NotImplementedError

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:  # noqa: ARG002 -- subclasses use it
        return str(args.get(self.key, ""))

    def given(self, args: Mapping[str, str]) -> tuple[str, ...]:
        """The values of its parameters, empty where the address has none."""
        return tuple(args.get(name, "") for name in self.parameters())

    def unread(self, query: Query) -> tuple[str, ...]:
        """What is wrong with those of its values that can't be read."""
        return tuple(query.unread[name] for name in self.parameters() if name in query.unread)

    def is_active(self, args: Mapping[str, str]) -> bool:
        return any(args.get(name) for name in self.parameters())


@dataclass(frozen=True)
class TextFilter(Filter):
    """Begins with the text."""

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        return (
            [along_relation(view.model, self.name, lambda column: starts_with(column, value, view.dialect))]
            if value
            else []
        )


@dataclass(frozen=True)
class ChoiceFilter(Filter):
    """One of known codes: `choices` code → label; without them the view's `choices[name]`."""

    choices: Mapping[str, Any] | None = None

    kind = "choice"

    def options(self, view: ListScreen) -> Mapping[str, Any]:
        return self.choices if self.choices is not None else view.choices.get(self.name, {})

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        return [along_relation(view.model, self.name, lambda column: column == value)] if value else []

    def read(self, view: ListScreen, value: str) -> str:
        return _one_of(self.options(view), value)

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:
        value = args.get(self.key, "")
        return str(self.options(view).get(value, value))


@dataclass(frozen=True)
class FlagFilter(Filter):
    """Yes or no of a Boolean column."""

    kind = "choice"

    def options(self, _view: ListScreen) -> Mapping[str, Any]:
        return {"1": _("Yes"), "0": _("No")}

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        return [self.condition_of(view, is_yes=value == "1")] if value else []

    def read(self, view: ListScreen, value: str) -> str:
        return _one_of(self.options(view), value)

    def condition_of(self, view: ListScreen, *, is_yes: bool) -> Any:
        return along_relation(view.model, self.name, lambda column: column.is_(is_yes))

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:
        return str(self.options(view).get(args.get(self.key, ""), "?"))


@dataclass(frozen=True)
class IsFilter(FlagFilter):
    """A yes/no question of its own: `condition(view)` gives the SQL of yes."""

    condition: Callable[[Any], Any] = lambda _view: false()

    def condition_of(self, view: ListScreen, *, is_yes: bool) -> Any:
        return self.condition(view) if is_yes else ~self.condition(view)


@dataclass(frozen=True)
class RangeFilter(Filter):
    """From … to …, both inclusive, on a date, an instant (whole days of office time), money or number."""

    kind = "range"

    def parameters(self) -> tuple[str, ...]:
        return (f"{self.key}_from", f"{self.key}_to")

    def input_type(self, view: ListScreen) -> str:
        return "date" if issubclass(self._python_type(view), date) else "number"

    def read(self, view: ListScreen, value: str) -> Any:
        kind = self._python_type(view)
        if issubclass(kind, date):  # an instant is asked for by its day
            return typed_text.day(value, date.min, date.max)
        if issubclass(kind, int):
            return typed_text.whole(value)
        return typed_text.number(value, getattr(view.attribute(self.name).type, "places", 2))

    def bounds(self, view: ListScreen, args: Mapping[str, str]) -> tuple[Any, Any]:
        """The two bounds, None where open."""
        low, high = (
            self.read(view, value) if (value := args.get(name)) else None for name in self.parameters()
        )
        if issubclass(self._python_type(view), datetime):
            low = _start_of(low) if low else None
            high = _start_of(high, days_later=1) if high else None
        return low, high

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        low, high = self.bounds(view, args)
        upper = (
            (lambda column: column < high) if isinstance(high, datetime) else (lambda column: column <= high)
        )
        found = []
        if low is not None:
            found.append(along_relation(view.model, self.name, lambda column: column >= low))
        if high is not None:
            found.append(along_relation(view.model, self.name, upper))
        return found

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:  # noqa: ARG002 -- as Filter.chip
        low, high = (args.get(name, "") for name in self.parameters())
        return f"{low} – {high}"

    def _python_type(self, view: ListScreen) -> type:
        kind: type = view.attribute(self.name).type.python_type
        return kind


@dataclass(frozen=True)
class RelationFilter(Filter):
    """Belongs to one row of another table; `name` is the relationship, such as `building`.

    Small tables are a select; large ones (`is_large`) a field that searches through the view's look-up.
    """

    is_large: bool = False

    @property
    def kind(self) -> str:  # type: ignore[override]
        return "picker" if self.is_large else "choice"

    @property
    def key(self) -> str:
        return f"{self.name.replace('.', '_')}_id"

    def options(self, view: ListScreen) -> Mapping[str, Any]:
        """Id → name; two columns instead of model rows, because every page of the list reads them."""
        target = self.target(view)
        called, within = name_column(target), view.lookup_scope(self.name, target)
        if called is None:
            rows = db.session.scalars(select(target).where(*within).limit(MOST_OPTIONS))
            return {str(row.id): name_of(row) for row in rows}
        place = (view.language, self)
        if within or place not in view.statements:
            name = attribute_of(target, "name" if called == "name_zh_hans" else called, view.language)
            order = (target.position, name) if hasattr(target, "position") else (name,)
            asked = select(target.id, name).where(*within).order_by(*order).limit(MOST_OPTIONS)
            if within:  # of this reader only
                return {str(key): text for key, text in db.session.execute(asked)}
            view.statements[place] = asked
        found = db.session.connection().execute(view.statements[place]).all()
        return {str(key): text for key, text in found}

    def found_options(self, view: ListScreen) -> tuple[tuple[str, Any], ...]:
        return () if self.is_large else tuple(self.options(view).items())

    def target(self, view: ListScreen) -> Any:
        model = view.model
        for step in self.name.split("."):
            model = getattr(model, step).property.mapper.class_
        return model

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        if not value:
            return []
        key = row_id(value)
        near, _far = view.attribute_path(self.name).property.local_remote_pairs[0]
        *steps, _last = self.name.split(".")
        return [along_relation(view.model, ".".join([*steps, near.key]), lambda column: column == key)]

    def read(self, view: ListScreen, value: str) -> Any:
        """The row of that id that the reader may choose."""
        target = self.target(view)
        row = row_access.find(target, value, within=view.lookup_scope(self.name, target))
        if row is None:
            raise ValueError(_("Please choose one of the list."))
        return row

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:
        try:
            row = self.read(view, args.get(self.key, ""))
            return told_apart([row])[int(row.id)]
        except ValueError:
            return "?"


@dataclass(frozen=True)
class OneClick:
    """A named view of a list one click away: `conditions(view)` gives its SQL conditions."""

    code: str
    label: Any
    conditions: Callable[[Any], Sequence[Any]]
    sort: str = ""  # a column name, with a leading `-` for descending


def _one_of(options: Mapping[str, Any], value: str) -> str:
    if value not in options:
        raise ValueError(_("Please choose one of the list."))
    return value


def _start_of(day: date, days_later: int = 0) -> datetime | None:
    """When a day begins in office time; None at the calendar's ends, beyond which nothing lies."""
    try:
        found = day + timedelta(days=days_later)
        return office_time.instant_of(datetime(found.year, found.month, found.day))  # noqa: DTZ001 -- in office time
    except (OverflowError, ValueError):
        return None
