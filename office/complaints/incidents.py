"""Known incidents: who calls about one is joined to it; all joined are told and resolved at once (T25).

An incident takes part in the life of its complaints by their ordinary verbs only. Its lead is the first
joined complaint that still waits for its solution: it counts the households of all, so that the facts make
it, and no other, more severe; each severity is reached once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.complaints import Category, Ticket
from models.incidents import Incident, IncidentTicket
from models.property import Area, Building, Unit
from models.text_keys import called
from office.billing.pools import BETWEEN, scope_of
from office.complaints import work
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.severities import raise_to_facts
from office.complaints.transitions import lock
from office.core import audit, numbering
from office.core.errors import N_, Refused
from rules.incidents import Joined, Place, covers, households, is_about, phase, raised_to
from rules.lifecycle import ENDED, SOLVED, State
from rules.pools import PoolScope

SERIES = "incident"
NO_WORDS = N_("Write down what to tell those who call: to staff, or to residents")


@dataclass(frozen=True)
class Told:
    """What one act on an incident did: on how many complaints, which refused and why, how many are others'.

    `others` are complaints about the person who acts: somebody else does these, and they are not named.
    """

    done: int = 0
    refused: tuple[tuple[str, Refused], ...] = ()
    others: int = 0


def going_on(session: Session) -> Sequence[Incident]:
    """The incidents that nobody has closed, those that began first before the others."""
    query = select(Incident).where(Incident.closed_at.is_(None)).order_by(Incident.begins_at, Incident.id)
    return session.scalars(query).all()


def fitting(session: Session, unit_id: int | None, category: str) -> list[Incident]:
    """The incidents going on that fit the unit and the category typed; what is not typed asks nothing."""
    found = going_on(session)
    if not found:
        return []
    place = _place(session, unit_id) if unit_id is not None else None
    kinds = session.execute(select(Category.id, Category.parent_id).where(Category.code == category)).first()
    about = [id_ for id_ in kinds or () if id_ is not None]
    return [
        each
        for each in found
        if is_about(each.category_id, about)
        and (place is None or covers(PoolScope(each.scope), names_of(each), place))
    ]


def names_of(incident: Incident) -> list[str]:
    """The areas, buildings or units that an incident's scope names."""
    return [name for one in BETWEEN.split(incident.scope_value) if (name := one.strip())]


def _place(session: Session, unit_id: int) -> Place | None:
    row = session.execute(
        select(Unit.code, Building.name, Area.name)
        .join(Unit.building)
        .join(Building.area)
        .where(Unit.id == unit_id)
    ).first()
    return Place(*row) if row is not None else None


def check(session: Session, incident: Incident) -> None:
    """Check an incident before it is saved and write its scope as the lists do. Raises Refused."""
    scope = PoolScope(incident.scope)
    if scope is PoolScope.ESTATE:
        incident.scope_value = ""
    elif not incident.scope_value.strip():
        raise Refused(N_("Say which areas, buildings or units it is about"))
    incident.scope_value = scope_of(session, scope, incident.scope_value).said
    if incident.ends_at is not None and incident.ends_at < incident.begins_at:
        raise Refused(N_("It can't end before it begins"))
    if not (incident.staff_words.strip() or incident.residents_words.strip()):
        raise Refused(NO_WORDS)


def next_number(session: Session, now: datetime) -> str:
    """The next number of the year's series."""
    year = now.astimezone(PolicyTimeline(session).zone).year
    return numbering.written(f"K{year}", numbering.take(session, SERIES, year))


