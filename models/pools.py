"""Costs that several units share, and each unit's share (B16)."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, FixedPoint, Model, Money, Row, one_of, refer
from models.billing import FeeItem
from models.property import Unit
from rules.pools import Bears, PoolKey, PoolScope

SCOPES = tuple(scope.value for scope in PoolScope)
KEYS = tuple(key.value for key in PoolKey)
BEARS = tuple(choice.value for choice in Bears)
POOL_STATES = ("open", "billed", "cancelled")
NOT_CANCELLED = "state <> 'cancelled'"


class Pool(EditableRow, Model):
    """A cost of a fee item for a month and the units that share it, by which key (B16).

    `amount` is what is shared: where a main meter says it, (end − start) × factor − sub-meters, times the
    price; with the `correction` of a pool before it, which may be below zero. `place` says over which units
    in one short text: two pools with one place are for the same units. `denominator` is the sum of the keys.
    Once a bill holds a share, it is `billed` and stays as it is; what it should have come to is its
    `right_amount`, and the next pool of its item and place takes the difference.
    """

    __tablename__ = "pool"
    __table_args__ = (
        one_of("scope", SCOPES, "pool_scope_known"),
        one_of("key", KEYS, "pool_key_known"),
        one_of("vacant", BEARS, "pool_vacant_known"),
        one_of("unsold", BEARS, "pool_unsold_known"),
        one_of("developer", BEARS, "pool_developer_known"),
        one_of("state", POOL_STATES, "pool_state_known"),
        CheckConstraint("(scope = 'estate') = (scope_value = '')", name="pool_scope_says_of_what"),
        CheckConstraint("amount > 0", name="pool_amount_positive"),
        CheckConstraint(
            "(main_start IS NULL) = (main_end IS NULL) AND (main_start IS NULL) = (price IS NULL)",
            name="pool_reading_is_whole",
        ),
        CheckConstraint(
            "main_end >= main_start AND main_factor > 0 AND sub_meters >= 0 AND price >= 0",
            name="pool_reading_in_order",
        ),
        Index(
            "pool_once_idx",
            "period",
            "fee_item_id",
            "place",
            unique=True,
            sqlite_where=text(NOT_CANCELLED),
            postgresql_where=text(NOT_CANCELLED),
        ),
    )

    period: Mapped[str] = mapped_column(String(7))
    fee_item_id: Mapped[int] = refer("fee_item", index=True)
    scope: Mapped[str] = mapped_column(String(10))
    scope_value: Mapped[str] = mapped_column(default="", server_default="")  # names, `;` between them
    place: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(20))
    metered_item_id: Mapped[int | None] = refer("fee_item", null=True)  # whose consumption is the key
    amount: Mapped[Decimal] = mapped_column(Money())
    main_start: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    main_end: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    main_factor: Mapped[Decimal] = mapped_column(FixedPoint(4), default=1, server_default="10000")
    sub_meters: Mapped[Decimal] = mapped_column(FixedPoint(4), default=0, server_default="0")
    price: Mapped[Decimal | None] = mapped_column(FixedPoint(6))
    correction: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    corrects_id: Mapped[int | None] = refer("pool", null=True, index=True)
    right_amount: Mapped[Decimal | None] = mapped_column(Money())  # known after it was billed
    denominator: Mapped[Decimal] = mapped_column(FixedPoint(4), default=0, server_default="0")
    vacant: Mapped[str] = mapped_column(String(10), default="share", server_default="share")
    unsold: Mapped[str] = mapped_column(String(10), default="share", server_default="share")
    developer: Mapped[str] = mapped_column(String(10), default="share", server_default="share")
    note: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(String(10), default="open", server_default="open")

    fee_item: Mapped[FeeItem] = relationship(foreign_keys=[fee_item_id])
    metered_item: Mapped[FeeItem | None] = relationship(foreign_keys=[metered_item_id])
    corrects: Mapped[Pool | None] = relationship(remote_side="Pool.id")

    def __str__(self) -> str:
        return f"{self.fee_item} {self.period}"


class PoolShare(Row, Model):
    """What a unit bears of a pool, and the first bill that holds it; `key_value` 0: it can't share."""

    __tablename__ = "pool_share"
    __table_args__ = (
        UniqueConstraint("pool_id", "unit_id", name="pool_share_once_per_unit"),
        CheckConstraint("key_value >= 0 AND amount >= 0", name="pool_share_not_negative"),
        Index("pool_share_unit_idx", "unit_id"),
    )

    pool_id: Mapped[int] = refer("pool")
    unit_id: Mapped[int] = refer("unit")
    key_value: Mapped[Decimal] = mapped_column(FixedPoint(4))
    amount: Mapped[Decimal] = mapped_column(Money())
    invoice_id: Mapped[int | None] = refer("invoice", null=True, index=True)

    pool: Mapped[Pool] = relationship()
    unit: Mapped[Unit] = relationship()
