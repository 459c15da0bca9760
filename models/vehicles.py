"""Vehicles of residents and tenants, and their parking cards (B25)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Model, prefix_index, refer
from models.people import Owner
from models.property import Unit
from models.text_keys import folded_of


class Vehicle(EditableRow, Model):
    """A vehicle and its parking card, which holds from a day to a day, both included (B25).

    `bay` is the unit of kind parking that the card is for, empty where the vehicle stands where there is
    room. Cards of two vehicles for one bay at one time are refused by a trigger (SQLite) or an exclusion
    constraint (PostgreSQL); see models/triggers.py.
    """

    __tablename__ = "vehicle"
    __table_args__ = (
        CheckConstraint("length(plate) > 0", name="vehicle_has_a_plate"),
        CheckConstraint("unit_id IS NOT NULL OR owner_id IS NOT NULL", name="vehicle_is_somebodys"),
        CheckConstraint("card_from <= card_to", name="vehicle_card_from_before_to"),
        Index("vehicle_unit_idx", "unit_id"),  # household file
        Index("vehicle_owner_idx", "owner_id"),
        Index("vehicle_bay_idx", "bay_id", "card_from"),
        Index("vehicle_card_end_idx", "card_to", "id"),  # list
        prefix_index("vehicle", "plate_folded"),
    )

    plate: Mapped[str] = mapped_column(String(20), unique=True)
    plate_folded: Mapped[str] = folded_of("plate", 20, is_unique=True)
    unit_id: Mapped[int | None] = refer("unit", null=True)
    owner_id: Mapped[int | None] = refer("owner", null=True)
    bay_id: Mapped[int | None] = refer("unit", null=True)
    card_from: Mapped[date] = mapped_column(Date)
    card_to: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(default="", server_default="")

    unit: Mapped[Unit | None] = relationship(foreign_keys=[unit_id])
    owner: Mapped[Owner | None] = relationship()
    bay: Mapped[Unit | None] = relationship(foreign_keys=[bay_id])

    def __str__(self) -> str:
        return self.plate
