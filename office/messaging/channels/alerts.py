"""Alerts to staff where they read them: a robot of their chat, their mail, all else that apprise knows (C5).

Each person sets the own address (`rules/alert_addresses.py`); one of another form is an apprise URL of IT's.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from office.messaging.channels import robots
from office.messaging.channels.base import (
    NOT_SET_UP,
    Declined,
    Letter,
    Setting,
    Undelivered,
    Unreachable,
)
from rules import alert_addresses


class Alerts:
    """Sends to each address by its own service; one that is down keeps no other from being tried."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def send(self, letter: Letter) -> None:
        """Send one alert. Raises Declined for an unreadable address, else what the service says."""
        if not letter.address:
            raise Declined("this person has no address for alerts", is_address_bad=False)
        own = alert_addresses.read(letter.address)
        try:
            if own is None:
                self._by_apprise(letter)
            elif own.kind == "email":
                self._by_mail(replace(letter, address=own.target))
            else:
                robots.send(own, letter, self.setting("ALERT_GATEWAY"))
        except Unreachable as unreachable:
            raise Undelivered(str(unreachable)) from unreachable

    def _by_mail(self, letter: Letter) -> None:
        from office.messaging.channels.mail import Mail

        if not self.setting("SMTP_URL"):
            raise Undelivered(NOT_SET_UP)
        server = Mail(self.setting("SMTP_URL"))
        try:
            server.send(letter)
        finally:
            server.close()

    def _by_apprise(self, letter: Letter) -> None:
        service = _service(letter.address)
        if service is None:
            raise Declined("apprise can't read the address", is_address_bad=True)
        if not service.notify(title=letter.subject, body=letter.body):
            raise Undelivered("the service did not take the alert")

    def close(self) -> None:
        """Nothing stays open."""


@cache
def _service(address: str) -> Any:
    import apprise

    service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if service is not None:
        service.request_rate_per_sec = 0  # its pause of seconds between two alerts would hold the tick up
    return service
