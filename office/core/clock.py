"""What time it is: the only place that reads the machine's clock.

An ordinary office lives in real time. In a sandbox the present is the last ticked instant, once a first
`flask tick --at` has set it (contract: Commands, time, instance).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.property import Estate


def machine_now() -> datetime:
    """Real time (UTC); for leases, sessions and the heartbeat, never for the office's rules."""
    return datetime.now(UTC)  # noqa: TID251 -- the one reader of system time


def now(session: Session) -> datetime:
    """The office's present instant (UTC)."""
    return chosen_now(session) or machine_now()


def chosen_now(session: Session) -> datetime | None:
    """The present that `flask tick --at` chose for a sandbox; nothing while real time passes."""
    return session.execute(select(Estate.present_at).where(Estate.is_sandbox)).scalar_one_or_none()


def zone(session: Session) -> ZoneInfo:
    """The estate's time zone (P1), whatever the machine's."""
    name = session.execute(select(Estate.time_zone)).scalar_one_or_none()
    return ZoneInfo(name or "Asia/Shanghai")


_PRESENT_AND_ZONE = select(Estate.is_sandbox, Estate.present_at, Estate.time_zone)


def now_and_zone(session: Session) -> tuple[datetime, ZoneInfo]:
    """The present instant (UTC) and the estate's time zone, read together: most pages show both."""
    estate = session.connection().execute(_PRESENT_AND_ZONE).one_or_none()
    if estate is None:
        return machine_now(), ZoneInfo("Asia/Shanghai")
    chosen = estate.present_at if estate.is_sandbox else None
    return chosen or machine_now(), ZoneInfo(estate.time_zone or "Asia/Shanghai")


def office_day(session: Session, at: datetime) -> date:
    """The estate's calendar day at an instant."""
    return at.astimezone(zone(session)).date()


def today(session: Session) -> date:
    """The office's present day."""
    return office_day(session, now(session))
