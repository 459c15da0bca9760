"""A ticket's links: to an earlier complaint on the same matter, and to the bill it disputes (T8, T12)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.billing import Invoice
from models.complaints import Ticket, TicketEvent
from office.complaints.transitions import lock
from office.core import audit
from office.core.errors import N_, Refused


def link_repeat(
    session: Session, ticket_id: int, *, repeat_of_id: int, now: datetime, staff_id: int | None = None
) -> Ticket:
    """Link a repeated complaint to the first one on the same matter (T8). Raises Refused for circles."""
    locked = lock(session, ticket_id, now, staff_id)
    first = session.get(Ticket, repeat_of_id)
    if first is None or ticket_id in {first.id, first.repeat_of_id}:
        raise Refused(N_("Choose an earlier complaint"))
    locked.ticket.repeat_of_id = first.repeat_of_id or first.id
    locked.record("link_repeat", note=first.number)
    locked.audit("link_repeat", repeat_of_id=first.id)
    return locked.saved()


def link_debt(
    session: Session, ticket_id: int, *, invoice_id: int, now: datetime, staff_id: int | None = None
) -> None:
    """Link a ticket to the bill it disputes; dunning of that debt waits until it is closed (T12, C7)."""
    invoice = invoice_of(session, invoice_id)
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise Refused(N_("There is no such complaint"))
    add_debt_link(session, ticket, invoice, now=now, staff_id=staff_id)
    session.flush()


def invoice_of(session: Session, invoice_id: int) -> Invoice:
    """An invoice by id. Raises Refused when there is none."""
    invoice = session.get(Invoice, invoice_id)
    if invoice is None:
        raise Refused(N_("There is no such bill"))
    return invoice


def add_debt_link(
    session: Session, ticket: Ticket, invoice: Invoice, *, now: datetime, staff_id: int | None
) -> None:
    """Set a ticket's invoice, with a line in its history and in the audit. Raises Refused (F22)."""
    if ticket.unit_id is not None and ticket.unit_id != invoice.unit_id:
        raise Refused(N_("Bill %(number)s is of another unit than the complaint"), number=invoice.number)
    ticket.invoice_id = invoice.id
    session.add(
        TicketEvent(
            ticket_id=ticket.id, at=now, staff_id=staff_id, verb="link_debt", note=invoice.number or ""
        )
    )
    audit.record(session, now, staff_id, "link_debt", ticket, {"invoice_id": invoice.id})
