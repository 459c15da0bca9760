"""How a complaint of an old register ended, and whether its dates follow each other (R5, T7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from enum import StrEnum

from rules.lifecycle import State


class Outcome(StrEnum):
    """How a complaint ended: solved, withdrawn by who complained, not valid, or handed to somebody else."""

    SOLVED = "solved"
    CANCELLED = "cancelled"
    INVALID = "invalid"
    MOVED = "moved"


@dataclass(frozen=True)
class Ending:
    """How and when a complaint ended; no outcome where the register names none and no day of solving.

    Where the register says that it ended but not when, `closed_at` is the instant of taking it over.
    """

    state: State
    outcome: Outcome | None
    closed_at: datetime


def ending(
    outcome: str,
    *,
    resolved_at: datetime | None,
    followed_up_at: datetime | None,
    closed_at: datetime | None,
    taken_over_at: datetime,
) -> Ending | None:
    """Answer how a complaint of an old register ended; None when nothing says that it did.

    Raises ValueError for an outcome that is none.
    """
    solved_at = max((at for at in (resolved_at, followed_up_at) if at is not None), default=None)
    if not outcome and solved_at is None and closed_at is None:
        return None
    said = Outcome(outcome) if outcome else Outcome.SOLVED if solved_at is not None else None
    state = State.INVALID if said is Outcome.INVALID else State.CLOSED
    return Ending(state, said, closed_at or solved_at or taken_over_at)


def following(earlier: datetime, later: datetime, zone: tzinfo) -> datetime | None:
    """Answer `later` where it does not lie before `earlier`, else None.

    A day without a time is read as its midnight; on the day of `earlier` itself it means that instant.
    """
    if later >= earlier:
        return later
    local = later.astimezone(zone)
    is_same_day = local.date() == earlier.astimezone(zone).date()
    return earlier if is_same_day and local.time() == time(0) else None
