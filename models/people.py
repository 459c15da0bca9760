"""Owners, tenants, who pays, and the staff who serve them (P3–P7)."""

from __future__ import annotations

from datetime import date, datetime
from typing import get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import pinyin
from models.base import EditableRow, Id, Instant, Model, Named, Row, db, one_of, prefix_index, refer
from models.property import Building, Unit
from models.secrets import Sealed, masked
from models.text_keys import folded_of, order_of
from rules import codes

OWNER_KINDS = ("person", "company")
OCCUPANCY_KINDS = ("owner", "tenant")
MOST_RESIDENTS = 9_999  # of one occupancy; a higher number is a slip
CHANNELS_OUT: tuple[str, ...] = get_args(codes.SendingChannel)
ROLES: tuple[str, ...] = get_args(codes.Role)
LANGUAGES = ("en", "zh_Hans", "zh_Hant")


class Owner(EditableRow, Model):
    """A person or company that owns or rents units (P3)."""

    __tablename__ = "owner"
    __table_args__ = (
        one_of("kind", OWNER_KINDS, "owner_kind_known"),
        Index("owner_name_idx", "name"),
        Index("owner_name_folded_idx", "name_folded"),  # search by name prefix
        Index("owner_pinyin_idx", "pinyin_initials"),  # search by pinyin initials
        Index("owner_name_sort_idx", "name_sort", "id"),  # list
        prefix_index("owner", "name_folded"),
        prefix_index("owner", "pinyin_initials"),
        Index("owner_id_number_idx", "id_number_mac"),  # search by exact ID number
    )

    name: Mapped[str] = mapped_column(String(120))
    name_folded: Mapped[str] = folded_of("name", 120, is_kept_as_typed=True)
    name_sort: Mapped[str] = order_of("name", pinyin.name_key)
    pinyin_initials: Mapped[str] = mapped_column(String(60), default="", server_default="")
    kind: Mapped[str] = mapped_column(String(10), default="person", server_default="person")
    email: Mapped[str] = mapped_column(String(200), default="", server_default="")
    is_email_bad: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    chat_id: Mapped[str] = mapped_column(String(120), default="", server_default="")
    is_chat_bad: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    post_address: Mapped[str] = mapped_column(String(300), default="", server_default="")
    id_number: Mapped[str | None] = mapped_column(Sealed())
    id_number_mac: Mapped[str | None] = mapped_column(String(64))
    preferred_channel: Mapped[str] = mapped_column(String(10), default="", server_default="")
    quiet_from: Mapped[str] = mapped_column(String(5), default="", server_default="")  # HH:MM
    quiet_to: Mapped[str] = mapped_column(String(5), default="", server_default="")
    language: Mapped[str] = mapped_column(String(10), default="", server_default="")
    tags: Mapped[str] = mapped_column(String(300), default="", server_default="")  # comma-separated
    note: Mapped[str] = mapped_column(default="", server_default="")

    phones: Mapped[list[OwnerPhone]] = relationship(
        back_populates="owner", cascade="all, delete-orphan", order_by="OwnerPhone.position"
    )
    occupancies: Mapped[list[Occupancy]] = relationship(back_populates="owner", passive_deletes="all")

    def __str__(self) -> str:
        return self.name


class OwnerPhone(EditableRow, Model):
    __tablename__ = "owner_phone"
    __table_args__ = (
        Index("owner_phone_number_idx", "number_mac"),  # search by exact phone
        Index("owner_phone_owner_idx", "owner_id"),
    )

    owner_id: Mapped[int] = refer("owner")
    number: Mapped[str] = mapped_column(Sealed())
    number_mac: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(40), default="", server_default="")
    is_bad: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    owner: Mapped[Owner] = relationship(back_populates="phones")

    def __str__(self) -> str:
        return masked(self.number)


class Occupancy(EditableRow, Model):
    """Who lives in or owns a unit from when to when, and who of them pays (P4).

    `to_on` is the last day, inclusive. `residents` is how many people live in the unit meanwhile, empty while
    nobody has said it; items charged per person count them (B1). Two fee payers at once are refused by a
    trigger (SQLite) or an exclusion constraint (PostgreSQL), both named `occupancy_one_payer_at_a_time`; see
    models/triggers.py.
    """

    __tablename__ = "occupancy"
    __table_args__ = (
        one_of("kind", OCCUPANCY_KINDS, "occupancy_kind_known"),
        CheckConstraint("to_on IS NULL OR from_on <= to_on", name="occupancy_from_before_to"),
        CheckConstraint("residents >= 0", name="occupancy_residents_not_negative"),
        Index("occupancy_unit_idx", "unit_id", "from_on"),  # payer of a unit on a day
        Index("occupancy_owner_idx", "owner_id"),
        Index("occupancy_from_idx", "from_on", "id"),  # list
    )

    unit_id: Mapped[int] = refer("unit")
    owner_id: Mapped[int] = refer("owner")
    kind: Mapped[str] = mapped_column(String(10), default="owner", server_default="owner")
    is_payer: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    residents: Mapped[int | None] = mapped_column(Integer)

    unit: Mapped[Unit] = relationship()
    owner: Mapped[Owner] = relationship(back_populates="occupancies")


