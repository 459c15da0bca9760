"""Units that are let: rent contracts and how their rent changes (B24)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, FixedPoint, Model, Money, refer
from models.billing import FeeItem
from models.people import Owner
from models.property import Unit
from models.text_keys import folded_of

MOST_MONTHS = 600  # between two steps of a rent


class RentContract(EditableRow, Model):
    """A unit let to a tenant between two days, both included, for a rent a month (B24).

    Every `step_every_months` the rent rises by a percentage or an amount; from `rent_free_from` to
    `rent_free_to` none is owed. Two contracts of one unit at one time are refused by a trigger (SQLite) or an
    exclusion constraint (PostgreSQL); see models/triggers.py.
    """

    __tablename__ = "rent_contract"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_to", name="rent_contract_from_before_to"),
        CheckConstraint("rent > 0", name="rent_contract_rent_above_zero"),
        CheckConstraint("deposit >= 0", name="rent_contract_deposit_not_negative"),
        CheckConstraint(
            "step_every_months IS NULL AND step_percent IS NULL AND step_amount IS NULL "
            "OR step_every_months IS NOT NULL AND (step_percent IS NULL) <> (step_amount IS NULL)",
            name="rent_contract_step_says_when_and_one_of_how_much",
        ),
        CheckConstraint(
            f"step_every_months BETWEEN 1 AND {MOST_MONTHS}", name="rent_contract_step_months_in_range"
        ),
        CheckConstraint("step_percent > 0 AND step_amount > 0", name="rent_contract_step_above_zero"),
        CheckConstraint(
            "(rent_free_from IS NULL) = (rent_free_to IS NULL)", name="rent_contract_free_days_have_both_ends"
        ),
        CheckConstraint(
            "rent_free_from >= valid_from AND rent_free_from <= rent_free_to AND rent_free_to <= valid_to",
            name="rent_contract_free_days_within_its_own",
        ),
        Index("rent_contract_unit_idx", "unit_id", "valid_from"),  # billing run, unit's page
        Index("rent_contract_owner_idx", "owner_id"),
        Index("rent_contract_end_idx", "valid_to", "id"),  # list of what ends soon
    )

    number: Mapped[str] = mapped_column(String(60), unique=True)
    number_folded: Mapped[str] = folded_of("number", 60, is_unique=True)
    unit_id: Mapped[int] = refer("unit")
    owner_id: Mapped[int] = refer("owner")  # the tenant
    fee_item_id: Mapped[int] = refer("fee_item")  # the rent is a line of this item
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date] = mapped_column(Date)
    rent: Mapped[Decimal] = mapped_column(Money())
    deposit: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    step_every_months: Mapped[int | None] = mapped_column(Integer)
    step_percent: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    step_amount: Mapped[Decimal | None] = mapped_column(Money())
    rent_free_from: Mapped[date | None] = mapped_column(Date)
    rent_free_to: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(default="", server_default="")

    unit: Mapped[Unit] = relationship()
    owner: Mapped[Owner] = relationship()
    fee_item: Mapped[FeeItem] = relationship()
    changes: Mapped[list[RentChange]] = relationship(
        back_populates="contract", passive_deletes="all", order_by="RentChange.from_on"
    )

    def __str__(self) -> str:
        return self.number


class RentChange(EditableRow, Model):
    """From a day on a contract's rent is another: by an index's percent, or as was agreed (B24)."""

    __tablename__ = "rent_change"
    __table_args__ = (
        UniqueConstraint("contract_id", "from_on", name="rent_change_once_a_day"),
        CheckConstraint("(percent IS NULL) <> (rent IS NULL)", name="rent_change_says_percent_or_rent"),
        CheckConstraint("rent >= 0", name="rent_change_rent_not_negative"),
        CheckConstraint("percent > -1000000", name="rent_change_leaves_something"),  # above −100 %
    )

    contract_id: Mapped[int] = refer("rent_contract")
    from_on: Mapped[date] = mapped_column(Date)
    percent: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    rent: Mapped[Decimal | None] = mapped_column(Money())
    reason: Mapped[str] = mapped_column(default="", server_default="")  # which index, of which month

    contract: Mapped[RentContract] = relationship(back_populates="changes")
