"""What the program records of its own work: audit, job runs, outbox, papers, number series, saved views."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Date,
    Index,
    Integer,
    String,
    UniqueConstraint,
    case,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Instant, Model, Money, Row, one_of, refer
from models.people import Owner, Staff
from models.property import Area, Unit
from models.secrets import Sealed
from models.text_keys import folded_of

JOB_STATES = ("due", "running", "done", "failed", "dead")
MESSAGE_STATES = ("pending", "sending", "sent", "failed", "unknown", "dead", "dropped")
TASK_STATES = ("waiting", "running", "done", "failed")
DEVICES = ("desk", "phone")
DENSITIES = ("", "tight")
MAILED_EVERY = ("", "week", "month")


class Audit(Row, Model):
    """Who changed what, with the values before and after; written in the change's own transaction."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_row_idx", "table_name", "row_id", "id"),  # history tab
        Index("audit_at_idx", "at", "id"),  # list
    )

    at: Mapped[datetime] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True, index=True)
    action: Mapped[str] = mapped_column(String(40))
    table_name: Mapped[str] = mapped_column(String(60))
    row_id: Mapped[int | None] = mapped_column(Integer)
    changes: Mapped[str] = mapped_column(default="{}", server_default="{}")  # JSON {column: [before, after]}

    staff: Mapped[Staff | None] = relationship()


class Erasure(Row, Model):
    """That a person's data was erased, by whom, when (P3, F23).

    While `finished_at` is empty the database lets the texts of posted rows and of the change history be
    emptied (models/triggers.py); both ends are written in the one transaction of the erasure.
    """

    __tablename__ = "erasure"

    owner_id: Mapped[int] = refer("owner", unique=True)
    staff_id: Mapped[int | None] = refer("staff", null=True)
    started_at: Mapped[datetime] = mapped_column(Instant())
    finished_at: Mapped[datetime | None] = mapped_column(Instant())


class JobRun(Row, Model):
    """One run of one job for one due instant: what the scheduler did (§8)."""

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "due_for", name="job_run_once"),
        one_of("state", JOB_STATES, "job_run_state_known"),
        CheckConstraint("state <> 'done' OR finished_at IS NOT NULL", name="job_run_done_is_finished"),
        Index(
            "job_run_unfinished_idx",
            "due_for",
            "id",
            sqlite_where=text("state IN ('due', 'running', 'failed')"),
            postgresql_where=text("state IN ('due', 'running', 'failed')"),
        ),  # tick
        Index("job_run_last_idx", "job", "due_for"),  # jobs screen
        Index("job_run_due_idx", "due_for", "id"),  # list
        Index(
            "job_run_failed_idx",
            "due_for",
            "id",
            sqlite_where=text("state IN ('failed', 'dead')"),
            postgresql_where=text("state IN ('failed', 'dead')"),
        ),  # list
    )

    job: Mapped[str] = mapped_column(String(40))
    due_for: Mapped[datetime] = mapped_column(Instant())
    state: Mapped[str] = mapped_column(String(10), default="due", server_default="due")
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # kills included
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # errors only
    claimed_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    claimed_at: Mapped[datetime | None] = mapped_column(Instant())
    started_at: Mapped[datetime | None] = mapped_column(Instant())
    finished_at: Mapped[datetime | None] = mapped_column(Instant())
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    failed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    result: Mapped[str] = mapped_column(default="", server_default="")  # JSON
    error: Mapped[str] = mapped_column(default="", server_default="")


