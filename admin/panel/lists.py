"""Fast lists (goals S1–S6): columns instead of entities, keyset pages, bounded counts, prefix search.

A page is two steps in one statement: an id-only subquery walks an index and stops after one page, then
the shown columns are joined to those ids. A page is addressed by the last row before it (the cursor),
never by a number of rows to skip. Counting stops at `COUNT_CAP`; a whole large table is estimated.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    String,
    TextClause,
    and_,
    any_,
    bindparam,
    false,
    func,
    inspect,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import TypeEngine

from admin.panel import formats, office_time
from admin.panel.row_names import name_of
from models.base import db

PAGE_SIZES = (25, 50, 100, 200)
COUNT_CAP = 1000
SEARCH_CAP = 2000
MOST_OPTIONS = 500  # of a filter's select
BIGGEST_ID = 2**63 - 1
LONGEST_INPUT = 200
MOST_KEPT = 500  # statements of a view
CURSORS = frozenset({"after", "before"})
LAST_LETTER = "\U0010ffff"
SPELLINGS = ("as_typed", "in_capitals", "in_small")  # parameters of a search


# Columns ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """One column of a list, ready to select and to show."""

    name: str  # as in column_list: `number`, `unit.code`
    label: Any
    key: str  # its name in the row: `unit__code`
    layout: str  # num, date, flag, text
    show: formats.Format
    is_sortable: bool
    is_editable: bool = False
    is_by_value: bool = False  # equal values look equal: drawn once a page
    is_plain: bool = False  # its format gives nothing that needs escaping


class Source:
    """Where a list's columns come from: the model and the outer joins that dotted names need."""

    def __init__(self, model: Any, language: str, computed: Mapping[str, Callable[[Any], Any]]) -> None:
        self.model = model
        self.language = language
        self.computed = computed
        self.joins: dict[str, tuple[Any, Any]] = {}  # path → (alias, relationship)

    def expression(self, name: str) -> ColumnElement[Any]:
        """The SQL of a column name; joins it needs are remembered."""
        if name in self.computed:
            return self.computed[name](self.model)
        *steps, last = name.split(".")
        entity, path = self.model, ""
        for step in steps:
            path = f"{path}{step}."
            if path not in self.joins:
                relation = getattr(entity, step)
                self.joins[path] = (aliased(relation.property.mapper.class_), relation)
            entity = self.joins[path][0]
        return attribute_of(entity, last, self.language)

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


def coded(column: Any, *codes: str) -> ColumnElement[bool]:
    """The column is one of these codes, written out: only so SQLite sees that a partial index serves."""
    assert all(code.isidentifier() for code in codes)
    written = [literal_column(f"'{code}'") for code in codes]
    return column == written[0] if len(written) == 1 else column.in_(written)


def along_relation(
    model: Any, name: str, clause: Callable[[Any], ColumnElement[bool]], limit: int | None = None
) -> Any:
    """A condition on a dotted name as `fk IN (SELECT …)`, from which the planner picks its way."""
    step, _dot, rest = name.partition(".")
    if not rest:
        return clause(getattr(model, step))
    relation = getattr(model, step)
    target = relation.property.mapper.class_
    near, far = relation.property.local_remote_pairs[0]
    inner = select(far).where(along_relation(target, rest, clause))
    return near.in_(inner.limit(limit) if limit else inner)


# Filters ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filter:
    """A filter of the always-visible row; `name` may be dotted. Its values come from the query string.

    Subclasses say which parameters they own, which conditions these make, and what a chip reads.
    """

    name: str
    label: Any = None

    kind = "text"

    @property
    def key(self) -> str:
        return self.name.replace(".", "_")

    def parameters(self) -> tuple[str, ...]:
        return (self.key,)

    def found_options(self, view: Any) -> tuple[tuple[str, Any], ...]:  # noqa: ARG002 -- kinds of filter use it
        """Options of its select that come from the database: what the field is drawn from."""
        return ()

    def options(self, view: Any) -> Mapping[str, Any]:  # noqa: ARG002 -- kinds of filter use it
        return {}

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
        raise NotImplementedError

    def chip(self, view: Any, args: Mapping[str, str]) -> str:  # noqa: ARG002 -- kinds of filter use it
        return str(args.get(self.key, ""))

    def given(self, args: Mapping[str, str]) -> tuple[str, ...]:
        """The values of its own parameters, empty where the address has none."""
        return tuple(args.get(name, "") for name in self.parameters())

    def is_active(self, args: Mapping[str, str]) -> bool:
        return any(args.get(name) for name in self.parameters())


