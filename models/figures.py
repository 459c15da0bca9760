"""Figures kept beside the ledger, so that a manager's page costs the same after ten years (K1, K2).

All of it is derived: `office/reports/aggregates.py` counts it, triggers mark what a posted change made
stale, and `flask check` proves it equal to a full recount. Derived rows refer to others by number, without
keys.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, Money, Row


class FiguresCollected(Row, Model):
    """What a building's invoices of a month (`2026-06`) or a year (`2026`) brought (K1)."""

    __tablename__ = "figures_collected"
    __table_args__ = (
        UniqueConstraint("period", "building_id", name="figures_collected_once_per_period_and_building"),
    )

    period: Mapped[str] = mapped_column(String(7))
    building_id: Mapped[int] = mapped_column(Id)
    billed: Mapped[Decimal] = mapped_column(Money())
    paid: Mapped[Decimal] = mapped_column(Money())
    households: Mapped[int] = mapped_column(Integer)
    households_paid: Mapped[int] = mapped_column(Integer)


class FiguresItem(Row, Model):
    """The same of one fee item in a month; an invoice's money lies on its items in proportion (K1)."""

    __tablename__ = "figures_item"
    __table_args__ = (
        UniqueConstraint("period", "building_id", "fee_item_id", name="figures_item_once_per_cell"),
    )

    period: Mapped[str] = mapped_column(String(7))
    building_id: Mapped[int] = mapped_column(Id)
    fee_item_id: Mapped[int] = mapped_column(Id)
    billed: Mapped[Decimal] = mapped_column(Money())
    paid: Mapped[Decimal] = mapped_column(Money())


class FiguresOwed(Row, Model):
    """What is open in a building by due day and period; a household counts once, at its oldest debt (K2)."""

    __tablename__ = "figures_owed"
    __table_args__ = (UniqueConstraint("building_id", "due_on", "period", name="figures_owed_once_per_cell"),)

    building_id: Mapped[int] = mapped_column(Id)
    due_on: Mapped[date] = mapped_column(Date)
    period: Mapped[str] = mapped_column(String(7))
    amount: Mapped[Decimal] = mapped_column(Money())
    invoices: Mapped[int] = mapped_column(BigInteger)
    households: Mapped[int] = mapped_column(Integer)


class FiguresStale(Row, Model):
    """A building's month that changed since it was counted; written by the triggers of models/triggers."""

    __tablename__ = "figures_stale"
    __table_args__ = (Index("figures_stale_cell_idx", "building_id", "period"),)

    building_id: Mapped[int] = mapped_column(Id)
    period: Mapped[str] = mapped_column(String(7))
    is_counting: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
