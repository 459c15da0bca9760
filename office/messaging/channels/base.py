"""What every channel does: send one letter, or raise an error whose class says what is known (C5).

`Unreachable`: nobody listens; nothing more is tried on this channel for now. `Undelivered`: not this time.
`Declined`: never for this letter. `Unsure`: it may have arrived, so a person must look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from office.core.errors import N_

NOT_SET_UP = N_("IT has not set up this channel yet")
Setting = Callable[[str], str]  # the name of a setting of IT's without GATEHOUSE_ → its value, empty without


@dataclass(frozen=True)
class Letter:
    """What a channel needs to know: `key` is the same on every try, `at` when it is sent.

    `sender` is the estate's name as the reader of this `language` knows it.
    """

    key: str
    address: str
    subject: str
    body: str
    at: datetime
    sender: str = ""
    language: str = "zh_Hans"
    files: tuple[tuple[str, bytes], ...] = ()  # name and content of what is attached


class Undelivered(Exception):  # noqa: N818 -- reads as what happened
    """The message was not delivered; a later try may succeed."""


class Unreachable(Undelivered):
    """The channel itself is down."""


class Declined(Undelivered):
    """The message can never be delivered."""

    def __init__(self, message: str, *, is_address_bad: bool = False) -> None:
        super().__init__(message)
        self.is_address_bad = is_address_bad


class Unsure(Exception):  # noqa: N818 -- reads as what happened
    """It is not known whether the message was delivered."""


class Channel(Protocol):
    def send(self, letter: Letter) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class ChannelKind:
    """A kind of channel: its code, how it is opened, and the setting that it needs."""

    code: str
    open: Callable[[Setting], Channel]
    needs: str = ""
    is_electronic: bool = False  # carries messages to owners through a server

    def is_available(self, setting: Setting) -> bool:
        """Whether IT has set it up (contract: `email` where GATEHOUSE_SMTP_URL is set)."""
        return not self.needs or bool(setting(self.needs))
