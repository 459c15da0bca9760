"""What `flask export` gives of complaints: tickets, deadlines, visits (contract "Exports")."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.complaints import Category, Escalation, Ticket, TicketClock
from models.incidents import Incident, IncidentTicket
from models.people import Department
from models.property import Unit
from models.visits import Visit
from office.core.exports import Table, reason, stream


def tickets(session: Session) -> Table:
    query = (
        select(
            Ticket.number,
            Ticket.registered_at,
            Ticket.channel,
            func.coalesce(Unit.code, "").label("unit_code"),
            Category.code.label("category"),
            Department.code.label("department"),
            Ticket.severity,
            Ticket.severity_reason,
            Ticket.state,
            Ticket.level,
            Ticket.resolved_at,
            Ticket.closed_at,
            Ticket.satisfaction,
            Ticket.reopen_count,
        )
        .outerjoin(Ticket.unit)
        .join(Ticket.category)
        .join(Ticket.department)
        .order_by(Ticket.id)
    )
    return stream(session, query, severity_reason=reason)


def ticket_clocks(session: Session) -> Table:
    query = (
        select(
            Ticket.number,
            TicketClock.clock,
            TicketClock.started_at,
            TicketClock.warn_at,
            TicketClock.due_at,
            TicketClock.stopped_at,
            TicketClock.state,
            TicketClock.rule,
        )
        .join(TicketClock.ticket)
        .order_by(TicketClock.ticket_id, TicketClock.id)
    )
    return stream(session, query, rule=reason)


def escalations(session: Session) -> Table:
    query = (
        select(
            Ticket.number,
            Escalation.clock,
            Escalation.level,
            Escalation.at,
            Escalation.to_role,
            Escalation.reason,
        )
        .join(Escalation.ticket)
        .order_by(Escalation.at, Escalation.id)
    )
    return stream(session, query, reason=reason)


def visits(session: Session) -> Table:
    query = (
        select(
            Visit.number,
            func.coalesce(Ticket.number, "").label("ticket"),
            func.coalesce(Unit.code, "").label("unit_code"),
            Visit.planned_from,
            Visit.due_at,
            Visit.assignee_role,
            Visit.done_at,
            func.coalesce(Visit.method, "").label("method"),
            Visit.satisfaction,
            Visit.outcome,
        )
        .outerjoin(Visit.ticket)
        .outerjoin(Visit.unit)
        .order_by(Visit.id)
    )
    return stream(session, query)


def incidents(session: Session) -> Table:
    """Known incidents; `tickets` are the joined complaints, `lead` the one that counts households (T25)."""
    joined = (
        select(func.aggregate_strings(Ticket.number, ";"))
        .join(IncidentTicket, IncidentTicket.ticket_id == Ticket.id)
        .where(IncidentTicket.incident_id == Incident.id)
        .scalar_subquery()
    )
    lead = (
        select(Ticket.number)
        .join(IncidentTicket, IncidentTicket.ticket_id == Ticket.id)
        .where(IncidentTicket.incident_id == Incident.id, IncidentTicket.is_lead)
        .scalar_subquery()
    )
    query = (
        select(
            Incident.number,
            Incident.title,
            Incident.scope,
            Incident.scope_value,
            func.coalesce(Category.code, "").label("category"),
            Incident.is_planned,
            Incident.begins_at,
            Incident.ends_at,
            Incident.closed_at,
            Incident.staff_words,
            Incident.residents_words,
            func.coalesce(joined, "").label("tickets"),
            func.coalesce(lead, "").label("lead"),
            Incident.raised_to,
            Incident.resolution,
        )
        .outerjoin(Incident.category)
        .order_by(Incident.id)
    )
    return stream(session, query)
