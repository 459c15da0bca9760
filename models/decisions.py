"""Columns of what one person asks for and another decides (F21)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from models.base import Instant, refer
from models.people import Staff

REQUEST_STATES = ("requested", "approved", "refused")


class Decided:
    """Who decided, and when; both empty until then."""

    decided_by_id: Mapped[int | None] = refer("staff", null=True)
    decided_at: Mapped[datetime | None] = mapped_column(Instant())

    @declared_attr
    @classmethod
    def decided_by(cls) -> Mapped[Staff | None]:
        return relationship(foreign_keys=[cls.decided_by_id])


class AskedFor(Decided):
    """Who asked, when, and what became of it."""

    state: Mapped[str] = mapped_column(String(10), default="requested", server_default="requested")
    asked_by_id: Mapped[int] = refer("staff")
    asked_at: Mapped[datetime] = mapped_column(Instant())

    @declared_attr
    @classmethod
    def asked_by(cls) -> Mapped[Staff]:
        return relationship(foreign_keys=[cls.asked_by_id])
