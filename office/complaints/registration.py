"""A complaint is registered: its severity and clocks follow from what the clerk writes down (T1–T4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import CHANNELS_IN, FACTS, Category, Ticket, TicketEvent
from models.text_keys import called
from office.complaints import deadlines, links
from office.complaints.complainants import NewComplainant, complainant_rows
from office.complaints.due_clocks import process_and_alert
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.complaints.severities import check_known
from office.complaints.transitions import active_staff, refusal
from office.core import audit, numbering
from office.core.errors import N_, Refused
from rules.deadlines import Moment
from rules.lifecycle import State
from rules.reasons import Reason
from rules.severity import Facts, Proposal, registered_severity, unconfirmed_severity

SERIES = "ticket"


@dataclass(frozen=True)
class NewTicket:
    """What the clerk, the public form or another part of the office writes down about a complaint.

    `registered_at` is an aware instant; a `severity` overrules the one that the facts give and needs
    a `severity_note` when it is lower; without a `number` the office's own series gives one. `claimed` are
    facts as a stranger says them who has sent the form of this `form_key`: they decide nothing until a clerk
    confirms them.
    """

    channel: str
    category: str
    statement: str
    registered_at: datetime
    facts: Facts = field(default_factory=Facts)
    number: str = ""
    unit_id: int | None = None
    clerk_id: int | None = None
    severity: str = ""
    severity_note: str = ""
    complainants: Sequence[NewComplainant] = ()
    is_anonymous: bool = False
    occurred_at: datetime | None = None
    place: str = ""
    wish: str = ""
    present: str = ""
    accused_id: int | None = None
    department_id: int | None = None
    handler_id: int | None = None
    repeat_of_id: int | None = None
    invoice_id: int | None = None
    claimed: Facts | None = None
    form_key: str | None = None


def register_ticket(session: Session, new: NewTicket, *, now: datetime) -> Ticket:
    """Register a complaint with its severity and clocks (T1–T4).

    What came due between the registration and `now` is written at once, and staff are alerted to it. Raises
    Refused for an unknown code, an empty statement, a registration in the future, a handler who is
    complained about, and a severity that the clerk may not choose.
    """
    _check(new, now)
    category = active_category(session, new.category)
    invoice = links.invoice_of(session, new.invoice_id) if new.invoice_id is not None else None
    policies = PolicyTimeline(session)
    in_force = policies.at(new.registered_at)
    severity = _severity(session, in_force, new)

    ticket = _ticket(session, policies, new, category, severity)
    session.add(ticket)
    session.flush()
    session.add_all(complainant_rows(ticket.id, new.complainants))
    session.add(
        TicketEvent(
            ticket_id=ticket.id,
            at=new.registered_at,
            staff_id=new.clerk_id,
            verb="register",
            reason=ticket.severity_reason,
        )
    )
    profile = deadlines.TicketProfile.of(ticket)
    rows = deadlines.new_clocks(policies, profile, Moment.REGISTERED, new.registered_at)
    if new.claimed is not None:
        rows += deadlines.confirmation_clocks(in_force, profile, rows, new.registered_at)
    deadlines.insert_clocks(session, rows)
    changes = {"number": ticket.number, "severity": ticket.severity}
    audit.record(session, now, new.clerk_id, "open_ticket", ticket, changes)
    if invoice is not None:
        links.add_debt_link(session, ticket, invoice, now=now, staff_id=new.clerk_id)
    process_and_alert(session, now, ticket_ids=[ticket.id], policies=policies)
    session.refresh(ticket)
    return ticket


def _check(new: NewTicket, now: datetime) -> None:
    if new.channel not in CHANNELS_IN:
        raise Refused(N_("There is no channel %(channel)s"), channel=new.channel)
    if not new.statement.strip():
        raise Refused(N_("Write down what happened"))
    if new.registered_at > now:
        raise Refused(N_("A complaint can't be registered in the future"))
    if new.handler_id is not None and new.handler_id == new.accused_id:
        raise refusal((Reason("handler_is_accused"),))


def _severity(session: Session, in_force: PoliciesInForce, new: NewTicket) -> Proposal:
    """The severity that the facts give, or the one that the clerk chose and may choose (T3)."""
    if new.claimed is not None:
        return unconfirmed_severity(in_force.severities, new.claimed)
    if new.severity:
        check_known(in_force.severities, new.severity)
    clerk = active_staff(session, new.clerk_id) if new.severity else None
    decided = registered_severity(
        in_force.severities,
        new.facts,
        new.severity,
        roles=clerk.roles if clerk else frozenset(),
        explanation=new.severity_note,
    )
    if isinstance(decided, Reason):
        raise refusal((decided,))
    return decided


def _ticket(
    session: Session, policies: PolicyTimeline, new: NewTicket, category: Category, severity: Proposal
) -> Ticket:
    in_force = policies.at(new.registered_at)
    return Ticket(
        number=new.number or next_number(session, new.registered_at.astimezone(policies.zone).year),
        registered_at=new.registered_at,
        clerk_id=new.clerk_id,
        channel=new.channel,
        unit_id=new.unit_id,
        category_id=category.id,
        department_id=new.department_id or category.department_id,
        handler_id=new.handler_id,
        occurred_at=new.occurred_at,
        place=new.place,
        statement=new.statement.strip(),
        wish=new.wish,
        present=new.present,
        is_anonymous=new.is_anonymous,
        accused_id=new.accused_id,
        severity=severity.severity,
        severity_reason=severity.reason.to_json(),
        state=State.REGISTERED.value,
        level=in_force.level_of(severity.severity),
        repeat_of_id=new.repeat_of_id,
        turns_major_at=in_force.turns_major_at(new.registered_at, severity.severity),
        claimed_facts=new.claimed.to_json() if new.claimed is not None else None,
        form_key=new.form_key,
        **fact_columns(new.facts),
    )


def fact_columns(facts: Facts) -> dict[str, Any]:
    """A ticket's fact columns; a complaint comes from at least one household."""
    columns: dict[str, Any] = {name: facts.value(name) for name in FACTS}
    return {**columns, "household_count": max(1, facts.household_count)}


def active_category(session: Session, code: str) -> Category:
    """A category by its code. Raises Refused when there is none in use (T2)."""
    found = session.execute(select(Category).where(Category.code == code, Category.is_active))
    category = found.scalar_one_or_none()
    if category is None:
        raise Refused(N_("There is no category %(category)s"), category=code)
    return category


def next_number(session: Session, year: int) -> str:
    """The next free number of the office's own series; imported tickets may bear one of them (T1)."""
    while True:
        number = numbering.written(f"T{year}", numbering.take(session, SERIES, year))
        if session.execute(called(select(Ticket.id), Ticket.number, number)).first() is None:
            return number
