"""Reports by mail to the staff whom the policy names, through the outbox; never to owners (K3, K5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from models.people import Staff, StaffRole
from models.property import Estate
from office.core import clock
from office.core.jobs import JobResult
from office.documents.pdf.wording import words_of
from office.messaging import channels, outbox
from office.policies import store
from office.reports import catalog, rendering
from office.reports.table import Wanted
from rules.report_mails import ReportMail, ReportPolicy

HOLDS: Mapping[str, Sequence[str]] = {
    "weekly_meeting": tuple(catalog.WEEKLY),
    "monthly_collection": ("collection", "stewards", "year_split", "ageing", "promises", "unprompted"),
    "monthly_complaints": ("complaints_category", "complaints_department", "clocks", "complaint_list"),
}


def send_reports(session: Session, due_for: datetime) -> JobResult:
    """Daily job: put what is due today into the outbox, one a person; safe to run twice (§8)."""
    day = clock.office_day(session, due_for)
    due = [mail for mail in store.in_force(session, ReportPolicy, day).mail if mail.is_due(day)]
    if not due or "email" not in channels.available(session):
        return JobResult(result={"due": len(due)})
    done = 0
    for mail in due:
        for staff_id, address, language in _readers(session, mail):
            _enqueue(session, mail, day, due_for, staff_id=staff_id, address=address, language=language)
            done += 1
    return JobResult(done=done)


def _readers(session: Session, mail: ReportMail) -> list[tuple[int, str, str]]:
    """Who gets it: active staff of the role with an address, each in their language."""
    usual = session.execute(select(Estate.language)).scalar_one()
    rows = session.execute(
        select(Staff.id, Staff.email, Staff.language)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.role == mail.role, Staff.is_active, Staff.email != "")
        .order_by(Staff.id)
    )
    return [(staff_id, address, language or usual) for staff_id, address, language in rows]


def _enqueue(
    session: Session,
    mail: ReportMail,
    day: date,
    now: datetime,
    *,
    staff_id: int,
    address: str,
    language: str,
) -> None:
    words, zone = words_of(language), clock.zone(session)
    period = f"{(day.replace(day=1) - timedelta(days=1)):%Y-%m}" if mail.every == "month" else f"{day:%Y-%m}"
    wanted = Wanted(
        period=period,
        now=now,
        today=day,
        language=language,
        own_tickets=(or_(Ticket.accused_id.is_(None), Ticket.accused_id != staff_id),),
    )
    tables = catalog.several(session, HOLDS[mail.report], wanted)
    estate = session.execute(select(Estate)).scalar_one().in_language("name", language)
    as_of = words.text("mail_as_of", day=words.day(day))
    title = f"{words[f'mail.{mail.report}']} {words.period(period)}"
    outbox.enqueue(
        session,
        f"report:{mail.report}:{mail.every}:{day}:{staff_id}",
        "email",
        address,
        subject=f"{estate} {title} {as_of}",
        body="\n".join(
            [f"{estate} {title}", as_of, "", *(rendering.as_text(table, words, zone) for table in tables)]
        ),
        now=now,
        language=language,
        staff_id=staff_id,
    )
