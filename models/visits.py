"""Follow-up, repair, collection and courtesy visits (V1–V4)."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from sqlalchemy import CheckConstraint, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Instant, Model, one_of, refer
from models.complaints import Ticket
from models.people import Staff
from models.property import Unit
from rules import codes

VISIT_KINDS: tuple[str, ...] = get_args(codes.VisitKind)
VISIT_METHODS = ("phone", "door")
VISIT_OUTCOMES = ("", "satisfied", "partly", "dissatisfied", "unreachable", "done")


class Visit(EditableRow, Model):
    """One planned visit: for whom, by which role, when due, and what came of it."""

    __tablename__ = "visit"
    __table_args__ = (
        one_of("kind", VISIT_KINDS, "visit_kind_known"),
        CheckConstraint("method IS NULL OR method IN ('phone', 'door')", name="visit_method_known"),
        one_of("outcome", VISIT_OUTCOMES, "visit_outcome_known"),
        CheckConstraint(
            "satisfaction IS NULL OR satisfaction BETWEEN 1 AND 5", name="visit_satisfaction_1_to_5"
        ),
        CheckConstraint("planned_from <= due_at", name="visit_planned_before_due"),
        Index(
            "visit_open_idx",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),  # to be visited today
        Index("visit_unit_idx", "unit_id"),
        Index("visit_due_idx", "due_at", "id"),  # list
        Index("visit_outcome_idx", "outcome", "due_at", "id"),  # list of one outcome
        # one open follow-up visit per ticket: planning twice adds nothing
        Index(
            "visit_one_open_per_ticket",
            "ticket_id",
            unique=True,
            sqlite_where=text("done_at IS NULL AND kind = 'follow_up'"),
            postgresql_where=text("done_at IS NULL AND kind = 'follow_up'"),
        ),
    )

    number: Mapped[str] = mapped_column(String(30), unique=True)
    kind: Mapped[str] = mapped_column(String(12), default="follow_up", server_default="follow_up")
    ticket_id: Mapped[int | None] = refer("ticket", null=True, index=True)
    unit_id: Mapped[int | None] = refer("unit", null=True)
    planned_from: Mapped[datetime] = mapped_column(Instant())
    due_at: Mapped[datetime] = mapped_column(Instant())
    assignee_role: Mapped[str] = mapped_column(String(20))
    assignee_id: Mapped[int | None] = refer("staff", null=True, index=True)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    done_at: Mapped[datetime | None] = mapped_column(Instant())
    done_by_id: Mapped[int | None] = refer("staff", null=True)
    method: Mapped[str | None] = mapped_column(String(10))
    satisfaction: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(20), default="", server_default="")
    met: Mapped[str] = mapped_column(String(120), default="", server_default="")
    words: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why this person and time, as JSON

    ticket: Mapped[Ticket | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
    assignee: Mapped[Staff | None] = relationship(foreign_keys=[assignee_id])

    def __str__(self) -> str:
        return self.number
