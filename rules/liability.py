"""Who pays for a unit, and for how many days of a period (P4, P5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

DAY = timedelta(days=1)


class PayerRule(StrEnum):
    """Who pays a fee item where nobody is named for the unit (B20)."""

    DEFAULT = "default"  # the unit's payer
    OWNER = "owner"  # the owner, also where a tenant pays for the unit
    TENANT = "tenant"  # the tenant, where there is one
    DEVELOPER = "developer"  # the developer until somebody owns or rents the unit


@dataclass(frozen=True)
class Occupancy:
    """A payer of a unit from a day to a day, both included; `to_on` None while it lasts (P4).

    `residents` is how many people live there meanwhile, None while nobody has said it.
    """

    payer: int
    from_on: date
    to_on: date | None = None
    residents: int | None = None


@dataclass(frozen=True)
class Segment:
    """Days of a period, both ends included, for which `payer` is liable; None: nobody is.

    `residents` is how many people lived there on the first of these days, None when nobody has said it.
    """

    payer: int | None
    from_on: date
    to_on: date
    residents: int | None = None

    @property
    def days(self) -> int:
        return (self.to_on - self.from_on).days + 1


class TwoPayersError(ValueError):
    """Two fee payers for one unit on one day (P4)."""


def segments(occupancies: Iterable[Occupancy], first_on: date, last_on: date) -> tuple[Segment, ...]:
    """The days first_on…last_on in order, cut where the payer changes; vacant days have payer None (P5).

    Neighbouring occupancies of the same payer are one segment. Raises TwoPayersError on an overlap.
    """
    parts: list[Segment] = []
    next_on = first_on
    for occupancy in sorted(occupancies, key=lambda one: one.from_on):
        from_on = max(occupancy.from_on, first_on)
        to_on = min(occupancy.to_on or last_on, last_on)
        if from_on > to_on:
            continue
        if from_on < next_on:
            raise TwoPayersError(f"two payers on {from_on}")
        if from_on > next_on:
            parts.append(Segment(None, next_on, from_on - DAY))
        parts.append(Segment(occupancy.payer, from_on, to_on, occupancy.residents))
        next_on = to_on + DAY
    if next_on <= last_on:
        parts.append(Segment(None, next_on, last_on))
    return _joined(parts)


def _joined(parts: list[Segment]) -> tuple[Segment, ...]:
    joined: list[Segment] = []
    for part in parts:
        if joined and joined[-1].payer == part.payer:
            joined[-1] = replace(joined[-1], to_on=part.to_on)
        else:
            joined.append(part)
    return tuple(joined)


def liable(
    occupancies: Iterable[Occupancy], first_on: date, last_on: date, *, is_split: bool
) -> tuple[Segment, ...]:
    """The paying segments of first_on…last_on: by days when the policy splits, else the payer on day 1.

    Vacant days are left out; an empty answer means that nobody can be billed (B4, P5).
    """
    parts = segments(occupancies, first_on, last_on)
    if is_split:
        return tuple(part for part in parts if part.payer is not None)
    if not parts or parts[0].payer is None:
        return ()
    return (replace(parts[0], to_on=last_on),)


def payer_or_nearest(occupancies: Sequence[Occupancy], on: date) -> int | None:
    """Who pays on a day; on a vacant day the payer before, else the first to come. None without any (P4)."""
    ordered = sorted(occupancies, key=lambda one: one.from_on)
    begun = [one for one in ordered if one.from_on <= on]
    nearest = begun[-1:] or ordered[:1]
    return nearest[0].payer if nearest else None


def first_of(*layers: Iterable[Occupancy]) -> list[Occupancy]:
    """The occupancies one after the other, each with those of its days that are nobody's yet (B20)."""
    found: list[Occupancy] = []
    for layer in layers:
        for one in layer:
            found += _left_of(one, found)
            found.sort(key=lambda each: each.from_on)
    return found


def _left_of(one: Occupancy, taken: Sequence[Occupancy]) -> list[Occupancy]:
    """What of an occupancy's days none of the others, in the order of their days, has."""
    left: list[Occupancy] = []
    from_on, end = one.from_on, one.to_on or date.max
    for other in taken:
        last = other.to_on or date.max
        if last < from_on or other.from_on > end:
            continue
        if other.from_on > from_on:
            left.append(replace(one, from_on=from_on, to_on=other.from_on - DAY))
        if last >= end:
            return left
        from_on = last + DAY
    return [*left, replace(one, from_on=from_on)]


def payers_of_item(payers: Sequence[Occupancy], *layers: Iterable[Occupancy]) -> list[Occupancy]:
    """Who pays an item of a unit: the first of the layers that has somebody on a day (B20).

    How many people live there is what the unit's own payers say of those days.
    """
    found: list[Occupancy] = []
    for one in first_of(*layers):
        inside = [
            replace(
                one,
                from_on=max(one.from_on, stay.from_on),
                to_on=min(one.to_on or date.max, stay.to_on or date.max),
                residents=stay.residents,
            )
            for stay in payers
            if stay.from_on <= (one.to_on or date.max) and one.from_on <= (stay.to_on or date.max)
        ]
        found += first_of(inside, [one])
    return found
