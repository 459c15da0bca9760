"""Units that stand empty and are charged a part of some items (B17)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, FixedPoint, Instant, Model, one_of, refer
from models.billing import FeeItem
from models.decisions import REQUEST_STATES, Decided
from models.people import Staff
from models.property import Unit


class Vacancy(Decided, EditableRow, Model):
    """An application to charge an empty unit less between two days, both included (B17).

    It counts once another person has approved it, from the first period that begins on `valid_from` or
    later. Without an item it is for every item that has a factor for empty units, without a factor at that
    of the item. Who asked is empty where it came in by a command.
    """

    __tablename__ = "vacancy"
    __table_args__ = (
        one_of("state", REQUEST_STATES, "vacancy_state_known"),
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="vacancy_from_before_to"),
        CheckConstraint("factor >= 0 AND factor <= 10000", name="vacancy_factor_is_a_part"),
        CheckConstraint("proof <> ''", name="vacancy_has_proof"),
        Index("vacancy_unit_idx", "unit_id", "valid_from"),  # billing run, unit's page
        Index("vacancy_end_idx", "valid_to", "id"),  # list of what ends soon
    )

    unit_id: Mapped[int] = refer("unit")
    fee_item_id: Mapped[int | None] = refer("fee_item", null=True)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    factor: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    proof: Mapped[str] = mapped_column()  # what shows that nobody lives there
    state: Mapped[str] = mapped_column(String(10), default="requested", server_default="requested")
    asked_by_id: Mapped[int | None] = refer("staff", null=True)
    asked_at: Mapped[datetime] = mapped_column(Instant())
    checked_on: Mapped[date | None] = mapped_column(Date)  # last day somebody saw that it is empty

    unit: Mapped[Unit] = relationship()
    fee_item: Mapped[FeeItem | None] = relationship()
    asked_by: Mapped[Staff | None] = relationship(foreign_keys=[asked_by_id])
