"""The estate and what stands on it (P1, P2)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, FixedPoint, Instant, Model, one_of, prefix_index, refer, said_in
from models.secrets import Sealed
from models.text_keys import folded_of, order_of
from rules import codes
from rules.money import SIGNS
from rules.text_order import code_key

UNIT_KINDS: tuple[str, ...] = get_args(codes.UnitKind)
UNIT_STATES = ("unsold", "vacant", "occupied", "sealed")
WORD_SETS: tuple[str, ...] = get_args(codes.WordSet)
PRESETS = ("tower", "residential", "project")
CURRENCIES = tuple(SIGNS)
FEE_SCHEMES: tuple[str, ...] = get_args(codes.FeeScheme)
CODES_TO_PAY: tuple[str, ...] = get_args(codes.CodeToPay)
KEY_PROOF = "gatehouse"  # what is sealed on the estate: who opens it has the right secret key


def words(length: int | None = None) -> Mapped[str]:
    """A column of text that is empty until somebody fills it."""
    return mapped_column(String(length), default="", server_default="")


class Estate(EditableRow, Model):
    """The one estate of this installation, who manages it (P1, D1), and where its clock stands.

    What papers show in three languages has a column for each: the plain one holds simplified Chinese, or
    whatever the office wrote while there was but one; `in_language` falls back to it.
    """

    __tablename__ = "estate"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_estate_per_installation"),
        one_of("preset", PRESETS, "estate_preset_known"),
        one_of("word_set", ("", *WORD_SETS), "estate_word_set_known"),
        one_of("currency", CURRENCIES, "estate_currency_known"),
        one_of("fee_scheme", ("", *FEE_SCHEMES), "estate_fee_scheme_known"),
    )

    name: Mapped[str] = mapped_column(String(120))
    name_zh_hant: Mapped[str] = words(120)
    name_en: Mapped[str] = words(120)
    address: Mapped[str] = words(300)
    address_zh_hant: Mapped[str] = words(300)
    address_en: Mapped[str] = words(300)
    phone: Mapped[str] = words(40)
    time_zone: Mapped[str] = mapped_column(String(60), default="Asia/Shanghai")
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    language: Mapped[str] = mapped_column(String(10), default="zh_Hans")
    word_set: Mapped[str] = mapped_column(String(20), default="", server_default="")  # empty: by currency
    preset: Mapped[str] = mapped_column(String(20))
    company_name: Mapped[str] = words(200)
    company_name_zh_hant: Mapped[str] = words(200)
    company_name_en: Mapped[str] = words(200)
    registration_no: Mapped[str] = words(40)
    registered_address: Mapped[str] = words(300)
    registered_address_zh_hant: Mapped[str] = words(300)
    registered_address_en: Mapped[str] = words(300)
    legal_representative: Mapped[str] = words(120)
    licence: Mapped[str] = words(120)
    contract_name: Mapped[str] = words(200)  # with the owners
    contract_name_zh_hant: Mapped[str] = words(200)
    contract_name_en: Mapped[str] = words(200)
    contract_number: Mapped[str] = words(80)
    contract_signed_on: Mapped[date | None] = mapped_column(Date)
    clause_fees: Mapped[str] = words(80)
    clause_late_fees: Mapped[str] = words(80)
    clause_restrictions: Mapped[str] = words(80)
    payment_accounts: Mapped[str] = words()
    payment_accounts_zh_hant: Mapped[str] = words()
    payment_accounts_en: Mapped[str] = words()
    ways_to_pay: Mapped[str] = words()
    ways_to_pay_zh_hant: Mapped[str] = words()
    ways_to_pay_en: Mapped[str] = words()
    fee_scheme: Mapped[str] = mapped_column(String(12), default="", server_default="")  # empty: not said
    service_level: Mapped[str] = words(120)
    service_level_zh_hant: Mapped[str] = words(120)
    service_level_en: Mapped[str] = words(120)
    complaint_numbers: Mapped[str] = words()  # where to complain about charges, one line each
    complaint_numbers_zh_hant: Mapped[str] = words()
    complaint_numbers_en: Mapped[str] = words()
    public_address: Mapped[str] = words(300)  # under which residents reach the program
    is_sandbox: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    present_at: Mapped[datetime | None] = mapped_column(Instant())  # a sandbox's chosen present
    last_tick_at: Mapped[datetime | None] = mapped_column(Instant())  # all before it has been judged
    heartbeat_at: Mapped[datetime | None] = mapped_column(Instant())  # machine time of the last tick
    key_proof: Mapped[str | None] = mapped_column(Sealed(), deferred=True)  # KEY_PROOF, sealed
    developer_id: Mapped[int | None] = refer("owner", null=True)  # pays until a unit is sold (B20)
    moved_to: Mapped[str] = words()  # the database that took its place
    moved_at: Mapped[datetime | None] = mapped_column(Instant())

    def in_language(self, field: str, language: str) -> str:
        """What papers in this language show of a field that has several, such as `name` (D1).

        Empty falls back: to the other Chinese, to the estate's usual language, to whichever is filled.
        """
        return said_in(self, field, language, self.language)

    developer: Mapped[Any] = relationship("Owner")


class CollectionCode(EditableRow, Model):
    """The company's own code to pay by (收款码), as a PNG picture: one for each way to pay (D8)."""

    __tablename__ = "collection_code"
    __table_args__ = (one_of("way", CODES_TO_PAY, "collection_code_way_known"),)

    way: Mapped[str] = mapped_column(String(20), unique=True)
    picture: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class CalendarDay(EditableRow, Model):
    """A day on which the office deviates from the published calendar (T5)."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(Date, unique=True)
    is_working: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(String(200), default="", server_default="")


class Area(EditableRow, Model):
    __tablename__ = "area"

    name: Mapped[str] = mapped_column(String(80), unique=True)
    name_folded: Mapped[str] = folded_of("name", 80, is_unique=True)
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    opened_on: Mapped[date | None] = mapped_column(Date)

    buildings: Mapped[list[Building]] = relationship(back_populates="area", passive_deletes="all")

    def __str__(self) -> str:
        return self.name


class Building(EditableRow, Model):
    __tablename__ = "building"
    __table_args__ = (
        UniqueConstraint("area_id", "name", name="building_name_once_per_area"),
        UniqueConstraint("area_id", "name_folded", name="building_name_folded_once_per_area"),
    )

    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = folded_of("name", 80)
    name_sort: Mapped[str] = order_of("name", code_key)
    area_id: Mapped[int] = refer("area", index=True)
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    area: Mapped[Area] = relationship(back_populates="buildings")
    units: Mapped[list[Unit]] = relationship(back_populates="building", passive_deletes="all")

    def __str__(self) -> str:
        return self.name


class Unit(EditableRow, Model):
    """What is billed and what people complain from (P2); `code` is unique, such as 3-2-1201."""

    __tablename__ = "unit"
    __table_args__ = (
        one_of("kind", UNIT_KINDS, "unit_kind_known"),
        one_of("state", UNIT_STATES, "unit_state_known"),
        CheckConstraint("area_m2 >= 0", name="unit_area_not_negative"),
        Index("unit_grid_idx", "building_id", "floor", "code"),  # unit grid, lists by building
        prefix_index("unit", "code_folded"),
        Index("unit_code_sort_idx", "code_sort", "id"),  # list
        Index(
            "unit_vacant_idx",
            "code_sort",
            "id",
            sqlite_where=text("state = 'vacant'"),
            postgresql_where=text("state = 'vacant'"),
        ),  # list
    )

    code: Mapped[str] = mapped_column(String(40), unique=True)
    code_folded: Mapped[str] = folded_of("code", 40, is_unique=True)
    code_sort: Mapped[str] = order_of("code", code_key)
    building_id: Mapped[int] = refer("building")
    floor: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    area_m2: Mapped[Decimal] = mapped_column(FixedPoint(4))
    handed_over_on: Mapped[date | None] = mapped_column(Date)  # billing starts here; empty = handed over
    anchor_on: Mapped[date | None] = mapped_column(Date)  # its cycles begin here; empty: hand-over (B15)
    tags: Mapped[str] = mapped_column(String(300), default="", server_default="")  # comma-separated (B14)
    state: Mapped[str] = mapped_column(String(20), default="vacant", server_default="vacant")
    note: Mapped[str] = mapped_column(default="", server_default="")

    building: Mapped[Building] = relationship(back_populates="units")

    def __str__(self) -> str:
        return self.code
