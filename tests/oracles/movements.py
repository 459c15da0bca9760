"""Which rows of a file are known movements, each row compared with each of them (M5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rules.movements import (
    Identity,
    KnownMovement,
    Movement,
    _are_equal_numbers,
    _firsts,
    _is_posted_beside,
    _repeated,
    likeness,
)


def compared_with_all(rows: Sequence[Movement], known: Sequence[KnownMovement]) -> list[Identity]:
    """The same answer as `rules.movements.identities`, without an index."""
    found: list[Identity | None] = [None] * len(rows)
    taken: set[int] = set()

    def take(place: int, among: Sequence[KnownMovement]) -> None:
        left = [one for one in among if one.id not in taken]
        if found[place] is None and left:
            taken.add(left[0].id)
            found[place] = Identity(left[0].id)

    for place, row in enumerate(rows):
        take(place, [one for one in known if one.movement == row])
    for place, row in enumerate(rows):
        same = [one for one in known if likeness(row, one.movement) == "same"]
        take(place, [one for one in same if row.number and one.movement.number == row.number])
    for place, row in enumerate(rows):
        take(place, [one for one in known if likeness(row, one.movement) == "same"])
    return [
        one or (None if is_first else _repeated(row)) or _doubt(row, known, taken)
        for one, row, is_first in zip(found, rows, _firsts(rows), strict=True)
    ]


def _doubt(row: Movement, known: Sequence[KnownMovement], taken: set[int]) -> Identity:
    left = [one for one in known if one.id not in taken]
    for one in left:
        other = one.movement
        is_elsewhere = row.service != other.service or (
            row.account and other.account and not _are_equal_numbers(row.account, other.account)
        )
        is_numbered = row.number and row.number == other.number
        if is_numbered and not is_elsewhere and row.bucket != other.bucket:
            return Identity(one.id, "same_number")
    for one in left:
        if likeness(row, one.movement) == "maybe":
            return Identity(one.id, "maybe_same")
    for days in (-1, 1):
        for one in left:
            is_beside = (
                row.day is not None
                and one.movement.amount == row.amount
                and one.movement.day == row.day + timedelta(days=days)
            )
            if is_beside and _is_posted_beside(row, one.movement):
                return Identity(one.id, "maybe_same")
    return Identity()
