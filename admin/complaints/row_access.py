"""Which complaints somebody reads, and what belongs to them (P7, F4).

The desk and those who lead read all; anyone else those they took, handle, or that their department has, a
steward also those of their buildings. Who a complaint is about reads nothing of it: neither the complaint nor
its visits, deadlines, papers, messages and changes (F22).
"""

from __future__ import annotations

from typing import Any

from flask import g
from sqlalchemy import String, and_, cast, func, not_, or_, select

from admin.panel import office_time
from admin.panel.row_access import Conditions, RowAccess, along_unit, nobody, own_buildings, own_units
from admin.panel.signed_in import staff_if_signed_in
from models.base import Model, db
from models.complaints import (
    TICKET_PAPERS,
    Attachment,
    CaseEntry,
    Complainant,
    Escalation,
    InvalidRequest,
    ReviewMeeting,
    Ticket,
    TicketClock,
    WorkSlip,
)
from models.incidents import IncidentTicket
from models.office import Audit, Message, Paper, paper_base_number
from models.people import Staff
from models.visits import Visit
from office.reports import complaints
from rules.roles import reads_all_complaints

MONTHLY = "monthly_complaints"


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


def papers() -> list[Any]:
    """Papers of units within reach, and those of complaints only for who may read the complaint."""
    found = along_unit(Paper.unit_id)()
    staff = staff_if_signed_in()
    if staff is not None and reads_all_complaints(staff.roles) and not _ids_about(staff):
        return found
    of_request = Ticket.number + "-" + cast(InvalidRequest.id, String)
    of_meeting = Ticket.number + "-" + cast(ReviewMeeting.id, String)
    numbers = {
        **{kind: select(Ticket.number).where(*tickets()) for kind in TICKET_PAPERS},
        "review_minutes": select(of_meeting).join(ReviewMeeting.ticket).where(*tickets()),
        "visit_sheet": select(Visit.number).where(*visits()),
        "work_contact_slip": select(WorkSlip.number).where(*work_slips()),
        "invalid_closure": select(of_request).join(InvalidRequest.ticket).where(*tickets()),
    }
    bare = paper_base_number()
    readable = [and_(Paper.kind == kind, bare.in_(asked)) for kind, asked in numbers.items()]
    if staff is not None and reads_all_complaints(staff.roles):
        of_months = Paper.number.not_in(_monthly_papers_about(staff))
        readable.append(and_(Paper.kind == MONTHLY, of_months))
    return [*found, or_(Paper.kind.not_in((*numbers, MONTHLY)), *readable)]


def _monthly_papers_about(staff: Staff) -> list[str]:
    """The numbers of the monthly papers that list a complaint about this person."""
    asked = select(Ticket.registered_at).where(Ticket.id.in_(_ids_about(staff)))
    zone = office_time.zone()
    return [complaints.monthly_number(f"{at.astimezone(zone):%Y-%m}") for at in db.session.scalars(asked)]


def not_about_reader(model: Any) -> Conditions:
    """For a table whose rows may belong to a complaint: all but those of complaints about oneself."""

    def conditions() -> list[Any]:
        staff = staff_if_signed_in()
        ids = _ids_about(staff) if staff is not None else ()
        return [or_(model.ticket_id.is_(None), model.ticket_id.not_in(ids))] if ids else []

    return conditions


def changes() -> list[Any]:
    """The history of changes without what was changed on a complaint about oneself."""
    staff = staff_if_signed_in()
    ids = _ids_about(staff) if staff is not None else ()
    if not ids:
        return []
    visits_about = select(Visit.id).where(Visit.ticket_id.in_(ids))
    of_attachment = or_(Attachment.ticket_id.in_(ids), Attachment.visit_id.in_(visits_about))
    rows: dict[str, Any] = {
        Ticket.__tablename__: ids,
        **{model.__tablename__: select(model.id).where(model.ticket_id.in_(ids)) for model in _of_tickets()},
        Attachment.__tablename__: select(Attachment.id).where(of_attachment),
    }
    row_id = func.coalesce(Audit.row_id, 0)
    return [not_(or_(*(and_(Audit.table_name == table, row_id.in_(keys)) for table, keys in rows.items())))]


def _of_tickets() -> list[Any]:
    """The tables whose rows belong to a complaint."""
    return [each.class_ for each in Model.registry.mappers if "ticket_id" in each.columns]


def _about(staff: Staff) -> Any:
    """The keys of the complaints about this person."""
    return select(Ticket.id).where(Ticket.accused_id == staff.id)


def _ids_about(staff: Staff) -> tuple[int, ...]:
    """The same as numbers, asked for once a request: nearly always none, so that large lists stay fast."""
    if "complaints_about_reader" not in g:
        g.complaints_about_reader = tuple(db.session.scalars(_about(staff)))
    found: tuple[int, ...] = g.complaints_about_reader
    return found


ROW_ACCESS: RowAccess = {
    Ticket: tickets,
    Visit: visits,
    WorkSlip: work_slips,
    Paper: papers,
    Message: not_about_reader(Message),
    CaseEntry: not_about_reader(CaseEntry),
    Audit: changes,
    **{
        model: of_ticket(model)
        for model in (TicketClock, Escalation, Complainant, InvalidRequest, ReviewMeeting, IncidentTicket)
    },
}
