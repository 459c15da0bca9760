"""Alerts to staff about late complaints: one a person and event, in the person's language (T4, T6, T8).

A warning, a day to look again and a complaint turned major go to who handles the complaint, else to who leads
its department; an escalation goes to everybody who holds its role. Owners get no alerts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from models.people import Staff, StaffRole
from models.property import Estate, Unit
from office.core import installation
from office.core.database import chunks
from office.core.errors import N_
from office.messaging import outbox

TEXTS: Mapping[str, str] = {
    "warning": N_("Complaint %(number)s: the time for %(clock)s is running out"),
    "escalation": N_("Complaint %(number)s: %(clock)s is late, level %(level)s"),
    "look_again": N_("Complaint %(number)s waits: look at it again"),
    "major": N_("Complaint %(number)s is unsolved for too long and became major"),
}
CLOCK_NAMES: Mapping[str, str] = {
    "acknowledge": N_("acknowledgement"),
    "on_site": N_("being on site"),
    "report_manager": N_("the report to the manager"),
    "department_plan": N_("the department's plan"),
    "first_word": N_("the first word to the resident"),
    "solve": N_("the solution"),
    "written_answer": N_("the written answer"),
    "follow_up": N_("the follow-up visit"),
}
LEADERS = "department_lead"


@dataclass(frozen=True)
class ClockEvent:
    """Something that staff are alerted to: a warning, an escalation, a day to look again, a major ticket."""

    kind: str  # warning, escalation, look_again, major
    ticket_id: int
    clock_id: int
    clock: str
    at: datetime
    level: int = 0
    to_role: str = ""


def enqueue_alerts(session: Session, events: Sequence[ClockEvent], now: datetime) -> int:
    """Put the alerts of these events into the outbox; returns how many. A second time adds nothing."""
    if not events:
        return 0
    people = _people(session)
    if not people:
        return 0
    translate, estate = installation.of(session).translate, session.execute(select(Estate)).scalar_one()
    tickets = _tickets(session, {item.ticket_id for item in events})
    rows = [
        _message(item, tickets[item.ticket_id], person, estate, translate)
        for item in events
        for person in _recipients(item, tickets[item.ticket_id], people)
    ]
    outbox.enqueue_all(session, rows, now)
    return len(rows)


def _people(session: Session) -> list[Mapping[str, Any]]:
    """Staff who can be alerted, with their roles."""
    rows = session.execute(
        select(Staff.id, Staff.language, Staff.department_id, StaffRole.role)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(Staff.is_active, Staff.alert_url.is_not(None))
        .order_by(Staff.id)
    )
    roles: dict[int, set[str]] = defaultdict(set)
    known: dict[int, dict[str, Any]] = {}
    for staff_id, language, department_id, role in rows:
        known[staff_id] = {"id": staff_id, "language": language, "department_id": department_id}
        roles[staff_id].add(role)
    return [{**person, "roles": roles[person["id"]]} for person in known.values()]


def _tickets(session: Session, ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    found: dict[int, Mapping[str, Any]] = {}
    for some in chunks(ids):
        rows = session.execute(
            select(
                Ticket.id,
                Ticket.number,
                Ticket.handler_id,
                Ticket.department_id,
                Ticket.accused_id,
                Unit.code.label("unit"),
            )
            .outerjoin(Unit, Unit.id == Ticket.unit_id)
            .where(Ticket.id.in_(some))
        ).mappings()
        found |= {row["id"]: row for row in rows}
    return found


def _recipients(
    item: ClockEvent, ticket: Mapping[str, Any], staff: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Whom an event concerns; never the person complained about (F22)."""
    people = [person for person in staff if person["id"] != ticket["accused_id"]]
    if item.to_role:
        return [person for person in people if item.to_role in person["roles"]]
    handlers = [person for person in people if person["id"] == ticket["handler_id"]]
    return handlers or [
        person
        for person in people
        if LEADERS in person["roles"] and person["department_id"] == ticket["department_id"]
    ]


def _message(
    item: ClockEvent,
    ticket: Mapping[str, Any],
    person: Mapping[str, Any],
    estate: Estate,
    translate: Callable[..., str],
) -> dict[str, Any]:
    language = person["language"] or estate.language
    clock = translate(language, CLOCK_NAMES[item.clock]) if item.clock else ""
    text = translate(language, TEXTS[item.kind], number=ticket["number"], clock=clock, level=item.level)
    about = item.clock_id or f"t{item.ticket_id}"
    return {
        "key": f"{item.kind}:{about}:{item.level}:{item.at:%Y%m%dT%H%M%S}:{person['id']}",
        "channel": "alert",
        "address": "",
        "subject": " ".join(
            part for part in (estate.in_language("name", language), ticket["unit"], text) if part
        ),
        "body": text,
        "language": language,
        "ticket_id": item.ticket_id,
        "staff_id": person["id"],
    }
