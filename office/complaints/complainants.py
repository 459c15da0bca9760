"""Who complains: one ticket may have several complainants, or one without a name (T1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models.complaints import Complainant, Ticket
from office.complaints.severities import raise_to_facts
from office.complaints.transitions import lock
from office.core.errors import N_, Refused
from rules.lifecycle import ENDED


@dataclass(frozen=True)
class NewComplainant:
    """A complainant to be added; with the owner's id where the owner is known."""

    name: str
    phone: str = ""
    owner_id: int | None = None
    unit_id: int | None = None


def complainant_rows(ticket_id: int, complainants: Iterable[NewComplainant]) -> list[Complainant]:
    """The rows of those complainants who have a name."""
    return [
        Complainant(
            ticket_id=ticket_id,
            name=one.name.strip(),
            phone=one.phone.strip() or None,
            owner_id=one.owner_id,
            unit_id=one.unit_id,
        )
        for one in complainants
        if one.name.strip()
    ]


def add_complainant(
    session: Session,
    ticket_id: int,
    complainant: NewComplainant,
    *,
    now: datetime,
    staff_id: int | None,
    is_further_household: bool = True,
) -> Ticket:
    """Add a complainant to a ticket; a further household may raise its severity at once (T1, T3).

    Raises Refused without a name, or when the complaint is closed.
    """
    locked = lock(session, ticket_id, now, staff_id)
    ticket = locked.ticket
    if locked.state in ENDED:
        raise Refused(N_("The complaint is closed"))
    rows = complainant_rows(ticket_id, [complainant])
    if not rows:
        raise Refused(N_("Write down the name"))
    session.add_all(rows)
    before = ticket.household_count
    ticket.household_count += is_further_household
    locked.record("join")
    locked.audit("join", household_count=(before, ticket.household_count))
    raise_to_facts(locked)
    return locked.saved()
