"""What a unit is charged otherwise than its kind's tariff says, and who pays an item otherwise (B14, B20)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, FixedPoint, Model, Money, refer
from models.billing import FeeItem
from models.people import Owner
from models.property import UNIT_KINDS, Building, Unit
from rules.rates import scope_of

SCOPE = ("unit_id", "tag", "building_id", "floor_from", "floor_to", "unit_kind")


class ItemRate(EditableRow, Model):
    """An item's own rate, amount or factor for some units between two days, both included, or none (B14).

    The units are one unit, or those of a tag, building, floors and kind, as far as each is said. `scope`
    says that in one text. A factor alone multiplies what the next row or the tariff says.
    """

    __tablename__ = "item_rate"
    __table_args__ = (
        CheckConstraint(
            f"unit_kind IN ('', {', '.join(repr(kind) for kind in UNIT_KINDS)})",
            name="item_rate_unit_kind_known",
        ),
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="item_rate_from_before_to"),
        CheckConstraint(
            "(floor_from IS NULL) = (floor_to IS NULL) AND (floor_from IS NULL OR floor_from <= floor_to)",
            name="item_rate_floors_in_order",
        ),
        CheckConstraint(
            "unit_id IS NULL AND (tag <> '' OR building_id IS NOT NULL OR floor_from IS NOT NULL "
            "OR unit_kind <> '') OR unit_id IS NOT NULL AND tag = '' AND building_id IS NULL "
            "AND floor_from IS NULL AND unit_kind = ''",
            name="item_rate_is_for_a_unit_or_for_some",
        ),
        CheckConstraint(
            "is_exempt AND rate IS NULL AND amount IS NULL AND factor IS NULL OR NOT is_exempt "
            "AND (rate IS NULL OR amount IS NULL) "
            "AND (rate IS NOT NULL OR amount IS NOT NULL OR factor IS NOT NULL)",
            name="item_rate_says_one_price_or_none",
        ),
        CheckConstraint("rate >= 0 AND amount >= 0 AND factor >= 0", name="item_rate_not_negative"),
        UniqueConstraint("fee_item_id", "scope", "valid_from", name="item_rate_once_per_start"),
        Index("item_rate_unit_idx", "unit_id", "fee_item_id"),  # billing run, unit's page
    )

    fee_item_id: Mapped[int] = refer("fee_item")
    scope: Mapped[str] = mapped_column(String(300))
    unit_id: Mapped[int | None] = refer("unit", null=True)
    building_id: Mapped[int | None] = refer("building", null=True)
    floor_from: Mapped[int | None] = mapped_column(Integer)
    floor_to: Mapped[int | None] = mapped_column(Integer)
    tag: Mapped[str] = mapped_column(String(60), default="", server_default="")
    unit_kind: Mapped[str] = mapped_column(String(20), default="", server_default="")
    rate: Mapped[Decimal | None] = mapped_column(FixedPoint(6))
    amount: Mapped[Decimal | None] = mapped_column(Money())  # a month, whatever the quantity
    factor: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    is_exempt: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(default="", server_default="")

    fee_item: Mapped[FeeItem] = relationship()
    unit: Mapped[Unit | None] = relationship()
    building: Mapped[Building | None] = relationship()


@event.listens_for(ItemRate, "before_insert")
@event.listens_for(ItemRate, "before_update")
def _write_scope(_mapper: Any, _connection: Any, row: ItemRate) -> None:
    row.scope = scope_of(*(getattr(row, name) for name in SCOPE))


class UnitItemPayer(EditableRow, Model):
    """Who pays an item of a unit between two days, both included, where it isn't the unit's payer (B20).

    Two at once are refused by a trigger (SQLite) or an exclusion constraint (PostgreSQL); see
    models/triggers.py.
    """

    __tablename__ = "unit_item_payer"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="unit_item_payer_from_before_to"),
        Index("unit_item_payer_unit_idx", "unit_id", "fee_item_id", "valid_from"),  # billing run
        Index("unit_item_payer_owner_idx", "owner_id"),
    )

    unit_id: Mapped[int] = refer("unit")
    fee_item_id: Mapped[int] = refer("fee_item")
    owner_id: Mapped[int] = refer("owner")
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)

    unit: Mapped[Unit] = relationship()
    fee_item: Mapped[FeeItem] = relationship()
    owner: Mapped[Owner] = relationship()
