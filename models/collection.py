"""Arrears: reminders and their batches, contacts, restrictions, legal cases (C1–C13)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import get_args

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Instant, Model, Money, one_of, refer
from models.billing import FeeItem, Invoice
from models.people import Owner, Staff
from models.property import Unit
from rules import codes

BATCH_STATES = ("draft", "approved", "done")
REMINDER_STATES = (
    "planned",
    "approved",
    "sending",
    "sent",
    "failed",
    "unknown",
    "dead",
    "printed",
    "done",
    "dropped",
    "not_made",
)
ARREARS_REASONS = ("forgot", "unhappy", "hardship", "away", "disputes", "refuses", "unreachable")
CONTACT_METHODS: tuple[str, ...] = get_args(codes.ContactMethod)
CONTACT_OUTCOMES = ("reached", "not_reached", "promised", "refused", "other")
PROMISE_STATES = ("open", "kept", "broken")
RESTRICTION_STATES = ("requested", "approved", "in_effect", "lifted", "stopped", "refused", "suspended")
LEGAL_STATES = ("preparing", "letter_sent", "filed", "mediation", "judged", "settled", "withdrawn")


class DunningHold(EditableRow, Model):
    """Staff lets the ladder of a payer and unit wait, with a reason (C12)."""

    __tablename__ = "ladder_hold"
    __table_args__ = (
        CheckConstraint("ended_at IS NULL OR ended_at >= from_at", name="ladder_hold_from_before_end"),
        Index("ladder_hold_unit_idx", "unit_id", "payer_id"),
        Index(
            "ladder_hold_running_idx",
            "from_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),  # ladder
    )

    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner", index=True)
    from_at: Mapped[datetime] = mapped_column(Instant())
    until_on: Mapped[date | None] = mapped_column(Date)  # the last day; empty: until somebody ends it
    ended_at: Mapped[datetime | None] = mapped_column(Instant())
    reason: Mapped[str] = mapped_column(default="", server_default="")
    staff_id: Mapped[int | None] = refer("staff", null=True)

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()


class ReminderBatch(EditableRow, Model):
    """What one stage made on one day, for staff to preview and approve (C4)."""

    __tablename__ = "reminder_batch"
    __table_args__ = (
        one_of("state", BATCH_STATES, "reminder_batch_state_known"),
        UniqueConstraint("stage", "made_for", "part", name="reminder_batch_once_per_stage_day_and_part"),
    )

    number: Mapped[str] = mapped_column(String(60), unique=True)
    stage: Mapped[str] = mapped_column(String(30))
    made_for: Mapped[date] = mapped_column(Date)
    part: Mapped[int] = mapped_column(Integer, default=1, server_default="1")  # a stage's batch_size
    made_at: Mapped[datetime] = mapped_column(Instant())
    state: Mapped[str] = mapped_column(String(10), default="draft", server_default="draft")
    approved_by_id: Mapped[int | None] = refer("staff", null=True)
    approved_at: Mapped[datetime | None] = mapped_column(Instant())

    reminders: Mapped[list[Reminder]] = relationship(back_populates="batch", passive_deletes="all")

    def __str__(self) -> str:
        return self.number


class Reminder(EditableRow, Model):
    """One stage for one payer, unit and debt; or the reason why it was not made (C4, C12).

    The debt's run up the ladder, its episode, is that of its oldest unpaid invoice: `subject_id`.
    Where one notice goes to a payer for several units, `joined_id` is the reminder with which this one goes
    out: its batch, channel and state are the same (C19).
    """

    __tablename__ = "reminder"
    __table_args__ = (
        one_of("state", REMINDER_STATES, "reminder_state_known"),
        Index(
            "reminder_once_per_stage_and_debt",
            "stage",
            "subject_id",
            unique=True,
            sqlite_where=text("state <> 'not_made'"),
            postgresql_where=text("state <> 'not_made'"),
        ),
        Index(
            "reminder_reason_stored_once",
            "subject_id",
            "stage",
            "reason_code",
            unique=True,
            sqlite_where=text("state = 'not_made'"),
            postgresql_where=text("state = 'not_made'"),
        ),
        CheckConstraint("(state = 'not_made') = (batch_id IS NULL)", name="reminder_made_has_batch"),
        Index("reminder_unit_idx", "unit_id", "payer_id", "planned_on"),  # household file, ladder
        Index("reminder_batch_idx", "batch_id"),
        Index("reminder_planned_idx", "planned_on", "id"),  # list
        Index(
            "reminder_unknown_idx",
            "planned_on",
            "id",
            sqlite_where=text("state IN ('unknown', 'dead')"),
            postgresql_where=text("state IN ('unknown', 'dead')"),
        ),  # list of what a person must look into
        Index(
            "reminder_open_idx",
            "planned_on",
            sqlite_where=text("state IN ('planned', 'approved')"),
            postgresql_where=text("state IN ('planned', 'approved')"),
        ),  # call list, work to do
        Index(
            "reminder_joined_idx",
            "joined_id",
            sqlite_where=text("joined_id IS NOT NULL"),
            postgresql_where=text("joined_id IS NOT NULL"),
        ),  # who goes out with it
    )

    batch_id: Mapped[int | None] = refer("reminder_batch", null=True)
    subject_id: Mapped[int] = refer("invoice", index=True)
    stage: Mapped[str] = mapped_column(String(30))
    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner", index=True)
    debt: Mapped[Decimal] = mapped_column(Money())
    due_on: Mapped[date] = mapped_column(Date)
    planned_on: Mapped[date] = mapped_column(Date)
    channel: Mapped[str] = mapped_column(String(10), default="", server_default="")
    state: Mapped[str] = mapped_column(String(10))
    sent_at: Mapped[datetime | None] = mapped_column(Instant())
    reason_code: Mapped[str] = mapped_column(String(30), default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why not: a Reason as JSON
    why: Mapped[str] = mapped_column(default="", server_default="")  # why it was made: a Reason as JSON
    dropped_by_id: Mapped[int | None] = refer("staff", null=True)
    joined_id: Mapped[int | None] = refer("reminder", null=True)

    batch: Mapped[ReminderBatch | None] = relationship(back_populates="reminders")
    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    subject: Mapped[Invoice] = relationship()


class Contact(EditableRow, Model):
    """A call, message or visit about a debt, and the promise it brought (C6)."""

    __tablename__ = "contact"
    __table_args__ = (
        one_of("method", CONTACT_METHODS, "contact_method_known"),
        CheckConstraint(
            "promise_state IN ('', 'open', 'kept', 'broken')", name="contact_promise_state_known"
        ),
        CheckConstraint("promised_amount IS NULL OR promised_amount > 0", name="contact_promise_positive"),
        Index("contact_unit_idx", "unit_id", "at"),  # household file, gates
        Index(
            "contact_promise_idx",
            "promised_on",
            sqlite_where=text("promise_state = 'open'"),
            postgresql_where=text("promise_state = 'open'"),
        ),  # promise check
        Index(
            "contact_promised_idx",
            "promised_on",
            sqlite_where=text("promised_on IS NOT NULL"),
            postgresql_where=text("promised_on IS NOT NULL"),
        ),  # ladder: a promise holds it through its day
        Index("contact_at_idx", "at", "id"),  # list
        Index(
            "contact_broken_idx",
            "at",
            "id",
            sqlite_where=text("promise_state = 'broken'"),
            postgresql_where=text("promise_state = 'broken'"),
        ),  # list
        Index(
            "contact_lost_idx",
            "at",
            "id",
            sqlite_where=text("arrears_reason = 'unreachable'"),
            postgresql_where=text("arrears_reason = 'unreachable'"),
        ),  # list
    )

    at: Mapped[datetime] = mapped_column(Instant())
    recorded_at: Mapped[datetime] = mapped_column(Instant())  # known from here on
    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner", index=True)
    method: Mapped[str] = mapped_column(String(10))
    staff_id: Mapped[int | None] = refer("staff", null=True)
    spoke_with: Mapped[str] = mapped_column(String(120), default="", server_default="")
    outcome: Mapped[str] = mapped_column(default="", server_default="")
    arrears_reason: Mapped[str] = mapped_column(String(20), default="", server_default="")
    promised_on: Mapped[date | None] = mapped_column(Date)
    promised_amount: Mapped[Decimal | None] = mapped_column(Money())
    promise_state: Mapped[str] = mapped_column(String(10), default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    reminder_id: Mapped[int | None] = refer("reminder", null=True, index=True)

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    staff: Mapped[Staff | None] = relationship()


class Restriction(EditableRow, Model):
    """A request to restrict one optional contracted service, with two approvals (C9)."""

    __tablename__ = "restriction"
    __table_args__ = (
        one_of("state", RESTRICTION_STATES, "restriction_state_known"),
        CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> requested_by_id",
            name="restriction_not_approved_by_requester",
        ),
        CheckConstraint(
            "second_approved_by_id IS NULL OR second_approved_by_id <> approved_by_id",
            name="restriction_two_people_approve",
        ),
        Index("restriction_unit_idx", "unit_id", "payer_id"),
        Index(
            "restriction_running_idx",
            "effective_on",
            sqlite_where=text("state IN ('approved', 'in_effect', 'suspended')"),
            postgresql_where=text("state IN ('approved', 'in_effect', 'suspended')"),
        ),  # taking effect, lifting
    )

    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner")
    invoice_id: Mapped[int | None] = refer("invoice", null=True, index=True)  # the debt's oldest
    fee_item_id: Mapped[int | None] = refer("fee_item", null=True)  # the optional service
    contract_clause: Mapped[str] = mapped_column(String(200), default="", server_default="")
    state: Mapped[str] = mapped_column(String(12), default="requested", server_default="requested")
    requested_on: Mapped[date] = mapped_column(Date)
    requested_by_id: Mapped[int | None] = refer("staff", null=True)
    approved_by_id: Mapped[int | None] = refer("staff", null=True)
    approved_at: Mapped[datetime | None] = mapped_column(Instant())
    second_approved_by_id: Mapped[int | None] = refer("staff", null=True)  # the manager, signed
    second_approved_at: Mapped[datetime | None] = mapped_column(Instant())
    effective_on: Mapped[date | None] = mapped_column(Date)
    lifted_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(default="", server_default="")
    follows_id: Mapped[int | None] = refer("restriction", null=True, unique=True)  # lifted as paid, bounced
    undertaken_on: Mapped[date | None] = mapped_column(Date)  # the day on which it was signed
    undertaking_until: Mapped[date | None] = mapped_column(Date)
    undertaking_state: Mapped[str] = mapped_column(
        String(10), default="", server_default=""
    )  # signed, kept, broken

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    fee_item: Mapped[FeeItem | None] = relationship()
    approved_by: Mapped[Staff | None] = relationship(foreign_keys=[approved_by_id])
    second_approved_by: Mapped[Staff | None] = relationship(foreign_keys=[second_approved_by_id])


class LegalCase(EditableRow, Model):
    """The last resort (C10); `missing` is what its gate answered when it was opened or tried."""

    __tablename__ = "legal_case"
    __table_args__ = (
        one_of("state", LEGAL_STATES, "legal_case_state_known"),
        Index("legal_case_unit_idx", "unit_id", "payer_id"),
    )

    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner")
    invoice_id: Mapped[int | None] = refer("invoice", null=True, index=True)  # the debt's oldest
    state: Mapped[str] = mapped_column(String(12), default="preparing", server_default="preparing")
    opened_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money())
    missing: Mapped[str] = mapped_column(default="", server_default="")
    letter_batch: Mapped[str] = mapped_column(String(30), default="", server_default="")
    filing_batch: Mapped[str] = mapped_column(String(30), default="", server_default="")
    result: Mapped[str] = mapped_column(default="", server_default="")
    recovered: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    closed_on: Mapped[date | None] = mapped_column(Date)

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()


class ArrearsNotice(EditableRow, Model):
    """A list of unit codes put up in public: director's approval, reason, place, end (C11)."""

    __tablename__ = "arrears_notice"
    __table_args__ = (
        CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> requested_by_id",
            name="arrears_notice_not_approved_by_requester",
        ),
    )

    building_id: Mapped[int | None] = refer("building", null=True)
    reason: Mapped[str] = mapped_column()
    place: Mapped[str] = mapped_column(String(200))
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date] = mapped_column(Date)
    requested_by_id: Mapped[int] = refer("staff")
    approved_by_id: Mapped[int | None] = refer("staff", null=True)
    approved_at: Mapped[datetime | None] = mapped_column(Instant())
    taken_down_on: Mapped[date | None] = mapped_column(Date)
    is_taken_down: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")


class OpeningText(EditableRow, Model):
    """What a caller may say first, per reason for arrears and language (C8)."""

    __tablename__ = "opening_text"
    __table_args__ = (UniqueConstraint("arrears_reason", "language", name="opening_text_once_per_reason"),)

    arrears_reason: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column()
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