@dataclass(frozen=True)
class TextFilter(Filter):
    """Begins with the text."""

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
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

    def options(self, view: Any) -> Mapping[str, Any]:
        return self.choices if self.choices is not None else view.choices.get(self.name, {})

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        if not value:
            return []
        if value not in self.options(view):
            return [false()]
        return [along_relation(view.model, self.name, lambda column: column == value)]

    def chip(self, view: Any, args: Mapping[str, str]) -> str:
        value = args.get(self.key, "")
        return str(self.options(view).get(value, value))


@dataclass(frozen=True)
class FlagFilter(Filter):
    """Yes or no of a Boolean column."""

    kind = "choice"

    def options(self, _view: Any) -> Mapping[str, Any]:
        return {"1": _("Yes"), "0": _("No")}

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        if value not in {"0", "1"}:
            return [false()] if value else []
        return [along_relation(view.model, self.name, lambda column: column.is_(value == "1"))]

    def chip(self, view: Any, args: Mapping[str, str]) -> str:
        return str(self.options(view).get(args.get(self.key, ""), "?"))


@dataclass(frozen=True)
class IsFilter(Filter):
    """A yes/no question of its own: `condition(view)` gives the SQL of yes."""

    condition: Callable[[Any], Any] = lambda _view: false()

    kind = "choice"

    def options(self, _view: Any) -> Mapping[str, Any]:
        return {"1": _("Yes"), "0": _("No")}

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        if value not in {"0", "1"}:
            return [false()] if value else []
        condition = self.condition(view)
        return [condition if value == "1" else ~condition]

    def chip(self, view: Any, args: Mapping[str, str]) -> str:
        return str(self.options(view).get(args.get(self.key, ""), "?"))


@dataclass(frozen=True)
class RangeFilter(Filter):
    """From … to …, both inclusive, on a date, an instant (whole days of office time), money or number."""

    kind = "range"

    def parameters(self) -> tuple[str, ...]:
        return (f"{self.key}_from", f"{self.key}_to")

    def input_type(self, view: Any) -> str:
        return "date" if issubclass(self._python_type(view), date) else "number"

    def bounds(self, view: Any, args: Mapping[str, str]) -> tuple[Any, Any]:
        """The two bounds, None where open; raises ValueError for what is no such value."""
        low, high = (args.get(name) or None for name in self.parameters())
        kind = self._python_type(view)
        low, high = (parsed(kind, value) if value else None for value in (low, high))
        if issubclass(kind, datetime):
            low = _start_of(low) if low else None
            high = _start_of(high + timedelta(days=1)) if high else None
        return low, high

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
        try:
            low, high = self.bounds(view, args)
        except (ValueError, OverflowError):
            return [false()]
        upper = (
            (lambda column: column < high) if isinstance(high, datetime) else (lambda column: column <= high)
        )
        found = []
        if low is not None:
            found.append(along_relation(view.model, self.name, lambda column: column >= low))
        if high is not None:
            found.append(along_relation(view.model, self.name, upper))
        return found

    def chip(self, view: Any, args: Mapping[str, str]) -> str:  # noqa: ARG002 -- as Filter.chip
        low, high = (args.get(name, "") for name in self.parameters())
        return f"{low} – {high}"

    def _python_type(self, view: Any) -> type:
        attribute = view.attribute(self.name)
        return attribute.type.python_type


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

    def options(self, view: Any) -> Mapping[str, Any]:
        """Id → name; read as two columns, not as rows of the model: it is on every page of the list."""
        target = self.target(view)
        columns = {attribute.key for attribute in inspect(target).column_attrs}
        called = next((name for name in ("name", "name_zh_hans", "code", "number") if name in columns), None)
        if called is None:
            rows = db.session.scalars(select(target).limit(MOST_OPTIONS))
            return {str(row.id): name_of(row) for row in rows}
        place = (view.language, self)
        if place not in view.statements:
            name = attribute_of(target, "name" if called == "name_zh_hans" else called, view.language)
            order = (target.position, name) if "position" in columns else (name,)
            view.statements[place] = select(target.id, name).order_by(*order).limit(MOST_OPTIONS)
        found = db.session.connection().execute(view.statements[place]).all()
        return {str(key): text for key, text in found}

    def found_options(self, view: Any) -> tuple[tuple[str, Any], ...]:
        return () if self.is_large else tuple(self.options(view).items())

    def target(self, view: Any) -> Any:
        model = view.model
        for step in self.name.split("."):
            model = getattr(model, step).property.mapper.class_
        return model

    def conditions(self, view: Any, args: Mapping[str, str]) -> list[Any]:
        value = args.get(self.key, "")
        if not value:
            return []
        key = row_id(value)
        if key is None:
            return [false()]
        near, _far = view.attribute_path(self.name).property.local_remote_pairs[0]
        *steps, _last = self.name.split(".")
        return [along_relation(view.model, ".".join([*steps, near.key]), lambda column: column == key)]

    def chip(self, view: Any, args: Mapping[str, str]) -> str:
        key = row_id(args.get(self.key, ""))
        row = db.session.get(self.target(view), key) if key else None
        return name_of(row) if row is not None else "?"