class Department(EditableRow, Named, Model):
    """A department of the office; `code` is what rules and imports call it (T2)."""

    __tablename__ = "department"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    code_folded: Mapped[str] = folded_of("code", 40, is_unique=True)
    email: Mapped[str] = mapped_column(String(200), default="", server_default="")
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    def __str__(self) -> str:
        return self.name_zh_hans or self.name_en


steward_building = Table(
    "steward_building",
    db.metadata,
    Column("staff_id", Id, ForeignKey("staff.id", ondelete="RESTRICT"), primary_key=True),
    Column("building_id", Id, ForeignKey("building.id", ondelete="RESTRICT"), primary_key=True),
)


class Staff(EditableRow, Model):
    """A person who signs in (P7)."""

    __tablename__ = "staff"

    login: Mapped[str] = mapped_column(String(60), unique=True)
    login_folded: Mapped[str] = folded_of("login", 60, is_unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(300), default="", server_default="")
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")
    department_id: Mapped[int | None] = refer("department", null=True)
    email: Mapped[str] = mapped_column(String(200), default="", server_default="")
    phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    alert_url: Mapped[str | None] = mapped_column(Sealed())  # an apprise address for alerts
    language: Mapped[str | None] = mapped_column(String(10))
    theme: Mapped[str] = mapped_column(String(10), default="auto", server_default="auto")
    totp_secret: Mapped[str | None] = mapped_column(Sealed())
    totp_step: Mapped[int | None] = mapped_column(Integer)  # of the last code: none opens twice

    department: Mapped[Department | None] = relationship()
    role_rows: Mapped[list[StaffRole]] = relationship(back_populates="staff", cascade="all, delete-orphan")
    buildings: Mapped[list[Building]] = relationship(secondary=steward_building)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(row.role for row in self.role_rows)

    def __str__(self) -> str:
        return self.name


class StaffRole(Row, Model):
    __tablename__ = "staff_role"
    __table_args__ = (
        UniqueConstraint("staff_id", "role", name="staff_role_once"),
        one_of("role", ROLES, "staff_role_known"),
    )

    staff_id: Mapped[int] = refer("staff")
    role: Mapped[str] = mapped_column(String(20))

    staff: Mapped[Staff] = relationship(back_populates="role_rows")

    def __str__(self) -> str:
        return self.role


class RecoveryCode(Row, Model):
    """A code that opens once when the phone is gone; only its keyed hash is kept (P7)."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("staff_id", "code_mac", name="recovery_code_once"),)

    staff_id: Mapped[int] = refer("staff")
    code_mac: Mapped[str] = mapped_column(String(64))


class WebSession(Model):
    """A signed-in browser; the cookie holds the random id whose hash is the key (F15)."""

    __tablename__ = "web_session"
    __table_args__ = (Index("web_session_staff_idx", "staff_id"),)  # ended when a staff row changes

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = refer("staff")
    csrf_secret: Mapped[str] = mapped_column(String(64))
    data: Mapped[str] = mapped_column(default="{}", server_default="{}")
    created_at: Mapped[datetime] = mapped_column(Instant())
    seen_at: Mapped[datetime] = mapped_column(Instant())
    ended_at: Mapped[datetime | None] = mapped_column(Instant())  # by a new password, role or state

    staff: Mapped[Staff] = relationship()


class KeptForm(Model):
    """A form whose session had ended when it was sent; kept sealed until its person signs in again (U7)."""

    __tablename__ = "kept_form"
    __table_args__ = (Index("kept_form_staff_idx", "staff_id"), Index("kept_form_at_idx", "at"))

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # of the key in the browser's cookie
    staff_id: Mapped[int] = refer("staff")
    sent: Mapped[str] = mapped_column(Sealed())  # address, fields and files as JSON
    at: Mapped[datetime] = mapped_column(Instant())


class SignInAttempt(Row, Model):
    """A failed sign-in, a wrong code or a public form sent; counted across web processes, soon forgotten."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("sign_in_attempt_recent_idx", "source", "at"),)

    source: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant())
