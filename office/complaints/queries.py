"""What the desk and other rooms ask about a unit: its resident and its open complaints (P4, T8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from models.people import Occupancy, Owner


def open_tickets_of_units(session: Session, unit_ids: Collection[int]) -> Sequence[Ticket]:
    """The complaints of units that are not closed, newest first (T8, P8)."""
    return (
        session.execute(
            select(Ticket)
            .where(Ticket.unit_id.in_(unit_ids), Ticket.closed_at.is_(None))
            .order_by(Ticket.registered_at.desc(), Ticket.id.desc())
        )
        .scalars()
        .all()
    )


def resident_of(session: Session, unit_id: int, on: date) -> Owner | None:
    """Who lives in a unit on a day: the tenant before the owner, the payer before others (P4)."""
    return session.execute(
        select(Owner)
        .join(Occupancy, Occupancy.owner_id == Owner.id)
        .where(
            Occupancy.unit_id == unit_id,
            Occupancy.from_on <= on,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= on),
        )
        .order_by(Occupancy.kind.desc(), Occupancy.is_payer.desc(), Occupancy.id.desc())
        .limit(1)
    ).scalar_one_or_none()
