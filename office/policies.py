"""Stored policy versions → the values the rules take (§9).

A policy is a document shaped as its preset's TOML file. The version in force on a day is the latest one
that starts on or before it; a later change never alters what was decided under an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.policies import PolicyVersion
from models.property import CalendarDay, Estate
from office.errors import N_, Refused
from rules.working_time import OfficeCalendar

FIRST_DAY = date(2000, 1, 1)  # from which a preset's own policies hold


def document(session: Session, policy: str, on: date) -> dict[str, Any]:
    """The policy's document in force on a day. Raises Refused when the office has no such policy."""
    stored = session.execute(
        select(PolicyVersion.rows)
        .where(PolicyVersion.policy == policy, PolicyVersion.valid_from <= on)
        .order_by(PolicyVersion.valid_from.desc(), PolicyVersion.revision.desc())
        .limit(1)
    ).scalar_one_or_none()
    if stored is None:
        raise Refused(N_("There is no policy %(policy)s: run the set-up again"), policy=policy)
    loaded: dict[str, Any] = json.loads(stored)
    return loaded


def calendar(session: Session, on: date) -> OfficeCalendar:
    """The office's working time in force on a day, with the days the office set itself (T5)."""
    row = document(session, "calendar", on)
    row["zone"] = session.execute(select(Estate.time_zone)).scalar_one()
    overrides = dict(row.get("overrides") or {})
    for day, is_working in session.execute(select(CalendarDay.day, CalendarDay.is_working)):
        overrides[day.isoformat()] = is_working
    row["overrides"] = overrides
    return OfficeCalendar.from_row(row)


def store(  # one row of history
    session: Session,
    policy: str,
    rows: Mapping[str, Any],
    *,
    valid_from: date,
    now: datetime,
    staff_id: int | None = None,
    reason: str = "",
) -> PolicyVersion:
    """Add a version that holds from a day on; the versions before it stay as they are."""
    revision = (
        session.execute(
            select(PolicyVersion.revision)
            .where(PolicyVersion.policy == policy, PolicyVersion.valid_from == valid_from)
            .order_by(PolicyVersion.revision.desc())
            .limit(1)
        ).scalar_one_or_none()
        or 0
    ) + 1
    version = PolicyVersion(
        policy=policy,
        valid_from=valid_from,
        revision=revision,
        rows=json.dumps(rows, ensure_ascii=False, default=str),
        reason=reason,
        staff_id=staff_id,
        changed_at=now,
    )
    session.add(version)
    return version
