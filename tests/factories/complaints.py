"""A small office for complaint tests: its people, its times, and short ways to look at a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import Escalation, Ticket, TicketClock
from models.people import Department, Staff, StaffRole
from models.visits import Visit
from office.complaints import work
from office.complaints.registration import NewTicket, register_ticket
from rules.severity import Facts

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)
PEOPLE = ("front_desk", "steward", "department_lead", "station_head", "manager", "director")


def at(text: str) -> datetime:
    """`2026-03-02 10:00` of the office's clock; a Monday without a date."""
    if len(text) == 5:
        text = f"2026-03-02 {text}"
    return datetime.combine(date.fromisoformat(text[:10]), time.fromisoformat(text[11:]), SHANGHAI)


def wall(instant: datetime | None) -> str | None:
    """An instant on the office's wall clock."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else None


def people(session: Session) -> dict[str, int]:
    """One member of staff a role, and a worker of the cleaning department."""
    department = session.execute(select(Department).where(Department.code == "cleaning")).scalar_one()
    made = {role: Staff(login=role, name=role, role_rows=[StaffRole(role=role)]) for role in PEOPLE}
    made["worker"] = Staff(login="worker", name="worker", role_rows=[StaffRole(role="steward")])
    made["department_lead"].department = made["worker"].department = department
    session.add_all(made.values())
    session.flush()
    return {name: staff.id for name, staff in made.items()}


def complain(
    session: Session, registered: str = "10:00", *, now: datetime | None = None, **more: Any
) -> Ticket:
    facts = {name: more.pop(name) for name in list(more) if name in Facts.__dataclass_fields__}
    registered_at = at(registered)
    return register_ticket(
        session,
        NewTicket(
            channel="desk",
            category="cleaning",
            statement="the hall was not cleaned",
            facts=Facts(**facts),
            registered_at=registered_at,
            **more,
        ),
        now=now or registered_at,
    )


def clocks(session: Session, ticket: Ticket) -> dict[str, tuple[str, str | None, str | None]]:
    """Each clock's last row: state, due and stopped times on the office's wall clock."""
    session.expire_all()
    rows = session.execute(
        select(TicketClock).where(TicketClock.ticket_id == ticket.id).order_by(TicketClock.id)
    ).scalars()
    return {row.clock: (row.state, wall(row.due_at), wall(row.stopped_at)) for row in rows}


def escalations_of(session: Session, ticket: Ticket) -> list[tuple[str, int, str | None, str]]:
    """The escalations of a ticket: clock, level, wall time, role."""
    session.expire_all()
    rows = session.execute(
        select(Escalation).where(Escalation.ticket_id == ticket.id).order_by(Escalation.id)
    ).scalars()
    return sorted((row.clock, row.level, wall(row.at), row.to_role) for row in rows)


def visits_of(session: Session, ticket: Ticket) -> list[Visit]:
    rows = session.execute(select(Visit).where(Visit.ticket_id == ticket.id).order_by(Visit.id))
    return list(rows.scalars())


def solved(
    session: Session, staff: Mapping[str, int], *, registered: str = "10:00", done: str = "11:00", **more: Any
) -> Ticket:
    """A ticket that the worker solved."""
    ticket = complain(session, registered, clerk_id=staff["front_desk"], **more)
    work.assign(
        session, ticket.id, now=at(registered), staff_id=staff["front_desk"], handler_id=staff["worker"]
    )
    work.start_work(session, ticket.id, now=at(registered), staff_id=staff["worker"])
    return work.resolve_ticket(
        session, ticket.id, resolution="cleaned", now=at(done), staff_id=staff["worker"]
    )
