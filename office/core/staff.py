"""The roles of a member of staff, as verbs that need a role ask for them (P7)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import StaffRole


def roles_of(session: Session, staff_id: int) -> frozenset[str]:
    """The role codes of a person; none for an unknown id."""
    return frozenset(session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id)))
