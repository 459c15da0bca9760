"""Saved views by mail: a person's own list as a spreadsheet, every Monday or on the first of the month (K4).

The message is put into the outbox without the list. That is made when the message leaves, with the rights
that its person has then; who has left or may no longer export it gets nothing.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office import SavedView
from models.people import Staff
from models.property import Estate
from office.core import clock, installation
from office.core.errors import N_
from office.core.jobs import JobResult
from office.messaging import channels, outbox


def is_due(every: str, day: date) -> bool:
    """Whether a view that is mailed every week or month goes out on this day."""
    return (every == "week" and day.weekday() == 0) or (every == "month" and day.day == 1)


def send_views(session: Session, due_for: datetime) -> JobResult:
    """Daily job: put the views that are due today into the outbox; safe to run twice (§8)."""
    day = clock.office_day(session, due_for)
    wanted = [every for every in ("week", "month") if is_due(every, day)]
    if not wanted or "email" not in channels.available(session):
        return JobResult()
    translate = installation.of(session).translate
    usual = session.execute(select(Estate.language)).scalar_one()
    rows = session.execute(
        select(SavedView.id, SavedView.name, Staff.id, Staff.email, Staff.language)
        .join(Staff, Staff.id == SavedView.staff_id)
        .where(SavedView.mail_every.in_(wanted), Staff.is_active, Staff.email != "")
        .order_by(SavedView.id)
    ).all()
    for view_id, name, staff_id, address, own_language in rows:
        language = own_language or usual
        subject = translate(language, N_("Saved view “%(name)s”, %(day)s"), name=name, day=day.isoformat())
        body = translate(language, N_("Your saved view “%(name)s” is attached, as it is today."), name=name)
        outbox.enqueue(
            session,
            f"{outbox.VIEW}{view_id}:{day}",
            "email",
            address,
            subject=subject,
            body=body,
            now=due_for,
            language=language,
            staff_id=staff_id,
        )
    return JobResult(done=len(rows))