@dataclass(frozen=True)
class OneClick:
    """A named view of a list one click away: `conditions(view)` gives its SQL conditions."""

    code: str
    label: Any
    conditions: Callable[[Any], Sequence[Any]]
    sort: str = ""  # a column name, with a leading `-` for descending


# One page ---------------------------------------------------------------------------------------------


@dataclass
class Query:
    """What a reader asks of a list, read from the query string and made harmless."""

    args: dict[str, str]
    search: str
    sort: str
    is_descending: bool
    size: int
    cursor: tuple[Any, int] | None
    is_backward: bool
    one_click: str
    columns: tuple[str, ...]

    @cached_property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What the address asks for beside the place in the list: parts of a page are kept by it."""
        return tuple((name, value) for name, value in self.args.items() if name not in CURSORS)


@dataclass
class Page:
    rows: list[Any]
    before: str = ""  # cursor of the page before this one, empty on the first
    after: str = ""
    count: int | None = None
    is_count_exact: bool = True
    query: Query | None = field(default=None, repr=False)


def page(session: Session, view: Any, query: Query, conditions: Iterable[Any]) -> Page:
    """One page of a view's rows: first its ids in order, then what is shown of them."""
    found = session.connection().execute(_ids(view, query, list(conditions))).all()
    if query.is_backward:
        found.reverse()
    result = _cut(found, query)
    result.rows = shown_rows(session, view, query.columns, [row.id for row in result.rows])
    return result


def _ids(view: Any, query: Query, conditions: list[Any]) -> Select[Any]:
    source = Source(view.model, view.language, view.column_computed)
    key = source.expression(query.sort)
    own = view.model.id
    statement = source.joined(select(own.label("id"), key.label("sort__key")).select_from(view.model))
    backwards = query.is_descending != query.is_backward
    if query.cursor is not None:
        conditions = _without_bound(conditions, key, is_upper=backwards)
        conditions.append(_beyond(view, key, query, is_descending=backwards))
    order = _order(key, own, is_descending=backwards)
    return statement.where(*conditions).order_by(*order).limit(query.size + 1)


def shown_rows(session: Session, view: Any, names: tuple[str, ...], ids: list[int]) -> list[Any]:
    """The named columns of these rows, in this order; a row that is gone is left out."""
    if not ids:
        return []
    given = json.dumps(ids) if view.dialect == "sqlite" else ids
    rows = session.connection().execute(_shown_columns(view, names), {"ids": given}).all()
    found = {row.id: row for row in rows}
    return [found[key] for key in ids if key in found]


