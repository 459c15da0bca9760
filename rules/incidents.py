"""A known incident that many complain about (一事多诉): whom it reaches, how far it is, how serious (T25)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.pools import PoolScope
from rules.severity import Facts, SeverityPolicy, proposal
from rules.text_keys import compared_key


class Phase(StrEnum):
    """How far an incident is; it goes on until somebody closes it, also after its expected end."""

    COMING = "coming"
    ON = "on"
    LATE = "late"
    CLOSED = "closed"


@dataclass(frozen=True)
class Place:
    """Where a unit lies: its code, building and area, as the lists write them."""

    unit_code: str
    building: str
    area: str


@dataclass(frozen=True)
class Joined:
    """A complaint joined to an incident: its unit, if it has one, and the households it speaks for."""

    unit_id: int | None
    household_count: int


def phase(begins_at: datetime, ends_at: datetime | None, closed_at: datetime | None, now: datetime) -> Phase:
    """How far an incident is at `now`; it is late from the first instant after its expected end."""
    if closed_at is not None:
        return Phase.CLOSED
    if now < begins_at:
        return Phase.COMING
    return Phase.LATE if ends_at is not None and now > ends_at else Phase.ON


def covers(scope: PoolScope, names: Iterable[str], place: Place) -> bool:
    """Whether a unit lies where an incident is; a building is named alone or as `area/building`.

    Example: the buildings `1` and `East/2` cover a unit of building 1 in any area, and of 2 in East.
    """
    meant = {
        PoolScope.AREA: {place.area},
        PoolScope.BUILDING: {place.building, f"{place.area}/{place.building}"},
        PoolScope.UNITS: {place.unit_code},
        PoolScope.ESTATE: set[str](),
    }[scope]
    if scope is PoolScope.ESTATE:
        return True
    return bool({compared_key(name) for name in names} & {compared_key(one) for one in meant})


def is_about(incident_category_id: int | None, category_ids: Collection[int]) -> bool:
    """Whether an incident is about one of these categories (a complaint's own and the one above it).

    An incident without a category is about all; without categories nothing is typed yet.
    """
    return incident_category_id is None or not category_ids or incident_category_id in category_ids


def households(joined: Iterable[Joined]) -> int:
    """How many households complain about one incident: a unit counts once, the most that one of it says."""
    without_unit, of_unit = 0, dict[int, int]()
    for one in joined:
        if one.unit_id is None:
            without_unit += one.household_count
        else:
            of_unit[one.unit_id] = max(of_unit.get(one.unit_id, 0), one.household_count)
    return without_unit + sum(of_unit.values())


def raised_to(policy: SeverityPolicy, count: int, reached: str) -> str:
    """The severity to which so many households raise an incident's lead complaint now; empty: no change.

    `reached` is what the incident was raised to before: each severity is reached once, so that a complaint
    that was lowered by hand afterwards stays so when the next household calls (T25).
    """
    severity = proposal(policy, Facts(household_count=count)).severity
    before = reached if reached in {level.code for level in policy.level} else policy.default
    return severity if policy.rank(severity) > policy.rank(before) else ""
