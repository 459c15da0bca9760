"""Paper is carried out by people; the program only says that it is ready (C5)."""

from __future__ import annotations

from office.messaging.channels.base import Letter


class Print:
    """Nothing leaves by itself."""

    def send(self, letter: Letter) -> None:
        """Do nothing: a person takes the paper."""

    def close(self) -> None:
        """Nothing was opened."""
