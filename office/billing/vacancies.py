"""Vacancies: asked for by one person, approved by another, looked at, ended when somebody moves in (B17)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.people import Occupancy
from models.property import Unit
from models.vacancies import Vacancy
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.staff import refuse_same_person
from office.policies import store
from rules.billing import MONTHLY, Basis, BillingDocument
from rules.calendar_months import months_later
from rules.liability import DAY

SOON = timedelta(days=30)


def check(session: Session, row: Vacancy) -> None:
    """Raise Refused for an application that can't be: days, factor, item, another one at that time."""
    if not (row.proof or "").strip():
        raise Refused(N_("Say what shows that the unit is empty"))
    if row.valid_to is not None and row.valid_to < row.valid_from:
        raise Refused(N_("The first day must not be after the last day"))
    if row.factor is not None and not 0 <= row.factor <= 1:
        raise Refused(N_("The factor of an empty unit lies between 0 and 1, such as 0.7"))
    _check_item(session, row)
    with session.no_autoflush:
        other = session.scalars(
            select(Vacancy)
            .where(
                Vacancy.unit_id == row.unit_id,
                Vacancy.id != (row.id or 0),
                Vacancy.state != "refused",
                Vacancy.fee_item_id.is_(None)
                if row.fee_item_id is None
                else Vacancy.fee_item_id == row.fee_item_id,
                or_(Vacancy.valid_to.is_(None), Vacancy.valid_to >= row.valid_from),
                *([Vacancy.valid_from <= row.valid_to] if row.valid_to else []),
            )
            .limit(1)
        ).first()
    if other is not None:
        raise Refused(
            N_("Another application holds for this unit from %(first)s to %(last)s: end it first"),
            first=other.valid_from,
            last=other.valid_to or "…",
        )


def _check_item(session: Session, row: Vacancy) -> None:
    if row.fee_item_id is None:
        known = select(FeeItem.id).where(FeeItem.is_active, FeeItem.vacancy_factor.is_not(None)).limit(1)
        if session.scalar(known) is None:
            raise Refused(
                N_("No fee item has a factor for empty units: name the item here, or give one its factor")
            )
        return
    item = session.get_one(FeeItem, row.fee_item_id)
    if item.basis not in MONTHLY and item.basis != Basis.METERED:
        raise Refused(N_("This item is not charged by the month"))
    if row.factor is None and item.vacancy_factor is None:
        raise Refused(N_("Give the factor: this item has none of its own for empty units"))


def decide(session: Session, vacancy_id: int, *, is_approved: bool, staff_id: int, now: datetime) -> Vacancy:
    """Approve or refuse an application that another person made. Raises Refused."""
    row = session.scalars(select(Vacancy).where(Vacancy.id == vacancy_id).with_for_update()).one_or_none()
    if row is None or row.state != "requested":
        raise Refused(N_("This request is decided already"))
    refuse_same_person([row.asked_by_id], staff_id)
    if is_approved:
        check(session, row)
        if (came_on := occupied_from(session, row.unit_id, row.valid_from)) is not None:
            raise Refused(N_("A tenant is in this unit from %(day)s on"), day=came_on)
    row.state = "approved" if is_approved else "refused"
    row.decided_by_id, row.decided_at = staff_id, now
    session.flush()
    audit.record(session, now, staff_id, "approve" if is_approved else "refuse", row, {"state": row.state})
    return row


def end(session: Session, row: Vacancy, last_on: date, *, now: datetime, staff_id: int | None) -> None:
    """Let a vacancy end on a day. Raises Refused when that day is before its first or after its last one."""
    if last_on < row.valid_from - DAY or (row.valid_to is not None and last_on > row.valid_to):
        raise Refused(N_("Choose a day between the first and the last day of the vacancy"))
    before = row.valid_to
    if last_on < row.valid_from:  # somebody moved in before it began
        row.state = "refused"
    else:
        row.valid_to = last_on
    session.flush()
    audit.record(session, now, staff_id, "edit", row, {"valid_to": (before, last_on)})


def occupied_from(session: Session, unit_id: int, since: date) -> date | None:
    """The first day from `since` on at which a tenant is in the unit; None where there is none."""
    found = session.scalar(
        select(func.min(Occupancy.from_on)).where(
            Occupancy.unit_id == unit_id,
            Occupancy.kind == "tenant",
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= since),
        )
    )
    return None if found is None else max(found, since)


def end_of_occupied(session: Session, now: datetime) -> JobResult:
    """End what is approved for units in which somebody lives again: a tenant, or the unit says so."""
    today = clock.office_day(session, now)
    rows = session.scalars(
        select(Vacancy)
        .join(Vacancy.unit)
        .where(
            Vacancy.state == "approved",
            or_(Vacancy.valid_to.is_(None), Vacancy.valid_to >= today),
            or_(
                (Unit.state == "occupied") & (Vacancy.valid_from <= today),
                exists().where(
                    Occupancy.unit_id == Vacancy.unit_id,
                    Occupancy.kind == "tenant",
                    Occupancy.from_on <= today,
                    or_(Occupancy.to_on.is_(None), Occupancy.to_on >= Vacancy.valid_from),
                ),
            ),
        )
        .order_by(Vacancy.id)
    ).all()
    for row in rows:
        came_on = occupied_from(session, row.unit_id, row.valid_from) or today
        end(session, row, min(came_on, today) - DAY, now=now, staff_id=None)
    return JobResult(done=len(rows))


def note_check(session: Session, row: Vacancy, on: date, *, now: datetime, staff_id: int | None) -> None:
    """Somebody saw that the unit is still empty. Raises Refused for what is not in force."""
    if row.state != "approved" or (row.valid_to is not None and row.valid_to < on):
        raise Refused(N_("This vacancy is not in force"))
    before, row.checked_on = row.checked_on, on
    session.flush()
    audit.record(session, now, staff_id, "check", row, {"checked_on": (before, on)})


def in_force(today: date) -> list[ColumnElement[bool]]:
    """What is approved for a day."""
    return [
        Vacancy.state == "approved",
        Vacancy.valid_from <= today,
        or_(Vacancy.valid_to.is_(None), Vacancy.valid_to >= today),
    ]


def ends_soon(today: date) -> list[ColumnElement[bool]]:
    """What is in force and ends within thirty days."""
    return [Vacancy.state == "approved", Vacancy.valid_to.between(today, today + SOON)]


def to_be_checked(session: Session, today: date) -> list[ColumnElement[bool]]:
    """What is in force and was not looked at for the months of the policy."""
    months = store.in_force(session, BillingDocument, today).vacancies.check_months
    seen_on = func.coalesce(Vacancy.checked_on, Vacancy.valid_from)
    return [*in_force(today), seen_on <= months_later(today, -months)]