def join(session: Session, incident_id: int, ticket_id: int, *, now: datetime, staff_id: int | None) -> None:
    """Join a complaint to an incident that goes on; enough households make its lead more severe, once.

    Raises Refused for an incident or a complaint that is closed, and for one that is joined already.
    """
    incident = _locked(session, incident_id)
    if incident.closed_at is not None:
        raise Refused(N_("This incident is over: %(number)s"), number=incident.number)
    locked = lock(session, ticket_id, now, staff_id)
    if locked.state in ENDED:
        raise Refused(N_("The complaint is closed"))
    joined = select(Incident.number).join(IncidentTicket).where(IncidentTicket.ticket_id == ticket_id)
    if (number := session.scalar(joined)) is not None:
        raise Refused(N_("The complaint is joined to %(number)s already"), number=number)
    session.add(
        IncidentTicket(incident_id=incident.id, ticket_id=ticket_id, joined_at=now, staff_id=staff_id)
    )
    locked.record("join_incident", note=str(incident))
    locked.audit("join_incident", incident=incident.number)
    locked.saved()
    _count(session, incident, now, staff_id)


def leave(session: Session, ticket_id: int, *, now: datetime, staff_id: int | None) -> None:
    """Take a complaint out of its incident: it was another matter. Its severity stays, people lower it."""
    row = session.scalars(select(IncidentTicket).where(IncidentTicket.ticket_id == ticket_id)).first()
    if row is None:
        raise Refused(N_("The complaint is joined to no incident"))
    incident = _locked(session, row.incident_id)
    locked = lock(session, ticket_id, now, staff_id)
    locked.ticket.household_count = _own_households(row)
    session.delete(row)
    locked.record("leave_incident", note=str(incident))
    locked.audit("leave_incident", incident=incident.number)
    locked.saved()
    _count(session, incident, now, staff_id)


def note(session: Session, incident_id: int, words: str, *, now: datetime, staff_id: int | None) -> Told:
    """Write one progress note into the history of each joined complaint that waits for its solution."""
    incident = _locked(session, incident_id)
    if not words.strip():
        raise Refused(N_("Write down what is new"))
    told = _each(session, incident, staff_id, lambda ticket: _note(session, ticket.id, words, now, staff_id))
    audit.record(session, now, staff_id, "note_progress", incident, {"note": words.strip()})
    return told


def close(
    session: Session, incident_id: int, resolution: str, *, now: datetime, staff_id: int | None
) -> Told:
    """End an incident and resolve each joined complaint by its ordinary verb.

    A complaint that can't be resolved stays as it was and is answered with the reason; closing again resolves
    those that are left. Raises Refused without words, and when nothing is left to do.
    """
    incident = _locked(session, incident_id)
    if not resolution.strip():
        raise Refused(N_("Write down what was done"))
    was_open = incident.closed_at is None

    def resolve(ticket: Ticket) -> None:
        verb = work.resolve_on_spot if ticket.state == State.REGISTERED else work.resolve_ticket
        verb(session, ticket.id, resolution=resolution, now=now, staff_id=staff_id)

    told = _each(session, incident, staff_id, resolve)
    if not was_open and not (told.done or told.refused or told.others):
        raise Refused(N_("This incident is over: %(number)s"), number=incident.number)
    if was_open:
        incident.closed_at, incident.resolution = now, resolution.strip()
    left = "; ".join(f"{number}: {why}" for number, why in told.refused)
    audit.record(
        session, now, staff_id, "close_incident", incident, {"resolved": told.done, "not_resolved": left}
    )
    session.flush()
    return told


def of_ticket(session: Session, ticket_id: int) -> Incident | None:
    """The incident that a complaint is joined to."""
    query = select(Incident).join(IncidentTicket).where(IncidentTicket.ticket_id == ticket_id)
    return session.scalars(query).first()


def joined_tickets(session: Session, incident_id: int) -> list[Ticket]:
    """The complaints joined to an incident, in the order in which they came."""
    return [one.ticket for one in _rows(session, incident_id)]


def households_of(session: Session, incident_id: int) -> int:
    """How many households complain about an incident, without the complaints that are invalid (T25)."""
    return households(
        Joined(one.ticket.unit_id, _own_households(one))
        for one in _rows(session, incident_id)
        if one.ticket.state != State.INVALID
    )