class Message(EditableRow, Model):
    """The outbox: messages to be sent, each exactly once (C4, C5).

    `cleared_at`: when address, subject and text were removed, after the days of the policy (P3, F23).
    """

    __tablename__ = "message"
    __table_args__ = (
        one_of("state", MESSAGE_STATES, "message_state_known"),
        Index("message_made_idx", "made_at", "id"),  # list
        Index(
            "message_unsent_idx",
            "made_at",
            "id",
            sqlite_where=text("state IN ('pending', 'failed', 'sending', 'unknown', 'dead')"),
            postgresql_where=text("state IN ('pending', 'failed', 'sending', 'unknown', 'dead')"),
        ),  # list of what did not go out
        Index(
            "message_waiting_idx",
            "next_try_at",
            "id",
            sqlite_where=text("state IN ('pending', 'failed', 'sending')"),
            postgresql_where=text("state IN ('pending', 'failed', 'sending')"),
        ),  # outbox job
        Index(
            "message_old_idx",
            "made_at",
            "id",
            sqlite_where=text("cleared_at IS NULL AND state IN ('sent', 'dropped', 'unknown', 'dead')"),
            postgresql_where=text("cleared_at IS NULL AND state IN ('sent', 'dropped', 'unknown', 'dead')"),
        ),  # what is to be cleared
    )

    key: Mapped[str] = mapped_column(String(120), unique=True)  # what it is about: never made twice
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(Sealed())
    subject: Mapped[str] = mapped_column(String(300), default="", server_default="")
    body: Mapped[str] = mapped_column(Sealed())
    language: Mapped[str] = mapped_column(String(10), default="zh_Hans", server_default="zh_Hans")
    reminder_id: Mapped[int | None] = refer("reminder", null=True, index=True)
    ticket_id: Mapped[int | None] = refer("ticket", null=True, index=True)
    staff_id: Mapped[int | None] = refer("staff", null=True)
    state: Mapped[str] = mapped_column(String(10), default="pending", server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    made_at: Mapped[datetime] = mapped_column(Instant())
    next_try_at: Mapped[datetime] = mapped_column(Instant())
    claimed_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    claimed_at: Mapped[datetime | None] = mapped_column(Instant())
    sent_at: Mapped[datetime | None] = mapped_column(Instant())
    error: Mapped[str] = mapped_column(default="", server_default="")
    cleared_at: Mapped[datetime | None] = mapped_column(Instant())


class PaperSetting(Row, Model):
    """The letterhead and the texts with which papers were printed, once however many they were (D3)."""

    __tablename__ = "paper_setting"

    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    estate: Mapped[Any] = mapped_column(JSON)
    texts: Mapped[Any] = mapped_column(JSON)


def paper_base_number() -> ColumnElement[str]:
    """A paper's number without the further one of what was filed anew: `T20260001/2` is `T20260001`."""
    return case(
        (Paper.number.like("%/%"), func.rtrim(func.rtrim(Paper.number, "0123456789"), "/")),
        else_=Paper.number,
    )


class Paper(Row, Model):
    """A paper that was issued: its number and all it was drawn from, so that it draws again (§10, D3)."""

    __tablename__ = "paper"
    __table_args__ = (
        UniqueConstraint("kind", "number", name="paper_number_once"),
        Index("paper_unit_idx", "unit_id", "issued_at"),  # household file
        Index("paper_issued_idx", "issued_at", "id"),  # list
    )

    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int | None] = refer("unit", null=True)
    payer_id: Mapped[int | None] = refer("owner", null=True, index=True)
    language: Mapped[str] = mapped_column(String(10))
    contents: Mapped[Any] = mapped_column(JSON)
    setting_id: Mapped[int | None] = refer("paper_setting", null=True, index=True)
    dated: Mapped[date | None] = mapped_column(Date)  # the date that it bears
    total: Mapped[Decimal | None] = mapped_column(Money())  # what it says is to be paid, was paid or promised
    sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")  # of all it says
    issued_at: Mapped[datetime] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True)
    copies: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    unit: Mapped[Unit | None] = relationship()
    payer: Mapped[Owner | None] = relationship()


class Task(Row, Model):
    """Long work that a page asks after: import, export, issue, print."""

    __tablename__ = "task"
    __table_args__ = (
        one_of("state", TASK_STATES, "task_state_known"),
        Index(
            "task_old_idx",
            "made_at",
            sqlite_where=text("is_cleared IS FALSE"),
            postgresql_where=text("is_cleared IS FALSE"),
        ),  # what is to be cleared
    )

    kind: Mapped[str] = mapped_column(String(40))
    staff_id: Mapped[int | None] = refer("staff", null=True, index=True)
    state: Mapped[str] = mapped_column(String(10), default="waiting", server_default="waiting")
    made_at: Mapped[datetime] = mapped_column(Instant())
    finished_at: Mapped[datetime | None] = mapped_column(Instant())
    total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    result: Mapped[Any] = mapped_column(JSON, default=dict)
    file_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    is_cleared: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")  # of names (F23)


