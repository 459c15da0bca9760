"""Filters of lists, and their views one click away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import false, inspect, or_, select

from admin.panel import office_time, row_access, typed_text
from admin.panel.columns import along_relation, attribute_of, empty_along, is_filled, name_column
from admin.panel.list_request import Query
from admin.panel.list_screen import ListScreen
from admin.panel.request_values import row_id
from admin.panel.row_names import name_of, told_apart
from admin.panel.search import starts_with
from models.base import db
from models.text_keys import order_column
from rules.relative_days import SPANS, span_of

MOST_OPTIONS = 500  # of a filter's select
EMPTY, FILLED = "empty", "filled"  # values that ask whether there is any
BETWEEN_VALUES = ","  # of a filter that takes several: any of them
EMPTINESS: Mapping[str, Any] = {EMPTY: _l("Is empty"), FILLED: _l("Is not empty")}
SPAN_WORDS: Mapping[str, Any] = {
    "today": _l("Today"),
    "this_week": _l("This week"),
    "this_month": _l("This month"),
    "last_month": _l("Last month"),
    "last_7_days": _l("Last 7 days"),
    "last_30_days": _l("Last 30 days"),
    "next_7_days": _l("Next 7 days"),
}


@dataclass(frozen=True)
class Filter:
    """A filter above the list; `name` is a column and may be dotted. Its values come from the query string.

    Subclasses say which parameters they own, how their values are read, which SQL conditions these make, and
    the text of their chip. Conditions are asked for without the values that can't be read.
    """

    name: str
    label: Any = None

    kind = "text"
    takes_several = False  # values with a comma between: rows of any of them

    @property
    def key(self) -> str:
        return self.name.replace(".", "_")

    def parameters(self) -> tuple[str, ...]:
        return (self.key,)

    def several(self) -> tuple[str, ...]:
        """Its parameters that take several values."""
        return (self.key,) if self.takes_several else ()

    def chosen(self, args: Mapping[str, str]) -> tuple[str, ...]:
        """The values that are chosen, each once."""
        parts = (
            args.get(self.key, "").split(BETWEEN_VALUES) if self.takes_several else [args.get(self.key, "")]
        )
        return tuple(dict.fromkeys(part for part in parts if part))

    def emptiness(self, view: ListScreen) -> Mapping[str, Any]:
        """The two questions whether there is a value, where there may be none; else nothing."""
        return EMPTINESS if _may_be_empty(view.model, self.name) else {}

    def found_options(self, view: ListScreen) -> tuple[tuple[str, Any], ...]:  # noqa: ARG002 -- subclasses use it
        """The options of its select that come from the database: part of the fragment's cache key."""
        return ()

    def options(self, view: ListScreen) -> Mapping[str, Any]:  # noqa: ARG002 -- subclasses use it
        return {}

    def problems(self, view: ListScreen, args: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with each parameter whose value can't be read."""
        return self._wrong(view, args, self.parameters(), self.read)

    def _wrong(
        self,
        view: ListScreen,
        args: Mapping[str, str],
        names: Sequence[str],
        read: Callable[[ListScreen, str], Any],
    ) -> dict[str, str]:
        found = {}
        for name in names:
            try:
                if args.get(name):
                    read(view, args[name])
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
class ChosenFilter(Filter):
    """One or several of known values, or whether there is any; `equals` gives the SQL of the values."""

    kind = "choice"
    takes_several = True

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        chosen = self.chosen(args)
        if not chosen:
            return []
        wanted = [each for each in chosen if each not in self.emptiness(view)]
        any_of = [self.equals(view, wanted)] if wanted else []
        if EMPTY in chosen and EMPTY not in wanted:
            any_of.append(empty_along(view.model, self.column_name(view)))
        if FILLED in chosen and FILLED not in wanted:
            any_of.append(along_relation(view.model, self.column_name(view), is_filled))
        return any_of if len(any_of) == 1 else [or_(*any_of)]

    def equals(self, view: ListScreen, values: Sequence[str]) -> Any:
        raise NotImplementedError

    def column_name(self, view: ListScreen) -> str:  # noqa: ARG002 -- subclasses use it
        return self.name

    def emptiness(self, view: ListScreen) -> Mapping[str, Any]:
        return EMPTINESS if _may_be_empty(view.model, self.column_name(view)) else {}

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:
        questions = self.emptiness(view)
        shown = [str(questions.get(each) or self.shown(view, each)) for each in self.chosen(args)]
        return _(" or ").join(shown)

    def shown(self, view: ListScreen, value: str) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class ChoiceFilter(ChosenFilter):
    """Some of known codes: `choices` code → label; without them the view's `choices[name]`."""

    choices: Mapping[str, Any] | None = None

    def options(self, view: ListScreen) -> Mapping[str, Any]:
        known = self.choices if self.choices is not None else view.choices.get(self.name, {})
        return {**known, **self.emptiness(view)}

    def emptiness(self, view: ListScreen) -> Mapping[str, Any]:
        known = self.choices if self.choices is not None else view.choices.get(self.name, {})
        return EMPTINESS if "" in known or _may_be_empty(view.model, self.name) else {}

    def equals(self, view: ListScreen, values: Sequence[str]) -> Any:
        if len(values) == 1:
            return along_relation(view.model, self.name, lambda column: column == values[0])
        return along_relation(view.model, self.name, lambda column: column.in_(values))

    def read(self, view: ListScreen, value: str) -> tuple[str, ...]:
        options = self.options(view)
        return tuple(_one_of(options, each) for each in _parts(value))

    def shown(self, view: ListScreen, value: str) -> str:
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
    """From … to …, both inclusive, on a date, an instant (whole days of office time), money or number.

    A third parameter asks for days that move with the calendar (this month), or whether there is a value.
    """

    kind = "range"

    def parameters(self) -> tuple[str, ...]:
        return (f"{self.key}_from", f"{self.key}_to", f"{self.key}_in")

    def input_type(self, view: ListScreen) -> str:
        return "date" if issubclass(self._python_type(view), date) else "number"

    def options(self, view: ListScreen) -> Mapping[str, Any]:
        """What its third parameter may be."""
        spans = SPAN_WORDS if self.input_type(view) == "date" else {}
        return {**spans, **self.emptiness(view)}

    def problems(self, view: ListScreen, args: Mapping[str, str]) -> dict[str, str]:
        *bounds, within = self.parameters()
        found = self._wrong(view, args, bounds, self.read)
        return found | self._wrong(
            view, args, [within], lambda view, value: _one_of(self.options(view), value)
        )

    def read(self, view: ListScreen, value: str) -> Any:
        kind = self._python_type(view)
        if issubclass(kind, date):  # an instant is asked for by its day
            return typed_text.day(value, date.min, date.max)
        if issubclass(kind, int):
            return typed_text.whole(value)
        return typed_text.number(value, getattr(view.attribute(self.name).type, "places", 2))

    def conditions(self, view: ListScreen, args: Mapping[str, str]) -> list[Any]:
        low, high = (
            self.read(view, value) if (value := args.get(name)) else None for name in self.parameters()[:2]
        )
        found = self._between(view, low, high)
        match args.get(self.parameters()[2], ""):
            case code if code == EMPTY:
                found.append(empty_along(view.model, self.name))
            case code if code == FILLED:
                found.append(along_relation(view.model, self.name, is_filled))
            case code if code in SPANS:
                found += self._between(view, *span_of(code, office_time.today()))
        return found

    def _between(self, view: ListScreen, low: Any, high: Any) -> list[Any]:
        """The conditions of two bounds, None where open."""
        if issubclass(self._python_type(view), datetime):
            low = _start_of(low) if low else None
            high = _start_of(high, days_later=1) if high else None
        upper = (
            (lambda column: column < high) if isinstance(high, datetime) else (lambda column: column <= high)
        )
        found = []
        if low is not None:
            found.append(along_relation(view.model, self.name, lambda column: column >= low))
        if high is not None:
            found.append(along_relation(view.model, self.name, upper))
        return found

    def chip(self, view: ListScreen, args: Mapping[str, str]) -> str:
        low, high, within = (args.get(name, "") for name in self.parameters())
        shown = [f"{low} – {high}"] if low or high else []
        if within:
            shown.append(str(self.options(view).get(within, within)))
        return ", ".join(shown)

    def _python_type(self, view: ListScreen) -> type:
        kind: type = view.attribute(self.name).type.python_type
        return kind


@dataclass(frozen=True)
class RelationFilter(ChosenFilter):
    """Belongs to one of some rows of another table; `name` is the relationship, such as `building`.

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
        return {**self._rows_to_choose(view), **self.emptiness(view)}

    def _rows_to_choose(self, view: ListScreen) -> Mapping[str, Any]:
        """Id → name; two columns instead of model rows, because every page of the list reads them."""
        target = self.target(view)
        called, within = name_column(target), view.lookup_scope(self.name, target)
        if called is None:
            rows = db.session.scalars(select(target).where(*within).limit(MOST_OPTIONS))
            return {str(row.id): name_of(row) for row in rows}
        place = (view.language, self)
        if within or place not in view.statements:
            name = attribute_of(target, "name" if called == "name_zh_hans" else called, view.language)
            order = (
                (target.position, order_column(name))
                if hasattr(target, "position")
                else (order_column(name),)
            )
            asked = select(target.id, name).where(*within).order_by(*order).limit(MOST_OPTIONS)
            if within:  # of this reader only
                return {str(key): text for key, text in db.session.execute(asked)}
            view.statements[place] = asked
        found = db.session.connection().execute(view.statements[place]).all()
        return {str(key): text for key, text in found}

    def found_options(self, view: ListScreen) -> tuple[tuple[str, Any], ...]:
        return () if self.is_large else tuple((key, str(text)) for key, text in self.options(view).items())

    def target(self, view: ListScreen) -> Any:
        model = view.model
        for step in self.name.split("."):
            model = getattr(model, step).property.mapper.class_
        return model

    def column_name(self, view: ListScreen) -> str:
        """The foreign key, from the list's table on."""
        near, _far = view.attribute_path(self.name).property.local_remote_pairs[0]
        *steps, _last = self.name.split(".")
        return ".".join([*steps, str(near.key)])

    def equals(self, view: ListScreen, values: Sequence[str]) -> Any:
        keys = [row_id(value) for value in values]
        if len(keys) == 1:
            return along_relation(view.model, self.column_name(view), lambda column: column == keys[0])
        return along_relation(view.model, self.column_name(view), lambda column: column.in_(keys))

    def read(self, view: ListScreen, value: str) -> list[Any]:
        """The rows of these ids; raises ValueError for one that the reader may not choose."""
        questions = self.emptiness(view)
        return [self._row(view, each) for each in _parts(value) if each not in questions]

    def _row(self, view: ListScreen, value: str) -> Any:
        target = self.target(view)
        row = row_access.find(target, value, within=view.lookup_scope(self.name, target))
        if row is None:
            raise ValueError(_("Please choose one of the list."))
        return row

    def shown(self, view: ListScreen, value: str) -> str:
        try:
            row = self._row(view, value)
        except ValueError:
            return "?"
        return told_apart([row])[int(row.id)]


@dataclass(frozen=True)
class OneClick:
    """A named view of a list one click away: `conditions(view)` gives its SQL conditions."""

    code: str
    label: Any
    conditions: Callable[[Any], Sequence[Any]]
    sort: str = ""  # a column name, with a leading `-` for descending
    awaits: str = ""  # whose inbox its rows are in: who may do this verb here, but not who asked


def _parts(value: str) -> tuple[str, ...]:
    """The values of a filter that takes several. Raises ValueError where none stands between two commas."""
    parts = tuple(value.split(BETWEEN_VALUES))
    if not all(parts):
        raise ValueError(_("Please choose one of the list."))
    return parts


def _may_be_empty(model: Any, name: str) -> bool:
    """Whether a row may have no value at the end of a dotted name."""
    step, _dot, rest = name.partition(".")
    if not rest:
        column = inspect(model).column_attrs.get(step)
        return column is not None and bool(column.columns[0].nullable)
    relation = inspect(model).relationships[step]
    return any(bool(each.nullable) for each in relation.local_columns) or _may_be_empty(
        relation.mapper.class_, rest
    )


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
