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

MESSAGES = -1  # in the place of a building: what was sent in a month, and what was paid after it


class FiguresCollected(Row, Model):
    """What invoices of a building's units of one kind brought in a month (`2026-06`) or year (`2026`) (K1).

    `billed` and `paid` are principal without refundable deposits; late fees and deposits stand apart. The
    households are units that were billed something and those of them that owe nothing for it; which kinds
    of units are households is said when it is read.
    """

    __tablename__ = "figures_collected"
    __table_args__ = (
        UniqueConstraint("period", "building_id", "unit_kind", name="figures_collected_once_per_cell"),
    )

    period: Mapped[str] = mapped_column(String(7))
    building_id: Mapped[int] = mapped_column(Id)
    unit_kind: Mapped[str] = mapped_column(String(20))
    billed: Mapped[Decimal] = mapped_column(Money())
    paid: Mapped[Decimal] = mapped_column(Money())
    late_fees: Mapped[Decimal] = mapped_column(Money())
    deposits_billed: Mapped[Decimal] = mapped_column(Money())
    deposits_paid: Mapped[Decimal] = mapped_column(Money())
    households: Mapped[int] = mapped_column(Integer)
    households_paid: Mapped[int] = mapped_column(Integer)


class FiguresYear(Row, Model):
    """What the bills of one year say of another: billed, credited in it, paid of their principal in it (K1).

    `billed` stands in the row of the bills' own year; refundable deposits are left out.
    """

    __tablename__ = "figures_year"
    __table_args__ = (
        UniqueConstraint("building_id", "bills_year", "year", name="figures_year_once_per_cell"),
    )

    building_id: Mapped[int] = mapped_column(Id)
    bills_year: Mapped[str] = mapped_column(String(4))
    year: Mapped[str] = mapped_column(String(4))
    billed: Mapped[Decimal] = mapped_column(Money())
    credited: Mapped[Decimal] = mapped_column(Money())
    paid: Mapped[Decimal] = mapped_column(Money())


class FiguresItem(Row, Model):
    """The same of one fee item in a month: what its lines ask for, and what is paid of them (K1, M8)."""

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
    """What units of one kind owe in a building by due day and period; each counts at its oldest debt (K2)."""

    __tablename__ = "figures_owed"
    __table_args__ = (
        UniqueConstraint("building_id", "due_on", "period", "unit_kind", name="figures_owed_once_per_cell"),
    )

    building_id: Mapped[int] = mapped_column(Id)
    unit_kind: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date] = mapped_column(Date)
    period: Mapped[str] = mapped_column(String(7))
    amount: Mapped[Decimal] = mapped_column(Money())
    invoices: Mapped[int] = mapped_column(BigInteger)
    households: Mapped[int] = mapped_column(Integer)


class FiguresStale(Row, Model):
    """A building's month that changed since it was counted; written by the triggers of models/triggers.

    MESSAGES in the place of a building: reminders of the month, or what was paid after them, changed.
    """

    __tablename__ = "figures_stale"
    __table_args__ = (Index("figures_stale_cell_idx", "building_id", "period"),)

    building_id: Mapped[int] = mapped_column(Id)
    period: Mapped[str] = mapped_column(String(7))
    is_counting: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
