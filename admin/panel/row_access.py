"""Whose rows: what the signed-in person reaches of a table (P7, F4).

Each room says for its own tables by which conditions, in `ROW_ACCESS` of its `screens.py`; the base asks here
for lists, records, look-ups, exports and actions alike. A steward who has no wider role reaches the units of
the buildings they answer for, and what hangs on those units; one for whom no building is chosen answers for
the whole estate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, abort, current_app, g, has_request_context
from sqlalchemy import false, select
from sqlalchemy.orm import InstrumentedAttribute

from admin.panel import request_values
from admin.panel.signed_in import staff_if_signed_in
from models.base import db
from models.people import steward_building
from models.property import Unit
from models.text_keys import called
from office.core.errors import N_, Refused
from rules.roles import is_bound_to_buildings

Conditions = Callable[[], list[Any]]
RowAccess = Mapping[type[Any], Conditions]  # table → what the signed-in person reaches of it
EXTENSION = "row_access"


def init_app(app: Flask, rules: RowAccess) -> None:
    app.extensions[EXTENSION] = rules


def visible_rows(model: Any) -> list[Any]:
    """SQL conditions of the rows of a table that the signed-in person reaches; none means all."""
    rules: RowAccess = current_app.extensions[EXTENSION]
    return rules[model]() if model in rules else []


def along_unit(*way: InstrumentedAttribute[Any]) -> Conditions:
    """For a table whose rows belong to a unit: the relations that lead to it, and the column with its key."""

    def conditions() -> list[Any]:
        if not own_buildings():
            return []
        *relations, key = way
        found: Any = key.in_(own_units())
        for relation in reversed(relations):
            found = relation.any(found) if relation.property.uselist else relation.has(found)
        return [found]

    return conditions


def units_of_own_buildings() -> list[Any]:
    """For the units themselves."""
    return [Unit.building_id.in_(own_buildings())] if own_buildings() else []


def own_buildings() -> tuple[int, ...]:
    """The buildings that bind a steward; empty for who reaches the whole estate."""
    staff = staff_if_signed_in()
    if staff is None or not is_bound_to_buildings(staff.roles):
        return ()
    if "own_buildings" not in g:
        own = select(steward_building.c.building_id).where(steward_building.c.staff_id == staff.id)
        g.own_buildings = tuple(db.session.scalars(own))
    found: tuple[int, ...] = g.own_buildings
    return found


def own_units() -> Any:
    """The ids of a bound steward's units, for `in_`."""
    return select(Unit.id).where(Unit.building_id.in_(own_buildings()))


def has_unit(unit_id: int | None) -> bool:
    """Whether a unit's affairs are within reach."""
    if not own_buildings():
        return True
    return db.session.scalar(select(Unit.id).where(Unit.id == unit_id, Unit.id.in_(own_units()))) is not None


def unit_or_404(unit_id: int | None) -> None:
    if not has_unit(unit_id):
        abort(404)


def unit_named(code: str) -> int:
    """The id of a unit by the number that was typed, among those the person reaches. Raises Refused."""
    typed = code.strip()
    asked = called(select(Unit.id).where(*visible_rows(Unit)), Unit.code, typed)
    found: int | None = db.session.scalar(asked) if request_values.is_clean(typed) else None
    if found is None:
        raise Refused(N_("There is no unit %(code)s"), code=typed[:40])
    return found


def nobody() -> list[Any]:
    """A command's operator reads everything; a request without a person nothing."""
    return [false()] if has_request_context() else []
