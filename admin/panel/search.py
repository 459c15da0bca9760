"""Search of a list: a prefix of one of its columns, or the exact value of a sealed one (goal S4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, TextClause, and_, bindparam, false, select, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from admin.panel.columns import along_relation
from admin.panel.list_screen import ListScreen
from models.text_keys import FOLDED as FOLDED_COLUMN
from models.text_keys import folded_column
from rules.text_keys import compared_key, text_key

SEARCH_CAP = 2000  # rows that a search finds by one column
LAST_LETTER = "\U0010ffff"
SPELLINGS = ("as_typed", "in_capitals", "in_small")  # parameters of a search; where nothing is folded
FOLDED = "folded"  # the parameter for columns with a folded form


def starts_with(column: Any, value: str, dialect: str) -> Any:
    """A prefix condition that an index serves: that of the folded form, where the column has one."""
    folded = folded_column(column)
    if folded is not None:
        column, value = folded, compared_key(value)
    return _lies_between(column, value, value + LAST_LETTER, dialect)


def _lies_between(column: Any, start: Any, end: Any, dialect: str) -> Any:
    if dialect == "sqlite":
        return and_(column >= start, column < end)
    # byte by byte, as varchar_pattern_ops orders; a prepared LIKE would not know that its pattern has an end
    return and_(column.op("~>=~")(start), column.op("~<~")(end))


def search_condition(view: ListScreen, words: str) -> Any:
    """Rows of which a searched column begins with the words, or, where it is sealed, equals them.

    Each column is searched by its own index for at most SEARCH_CAP rows, by its folded form where it has one;
    the result is their union. The SQL
    is compiled once for each screen and number of spellings: compiling costs more than running it.
    """
    if not view.column_searchable_list and not view.search_exact:
        return false()
    plain = text_key(words)
    spellings = dict(zip(SPELLINGS, dict.fromkeys((plain, plain.upper(), plain.lower())), strict=False))
    spellings[FOLDED] = compared_key(words)
    place = ("search", len(spellings))
    if place not in view.statements:
        view.statements[place] = _as_text(_search(view, tuple(spellings)), view.dialect)
    ends = {f"{name}_end": value + LAST_LETTER for name, value in spellings.items()}
    given = {**spellings, **ends, "fingerprint": view.fingerprint(words) if view.search_exact else ""}
    asked, names = view.statements[place]
    return asked.bindparams(**{name: given[name] for name in names})


def _search(view: ListScreen, spellings: Sequence[str]) -> ColumnElement[bool]:
    """The search with a parameter for each spelling, for its end, and for the fingerprint."""

    def begins_with(spelling: str) -> Callable[[Any], ColumnElement[bool]]:
        start, end = bindparam(spelling, type_=String), bindparam(f"{spelling}_end", type_=String)
        return lambda column: _lies_between(column, start, end, view.dialect)

    def has_fingerprint(column: Any) -> Any:
        return column == bindparam("fingerprint", type_=String)

    ways: list[tuple[str, str]] = []  # a column's name, and what it begins with
    for name in view.column_searchable_list or ():
        if folded_column(view.attribute_path(name)) is not None:
            ways.append((f"{name}{FOLDED_COLUMN}", FOLDED))
        else:
            ways += [(name, spelling) for spelling in spellings if spelling != FOLDED]
    found = [along_relation(view.model, name, begins_with(spelling), SEARCH_CAP) for name, spelling in ways]
    found += [along_relation(view.model, name, has_fingerprint) for name in view.search_exact]
    branches = [select(select(view.model.id).where(each).limit(SEARCH_CAP).subquery().c.id) for each in found]
    ids = branches[0] if len(branches) == 1 else branches[0].union(*branches[1:])
    within: ColumnElement[bool] = view.model.id.in_(ids)
    return within


def _as_text(condition: ColumnElement[bool], dialect: str) -> tuple[TextClause, list[str]]:
    """The condition as compiled SQL with the names of its open parameters; its limits as numbers."""
    kind = SQLiteDialect if dialect == "sqlite" else PGDialect
    compiled = condition.compile(dialect=kind(paramstyle="named"))
    written = str(compiled)
    for name, value in compiled.params.items():
        if value is not None:
            written = re.sub(rf":{name}\b", str(int(value)), written)
    names = [name for name, value in compiled.params.items() if value is None]
    return text(written).bindparams(*(bindparam(name, type_=String) for name in names)), names
