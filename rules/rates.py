"""Which rate a unit is charged at: the most specific row wins (B14).

A unit's own row comes first, then a tag, floors, a building, a kind, each before the next and the more of
them a row says the sooner; last the tariff of the unit's kind. Of rows that are equally specific the youngest
counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from rules.billing import ONE, Tariff, Tier, TierSpan, tariff
from rules.text_keys import compared_key


@dataclass(frozen=True)
class Place:
    """What rates know of a unit: its kind, where it stands, its tags as `tags_of` reads them."""

    kind: str
    building_id: int | None = None
    floor: int | None = None
    tags: frozenset[str] = frozenset()


def tags_of(text: str) -> frozenset[str]:
    """The tags that a text lists between commas, as they are compared."""
    for comma in "，、;；":
        text = text.replace(comma, ",")
    return frozenset(compared_key(tag) for tag in text.split(",") if tag.strip())


def scope_of(
    unit_id: int | None,
    tag: str | None,
    building_id: int | None,
    floor_from: int | None,
    floor_to: int | None,
    unit_kind: str | None,
) -> str:
    """For which units a row is, in one text: two rows with one text are for the same units."""
    said = (
        ("unit", unit_id),
        ("tag", compared_key(tag) if tag else None),
        ("floors", None if floor_from is None else f"{floor_from}-{floor_to}"),
        ("building", building_id),
        ("kind", unit_kind or None),
    )
    return " ".join(f"{name}:{value}" for name, value in said if value is not None)


@dataclass(frozen=True)
class ItemRate:
    """A row that charges an item at some units otherwise than the tariff, or not at all; yuan.

    `name` is how a line names it. `amount` is a month's, whatever the quantity. A vacancy is no price: its
    factor multiplies whatever the other rows and the tariff say (B17).
    """

    name: str
    valid_from: date
    valid_to: date | None = None
    is_of_unit: bool = False
    tag: str = ""
    building_id: int | None = None
    floors: tuple[int, int] | None = None
    kind: str = ""
    rate: Decimal | None = None
    amount: Decimal | None = None
    factor: Decimal | None = None
    is_exempt: bool = False
    is_vacancy: bool = False
    id: int | None = None  # of the stored row: an item rate, or a vacancy

    @cached_property
    def rank(self) -> int:
        """How specific it is: a higher number is more specific."""
        said = (self.is_of_unit, self.tag, self.floors, self.building_id is not None, self.kind)
        return sum(1 << place for place, one in enumerate(reversed(said)) if one)

    def is_valid(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def is_for(self, place: Place) -> bool:
        """Whether it is for a unit there; a unit's own row is for that unit."""
        return (
            (not self.tag or compared_key(self.tag) in place.tags)
            and (self.building_id is None or self.building_id == place.building_id)
            and (
                self.floors is None
                or (place.floor is not None and self.floors[0] <= place.floor <= self.floors[1])
            )
            and (not self.kind or self.kind == place.kind)
        )


@dataclass(frozen=True)
class Rated:
    """What a month of an item costs a unit, and the row that says so.

    `rate` is yuan for each of the basis, or with `is_amount` for the whole month.
    """

    rate: Decimal
    row: str
    factor: Decimal = ONE
    is_amount: bool = False
    tiers: tuple[Tier, ...] = ()
    tier_span: TierSpan = TierSpan.MONTH
    tier_people: int | None = None


@dataclass(frozen=True)
class Exempt:
    """A unit that is charged nothing for an item, and the row that says so."""

    row: str


def kind_row(kind: str, found: Tariff) -> str:
    """How a line names the tariff of a kind of unit."""
    return f"{kind} {found.valid_from}"


def in_order(rows: Iterable[ItemRate], place: Place, day: date) -> list[ItemRate]:
    """The rows that are for a unit on a day, the most specific first."""
    found = [row for row in rows if row.is_valid(day) and row.is_for(place)]
    return sorted(found, key=lambda row: (row.rank, row.valid_from), reverse=True)


def coefficient(rows: Iterable[ItemRate], place: Place, day: date) -> Decimal | Exempt:
    """How much a unit counts when a cost is shared: the factor of its row, 1 where none says any (B16)."""
    found = [row for row in in_order(rows, place, day) if not row.is_vacancy]
    if found and found[0].is_exempt:
        return Exempt(found[0].name)
    return ONE if not found or found[0].factor is None else found[0].factor


def rated(
    rows: Sequence[ItemRate], tariffs: Iterable[Tariff], place: Place, day: date
) -> Rated | Exempt | None:
    """What an item costs a unit on a day; None where nothing says it (B14, B2).

    A row with a factor alone takes the rate or amount of the next one that has any, else of the tariff. Of
    two vacancies the one that begins later counts.
    """
    in_force = in_order(rows, place, day) if rows else []
    found = [row for row in in_force if not row.is_vacancy]
    if found and found[0].is_exempt:
        return Exempt(found[0].name)
    winner = found[0] if found else None
    factor = ONE if winner is None or winner.factor is None else winner.factor
    names = [winner.name] if winner else []
    base: Rated | None = None
    for row in found:
        price = row.rate if row.rate is not None else row.amount
        if price is not None:
            base = Rated(price, row.name, is_amount=row.rate is None)
            break
    if base is None:
        of_kind = tariff(tariffs, day)
        if of_kind is None:
            return None
        base = Rated(
            of_kind.rate,
            kind_row(place.kind, of_kind),
            tiers=of_kind.tiers,
            tier_span=of_kind.tier_span,
            tier_people=of_kind.tier_people,
        )
    if base.row not in names:
        names.append(base.row)
    for vacancy in [row for row in in_force if row.is_vacancy][:1]:
        names.append(vacancy.name)
        factor *= ONE if vacancy.factor is None else vacancy.factor
    return replace(base, row=" × ".join(names), factor=factor)
