"""What the office refuses, with a sentence that the floors above translate for the reader."""

from __future__ import annotations


def N_(message: str) -> str:  # noqa: N802 -- gettext's customary name
    """Mark a message for translation where it is written; it is translated where it is shown."""
    return message


class Refused(Exception):  # noqa: N818 -- reads as the office says it
    """A request the office can't fulfil; `message` is English with %(name)s places for `values`."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class Refusals(tuple[Refused, ...]):
    """Several refusals as one value of another; the floors above word each of them."""

    __slots__ = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self))
