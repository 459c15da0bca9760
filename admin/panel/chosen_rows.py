"""The rows that a request is about: those that were ticked, or all that match the filters of a list.

All that match are never acted upon unseen: a form says how many they are and their sums, and carries a mark
of exactly these rows as they were. When others match by the time it is sent, it is asked anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qsl

from flask import request
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from admin.panel import formats, request_values
from admin.panel.columns import money_columns
from admin.panel.list_query import read_query
from admin.panel.table_screen import TableScreen
from models.base import db
from office.core.errors import N_, Refused

ALL, MARK = "all_matching", "matching_mark"  # fields of a form: the list's query, and the mark of its rows
MOST_AT_ONCE = 500  # rows that one request works on; more are worked on behind a page
MOST = 20_000  # rows that can be chosen together
CHUNK = 1000  # ids in one statement


@dataclass(frozen=True)
class Chosen:
    """The ids of the rows in order; `query` is the list's where all that match were chosen."""

    ids: tuple[int, ...]
    mark: str = ""
    query: str | None = None

    @property
    def is_long(self) -> bool:
        return len(self.ids) > MOST_AT_ONCE

    @property
    def is_seen(self) -> bool:
        """Whether a form with the number of these very rows was shown, where all that match are meant."""
        return self.query is None or request.form.get(MARK) == self.mark

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a form sends to say the same again."""
        if self.query is not None:
            return [(ALL, self.query), (MARK, self.mark)]
        return [("rowid", str(key)) for key in self.ids]


def chosen(view: TableScreen, form: MultiDict[str, str]) -> Chosen:
    """The rows that a form means, among those in scope. Raises Refused for too many."""
    if ALL in form:
        return _all_matching(view, form[ALL])
    keys = {key for key in map(request_values.row_id, form.getlist("rowid")) if key}
    if len(keys) > MOST:
        raise _too_many()
    found: list[int] = []
    for some in chunks(sorted(keys)):
        found += db.session.scalars(select(view.model.id).where(view.model.id.in_(some), *view.scope()))
    return Chosen(tuple(sorted(found)))


def _all_matching(view: TableScreen, asked: str) -> Chosen:
    query = read_query(view, MultiDict(parse_qsl(asked)))
    if query.unread:  # more rows than the person thinks would match
        raise Refused(N_("One of the filters can't be read: mend or remove it first"))
    columns = [view.model.id]
    if hasattr(view.model, "row_version"):
        columns.append(view.model.row_version)
    wanted = select(*columns).where(*view.conditions(query)).order_by(view.model.id).limit(MOST + 1)
    rows = db.session.execute(wanted).all()
    if len(rows) > MOST:
        raise _too_many()
    mark = hashlib.sha256(";".join(",".join(map(str, row)) for row in rows).encode()).hexdigest()[:32]
    return Chosen(tuple(row[0] for row in rows), f"{len(rows)}.{mark}", asked)


def _too_many() -> Refused:
    return Refused(N_("More than %(most)s rows are chosen: narrow the list first"), most=f"{MOST:,}")


def chunks(ids: Sequence[int], size: int = CHUNK) -> Iterator[Sequence[int]]:
    """The ids, at most `size` at a time."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def sums(view: TableScreen, ids: Sequence[int]) -> Mapping[str, Decimal]:
    """The sum of each money column of the list over these rows: name → yuan."""
    names = money_columns(view.model, view.column_list)
    total: dict[str, Decimal] = dict.fromkeys(names, Decimal(0))
    if not names:
        return {}
    asked = select(*(func.sum(getattr(view.model, name)) for name in names))
    for some in chunks(ids):
        for name, value in zip(
            names, db.session.execute(asked.where(view.model.id.in_(some))).one(), strict=True
        ):
            total[name] += value or 0
    return total


def question(view: TableScreen, rows: Chosen) -> str:
    """How many rows all that match are, with the sums of their money."""
    found = [
        _("%(name)s: %(value)s", name=view.get_column_name(name), value=formats.amount(value))
        for name, value in sums(view, rows.ids).items()
    ]
    return " · ".join([_("All %(count)s rows that match", count=f"{len(rows.ids):,}"), *found])
