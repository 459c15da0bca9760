"""A legal case: which state follows which, and which states need a result (C10)."""

from __future__ import annotations

NEXT_STATES = {
    "preparing": ("letter_sent", "withdrawn"),
    "letter_sent": ("filed", "settled", "withdrawn"),
    "filed": ("mediation", "judged", "settled", "withdrawn"),
    "mediation": ("judged", "settled", "withdrawn"),
    "judged": ("settled",),
}
ENDED = frozenset({"settled", "withdrawn"})


def may_follow(state: str, wanted: str) -> bool:
    """Whether a case may go from one state to the other."""
    return wanted in NEXT_STATES.get(state, ())


def needs_result(state: str) -> bool:
    """Whether a case reaches this state only with its result: a judgement or an end."""
    return state == "judged" or state in ENDED


def batch_part(count: int, size: int) -> int:
    """The part of a day's batch that the next case joins after `count` others; size 0: no limit (C3)."""
    return count // size + 1 if size else 1
