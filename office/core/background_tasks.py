"""Long work that a page asks after: issuing a period's bills, printing thousands of notices (B4, §10).

A task is claimed by the process that works on it; when that process is gone, the work can be begun again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.complaints import Attachment
from models.office import Task
from office.core.clock import machine_now
from office.core.errors import N_, Refused
from office.core.leases import is_expired, lease_holder


def begin(
    session: Session,
    kind: str,
    *,
    total: int,
    staff_id: int | None,
    now: datetime,
    about: Mapping[str, Any],
    is_alone: bool = False,
) -> Task:
    """A task that this process works on from now on; `is_alone`: no second one of its kind at a time.

    Raises Refused when another works on the like.
    """
    if is_alone and (other := under_way(session, kind)) is not None:
        raise Refused(N_("This is being done already: see how far it is (%(id)s)"), id=other.id)
    claim = {"claimed_by": lease_holder(), "claimed_at": machine_now().isoformat()}
    task = Task(
        kind=kind, staff_id=staff_id, state="running", made_at=now, total=total, result={**about, **claim}
    )
    session.add(task)
    session.flush()
    return task


def under_way(session: Session, kind: str) -> Task | None:
    """The task of a kind that a living process works on."""
    rows = session.scalars(
        select(Task).where(Task.kind == kind, Task.state == "running").order_by(Task.id.desc())
    )
    return next((row for row in rows if not is_lost(row)), None)


def is_lost(task: Task) -> bool:
    """Whether the process that worked on a task is gone."""
    if task.state != "running":
        return False
    at = datetime.fromisoformat(task.result["claimed_at"])
    return is_expired(task.result["claimed_by"], at, machine_now())


def advance(session: Session, task_id: int, done: int) -> None:
    """Say how far the work is, and that it goes on."""
    task = session.get_one(Task, task_id)
    task.done = done
    task.result = {**task.result, "claimed_at": machine_now().isoformat()}


def finish(
    session: Session, task_id: int, *, now: datetime, done: int, outcome: Mapping[str, Any] | None = None
) -> None:
    """The work is done."""
    task = session.get_one(Task, task_id)
    task.state, task.finished_at, task.done = "done", now, done
    task.result = {**task.result, **(outcome or {})}


def fail(session: Session, task_id: int, *, now: datetime, refusal: Refused | None = None) -> None:
    """The work could not be done; why, when the office refused it."""
    task = session.get_one(Task, task_id)
    task.state, task.finished_at = "failed", now
    if refusal is not None:
        values = {name: str(value) for name, value in refusal.values.items()}
        task.result = {**task.result, "refusal": [refusal.message, values]}


def keep_file(
    session: Session, task_id: int, name: str, media_type: str, content: bytes, *, now: datetime
) -> None:
    """Keep what the work made until the same person makes the next of its kind."""
    task = session.get_one(Task, task_id)
    older = select(Task).where(
        Task.kind == task.kind, Task.staff_id == task.staff_id, Task.id != task.id, Task.file_name != ""
    )
    for one in session.scalars(older):
        session.execute(delete(Attachment).where(Attachment.key == one.result.get("key", "")))
        one.file_name = ""
    key = secrets.token_urlsafe(32)
    session.add(
        Attachment(
            key=key,
            file_name=name,
            media_type=media_type,
            content=content,
            added_at=now,
            staff_id=task.staff_id,
        )
    )
    task.file_name, task.result = name, {**task.result, "key": key}


def file_of(session: Session, task: Task) -> bytes:
    """What the work made. Raises Refused when it is no longer kept."""
    content = session.scalar(select(Attachment.content).where(Attachment.key == task.result.get("key", "")))
    if content is None:
        raise Refused(N_("This file is no longer here: make it again"))
    return bytes(content)
