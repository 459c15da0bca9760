"""The address to which a member of staff gets alerts: set, tried and taken away by that person (C5, P7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Staff
from office.core import audit, installation
from office.core.errors import N_, Refused
from office.messaging import channels
from rules import alert_addresses
from rules.alert_addresses import AlertAddressError

WRONG = {
    "kind": N_("Choose where alerts shall go"),
    "address": N_(
        "This is no address of that kind: paste it whole, as the chat or the mail program shows it"
    ),
    "secret": N_(
        "This is no signing secret of that robot: paste it whole, or leave it empty where there is none"
    ),
}


def choose(session: Session, staff: Staff, kind: str, address: str, secret: str, *, now: datetime) -> None:
    """Take a person's own address, or none for an empty kind. Raises Refused for what is no address."""
    before = alert_addresses.read(staff.alert_url or "")
    try:
        chosen = alert_addresses.typed(kind, address, secret) if kind else None
    except AlertAddressError as wrong:
        raise Refused(WRONG[wrong.code]) from wrong
    staff.alert_url = chosen.stored() if chosen else None
    session.flush()
    kinds = (before.kind if before else None, chosen.kind if chosen else None)
    audit.record(session, now, staff.id, "alert_address", staff, {"alert_url": kinds})


def try_out(session: Session, address: str, key: str, text: str, *, at: datetime) -> None:
    """Send one alert at once. Raises channels.Undelivered or Unsure with the service's own words.

    The caller holds no transaction: a service may take its time.
    """
    channel = channels.open_channel("alert", installation.of(session).setting)
    try:
        channel.send(channels.Letter(key, address, text, text, at))
    finally:
        channel.close()


def without(session: Session) -> Sequence[str]:
    """The names of the active staff whom no alert reaches."""
    return session.scalars(
        select(Staff.name).where(Staff.is_active, Staff.alert_url.is_(None)).order_by(Staff.name)
    ).all()
