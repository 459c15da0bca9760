"""Rows of a table that are known by a key: those that are new, and what a file says of the others.

Fee items, rates of units and payers of items come in so. What is written passes the checks of the screen's
own form, so that no row comes in by a file that the form would refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from office.core import audit
from office.core.errors import N_, Refused
from office.exchange.imports import columns
from office.exchange.imports.columns import Problem
from office.exchange.imports.taken import Difference, Taken, Update, counted, shown

Given = Mapping[str, Any]


@dataclass(frozen=True)
class KnownRows:
    """The rows that are there, each under its key, and what a row of a file makes of them.

    `values` are the attributes that a row says something about, given the stored row, None for a new one.
    `save` checks and stores; it raises Refused. `never` says in English why attributes of a stored row can't
    change to some values, else nothing. `codes` are the columns of attributes that are called otherwise.
    """

    model: type[Any]
    there: dict[Hashable, Any]
    key: Callable[[Given], Hashable]
    values: Callable[[Given, Any], dict[str, Any]]
    save: Callable[[Any, bool], None]
    never: Callable[[Any, Mapping[str, Any]], str] = lambda _there, _changed: ""
    codes: Mapping[str, str] = field(default_factory=dict)
    word: Callable[[str, Any], str] = lambda _attribute, value: told(value)


def told(value: Any) -> str:
    """A value as a difference tells it; flags as a file says them."""
    return str(value).lower() if isinstance(value, bool) else shown(value)


def saver(
    session: Session,
    check: Callable[[Session, Any], None],
    told_of: Sequence[str],
    *,
    now: datetime,
    staff_id: int | None,
) -> Callable[[Any, bool], None]:
    """How a row is stored that passes the check of its form; a new one's history tells the columns named."""

    def save(row: Any, is_new: bool) -> None:  # noqa: FBT001 -- KnownRows calls it so
        with session.no_autoflush:
            check(session, row)
        if is_new:
            session.add(row)
        session.flush()
        if is_new:
            said = {name: getattr(row, name) for name in told_of}
            audit.record(session, now, staff_id, "create", row, said)

    return save


def _preset(model: type[Any]) -> dict[str, Any]:
    """What a new row says where a file says nothing; the checks see it before it is stored."""
    mapped = inspect(model).column_attrs
    presets = {one.key: one.columns[0].default for one in mapped}
    return {name: preset.arg for name, preset in presets.items() if preset is not None and preset.is_scalar}


def take_in(session: Session, given: Sequence[Given], known: KnownRows, update: Update) -> Taken:
    """Store the rows that are not there yet, and those differences that are to be written."""
    lines: dict[Hashable, tuple[int, dict[str, Any]]] = {}
    differences: list[Difference] = []
    refused: list[Problem] = []
    new = 0
    for row in given:
        key = known.key(row)
        there = known.there.get(key)
        try:
            values = known.values(row, there)
        except Refused as refusal:
            refused.append(columns.problem(row, "", "", refusal.message, "", **refusal.values))
            continue
        first, said = lines.setdefault(key, (row["line"], values))
        if first != row["line"]:
            if said != values:
                message, remedy = N_("stands in row %(first)s already"), N_("Keep one of the two rows")
                refused.append(columns.problem(row, "", "", message, remedy, first=first))
            continue
        try:
            if there is None:
                known.save(known.model(**{**_preset(known.model), **values}), True)
                new += 1
            else:
                differences += _compared(session, row, there, values, known, update)
        except Refused as refusal:
            refused.append(columns.problem(row, "", "", refusal.message, "", **refusal.values))
    if refused:
        return Taken(refused=refused)
    return counted(new, len(given), differences, update)


def _compared(
    session: Session, row: Given, there: Any, values: Mapping[str, Any], known: KnownRows, update: Update
) -> list[Difference]:
    """In what a row differs from the one that is there; writes what is to be written."""
    changed = {name: value for name, value in values.items() if getattr(there, name) != value}
    never = known.never(there, changed)
    found = {
        name: Difference(
            row["line"],
            known.codes.get(name, name),
            known.word(name, getattr(there, name)),
            known.word(name, value),
            never,
        )
        for name, value in changed.items()
    }
    wanted = {name: one for name, one in found.items() if one in update}
    if wanted:
        stored = session.get_one(known.model, there.id)
        for name in wanted:
            setattr(stored, name, changed[name])
        known.save(stored, False)
        update.record(session, stored, {name: (one.there, one.here) for name, one in wanted.items()})
    return list(found.values())