def _shown_columns(view: Any, names: tuple[str, ...]) -> Select[Any]:
    """The statement that reads columns of given `ids`; made once per view, language and columns.

    The ids are one parameter, so that the statement's text is the same for every page.
    """
    place = (view.language, names)
    if place not in view.statements:
        if len(view.statements) > MOST_KEPT:  # readers choose columns as they like
            view.statements.clear()
        source = Source(view.model, view.language, view.column_computed)
        shown = [source.expression(name).label(name.replace(".", "__")) for name in names]
        version = [view.model.row_version.label("row_version")] if hasattr(view.model, "row_version") else []
        statement = source.joined(select(view.model.id.label("id"), *version, *shown).select_from(view.model))
        if view.dialect == "sqlite":
            wanted = view.model.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))
        else:
            wanted = view.model.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
        view.statements[place] = statement.where(wanted)
    return view.statements[place]


def _order(key: Any, identity: Any, *, is_descending: bool) -> tuple[Any, ...]:
    pair = (identity,) if key is identity else (key, identity)
    return tuple(each.desc() if is_descending else each.asc() for each in pair)


def _beyond(view: Any, key: Any, query: Query, *, is_descending: bool) -> Any:
    """The rows after the cursor in this order; a nullable key has its nulls first on SQLite, last on PG."""
    assert query.cursor is not None
    value, identity = query.cursor
    own = view.model.id
    if key is own:
        return own < identity if is_descending else own > identity
    is_nullable = (
        getattr(getattr(key, "property", None), "columns", [None])[0] is None
        or key.property.columns[0].nullable
    )
    if not is_nullable and value is not None:
        pair, cursor = tuple_(key, own), tuple_(literal(value, key.type), literal(identity))
        return pair < cursor if is_descending else pair > cursor
    are_nulls_low = view.dialect == "sqlite"
    nulls_come_first = are_nulls_low != is_descending
    later_id = own < identity if is_descending else own > identity
    if value is None:
        tied = and_(key.is_(None), later_id)
        return or_(tied, key.is_not(None)) if nulls_come_first else tied
    bound = literal(value, key.type)
    later = or_(key < bound if is_descending else key > bound, and_(key == bound, later_id))
    return later if nulls_come_first else or_(later, key.is_(None))


def _without_bound(conditions: list[Any], key: Any, *, is_upper: bool) -> list[Any]:
    """Conditions less the range bound that the cursor makes tighter: SQLite uses only one bound a side."""
    from sqlalchemy.sql import operators

    side = {operators.le, operators.lt} if is_upper else {operators.ge, operators.gt}
    column = getattr(key, "key", None)

    def is_that_bound(condition: Any) -> bool:
        return (
            getattr(condition, "operator", None) in side
            and getattr(condition.left, "key", None) == column
            and getattr(condition.left, "table", None)
            is getattr(getattr(key, "property", None), "columns", [key])[0].table
        )

    return [condition for condition in conditions if not is_that_bound(condition)]


def _cut(rows: list[Any], query: Query) -> Page:
    has_more = len(rows) > query.size
    if query.is_backward:  # the one row too many is the first
        rows = rows[1:] if has_more else rows
        more_before, more_after = has_more, query.cursor is not None
    else:
        rows = rows[: query.size]
        more_before, more_after = query.cursor is not None, has_more
    result = Page(rows, query=query)
    if rows and more_before:
        result.before = written_cursor(query, rows[0])
    if rows and more_after:
        result.after = written_cursor(query, rows[-1])
    if query.cursor is None and not has_more:
        result.count = len(rows)
    return result


# Counts -----------------------------------------------------------------------------------------------


def count(session: Session, view: Any, conditions: Sequence[Any]) -> tuple[int, bool]:
    """How many rows, and whether that is exact: counting stops at COUNT_CAP, whole tables are estimated."""
    estimated = estimate(session, view.model.__tablename__) if not conditions else 0
    if estimated > COUNT_CAP:
        return estimated, False
    inner = select(literal(1)).select_from(view.model).where(*conditions).limit(COUNT_CAP + 1).subquery()
    found = session.connection().scalar(select(func.count()).select_from(inner)) or 0
    return min(found, COUNT_CAP), found <= COUNT_CAP


