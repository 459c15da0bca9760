"""Who acts, as verbs that need a role or a second person ask for it (P7)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Staff, StaffRole
from office.core.errors import N_, Refused
from rules.roles import may_decide


def roles_of(session: Session, staff_id: int) -> frozenset[str]:
    """The role codes of a person; none for an unknown id."""
    return frozenset(session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id)))


def is_last_administrator(session: Session, staff_id: int | None) -> bool:
    """Whether nobody else who may sign in administers the system (P7)."""
    others = select(StaffRole.id).join(Staff, Staff.id == StaffRole.staff_id)
    others = others.where(StaffRole.role == "it_admin", Staff.is_active, Staff.id != (staff_id or 0))
    with session.no_autoflush:
        return session.scalar(others.limit(1)) is None


def refuse_same_person(entered_by: Iterable[int | None], staff_id: int | None) -> None:
    """Raises Refused where somebody would decide alone about what they entered (F21)."""
    if not all(may_decide(one, staff_id) for one in entered_by):
        raise Refused(N_("You entered this yourself: another person must do it"))
