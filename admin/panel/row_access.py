"""Whose rows: what the signed-in person reaches of a table (P7, F4).

Each room says for its own tables by which conditions, in `ROW_ACCESS` of its `screens.py`; the base asks here
for lists, records, look-ups, exports and actions alike. A steward who has no wider role reaches the units of
the buildings they answer for, and what hangs on those units; one for whom no building is chosen answers for
the whole estate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

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
Found = TypeVar("Found")
EXTENSION = "row_access"


def init_app(app: Flask, rules: RowAccess) -> None:
    app.extensions[EXTENSION] = rules


def visible_rows(model: Any) -> list[Any]:
    """SQL conditions of the rows of a table that the signed-in person reaches; none means all."""
    rules: RowAccess = current_app.extensions[EXTENSION]
    return rules[model]() if model in rules else []


def find(model: type[Found], key: Any, *, within: Sequence[Any] | None = None) -> Found | None:
    """The row of an id that came with a request, if the signed-in person reaches it; else None (F22).

    Every id of an address, a form, a picker, a cell or a filter is fetched here, so that nobody is told of a
    row that is out of reach, not even that there is one. `within` are the SQL conditions of a screen that
    bounds its rows otherwise than `visible_rows`.
    """
    identity = request_values.row_id(key)
    if identity is None:
        return None
    reach = visible_rows(model) if within is None else within
    asked: Any = select(model).where(model.id == identity, *reach)  # type: ignore[attr-defined]
    with db.session.no_autoflush:
        found: Found | None = db.session.scalars(asked).first()
    return found


def find_or_404(model: type[Found], key: Any, *, within: Sequence[Any] | None = None) -> Found:
    """The same; what is out of reach and what isn't there are answered alike."""
    found = find(model, key, within=within)
    return found if found is not None else abort(404)


def named(model: type[Found], column: InstrumentedAttribute[str], text: str) -> Found | None:
    """The row that bears a typed name or number, among those the person reaches."""
    typed = text.strip()
    if not request_values.is_clean(typed):
        return None
    asked = called(select(model).where(*visible_rows(model)), column, typed)
    found: Found | None = db.session.scalars(asked).first()
    return found


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


def forget() -> None:
    """Ask anew which buildings bind the person, for work that outlasts a request."""
    g.pop("own_buildings", None)


def own_units() -> Any:
    """The ids of a bound steward's units, for `in_`."""
    return select(Unit.id).where(Unit.building_id.in_(own_buildings()))


def has_unit(unit_id: int | None) -> bool:
    """Whether a unit's affairs are within reach."""
    if not own_buildings():
        return True
    return db.session.scalar(select(Unit.id).where(Unit.id == unit_id, Unit.id.in_(own_units()))) is not None


def unit_named(code: str) -> int:
    """The id of a unit by the number that was typed, among those the person reaches. Raises Refused."""
    found = named(Unit, Unit.code, code)
    if found is None:
        raise Refused(N_("There is no unit %(code)s"), code=code.strip()[:40])
    return found.id


def nobody() -> list[Any]:
    """A command's operator reads everything; a request without a person nothing."""
    return [false()] if has_request_context() else []
