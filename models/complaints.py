"""Complaint tickets, their clocks, history and papers (T1–T12)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Instant, Model, Money, Named, Row, one_of, prefix_index, refer
from models.decisions import Decided
from models.people import Department, Owner, Staff
from models.property import Unit
from models.secrets import Sealed
from models.text_keys import folded_of
from rules import codes
from rules.lifecycle import SOLVED
from rules.old_registers import Outcome

CHANNELS_IN = (
    "desk",
    "phone",
    "letter",
    "email",
    "web_form",
    "suggestion_box",
    "chat",
    "visit",
    "head_office",
    "government",
    "call_centre",
)
SEVERITIES: tuple[str, ...] = get_args(codes.Severity)
TICKET_STATES = (
    "registered",
    "assigned",
    "in_progress",
    "resolved",
    "followed_up",
    "closed",
    "reopened",
    "invalid",
)
OUTCOMES: tuple[str, ...] = ("", *(outcome.value for outcome in Outcome))
CLOCKS: tuple[str, ...] = get_args(codes.ClockName)
CLOCK_STATES = ("running", "paused", "met", "breached", "void")
FACTS = (
    "household_count",
    "is_media",
    "is_injury",
    "loss_amount",
    "is_legal_letter",
    "is_repeat",
    "is_written",
    "from_authority",
    "about_staff_conduct",
    "happening_now",
)
TICKET_PAPERS = ("complaint_form", "resident_slip", "written_reply")  # papers with the complaint's number


class Category(EditableRow, Named, Model):
    """A kind of complaint and the department that answers for it (T2)."""

    __tablename__ = "category"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    code_folded: Mapped[str] = folded_of("code", 40, is_unique=True)
    parent_id: Mapped[int | None] = refer("category", null=True, index=True)
    department_id: Mapped[int] = refer("department", index=True)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    department: Mapped[Department] = relationship()
    parent: Mapped[Category | None] = relationship(remote_side="Category.id")

    def __str__(self) -> str:
        return self.name_zh_hans or self.name_en or self.code


class Ticket(EditableRow, Model):
    """One complaint (T1); the facts decide the severity (T3), the clocks the deadlines (T4)."""

    __tablename__ = "ticket"
    __table_args__ = (
        one_of("channel", CHANNELS_IN, "ticket_channel_known"),
        one_of("severity", SEVERITIES, "ticket_severity_known"),
        one_of("state", TICKET_STATES, "ticket_state_known"),
        one_of("outcome", OUTCOMES, "ticket_outcome_known"),
        CheckConstraint("household_count >= 1", name="ticket_household_count_positive"),
        CheckConstraint("loss_amount >= 0", name="ticket_loss_not_negative"),
        CheckConstraint(
            "satisfaction IS NULL OR satisfaction BETWEEN 1 AND 5", name="ticket_satisfaction_1_to_5"
        ),
        CheckConstraint(
            "resolved_at IS NULL OR resolved_at >= registered_at", name="ticket_resolved_after_registered"
        ),
        Index("ticket_registered_idx", "registered_at", "id"),  # list
        prefix_index("ticket", "number_folded"),
        Index(
            "ticket_open_list_idx",
            "registered_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),  # list of what is open
        Index("ticket_unit_idx", "unit_id", "registered_at"),  # household file, repeats
        Index(
            "ticket_open_idx",
            "state",
            "level",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),  # escalated list
        Index("ticket_department_idx", "department_id", "state"),  # department's work
        Index(
            "ticket_month_idx",
            "turns_major_at",
            sqlite_where=text("turns_major_at IS NOT NULL"),
            postgresql_where=text("turns_major_at IS NOT NULL"),
        ),  # month rule sweep (T8)
        Index(
            "ticket_form_key_once",
            "form_key",
            unique=True,
            sqlite_where=text("form_key IS NOT NULL"),
            postgresql_where=text("form_key IS NOT NULL"),
        ),
        Index(
            "ticket_closed_idx",
            "closed_at",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),  # retention (T11); no way to what is open, which has indexes in its order
    )

    number: Mapped[str] = mapped_column(String(40), unique=True)
    number_folded: Mapped[str] = folded_of("number", 40, is_unique=True)
    registered_at: Mapped[datetime] = mapped_column(Instant())
    clerk_id: Mapped[int | None] = refer("staff", null=True, index=True)  # who took it
    channel: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int | None] = refer("unit", null=True)
    category_id: Mapped[int] = refer("category", index=True)
    department_id: Mapped[int] = refer("department")  # leads
    handler_id: Mapped[int | None] = refer("staff", null=True, index=True)
    occurred_at: Mapped[datetime | None] = mapped_column(Instant())
    place: Mapped[str] = mapped_column(String(200), default="", server_default="")
    statement: Mapped[str] = mapped_column()
    wish: Mapped[str] = mapped_column(default="", server_default="")
    present: Mapped[str] = mapped_column(default="", server_default="")  # who was there
    is_anonymous: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    accused_id: Mapped[int | None] = refer("staff", null=True, index=True)  # never handles it

    household_count: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    is_media: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    is_injury: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    loss_amount: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    is_legal_letter: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    is_repeat: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    is_written: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    from_authority: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    about_staff_conduct: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    happening_now: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    claimed_facts: Mapped[str | None] = (
        mapped_column()
    )  # Facts as JSON, of the public form: not confirmed yet
    form_key: Mapped[str | None] = mapped_column(String(64))  # one form of the public, one complaint

    severity: Mapped[str] = mapped_column(String(20))
    severity_reason: Mapped[str] = mapped_column(default="", server_default="")  # a Reason as JSON
    state: Mapped[str] = mapped_column(String(12), default="registered", server_default="registered")
    level: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # escalation reached
    reopen_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    assigned_at: Mapped[datetime | None] = mapped_column(Instant())
    resolved_at: Mapped[datetime | None] = mapped_column(Instant())
    resolved_by_id: Mapped[int | None] = refer("staff", null=True, index=True)
    resolution: Mapped[str] = mapped_column(default="", server_default="")
    followed_up_at: Mapped[datetime | None] = mapped_column(Instant())
    closed_at: Mapped[datetime | None] = mapped_column(Instant())
    outcome: Mapped[str] = mapped_column(String(12), default="", server_default="")  # how it ended
    taken_over_at: Mapped[datetime | None] = mapped_column(Instant())  # as history of an old register
    satisfaction: Mapped[int | None] = mapped_column(Integer)
    turns_major_at: Mapped[datetime | None] = mapped_column(Instant())  # month rule; empty when it cannot
    became_major_at: Mapped[datetime | None] = mapped_column(Instant())
    repeat_of_id: Mapped[int | None] = refer("ticket", null=True, index=True)
    invoice_id: Mapped[int | None] = refer("invoice", null=True, index=True)  # about a bill (T12)
    is_on_hold: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")  # from retention

    unit: Mapped[Unit | None] = relationship()
    category: Mapped[Category] = relationship()
    department: Mapped[Department] = relationship()
    clerk: Mapped[Staff | None] = relationship(foreign_keys=[clerk_id])
    handler: Mapped[Staff | None] = relationship(foreign_keys=[handler_id])
    clocks: Mapped[list[TicketClock]] = relationship(back_populates="ticket", passive_deletes="all")
    complainants: Mapped[list[Complainant]] = relationship(back_populates="ticket", passive_deletes="all")
    events: Mapped[list[TicketEvent]] = relationship(
        back_populates="ticket", passive_deletes="all", order_by="TicketEvent.at, TicketEvent.id"
    )

    def __str__(self) -> str:
        return self.number


def is_unresolved() -> ColumnElement[bool]:
    """The SQL condition that a ticket still waits for its solution (T7)."""
    return Ticket.closed_at.is_(None) & Ticket.state.not_in([state.value for state in SOLVED])


def is_escalated() -> ColumnElement[bool]:
    """The SQL condition for "escalated" on every screen and report: unresolved, a level was reached (K4)."""
    return is_unresolved() & (Ticket.level >= 1)


class Complainant(EditableRow, Model):
    """Who complained: a table apart, so that handlers see the number alone (decisions: Law)."""

    __tablename__ = "complainant"

    ticket_id: Mapped[int] = refer("ticket", index=True)
    owner_id: Mapped[int | None] = refer("owner", null=True, index=True)
    name: Mapped[str] = mapped_column(Sealed())
    phone: Mapped[str | None] = mapped_column(Sealed())
    unit_id: Mapped[int | None] = refer("unit", null=True)

    ticket: Mapped[Ticket] = relationship(back_populates="complainants")
    owner: Mapped[Owner | None] = relationship()


class TicketClock(EditableRow, Model):
    """One deadline of a ticket; `next_at` is the next instant at which the tick must look (T4)."""

    __tablename__ = "ticket_clock"
    __table_args__ = (
        one_of("clock", CLOCKS, "ticket_clock_code_known"),
        one_of("state", CLOCK_STATES, "ticket_clock_state_known"),
        CheckConstraint("warn_at <= due_at", name="ticket_clock_warns_before_due"),
        CheckConstraint(
            "stopped_at IS NULL OR next_at IS NULL", name="ticket_clock_stopped_waits_for_nothing"
        ),
        Index("ticket_clock_ticket_idx", "ticket_id"),
        Index(
            "ticket_clock_late_idx",
            "id",
            sqlite_where=text("state = 'breached' AND stopped_at IS NULL"),
            postgresql_where=text("state = 'breached' AND stopped_at IS NULL"),
        ),  # list
        Index(
            "ticket_clock_next_idx",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),  # minute sweep
    )

    ticket_id: Mapped[int] = refer("ticket")
    clock: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(Instant())
    warn_at: Mapped[datetime] = mapped_column(Instant())
    due_at: Mapped[datetime] = mapped_column(Instant())
    stopped_at: Mapped[datetime | None] = mapped_column(Instant())
    warned_at: Mapped[datetime | None] = mapped_column(Instant())
    state: Mapped[str] = mapped_column(String(10), default="running", server_default="running")
    rule: Mapped[str] = mapped_column()  # the policy row it came from and why, as JSON
    first_level: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    last_level: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # escalated so far
    next_at: Mapped[datetime | None] = mapped_column(Instant())

    ticket: Mapped[Ticket] = relationship(back_populates="clocks")


class ClockPause(EditableRow, Model):
    """Waiting for the resident or an outside body, with a date to look again (T6)."""

    __tablename__ = "clock_pause"
    __table_args__ = (
        CheckConstraint("to_at IS NULL OR from_at <= to_at", name="clock_pause_from_before_to"),
    )

    ticket_id: Mapped[int] = refer("ticket", index=True)
    from_at: Mapped[datetime] = mapped_column(Instant())
    to_at: Mapped[datetime | None] = mapped_column(Instant())
    waiting_for: Mapped[str] = mapped_column(String(20))  # resident, outside
    reason: Mapped[str] = mapped_column()
    look_again_on: Mapped[date] = mapped_column(Date)
    staff_id: Mapped[int | None] = refer("staff", null=True)


class Escalation(Row, Model):
    """A level reached by a clock, once (T4)."""

    __tablename__ = "escalation"
    __table_args__ = (
        UniqueConstraint("ticket_clock_id", "level", name="escalation_once_per_clock_and_level"),
        Index("escalation_at_idx", "at", "id"),  # list
    )

    ticket_id: Mapped[int] = refer("ticket", index=True)
    ticket_clock_id: Mapped[int] = refer("ticket_clock")
    clock: Mapped[str] = mapped_column(String(20))
    level: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Instant())
    to_role: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column()  # a Reason as JSON

    ticket: Mapped[Ticket] = relationship()


class TicketEvent(Row, Model):
    """What happened to a ticket, in order (T1, T7)."""

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ticket_event_ticket_idx", "ticket_id", "at"),)

    ticket_id: Mapped[int] = refer("ticket")
    at: Mapped[datetime] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True)
    verb: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(default="", server_default="")  # a Reason as JSON
    note: Mapped[str] = mapped_column(default="", server_default="")

    ticket: Mapped[Ticket] = relationship(back_populates="events")
    staff: Mapped[Staff | None] = relationship()


class WorkSlip(EditableRow, Model):
    """A work contact slip to a supporting department, with its plan (T2)."""

    __tablename__ = "work_slip"

    number: Mapped[str] = mapped_column(String(30), unique=True)
    ticket_id: Mapped[int] = refer("ticket", index=True)
    department_id: Mapped[int] = refer("department", index=True)
    task: Mapped[str] = mapped_column()
    plan: Mapped[str] = mapped_column(default="", server_default="")
    due_on: Mapped[date | None] = mapped_column(Date)
    issued_at: Mapped[datetime] = mapped_column(Instant())
    done_at: Mapped[datetime | None] = mapped_column(Instant())

    ticket: Mapped[Ticket] = relationship()
    department: Mapped[Department] = relationship()


class InvalidRequest(Decided, EditableRow, Model):
    """A request to close as invalid, decided by another person (T7)."""

    __tablename__ = "invalid_request"
    __table_args__ = (
        one_of("ground", ("not_about_us", "not_in_our_power", "unfounded"), "invalid_request_ground_known"),
        CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> requested_by_id",
            name="invalid_request_not_decided_by_requester",
        ),
    )

    ticket_id: Mapped[int] = refer("ticket", index=True)
    ground: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column()
    requested_by_id: Mapped[int] = refer("staff")
    requested_at: Mapped[datetime] = mapped_column(Instant())
    is_approved: Mapped[bool | None] = mapped_column(Boolean)

    ticket: Mapped[Ticket] = relationship()

    @property
    def state(self) -> str:
        """`waiting` for another person, or `decided`."""
        return "waiting" if self.decided_by_id is None else "decided"


class ReviewMeeting(EditableRow, Model):
    """The meeting without which a major ticket does not close (T9)."""

    __tablename__ = "review_meeting"

    ticket_id: Mapped[int] = refer("ticket", index=True)
    held_at: Mapped[datetime] = mapped_column(Instant())
    cause: Mapped[str] = mapped_column()
    correction: Mapped[str] = mapped_column()
    prevention: Mapped[str] = mapped_column()
    attended: Mapped[str] = mapped_column()

    ticket: Mapped[Ticket] = relationship()


class CaseEntry(EditableRow, Model):
    """A typical case without names (T10)."""

    __tablename__ = "case_entry"

    ticket_id: Mapped[int | None] = refer("ticket", null=True, index=True)
    category_id: Mapped[int] = refer("category", index=True)
    title: Mapped[str] = mapped_column(String(200))
    what_happened: Mapped[str] = mapped_column()
    what_was_done: Mapped[str] = mapped_column()
    lesson: Mapped[str] = mapped_column(default="", server_default="")

    category: Mapped[Category] = relationship()

    def __str__(self) -> str:
        return self.title


class Attachment(Row, Model):
    """A file kept in the database under a random name, its type checked (T1, V2)."""

    __tablename__ = "attachment"

    key: Mapped[str] = mapped_column(String(64), unique=True)
    ticket_id: Mapped[int | None] = refer("ticket", null=True, index=True)
    visit_id: Mapped[int | None] = refer("visit", null=True, index=True)
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True)


class RetentionRemoval(Row, Model):
    """That a record was removed after its time, without saying what it held (T11)."""

    __tablename__ = "retention_removal"

    kind: Mapped[str] = mapped_column(String(30))
    number: Mapped[str] = mapped_column(String(40))
    closed_at: Mapped[datetime | None] = mapped_column(Instant())
    removed_at: Mapped[datetime] = mapped_column(Instant())
