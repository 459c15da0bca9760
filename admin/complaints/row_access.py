"""Which complaints somebody reads, and what belongs to them (P7, F4).

The desk and those who lead read all; anyone else those they took, handle, or that their department has, a
steward also those of their buildings. Who a complaint is about never reads it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, or_, select

from admin.panel.row_access import Conditions, RowAccess, nobody, own_buildings, own_units
from admin.panel.signed_in import staff_if_signed_in
from models.complaints import (
    Complainant,
    Escalation,
    InvalidRequest,
    ReviewMeeting,
    Ticket,
    TicketClock,
    WorkSlip,
)
from models.people import Staff
from models.visits import Visit
from rules.roles import reads_all_complaints


def tickets() -> list[Any]:
    """Conditions of the complaints that may be read."""
    staff = staff_if_signed_in()
    if staff is None:
        return nobody()
    found: list[Any] = [or_(Ticket.accused_id.is_(None), Ticket.accused_id != staff.id)]
    is_steward = "steward" in staff.roles
    if reads_all_complaints(staff.roles) or (is_steward and not own_buildings()):
        return found
    own = [Ticket.clerk_id == staff.id, Ticket.handler_id == staff.id]
    if staff.department_id is not None:
        own.append(Ticket.department_id == staff.department_id)
    if is_steward:
        own.append(Ticket.unit_id.in_(own_units()))
    return [*found, or_(*own)]


def of_ticket(model: Any) -> Conditions:
    """For a table whose rows belong to a complaint: those of the complaints that may be read."""

    def conditions() -> list[Any]:
        staff = staff_if_signed_in()
        if staff is not None and reads_all_complaints(staff.roles):
            return [model.ticket_id.not_in(_about(staff))]  # all but a few: said so, a list keeps its order
        return [model.ticket_id.in_(select(Ticket.id).where(*tickets()))]

    return conditions


def work_slips() -> list[Any]:
    """Those of the complaints that may be read, and what one's department was asked for."""
    found, staff = of_ticket(WorkSlip)(), staff_if_signed_in()
    if staff is None or staff.department_id is None or reads_all_complaints(staff.roles):
        return found
    asked = and_(WorkSlip.department_id == staff.department_id, WorkSlip.ticket_id.not_in(_about(staff)))
    return [or_(*found, asked)]


def visits() -> list[Any]:
    """Conditions of the visits that may be read: who a complaint is about sees neither it nor its visits."""
    staff = staff_if_signed_in()
    if staff is None:
        return nobody()
    found: list[Any] = [or_(Visit.ticket_id.is_(None), Visit.ticket_id.not_in(_about(staff)))]
    if own_buildings():
        found.append(or_(Visit.assignee_id == staff.id, Visit.unit_id.in_(own_units())))
    return found


def _about(staff: Staff) -> Any:
    """The keys of the complaints about this person."""
    return select(Ticket.id).where(Ticket.accused_id == staff.id)


ROW_ACCESS: RowAccess = {
    Ticket: tickets,
    Visit: visits,
    WorkSlip: work_slips,
    **{
        model: of_ticket(model)
        for model in (TicketClock, Escalation, Complainant, InvalidRequest, ReviewMeeting)
    },
}
