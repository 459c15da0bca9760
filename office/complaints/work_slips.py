"""Work contact slips (工作联系单): one department asks another for support with a ticket (T2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.complaints import WorkSlip
from models.people import Department
from office.complaints.transitions import lock
from office.core import audit, numbering
from office.core.errors import N_, Refused

SERIES = "work_slip"
MAX_ROWS = 300  # slips shown at once


def issue_work_slip(
    session: Session,
    ticket_id: int,
    *,
    department_id: int,
    task: str,
    now: datetime,
    due_on: date | None = None,
    staff_id: int | None = None,
) -> WorkSlip:
    """Ask another department to support the one that leads (工作联系单, T2)."""
    locked = lock(session, ticket_id, now, staff_id)
    if not task.strip():
        raise Refused(N_("Write down what the department is asked to do"))
    if session.get(Department, department_id) is None or department_id == locked.ticket.department_id:
        raise Refused(N_("Choose a department other than the one that leads"))
    year = now.astimezone(locked.policies.zone).year
    slip = WorkSlip(
        number=numbering.written(f"WS{year}", numbering.take(session, SERIES, year)),
        ticket_id=ticket_id,
        department_id=department_id,
        task=task.strip(),
        due_on=due_on,
        issued_at=now,
    )
    session.add(slip)
    locked.record("work_slip", note=slip.number)
    locked.saved()
    audit.record(session, now, staff_id, "issue_work_slip", slip, {"number": slip.number})
    return slip


def answer_work_slip(
    session: Session, slip_id: int, *, plan: str, is_done: bool, now: datetime, staff_id: int | None = None
) -> WorkSlip:
    """The supporting department writes its plan, or that it is done (T2)."""
    slip = session.get(WorkSlip, slip_id)
    if slip is None:
        raise Refused(N_("There is no such work slip"))
    slip.plan = plan.strip()
    if is_done and slip.done_at is None:
        slip.done_at = now
    audit.record(session, now, staff_id, "answer_work_slip", slip, {"plan": plan, "is_done": is_done})
    session.flush()
    return slip


def slips_to_answer(
    session: Session, department_id: int | None, readable: Sequence[ColumnElement[bool]] = ()
) -> Sequence[WorkSlip]:
    """The slips to a department that are not done, the oldest first; under the reader's conditions (T2)."""
    if department_id is None:
        return ()
    query = (
        select(WorkSlip)
        .where(WorkSlip.department_id == department_id, WorkSlip.done_at.is_(None), *readable)
        .order_by(WorkSlip.issued_at, WorkSlip.id)
        .limit(MAX_ROWS)
    )
    return session.execute(query).scalars().all()
