"""The fee items that can be billed, with all their tariffs (B1, B2)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Tariff
from models.property import Building
from models.rates import ItemRate
from rules import billing as rule
from rules import rates
from rules.billing import Basis, Timing
from rules.charges import BillableItem
from rules.cycles import Anchor, Cycle
from rules.liability import PayerRule
from rules.money import Rounding, RoundingMode, RoundingUnit


def billable_items(session: Session) -> list[BillableItem]:
    """The active fee items in the order of their lines."""
    tariffs: dict[int, dict[str, list[rule.Tariff]]] = defaultdict(lambda: defaultdict(list))
    for row in session.execute(
        select(
            Tariff.fee_item_id,
            Tariff.unit_kind,
            Tariff.rate,
            Tariff.valid_from,
            Tariff.valid_to,
            Tariff.tiers,
        )
    ):
        tariffs[row.fee_item_id][row.unit_kind].append(
            rule.Tariff(row.rate, row.valid_from, row.valid_to, rule.stored_tiers(row.tiers))
        )
    shared = _shared_rates(session)
    items = session.scalars(select(FeeItem).where(FeeItem.is_active).order_by(FeeItem.position, FeeItem.id))
    return [
        BillableItem(
            item.id,
            item.code,
            Basis(item.basis),
            Timing(item.timing),
            item.is_required,
            position,
            {kind: tuple(rows) for kind, rows in tariffs[item.id].items()},
            tuple(shared[item.id]),
            cycle_of(item),
            rounding_of(item),
            PayerRule(item.payer),
            item.bears_late_fee,
        )
        for position, item in enumerate(items)
    ]


def cycle_of(item: FeeItem) -> Cycle:
    """When an item is billed, as its row says (B14, B15)."""
    season = (
        None if item.season_from is None or item.season_to is None else (item.season_from, item.season_to)
    )
    return Cycle(item.cycle_months, Anchor(item.anchor), item.days_ahead, season)


def rounding_of(item: FeeItem) -> Rounding:
    """How the item's lines are rounded, as its row says (B19)."""
    return Rounding(RoundingUnit(item.rounding), RoundingMode(item.rounding_mode))


RATE_COLUMNS = (
    ItemRate.fee_item_id,
    ItemRate.valid_from,
    ItemRate.valid_to,
    ItemRate.rate,
    ItemRate.amount,
    ItemRate.factor,
    ItemRate.is_exempt,
)


def _shared_rates(session: Session) -> dict[int, list[rates.ItemRate]]:
    """The rows that are for more than one unit, by item (B14)."""
    found: dict[int, list[rates.ItemRate]] = defaultdict(list)
    rows = session.execute(
        select(
            *RATE_COLUMNS,
            ItemRate.tag,
            ItemRate.building_id,
            ItemRate.floor_from,
            ItemRate.floor_to,
            ItemRate.unit_kind,
            Building.name.label("building"),
        )
        .outerjoin(Building, Building.id == ItemRate.building_id)
        .where(ItemRate.unit_id.is_(None))
        .order_by(ItemRate.id)
    )
    for row in rows:
        floors = None if row.floor_from is None else (row.floor_from, row.floor_to)
        said = (
            row.tag,
            row.building and f"building {row.building}",
            floors and f"floors {floors[0]}–{floors[1]}",
            row.unit_kind,
        )
        found[row.fee_item_id].append(
            rates.ItemRate(
                " ".join((*filter(None, said), str(row.valid_from))),
                row.valid_from,
                row.valid_to,
                tag=row.tag,
                building_id=row.building_id,
                floors=floors,
                kind=row.unit_kind,
                rate=row.rate,
                amount=row.amount,
                factor=row.factor,
                is_exempt=row.is_exempt,
            )
        )
    return found


def own_rate(row: Any, unit_code: str) -> rates.ItemRate:
    """A unit's own row, from RATE_COLUMNS (B14)."""
    return rates.ItemRate(
        f"{unit_code} {row.valid_from}",
        row.valid_from,
        row.valid_to,
        is_of_unit=True,
        rate=row.rate,
        amount=row.amount,
        factor=row.factor,
        is_exempt=row.is_exempt,
    )