class Counter(Model):
    """Running numbers without gaps: one row per series and year, raised in the number's own transaction."""

    __tablename__ = "counter"

    series: Mapped[str] = mapped_column(String(20), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    value: Mapped[int] = mapped_column(Integer)


class ImportMapping(EditableRow, Model):
    """How an office's files of one kind are read, under a name: headers, words, joined codes, constants."""

    __tablename__ = "import_mapping"
    __table_args__ = (
        UniqueConstraint("kind", "name", name="import_mapping_name_once"),
        UniqueConstraint("kind", "name_folded", name="import_mapping_name_folded_once"),
    )

    kind: Mapped[str] = mapped_column(String(60))  # of import, or screen:CODE
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = folded_of("name", 80)
    headers: Mapped[str] = mapped_column()  # JSON list of those of the file that it was made for
    said: Mapped[str] = mapped_column()  # FileMapping.stored() as JSON
    sheet: Mapped[str] = mapped_column(String(80), default="", server_default="")
    made_at: Mapped[datetime] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True)

    def __str__(self) -> str:
        return self.name


class SentForm(Model):
    """The key of a form that has done its work, taken in the transaction of that work: it works once."""

    __tablename__ = "sent_form"
    __table_args__ = (Index("sent_form_at_idx", "at"),)  # old_runs

    key: Mapped[str] = mapped_column(String(80), primary_key=True)  # staff id:the page's random key
    at: Mapped[datetime] = mapped_column(Instant())


class SavedView(EditableRow, Model):
    """A list's filters, order and columns under a name (K4)."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("staff_id", "screen", "name", name="saved_view_name_once"),
        UniqueConstraint("staff_id", "screen", "name_folded", name="saved_view_name_folded_once"),
        one_of("mail_every", MAILED_EVERY, "saved_view_mail_every_known"),
    )

    staff_id: Mapped[int] = refer("staff")
    screen: Mapped[str] = mapped_column(String(60), index=True)
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = folded_of("name", 80)
    query: Mapped[str] = mapped_column()
    is_shared: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    mail_every: Mapped[str] = mapped_column(String(10), default="", server_default="")

    staff: Mapped[Staff] = relationship()

    def __str__(self) -> str:
        return self.name


class ListSetting(Row, Model):
    """How a person has a list on a desk or on a phone: columns in order, widths, density, where it opens."""

    __tablename__ = "list_setting"
    __table_args__ = (
        UniqueConstraint("staff_id", "screen", "device", name="list_setting_once"),
        one_of("device", DEVICES, "list_setting_device_known"),
        one_of("density", DENSITIES, "list_setting_density_known"),
    )

    staff_id: Mapped[int] = refer("staff")
    screen: Mapped[str] = mapped_column(String(60))
    device: Mapped[str] = mapped_column(String(10))
    columns: Mapped[str] = mapped_column(default="", server_default="")  # names with commas; none: the usual
    widths: Mapped[Any] = mapped_column(JSON, default=dict)  # column → pixels
    density: Mapped[str] = mapped_column(String(10), default="", server_default="")
    start: Mapped[str] = mapped_column(
        String(60), default="", server_default=""
    )  # view:ID or a one-click code


class CollectionTarget(EditableRow, Model):
    """The collection rate aimed at, in percent (K1)."""

    __tablename__ = "collection_target"
    __table_args__ = (
        CheckConstraint("percent BETWEEN 0 AND 100", name="collection_target_percent_in_range"),
        UniqueConstraint("year", "area_id", name="collection_target_once_per_area"),
    )

    year: Mapped[int] = mapped_column(Integer)
    area_id: Mapped[int | None] = refer("area", null=True)
    percent: Mapped[int] = mapped_column(Integer)
    set_on: Mapped[date | None] = mapped_column(Date)

    area: Mapped[Area | None] = relationship()


class ReportCount(Row, Model):
    """A report that is counted at night, since it reads a month's whole history; shown with its time (K2)."""

    __tablename__ = "report_count"
    __table_args__ = (UniqueConstraint("report", "period", name="report_count_once_per_period"),)

    report: Mapped[str] = mapped_column(String(20))
    period: Mapped[str] = mapped_column(String(7))
    counted_at: Mapped[datetime] = mapped_column(Instant())
    is_stale: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")  # count it again
    figures: Mapped[Any] = mapped_column(JSON)  # {code: {figure: whole number}}, money in fen