def explain_incident(session: Session, number: str, now: datetime) -> dict[str, Any]:
    """What an incident is, whom it reaches, who is joined, and why its lead has its severity (T25).

    Instants are office time with offset. Raises Refused when there is no such incident.
    """
    incident = session.scalars(called(select(Incident), Incident.number, number)).first()
    if incident is None:
        raise Refused(N_("There is no incident %(number)s"), number=number)
    zone = PolicyTimeline(session).zone
    rows = _rows(session, incident.id)
    lead = next((one for one in rows if one.is_lead), None)

    def shown(at: datetime | None) -> str | None:
        return at.astimezone(zone).isoformat() if at else None

    return {
        "number": incident.number,
        "title": incident.title,
        "phase": phase(incident.begins_at, incident.ends_at, incident.closed_at, now).value,
        "scope": incident.scope,
        "scope_value": incident.scope_value,
        "category": incident.category.code if incident.category else "",
        "begins_at": shown(incident.begins_at),
        "ends_at": shown(incident.ends_at),
        "closed_at": shown(incident.closed_at),
        "tickets": [
            {"number": one.ticket.number, "state": one.ticket.state, "severity": one.ticket.severity}
            for one in rows
        ],
        "households": households_of(session, incident.id),
        "lead": lead.ticket.number if lead else None,
        "raised_to": incident.raised_to,
    }


def _locked(session: Session, incident_id: int) -> Incident:
    """An incident, locked: who joins and who closes it wait for each other. Raises Refused."""
    session.flush()
    found = session.scalars(
        select(Incident).where(Incident.id == incident_id).with_for_update(),
        execution_options={"populate_existing": True},
    ).first()
    if found is None:
        raise Refused(N_("There is no such incident"))
    return found


def _each(session: Session, incident: Incident, staff_id: int | None, act: Callable[[Ticket], None]) -> Told:
    """Do an act on each joined complaint that waits for its solution, each wholly or not at all."""
    waiting = [one for one in joined_tickets(session, incident.id) if State(one.state) not in SOLVED]
    mine = [one for one in waiting if staff_id is None or one.accused_id != staff_id]
    refused = []
    for ticket in mine:
        number = ticket.number
        try:
            with session.begin_nested():
                act(ticket)
        except Refused as why:
            refused.append((number, why))
    return Told(len(mine) - len(refused), tuple(refused), len(waiting) - len(mine))


def _note(session: Session, ticket_id: int, words: str, now: datetime, staff_id: int | None) -> None:
    locked = lock(session, ticket_id, now, staff_id)
    locked.record("note_progress", note=words.strip())
    locked.audit("note_progress")


def _rows(session: Session, incident_id: int) -> Sequence[IncidentTicket]:
    query = (
        select(IncidentTicket)
        .where(IncidentTicket.incident_id == incident_id)
        .options(joinedload(IncidentTicket.ticket))
        .order_by(IncidentTicket.id)
    )
    return session.scalars(query).all()


def _own_households(row: IncidentTicket) -> int:
    return row.ticket.household_count - row.added_households


def _count(session: Session, incident: Incident, now: datetime, staff_id: int | None) -> None:
    """Count the households of an incident at its lead, and raise that one where there are enough (T3, T25).

    A lead that was solved before anything was raised hands on to the first complaint that still waits.
    """
    session.flush()
    rows = _rows(session, incident.id)
    waiting = [one for one in rows if State(one.ticket.state) not in SOLVED]
    lead = next((one for one in rows if one.is_lead), None)
    if waiting and (lead is None or (lead not in waiting and not incident.raised_to)):
        if lead is not None:
            lead.is_lead = False
            session.flush()
        lead = waiting[0]
        lead.is_lead = True
    if lead is None:
        return
    locked = lock(session, lead.ticket_id, now, staff_id)
    total, own = households_of(session, incident.id), _own_households(lead)
    lead.added_households = max(0, total - own)
    locked.ticket.household_count = own + lead.added_households
    policy = locked.in_force.severities
    severity = raised_to(policy, total, incident.raised_to)
    if severity and locked.state not in SOLVED:
        incident.raised_to = severity
        raise_to_facts(locked)
    locked.saved()
