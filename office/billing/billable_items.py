"""The fee items that can be billed, with all their tariffs (B1, B2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, false, func, literal, or_, select, true, union_all
from sqlalchemy.orm import Session

from models.billing import FeeItem, Tariff
from models.people import Occupancy
from models.property import Building, Unit
from models.rates import ItemRate
from models.vacancies import Vacancy
from rules import billing as rule
from rules import rates
from rules.billing import Basis, Timing
from rules.charges import BillableItem
from rules.cycles import Anchor, Cycle
from rules.liability import DAY, PayerRule
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
            Tariff.tier_span,
            Tariff.tier_people,
            Tariff.id,
        )
    ):
        tariffs[row.fee_item_id][row.unit_kind].append(
            rule.Tariff(
                row.rate,
                row.valid_from,
                row.valid_to,
                rule.stored_tiers(row.tiers),
                rule.TierSpan(row.tier_span),
                row.tier_people,
                row.id,
            )
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


def _vacant_rates() -> Select[*tuple[Any, ...]]:
    """Each approved vacancy as a row of each item that it is for; it ends when a tenant comes (B17)."""
    tenant_from = (
        select(func.min(Occupancy.from_on))
        .where(
            Occupancy.unit_id == Vacancy.unit_id,
            Occupancy.kind == "tenant",
            func.coalesce(Occupancy.to_on, Vacancy.valid_from) >= Vacancy.valid_from,
        )
        .scalar_subquery()
    )
    return (
        select(
            Vacancy.unit_id,
            FeeItem.id,
            Vacancy.valid_from,
            Vacancy.valid_to,
            literal(None, ItemRate.rate.type),
            literal(None, ItemRate.amount.type),
            func.coalesce(Vacancy.factor, FeeItem.vacancy_factor),
            false(),
            true(),
            tenant_from,
            Vacancy.id,
        )
        .join(
            FeeItem,
            or_(
                FeeItem.id == Vacancy.fee_item_id,
                and_(Vacancy.fee_item_id.is_(None), FeeItem.vacancy_factor.is_not(None)),
            ),
        )
        .where(Vacancy.state == "approved")
    )


OWN_RATES = union_all(
    select(
        ItemRate.unit_id,
        *RATE_COLUMNS,
        false().label("is_vacancy"),
        literal(None, Date).label("tenant_from"),
        ItemRate.id.label("row_id"),
    ).where(ItemRate.unit_id.is_not(None)),
    _vacant_rates(),
).subquery("own_rates")
"""The rows of units alone: their rates, and their vacancies as rows of the items that these are for."""
OWN_COLUMNS = tuple(column for column in OWN_RATES.c if column.name != "unit_id")


def _shared_rates(session: Session) -> dict[int, list[rates.ItemRate]]:
    """The rows that are for more than one unit, by item (B14)."""
    found: dict[int, list[rates.ItemRate]] = defaultdict(list)
    rows = session.execute(
        select(
            *RATE_COLUMNS,
            ItemRate.id,
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
                id=row.id,
            )
        )
    return found


def own_rate(row: Any, unit_code: str) -> rates.ItemRate:
    """A unit's own row, from OWN_COLUMNS (B14, B17)."""
    valid_to = row.valid_to
    if row.tenant_from is not None:
        valid_to = min(valid_to or date.max, row.tenant_from - DAY)
    return rates.ItemRate(
        f"vacancy {unit_code} {row.valid_from}" if row.is_vacancy else f"{unit_code} {row.valid_from}",
        row.valid_from,
        valid_to,
        is_of_unit=True,
        rate=row.rate,
        amount=row.amount,
        factor=row.factor,
        is_exempt=row.is_exempt,
        is_vacancy=row.is_vacancy,
        id=row.row_id,
    )


def own_rates(
    session: Session, unit_ids: Sequence[int], *conditions: ColumnElement[bool]
) -> Iterator[tuple[int, int, rates.ItemRate]]:
    """The own rows of some units as (unit, item, row), their vacancies behind their rates (B14, B17)."""
    for row in session.execute(
        select(OWN_RATES.c.unit_id, Unit.code, *OWN_COLUMNS)
        .join(Unit, Unit.id == OWN_RATES.c.unit_id)
        .where(OWN_RATES.c.unit_id.in_(unit_ids), *conditions)
        .order_by(OWN_RATES.c.is_vacancy, OWN_RATES.c.row_id)
    ):
        yield row.unit_id, row.fee_item_id, own_rate(row, row.code)
