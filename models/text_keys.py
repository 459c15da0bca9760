"""Columns that name something, and beside each the form in which two such names are compared and ordered.

A unit, a meter, a slip or a login is written in its normal form (rules/text_keys.py) whoever writes it, and
`folded_of` is the column beside it that is compared, searched and unique, `order_of` the one that lists are
ordered by. All are kept here, for all models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Select,
    String,
    Table,
    bindparam,
    event,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, QueryableAttribute, mapped_column

from models.base import Model
from rules.text_keys import compared_key, text_key
from rules.text_order import LONGEST

Asked = TypeVar("Asked", bound=Select[Any])

FOLDED = "_folded"
ORDERED = "_sort"
ORDER_TEXT = String(LONGEST).with_variant(String(LONGEST, collation="C"), "postgresql")
SECOND = "\n"  # stands behind the folded form of a row that bore an equal name before names were compared


def folded_of(
    name: str, length: int, *, is_unique: bool = False, is_kept_as_typed: bool = False
) -> Mapped[str]:
    """The column `NAME_folded`: the folded form of the column `name`, which has that length.

    It is filled by whatever writes `name` and isn't loaded with the row. A person's name is kept as it is
    typed, and only searched by its folded form.
    """
    return mapped_column(
        String(3 * length),
        default=lambda context: compared_key(context.get_current_parameters()[name]),
        unique=is_unique,
        deferred=True,
        info={"folds": name, "is_kept_as_typed": is_kept_as_typed},
    )


def order_of(name: str, key: Callable[[str], str]) -> Mapped[str]:
    """The column `NAME_sort`: what `key` makes of the column `name`, by which lists are ordered.

    It is filled like the folded column beside it, and compared byte by byte on both databases.
    """
    return mapped_column(
        ORDER_TEXT,
        default=lambda context: key(context.get_current_parameters()[name]),
        server_default="",
        deferred=True,
        info={"orders": name, "key": key},
    )


def ordered_columns(table: Table) -> Iterator[tuple[Column[str], Column[str], Callable[[str], str]]]:
    """Of a table, each column that has one to order by, that column, and what makes the key."""
    for column in table.columns:
        if source := column.info.get("orders"):
            yield table.columns[source], column, column.info["key"]


def is_derived(column: Column[Any]) -> bool:
    """Whether a column only holds another form of the one beside it."""
    return bool(column.info.get("folds") or column.info.get("orders"))


def fill_order_keys(connection: Connection, table: Table) -> None:
    """Fill the columns that a table is ordered by where rows were written without them."""
    for name, ordered, key in ordered_columns(table):
        rows = connection.execute(select(table.c.id, name).where(ordered == "")).all()
        if rows:
            change = update(table).where(table.c.id == bindparam("of")).values({ordered: bindparam("new")})
            connection.execute(change, [{"of": id_, "new": key(text)} for id_, text in rows])


def folded_columns(table: Table) -> Iterator[tuple[Column[str], Column[str]]]:
    """Of a table, each column that names something, with the one that holds its folded form."""
    for column in table.columns:
        if source := column.info.get("folds"):
            yield table.columns[source], column


def _folded(text: str) -> str:
    return compared_key(text)


@cache
def _derived(table: Table) -> tuple[tuple[str, str, Callable[[str], str]], ...]:
    """(name, the column that is made of it, what makes it) of each such column of a table."""
    folded = [(column.name, folded.name, _folded) for column, folded in folded_columns(table)]
    return (*folded, *((column.name, ordered.name, key) for column, ordered, key in ordered_columns(table)))


def folded_column(column: Any) -> Any:
    """The folded column beside a model's column, None where it has none."""
    return getattr(getattr(column, "class_", None), f"{column.key}{FOLDED}", None)


def order_column(column: Any) -> Any:
    """The column that a model's column is ordered by: the one beside it, else itself."""
    name = getattr(column, "key", None)
    return getattr(getattr(column, "class_", None), f"{name}{ORDERED}", column) if name else column


def called(asked: Asked, column: QueryableAttribute[str], text: str) -> Asked:
    """The rows that bear a name, in whatever spelling; the one in the very spelling first.

    There is at most one, but in an old office that had several before names were compared.
    """
    is_so = or_(folded_column(column) == compared_key(text), column == text)
    return asked.where(is_so).order_by((column == text).desc())


def with_folded(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row with the folded form of each name among them, and what it is ordered by."""
    made = {beside: make(values[name]) for name, beside, make in _derived(table) if name in values}
    return {**values, **made}


@event.listens_for(Model, "attribute_instrument", propagate=True)
def _keep_normal(model: Any, name: str, attribute: Any) -> None:
    """Let each name of each model be written in its normal form, and its folded form with it."""
    if f"{name}{FOLDED}" in model.__table__.columns:
        event.listen(attribute, "set", _normal, retval=True, active_history=True)


def _normal(row: Any, value: Any, before: Any, initiator: Any) -> Any:
    if not isinstance(value, str):
        return value
    normal, folded = text_key(value), f"{initiator.key}{FOLDED}"
    if type(row).__table__.columns[folded].info["is_kept_as_typed"]:
        normal = value
        if before == value:  # nothing is written for a name that stays
            return value
    elif isinstance(before, str) and text_key(before) == normal:
        return before  # an old row keeps its spelling until somebody gives it another name
    for name, beside, make in _derived(type(row).__table__):
        if name == initiator.key:
            setattr(row, beside, make(normal))
    return normal
