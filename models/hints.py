"""What the desk should know of a building or unit: who has the key, which contractor comes (T26)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Model, one_of, refer
from models.property import Building, Unit

HINT_KINDS = ("key", "contractor", "other")


class DeskHint(EditableRow, Model):
    """A hint on a building or on one unit, from its first day to its last, both included."""

    __tablename__ = "desk_hint"
    __table_args__ = (
        one_of("kind", HINT_KINDS, "desk_hint_kind_known"),
        CheckConstraint("(building_id IS NULL) <> (unit_id IS NULL)", name="desk_hint_of_one_place"),
        CheckConstraint("to_on >= from_on", name="desk_hint_from_before_to"),
    )

    building_id: Mapped[int | None] = refer("building", null=True, index=True)
    unit_id: Mapped[int | None] = refer("unit", null=True, index=True)
    kind: Mapped[str] = mapped_column(String(12), default="other", server_default="other")
    words: Mapped[str] = mapped_column()
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)

    building: Mapped[Building | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
