"""An outage is two lines in the log of an office: one when it begins, one when it is over (F13).

Every process of a machine notices it, web workers and the scheduler alike. Who is first makes a file beside
the log that they share, and says so; who first finds all well again takes it away. Without such a folder
each process speaks for itself.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from office.core import clock, outages

log = logging.getLogger(__name__)

DATABASE, DAMAGE, DISK = "the database", "the database itself", "the disk"
SETTLING = timedelta(seconds=15)  # after an end, errors of requests that began before it are still told
ROOM = 16 << 20  # bytes free from which on a disk is no longer full
WORDS = {
    DAMAGE: ("%s is damaged: %s", "%s is whole again after %.0f seconds"),
    DISK: ("%s is full: %s", "%s has room again after %.0f seconds"),
}
USUAL_WORDS = ("%s is away: %s", "%s is back after %.0f seconds")

_folder: Path | None = None  # where the processes of this machine tell each other
_since: dict[str, datetime] = {}  # what is away, and since when, of a process that has no folder


def share(folder: Path) -> None:
    """Speak with one voice with all processes that share this folder."""
    global _folder  # noqa: PLW0603 -- as long as the process lives, like its log
    _folder = folder


def begins(what: str, reason: object) -> None:
    """Note that something is away; said once, however many tries of however many processes fail."""
    now = clock.machine_now()
    if _has_just_ended(what, now) or not _note(what, now):
        return
    log.error(WORDS.get(what, USUAL_WORDS)[0], what, reason)


def ends(what: str) -> None:
    """Note that it works; said once, if it was away."""
    now = clock.machine_now()
    if what == DISK and not _has_room():
        return
    began_at = _strike_out(what, now)
    if began_at is not None:
        log.warning(WORDS.get(what, USUAL_WORDS)[1], what, (now - began_at).total_seconds())


def is_away(what: str) -> bool:
    """Whether the log says so at present."""
    return what in _since or (_folder is not None and _file(_folder, what).exists())


def begins_with(error: BaseException) -> bool:
    """Note an outage of the database by the error that told of it; False for an error of the program."""
    sentence = outages.sentence(error)
    if sentence is None:
        return False
    if sentence != outages.BUSY:
        what = {outages.FULL: DISK, outages.DAMAGED: DAMAGE}.get(sentence, DATABASE)
        begins(what, outages.driver_words(error))
    return True


def _file(folder: Path, what: str) -> Path:
    return folder / f"{re.sub(r'[^a-z]+', '-', what.lower())}.away"


def _note(what: str, now: datetime) -> bool:
    """Write it down; False when somebody has. An empty file: the disk may be full."""
    if what in _since:
        return False
    if _folder is not None:
        file = _file(_folder, what)
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        except OSError:
            pass  # not even that can be written: this process remembers it
        else:
            _mark(file, now)
            return True
    _since[what] = now
    return True


def _strike_out(what: str, now: datetime) -> datetime | None:
    """Since when it was away, for the one process that strikes it out."""
    began_at = _since.pop(what, None)
    if _folder is not None:
        file, over = _file(_folder, what), _file(_folder, what).with_suffix(".over")
        with suppress(OSError):
            since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            over.touch(0o600)
            _mark(over, now)
            file.unlink()
            began_at = since
    return began_at


def _has_just_ended(what: str, now: datetime) -> bool:
    if _folder is None:
        return False
    try:
        ended_at = _file(_folder, what).with_suffix(".over").stat().st_mtime
    except OSError:
        return False
    return timedelta() <= now - datetime.fromtimestamp(ended_at, UTC) < SETTLING


def _mark(file: Path, now: datetime) -> None:
    with suppress(OSError):
        os.utime(file, (now.timestamp(), now.timestamp()))


def _has_room() -> bool:
    return _folder is None or shutil.disk_usage(_folder).free > ROOM
