"""Who could handle a complaint: proposed by the department of its category and by load (T26)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """An active member of the department that answers for the category; how much waits for them."""

    staff_id: int
    name: str
    unresolved: int


def proposed_handler(candidates: Iterable[Candidate], accused_id: int | None = None) -> Candidate | None:
    """The one with the fewest unresolved complaints, of equal ones the first by id; None without anybody.

    Never the person complained about. It is a proposal: the clerk chooses.
    """
    able = [one for one in candidates if one.staff_id != accused_id]
    return min(able, key=lambda one: (one.unresolved, one.staff_id), default=None)
