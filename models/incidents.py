"""Known incidents that many complain about, and the complaints joined to each (T25)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Instant, Model, Row, one_of, refer
from models.complaints import Category, Ticket
from models.people import Staff
from rules.pools import PoolScope

SCOPES = tuple(scope.value for scope in PoolScope)


class Incident(EditableRow, Model):
    """What is going on in a part of the estate, and what the desk tells those who call about it (T25).

    `scope_value` names areas, buildings or units with `;` between. An emergency is not planned. `ends_at` is
    expected; `closed_at` is when somebody said that it is over, with the `resolution` of its complaints.
    `raised_to` is the severity to which so many households raised its lead complaint already.
    """

    __tablename__ = "incident"
    __table_args__ = (
        one_of("scope", SCOPES, "incident_scope_known"),
        CheckConstraint("(scope = 'estate') = (scope_value = '')", name="incident_scope_says_of_what"),
        CheckConstraint("ends_at >= begins_at", name="incident_ends_after_it_begins"),
        CheckConstraint("closed_at IS NULL OR resolution <> ''", name="incident_closed_says_what_was_done"),
        Index("incident_begins_idx", "begins_at", "id"),  # list
        Index(
            "incident_open_idx",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),  # intake, start page
    )

    number: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    scope: Mapped[str] = mapped_column(String(10), default="estate", server_default="estate")
    scope_value: Mapped[str] = mapped_column(default="", server_default="")
    category_id: Mapped[int | None] = refer("category", null=True, index=True)
    is_planned: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    begins_at: Mapped[datetime] = mapped_column(Instant())
    ends_at: Mapped[datetime | None] = mapped_column(Instant())
    staff_words: Mapped[str] = mapped_column(default="", server_default="")
    residents_words: Mapped[str] = mapped_column(default="", server_default="")
    residents_words_zh_hant: Mapped[str] = mapped_column(default="", server_default="")
    residents_words_en: Mapped[str] = mapped_column(default="", server_default="")
    raised_to: Mapped[str] = mapped_column(String(20), default="", server_default="")
    closed_at: Mapped[datetime | None] = mapped_column(Instant())
    resolution: Mapped[str] = mapped_column(default="", server_default="")
    made_by_id: Mapped[int | None] = refer("staff", null=True, index=True)

    category: Mapped[Category | None] = relationship()
    made_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def state(self) -> str:
        """`open` until somebody closes it, then `closed`."""
        return "open" if self.closed_at is None else "closed"


class IncidentTicket(Row, Model):
    """A complaint joined to an incident; one of them, the lead, counts the households of all.

    `added_households` are those of its `household_count` that came with the other complaints.
    """

    __tablename__ = "incident_ticket"
    __table_args__ = (
        UniqueConstraint("ticket_id", name="incident_ticket_once_per_ticket"),
        Index(
            "incident_ticket_lead_once",
            "incident_id",
            unique=True,
            sqlite_where=text("is_lead"),
            postgresql_where=text("is_lead"),
        ),
        Index("incident_ticket_incident_idx", "incident_id", "id"),
        CheckConstraint("added_households >= 0", name="incident_ticket_households_not_negative"),
    )

    incident_id: Mapped[int] = refer("incident")
    ticket_id: Mapped[int] = refer("ticket")
    is_lead: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    added_households: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    joined_at: Mapped[datetime] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True, index=True)

    incident: Mapped[Incident] = relationship()
    ticket: Mapped[Ticket] = relationship()
    staff: Mapped[Staff | None] = relationship()
