"""How rows leave the office: codes in a fixed order, and each value as scripts read it (contract "Exports").

A room's export is a function from a session to a table: the labels of its query's columns are the codes.
Money is decimal yuan with 2 places, instants are office time with offset, booleans `true`/`false`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, Date, Select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from models.base import FixedPoint, Instant, Money
from office.core import clock
from rules.money import yuan
from rules.reasons import Reason

AT_ONCE = 2_000  # rows fetched at a time

Value = str | int | bool | Decimal | date | datetime | None
Table = tuple[Sequence[str], Iterable[Sequence[Value]]]  # codes, and rows read as they are asked for
Export = Callable[[Session], Table]
Format = Callable[[Any, ZoneInfo], Value]


def plain(value: Any, _zone: ZoneInfo) -> Value:
    said: Value = value
    return said


def amount(value: Any, _zone: ZoneInfo) -> Value:
    """Yuan with exactly two places."""
    return None if value is None else Decimal(yuan(value))


def decimal(value: Any, _zone: ZoneInfo) -> Value:
    """A number as people write it: 89.5, at least 0."""
    if value is None:
        return None
    digits = f"{value:f}"
    return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def rate(value: Any, zone: ZoneInfo) -> Value:
    """A rate in yuan: two places, more where it has more; None where there is none."""
    if value is None:
        return None
    said = decimal(value, zone)
    assert isinstance(said, Decimal)
    return said if said.as_tuple().exponent < -2 else Decimal(f"{said:.2f}")  # type: ignore[operator]


def day(value: date | None, _zone: ZoneInfo) -> Value:
    return None if value is None else value.isoformat()


def instant(value: datetime | None, zone: ZoneInfo) -> Value:
    return None if value is None else value.astimezone(zone).isoformat()


def flag(value: Any, _zone: ZoneInfo) -> Value:
    return bool(value)


def reason(value: str | None, _zone: ZoneInfo) -> Value:
    """`code: name=value, …` of stored reasons (one or a list); other text as it is."""
    if not value or value[0] not in "{[":
        return value or ""
    try:
        stored = json.loads(value)
        reasons = stored if isinstance(stored, list) else [stored]
        return "; ".join(
            one if isinstance(one, str) else str(Reason(one["code"], one.get("inputs") or {}))
            for one in reasons
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return value


def format_of(kind: TypeEngine[Any]) -> Format:
    """How values of a column of this type are written, unless the export names another format."""
    formats: tuple[tuple[type[TypeEngine[Any]], Format], ...] = (
        (Money, amount),
        (FixedPoint, decimal),
        (Instant, instant),
        (Date, day),
        (Boolean, flag),
    )
    return next((chosen for each, chosen in formats if isinstance(kind, each)), plain)


def stream(session: Session, query: Select[*tuple[Any, ...]], /, **formats: Format) -> Table:
    """A query's rows with its columns' labels as codes, read from the database as they are asked for.

    `formats` are those of codes whose type does not say how they are written. Raises ValueError for another.
    """
    columns = query.selected_columns
    if unknown := formats.keys() - columns.keys():
        raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
    chosen = [formats.get(code) or format_of(column.type) for code, column in columns.items()]
    return columns.keys(), formatted(session, _stored(session, query), chosen)


def formatted(
    session: Session, rows: Iterable[Sequence[Any]], formats: Sequence[Format]
) -> Iterator[list[Value]]:
    """Rows with each value written by the format in its place."""
    zone = clock.zone(session)
    for row in rows:
        yield [write(value, zone) for write, value in zip(formats, row, strict=True)]


def _stored(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
    options = {"stream_results": True, "yield_per": AT_ONCE}
    with session.connection().execute(query, execution_options=options) as result:
        yield from result
