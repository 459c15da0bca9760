"""The fee items that can be billed, with all their tariffs (B1, B2)."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Tariff
from rules import billing as rule
from rules.billing import Basis, Timing
from rules.charges import BillableItem


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
        )
        for position, item in enumerate(items)
    ]