def estimate(session: Session, table: str) -> int:
    """A table's rows by the database's own statistics; 0 before the first ANALYZE."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return max(int(connection.scalar(_TUPLES, {"t": table}) or 0), 0)
    try:
        stat = connection.scalar(_STATISTICS, {"t": table})
    except OperationalError:  # there is no such table before the first ANALYZE
        return 0
    return int(str(stat).split(" ", maxsplit=1)[0]) if stat else 0


_TUPLES = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:t)")
_STATISTICS = text("SELECT stat FROM sqlite_stat1 WHERE tbl = :t LIMIT 1")


# Search -----------------------------------------------------------------------------------------------


def starts_with(column: Any, value: str, dialect: str) -> Any:
    """A prefix condition that an index on the column serves."""
    return _lies_between(column, value, value + LAST_LETTER, dialect)


def _lies_between(column: Any, start: Any, end: Any, dialect: str) -> Any:
    if dialect == "sqlite":
        return and_(column >= start, column < end)
    # byte by byte, as varchar_pattern_ops orders; a prepared LIKE would not know that its pattern has an end
    return and_(column.op("~>=~")(start), column.op("~<~")(end))


def search_condition(view: Any, words: str) -> Any:
    """Rows of which one searched column begins with the words, or equals them where only that is kept.

    Each column is searched by its own index, at most SEARCH_CAP rows deep; the union is what counts. A view
    words its search once for each number of spellings: SQLAlchemy's work on it costs more than running it.
    """
    if not view.column_searchable_list and not view.search_exact:
        return false()
    spellings = dict(zip(SPELLINGS, dict.fromkeys((words, words.upper(), words.lower())), strict=False))
    place = ("search", len(spellings))
    if place not in view.statements:
        view.statements[place] = _worded(_search(view, tuple(spellings)), view.dialect)
    ends = {f"{name}_end": value + LAST_LETTER for name, value in spellings.items()}
    exact = {"fingerprint": view.fingerprint(words)} if view.search_exact else {}
    return view.statements[place].bindparams(**spellings, **ends, **exact)


def _search(view: Any, spellings: Sequence[str]) -> ColumnElement[bool]:
    """The search with a parameter for each spelling, its end and the fingerprint."""
    found = []
    for name in view.column_searchable_list or ():
        for spelling in spellings:
            start, end = bindparam(spelling, type_=String), bindparam(f"{spelling}_end", type_=String)
            found.append(
                along_relation(
                    view.model,
                    name,
                    lambda column, start=start, end=end: _lies_between(column, start, end, view.dialect),
                    SEARCH_CAP,
                )
            )
    for name in view.search_exact:
        mac = bindparam("fingerprint", type_=String)
        found.append(along_relation(view.model, name, lambda column, mac=mac: column == mac))
    branches = [select(select(view.model.id).where(each).limit(SEARCH_CAP).subquery().c.id) for each in found]
    return view.model.id.in_(branches[0] if len(branches) == 1 else branches[0].union(*branches[1:]))  # type: ignore[no-any-return]


def _worded(condition: ColumnElement[bool], dialect: str) -> TextClause:
    """The condition as the text it comes to, open parameters by name; the others are numbers, its limits."""
    written = (SQLiteDialect if dialect == "sqlite" else PGDialect)(paramstyle="named")
    compiled = condition.compile(dialect=written)
    words = str(compiled)
    for name, value in compiled.params.items():
        if value is not None:
            words = re.sub(rf":{name}\b", str(int(value)), words)
    open_ones = (name for name, value in compiled.params.items() if value is None)
    return text(words).bindparams(*(bindparam(name, type_=String) for name in open_ones))


# Reading what came with the address -------------------------------------------------------------------


def read_query(view: Any, args: Mapping[str, str]) -> Query:
    """The query string as a Query: whatever is no such thing is dropped or clamped, never an error."""
    clean = {name: value[:LONGEST_INPUT] for name, value in args.items() if value and is_clean(value)}
    sort = clean.get("sort", "")
    is_descending = sort.startswith("-")
    sort = sort.removeprefix("-")
    one_click = clean.get("view", "")
    if sort not in view.sortable_names:
        sort, is_descending = view.default_sort(one_click)
    columns = tuple(name for name in clean.get("columns", "").split(",") if name in view.column_names)
    query = Query(
        args=clean,
        search=clean.get("search", "").strip(),
        sort=sort,
        is_descending=is_descending,
        size=_size(view, clean.get("page_size", "")),
        cursor=None,
        is_backward=False,
        one_click=one_click if one_click in view.one_click_codes else "",
        columns=columns or view.default_columns,
    )
    for name, is_backward in (("after", False), ("before", True)):
        cursor = read_cursor(view, query, clean.get(name, ""))
        if cursor is not None:
            query.cursor, query.is_backward = cursor, is_backward
            break
    return query


def is_clean(value: str) -> bool:
    """Whether a database can take the text at all: no NUL, no lone surrogates."""
    return "\x00" not in value and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value)


def row_id(value: Any) -> int | None:
    """A row's id, or None for anything that can't be one."""
    digits = str(value)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19:
        return None
    number = int(digits)
    return number if 0 < number <= BIGGEST_ID else None


def written_cursor(query: Query, row: Any) -> str:
    value = row.sort__key
    if isinstance(value, datetime | date):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = str(value)
    packed = json.dumps([query.sort, int(query.is_descending), value, row.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_cursor(view: Any, query: Query, packed: str) -> tuple[Any, int] | None:
    if not packed:
        return None
    try:
        sort, descending, value, identity = json.loads(
            base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        )
        key = row_id(identity)
        if sort != query.sort or bool(descending) != query.is_descending or key is None:
            return None
        if value is not None:
            kind = python_type(view.sort_type(sort))
            value = parsed_cursor(kind, value)
    except (ValueError, TypeError, ArithmeticError, binascii.Error, RecursionError):
        return None
    return value, key


def python_type(kind: TypeEngine[Any]) -> type:
    try:
        return kind.python_type
    except NotImplementedError:
        return str


def parsed(kind: type, value: Any) -> Any:
    """A value of this Python type from its text; raises ValueError for anything else."""
    if issubclass(kind, date):  # an instant is asked for by its day
        return date.fromisoformat(value[:10])
    if issubclass(kind, bool):
        return bool(int(value))
    if issubclass(kind, int):
        number = int(value)
        if abs(number) > BIGGEST_ID:
            raise ValueError(value)
        return number
    if issubclass(kind, Decimal):
        try:
            amount = Decimal(value)
        except InvalidOperation as error:
            raise ValueError(value) from error
        if not amount.is_finite() or abs(amount) >= 10**12 or -amount.as_tuple().exponent > 2:
            raise ValueError(value)
        return amount
    return str(value)


def parsed_cursor(kind: type, value: Any) -> Any:
    """A sort key from a cursor; raises ValueError for anything else."""
    if issubclass(kind, datetime):
        return parsed_instant(value)
    if issubclass(kind, Decimal):  # as exact as the column, unlike what a person types
        amount = Decimal(value) if len(value) < 40 else Decimal("nan")
        if not amount.is_finite() or abs(amount) >= 10**12:
            raise ValueError(value)
        return amount
    return parsed(kind, value)


def parsed_instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None or not 1 < instant.year < 9999:  # a zone may lead beyond the calendar
        raise ValueError(value)
    return instant


def _start_of(day: date) -> datetime:
    return office_time.instant_of(datetime(day.year, day.month, day.day))  # noqa: DTZ001 -- told in office time


def _size(view: Any, asked: str) -> int:
    try:
        return min(PAGE_SIZES, key=lambda size: abs(size - int(asked[:9])))
    except ValueError:
        return view.page_size


__all__ = [
    "ChoiceFilter", "Column", "Filter", "FlagFilter", "IsFilter", "OneClick", "Page", "Query", "RangeFilter",
    "RelationFilter", "Source", "TextFilter",
]  # fmt: skip
