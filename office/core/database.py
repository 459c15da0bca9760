"""Small helpers for queries: which database this is, lists cut to fit one statement, tables without types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Text, TypeEngine

from models import Base
from models.base import FixedPoint
from models.secrets import Sealed

Item = TypeVar("Item")
IN_ONE_QUERY = 5000  # values in one `IN (…)`; SQLite takes 32,766 and PostgreSQL 65,535


def is_postgresql(session: Session) -> bool:
    """Whether the session talks to PostgreSQL; otherwise it is SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def chunks(items: Iterable[Item], size: int = IN_ONE_QUERY) -> Iterator[list[Item]]:
    """The items in lists of at most `size`, in their order."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def plain_tables() -> list[Table]:
    """Every table, parents first, with the types its values travel in: nothing is unsealed on the way."""
    plain = MetaData()
    return [
        Table(
            table.name,
            plain,
            *(
                Column(column.name, plain_type(column.type), primary_key=column.primary_key)
                for column in table.columns
            ),
        )
        for table in Base.metadata.sorted_tables
    ]


def plain_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of a column as the database itself has it."""
    if isinstance(kind, Sealed):
        return Text()
    if isinstance(kind, FixedPoint):
        return BigInteger()
    return kind
