"""Alerts to staff in the chat they use: WeCom, DingTalk, Feishu and all else that apprise knows (C5)."""

from __future__ import annotations

from functools import cache
from typing import Any

from office.messaging.channels.base import Declined, Letter, Undelivered


class Alerts:
    """The address is an apprise URL, such as `wecombot://KEY` or `dingtalk://TOKEN`."""

    def send(self, letter: Letter) -> None:
        """Send one alert. Raises Declined for an address that apprise can't read, Undelivered otherwise."""
        if not letter.address:
            raise Declined("this person has no address for alerts", is_address_bad=False)
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
