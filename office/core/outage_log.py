"""An outage is two lines in the log of a process: one when it begins, one when it is over (F13)."""

from __future__ import annotations

import logging
from datetime import datetime

from office.core import clock, outages

log = logging.getLogger(__name__)

DATABASE = "the database"
_since: dict[str, datetime] = {}  # what is away, and since when


def begins(what: str, reason: object) -> None:
    """Note that something is away; said once, however many tries fail until it is back."""
    if what not in _since:
        _since[what] = clock.machine_now()
        log.error("%s is away: %s", what, reason)


def ends(what: str) -> None:
    """Note that it works; said once, if it was away."""
    began_at = _since.pop(what, None)
    if began_at is not None:
        seconds = (clock.machine_now() - began_at).total_seconds()
        log.warning("%s is back after %.0f seconds", what, seconds)


def is_away(what: str) -> bool:
    return what in _since


def begins_with(error: BaseException) -> bool:
    """Note an outage of the database by the error that told of it; False for an error of the program."""
    sentence = outages.sentence(error)
    if sentence is None:
        return False
    if sentence != outages.BUSY:
        begins(DATABASE, outages.driver_words(error))
    return True
