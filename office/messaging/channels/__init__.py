"""Ways out of the house (C5). A channel sends one letter or says, by the class of its error, what is known.

`Unreachable`: nobody listens; nothing more is tried on this channel for now. `Undelivered`: not this time.
`Declined`: never for this letter. `Unsure`: it may have arrived, so a person must look.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import current_app, has_app_context

from office.core.errors import N_

CHANNELS = ("email", "sms", "alert", "print")
NOT_SET_UP = N_("IT has not set up this channel yet")


@dataclass(frozen=True)
class Letter:
    """What a channel needs to know: `key` is the same on every try, `at` when it is sent."""

    key: str
    address: str
    subject: str
    body: str
    at: datetime


class Undelivered(Exception):  # noqa: N818 -- reads as what happened
    """It did not arrive; a later try may."""


class Unreachable(Undelivered):
    """The channel itself is down."""


class Declined(Undelivered):
    """It will never arrive."""

    def __init__(self, message: str, *, is_address_bad: bool = False) -> None:
        super().__init__(message)
        self.is_address_bad = is_address_bad


class Unsure(Exception):  # noqa: N818 -- reads as what happened
    """Whether it arrived can't be known."""


class Channel(Protocol):
    def send(self, letter: Letter) -> None: ...

    def close(self) -> None: ...


class Print:
    """Paper is carried out by people; the program only says that it is ready."""

    def send(self, letter: Letter) -> None:
        """Nothing leaves by itself."""

    def close(self) -> None:
        """Nothing was opened."""


def setting(name: str) -> str:
    """A setting of IT's: from the application, else `GATEHOUSE_<name>` of the environment."""
    if has_app_context() and name in current_app.config:
        return str(current_app.config[name] or "")
    return os.environ.get(f"GATEHOUSE_{name}", "")


def is_available(channel: str) -> bool:
    """Whether IT has set the channel up (contract: `email` where GATEHOUSE_SMTP_URL is set)."""
    needed = {"email": "SMTP_URL", "sms": "SMS_URL"}.get(channel)
    return channel in CHANNELS and (needed is None or bool(setting(needed)))


def open_channel(name: str) -> Channel:
    """A channel ready to send; it connects at the first letter. Raises Unreachable when not set up."""
    from office.messaging.channels.alerts import Alerts
    from office.messaging.channels.mail import Mail
    from office.messaging.channels.sms import Sms

    if not is_available(name):
        raise Unreachable(NOT_SET_UP)
    made: dict[str, Callable[[], Channel]] = {
        "email": lambda: Mail(setting("SMTP_URL")),
        "sms": lambda: Sms(setting("SMS_URL"), setting("SMS_SECRET")),
        "alert": Alerts,
        "print": Print,
    }
    return made[name]()
