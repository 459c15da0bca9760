"""The office's present instant and time zone, and instants as the office writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import g

from models.base import db
from office.core import clock


def present() -> tuple[datetime, ZoneInfo]:
    """The office's present instant and its time zone, read once a request."""
    if "office_time" not in g:
        g.office_time = clock.now_and_zone(db.session())
    pair: tuple[datetime, ZoneInfo] = g.office_time
    return pair


def zone() -> ZoneInfo:
    return present()[1]


def today() -> date:
    """The office's present day."""
    at, where = present()
    return at.astimezone(where).date()


def instant_of(local: datetime) -> datetime:
    """The instant (UTC) of a date and time in office time. Raises ValueError beyond the calendar."""
    try:
        return local.replace(tzinfo=zone()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(local) from error


def written(at: datetime) -> str:
    """`2026-11-22 09:00`: an instant in office time."""
    return f"{at.astimezone(zone()):%Y-%m-%d %H:%M}"
