"""Whose rows: what a steward, a handler or a clerk reaches of the estate (P7, F4).

A steward who has no wider role reaches the units of the buildings they answer for, and what hangs on those
units; one for whom no building is chosen answers for the whole estate. Complaints are read by the desk and by
those who lead; anyone else reads those they took, handle, or that their department has, a steward also those
of their buildings. Who a complaint is about never reads it. The base asks here for lists, records, look-ups,
exports and actions alike.
"""

from __future__ import annotations

from typing import Any

from flask import abort, g, has_request_context
from sqlalchemy import and_, false, inspect, or_, select

from admin.panel import request_values
from admin.panel.signed_in import staff_if_signed_in
from models.base import db
from models.complaints import (
    Complainant,
    Escalation,
    InvalidRequest,
    ReviewMeeting,
    Ticket,
    TicketClock,
    WorkSlip,
)
from models.people import steward_building
from models.property import Unit
from models.visits import Visit
from office.core.errors import N_, Refused

WHOLE_ESTATE = frozenset({"it_admin", "manager", "director", "station_head", "front_desk", "cashier"})
ALL_COMPLAINTS = frozenset({"it_admin", "manager", "director", "station_head", "front_desk"})

# table → the way from its rows to the id of a unit
UNITS_OF = {
    "unit": "id",
    "owner": "occupancies.unit_id",
    "owner_phone": "owner.occupancies.unit_id",
    "occupancy": "unit_id",
    "meter": "unit_id",
    "meter_reading": "meter.unit_id",
    "service_slip": "unit_id",
    "invoice": "unit_id",
    "invoice_line": "invoice.unit_id",
    "payment": "unit_id",
    "reminder": "unit_id",
    "contact": "unit_id",
    "ladder_hold": "unit_id",
    "instalment_plan": "unit_id",
    "instalment": "plan.unit_id",
    "restriction": "unit_id",
}
TICKETS_OF = (TicketClock, Escalation, Complainant, WorkSlip, InvalidRequest, ReviewMeeting)


def visible_rows(model: Any) -> list[Any]:
    """SQL conditions of the rows of a table that the signed-in person reaches; none means all."""
    if model is Ticket:
        return visible_tickets()
    if model is Visit:
        return visible_visits()
    if model in TICKETS_OF:
        return [_of_tickets(model)]
    path = UNITS_OF.get(model.__tablename__)
    if path is None or not own_buildings():
        return []
    return [_along(model, path.split("."))]


def own_buildings() -> tuple[int, ...]:
    """The buildings that bind a steward; empty for who reaches the whole estate."""
    staff = staff_if_signed_in()
    if staff is None or "steward" not in staff.roles or staff.roles & WHOLE_ESTATE:
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
    asked = select(Unit.id).where(Unit.code == typed, *visible_rows(Unit))
    found: int | None = db.session.scalar(asked) if request_values.is_clean(typed) else None
    if found is None:
        raise Refused(N_("There is no unit %(code)s"), code=typed[:40])
    return found


def visible_tickets() -> list[Any]:
    """Conditions of the complaints that may be read."""
    staff = staff_if_signed_in()
    if staff is None:
        return _nobody()
    found: list[Any] = [or_(Ticket.accused_id.is_(None), Ticket.accused_id != staff.id)]
    is_steward = "steward" in staff.roles
    if staff.roles & ALL_COMPLAINTS or (is_steward and not own_buildings()):
        return found
    own = [Ticket.clerk_id == staff.id, Ticket.handler_id == staff.id]
    if staff.department_id is not None:
        own.append(Ticket.department_id == staff.department_id)
    if is_steward:
        own.append(Ticket.unit_id.in_(own_units()))
    return [*found, or_(*own)]


def _of_tickets(model: Any) -> Any:
    staff = staff_if_signed_in()
    if staff is not None and staff.roles & ALL_COMPLAINTS:  # all but a few: said so, a list keeps its order
        return model.ticket_id.not_in(select(Ticket.id).where(Ticket.accused_id == staff.id))
    found = model.ticket_id.in_(select(Ticket.id).where(*visible_tickets()))
    if model is WorkSlip and staff is not None and staff.department_id is not None:
        about_me = select(Ticket.id).where(Ticket.accused_id == staff.id)
        asked = and_(WorkSlip.department_id == staff.department_id, WorkSlip.ticket_id.not_in(about_me))
        return or_(found, asked)
    return found


def visible_visits() -> list[Any]:
    """Conditions of the visits that may be read: who a complaint is about sees neither it nor its visits."""
    staff = staff_if_signed_in()
    if staff is None:
        return _nobody()
    accused = select(Ticket.id).where(Ticket.accused_id == staff.id)
    found: list[Any] = [or_(Visit.ticket_id.is_(None), Visit.ticket_id.not_in(accused))]
    if own_buildings():
        found.append(or_(Visit.assignee_id == staff.id, Visit.unit_id.in_(own_units())))
    return found


def _nobody() -> list[Any]:
    """A command's operator reads everything; a request without a person nothing."""
    return [false()] if has_request_context() else []


def _along(model: Any, steps: list[str]) -> Any:
    """`unit_id IN own units` at the end of a way over relations."""
    first, *rest = steps
    if not rest:
        return (
            getattr(model, first).in_(own_units())
            if first != "id"
            else model.building_id.in_(own_buildings())
        )
    relation = inspect(model).relationships[first]
    inner = _along(relation.mapper.class_, rest)
    attribute = getattr(model, first)
    return attribute.any(inner) if relation.uselist else attribute.has(inner)
