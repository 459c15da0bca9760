"""Fee items, tariffs, readings, slips, and the invoices made of them (B1–B10)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import get_args

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import (
    EditableRow,
    FixedPoint,
    Instant,
    Model,
    Money,
    Named,
    Row,
    one_of,
    prefix_index,
    refer,
)
from models.decisions import REQUEST_STATES, AskedFor
from models.people import Owner, Staff
from models.property import UNIT_KINDS, Unit
from models.text_keys import folded_of, order_of
from rules import codes
from rules.billing import Basis, TierSpan
from rules.cycles import CYCLES, Anchor
from rules.liability import PayerRule
from rules.meters import ReadingKind
from rules.money import RoundingMode, RoundingUnit
from rules.text_order import code_key

BASES = tuple(basis.value for basis in Basis)
TIMINGS = ("advance", "arrears")
ANCHORS = tuple(anchor.value for anchor in Anchor)
ROUNDINGS = tuple(unit.value for unit in RoundingUnit)
ROUNDING_MODES = tuple(mode.value for mode in RoundingMode)
PAYER_RULES = tuple(rule.value for rule in PayerRule)
PRICE_KINDS: tuple[str, ...] = get_args(codes.PriceKind)
INVOICE_KINDS = ("regular", "opening", "move_in", "one_off")
INVOICE_STATES = ("open", "partly_paid", "paid", "credited")
READING_KINDS = tuple(str(kind) for kind in ReadingKind)
TIER_SPANS = tuple(str(span) for span in TierSpan)
SLIP_STATES = ("open", "billed", "cancelled")
PLAN_STATES = ("proposed", "running", "kept", "broken", "cancelled")
RUN_STATES = ("running", "done", "failed")
CREDIT_KINDS: tuple[str, ...] = get_args(codes.CreditKind)


class FeeItem(EditableRow, Named, Model):
    """What is charged for (B1): every so many months (B15), rounded how (B19), paid by whom (B20).

    An item of a season is charged for its months alone, `season_from` to `season_to`, also over New Year.
    """

    __tablename__ = "fee_item"
    __table_args__ = (
        one_of("basis", BASES, "fee_item_basis_known"),
        one_of("timing", TIMINGS, "fee_item_timing_known"),
        one_of("anchor", ANCHORS, "fee_item_anchor_known"),
        one_of("rounding", ROUNDINGS, "fee_item_rounding_known"),
        one_of("rounding_mode", ROUNDING_MODES, "fee_item_rounding_mode_known"),
        one_of("payer", PAYER_RULES, "fee_item_payer_known"),
        CheckConstraint(
            "vacancy_factor >= 0 AND vacancy_factor <= 10000", name="fee_item_vacancy_factor_is_a_part"
        ),
        one_of("price_kind", ("", *PRICE_KINDS), "fee_item_price_kind_known"),
        CheckConstraint(
            f"cycle_months IN ({', '.join(map(str, CYCLES))})", name="fee_item_cycle_is_1_3_6_or_12_months"
        ),
        CheckConstraint("days_ahead BETWEEN 0 AND 366", name="fee_item_days_ahead_in_range"),
        CheckConstraint("(season_from IS NULL) = (season_to IS NULL)", name="fee_item_season_has_both_ends"),
        CheckConstraint(
            "season_from BETWEEN 1 AND 12 AND season_to BETWEEN 1 AND 12", name="fee_item_season_in_months"
        ),
    )

    code: Mapped[str] = mapped_column(String(40), unique=True)
    code_folded: Mapped[str] = folded_of("code", 40, is_unique=True)
    basis: Mapped[str] = mapped_column(String(20))
    timing: Mapped[str] = mapped_column(String(10), default="advance", server_default="advance")
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")
    is_required: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")  # no tariff: B4
    is_restrictable: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")  # C9
    services: Mapped[str] = mapped_column(default="", server_default="")  # what it pays for (B2)
    services_zh_hant: Mapped[str] = mapped_column(default="", server_default="")
    services_en: Mapped[str] = mapped_column(default="", server_default="")
    price_kind: Mapped[str] = mapped_column(String(12), default="", server_default="")  # D6; empty: not said
    cycle_months: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    anchor: Mapped[str] = mapped_column(String(10), default="calendar", server_default="calendar")
    days_ahead: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0"
    )  # of the cycle's first day
    season_from: Mapped[int | None] = mapped_column(Integer)  # month of the year
    season_to: Mapped[int | None] = mapped_column(Integer)
    rounding: Mapped[str] = mapped_column(String(10), default="fen", server_default="fen")
    rounding_mode: Mapped[str] = mapped_column(String(10), default="half_up", server_default="half_up")
    payer: Mapped[str] = mapped_column(String(10), default="default", server_default="default")
    is_refundable: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    bears_late_fee: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")  # B22
    vacancy_factor: Mapped[Decimal | None] = mapped_column(FixedPoint(4))  # of empty units (B17); none: full
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    def __str__(self) -> str:
        return self.name_zh_hans or self.name_en or self.code


class Tariff(EditableRow, Model):
    """A rate of an item for a kind of unit between two days, both inclusive (B2)."""

    __tablename__ = "tariff"
    __table_args__ = (
        one_of("unit_kind", UNIT_KINDS, "tariff_unit_kind_known"),
        UniqueConstraint("fee_item_id", "unit_kind", "valid_from", name="tariff_once_per_start"),
        CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="tariff_from_before_to"),
        CheckConstraint("rate >= 0", name="tariff_rate_not_negative"),
        one_of("tier_span", TIER_SPANS, "tariff_tier_span_known"),
        CheckConstraint("tier_people > 0", name="tariff_tier_people_positive"),
    )

    fee_item_id: Mapped[int] = refer("fee_item")
    unit_kind: Mapped[str] = mapped_column(String(20))
    rate: Mapped[Decimal] = mapped_column(FixedPoint(6))
    # JSON [[up_to, rate], …], with what each further person adds to up_to as a third value; B1, B18 metered
    tiers: Mapped[str] = mapped_column(default="", server_default="")
    tier_span: Mapped[str] = mapped_column(String(10), default="month", server_default="month")
    tier_people: Mapped[int | None] = mapped_column(Integer)  # for how many people the tiers are
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)

    fee_item: Mapped[FeeItem] = relationship()


class Meter(EditableRow, Model):
    """A meter of a unit; one of its units is `factor` of the price's (B18)."""

    __tablename__ = "meter"
    __table_args__ = (
        UniqueConstraint("unit_id", "code", name="meter_code_once_per_unit"),
        UniqueConstraint("unit_id", "code_folded", name="meter_code_folded_once_per_unit"),
        CheckConstraint("factor > 0", name="meter_factor_positive"),
        CheckConstraint("wraps_at > 0", name="meter_wraps_above_zero"),
    )

    unit_id: Mapped[int] = refer("unit")
    fee_item_id: Mapped[int] = refer("fee_item", index=True)
    code: Mapped[str] = mapped_column(String(60))
    code_folded: Mapped[str] = folded_of("code", 60)
    code_sort: Mapped[str] = order_of("code", code_key)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")
    factor: Mapped[Decimal] = mapped_column(FixedPoint(4), default=1, server_default="10000")
    counts_down: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    wraps_at: Mapped[Decimal | None] = mapped_column(FixedPoint(4))  # where it starts again at 0
    out_of_use_from: Mapped[date | None] = mapped_column(Date)  # what it counted before is still billed

    unit: Mapped[Unit] = relationship()
    fee_item: Mapped[FeeItem] = relationship()

    def __str__(self) -> str:
        return self.code


class MeterReading(EditableRow, Model):
    """What a meter showed on a day; an exchange has two values, the old meter's last and the new one's first.

    `factor` holds from there on where the meter's own doesn't. `invoice_id` is the first bill that counts up
    to this reading: it and all before it stay as they are (trigger), until that bill is credited in full
    (B18).
    """

    __tablename__ = "meter_reading"
    __table_args__ = (
        one_of("kind", READING_KINDS, "meter_reading_kind_known"),
        UniqueConstraint("meter_id", "read_on", "kind", name="meter_reading_once_a_day"),
        CheckConstraint("value >= 0", name="meter_reading_not_negative"),
        CheckConstraint("factor > 0", name="meter_reading_factor_positive"),
        Index(
            "meter_reading_one_value_a_day",
            "meter_id",
            "read_on",
            unique=True,
            sqlite_where=text("kind <> 'exchange_start'"),
            postgresql_where=text("kind <> 'exchange_start'"),
        ),
        Index(
            "meter_reading_special_idx",
            "meter_id",
            sqlite_where=text("kind <> 'read' OR factor IS NOT NULL"),
            postgresql_where=text("kind <> 'read' OR factor IS NOT NULL"),
        ),  # billing run
    )

    meter_id: Mapped[int] = refer("meter")
    read_on: Mapped[date] = mapped_column(Date)
    value: Mapped[Decimal] = mapped_column(FixedPoint(4))
    kind: Mapped[str] = mapped_column(String(20), default="read", server_default="read")
    factor: Mapped[Decimal | None] = mapped_column(FixedPoint(4))
    invoice_id: Mapped[int | None] = refer("invoice", null=True, index=True)

    meter: Mapped[Meter] = relationship()


class ServiceSlip(EditableRow, Model):
    """Overtime air-conditioning, a repair: billed with the next bill after the cut-off day (B3)."""

    __tablename__ = "service_slip"
    __table_args__ = (
        one_of("state", SLIP_STATES, "service_slip_state_known"),
        CheckConstraint("quantity > 0", name="service_slip_quantity_positive"),
        Index(
            "service_slip_open_idx",
            "unit_id",
            "used_on",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),  # billing run
    )

    slip_no: Mapped[str] = mapped_column(String(40), unique=True)
    slip_no_folded: Mapped[str] = folded_of("slip_no", 40, is_unique=True)
    unit_id: Mapped[int] = refer("unit")
    fee_item_id: Mapped[int] = refer("fee_item", index=True)
    used_on: Mapped[date] = mapped_column(Date)
    quantity: Mapped[Decimal] = mapped_column(FixedPoint(4))
    amount: Mapped[Decimal | None] = mapped_column(Money())  # agreed price of a job; else the tariff's
    signed_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(String(20), default="open", server_default="open")
    invoice_id: Mapped[int | None] = refer("invoice", null=True, index=True)

    unit: Mapped[Unit] = relationship()
    fee_item: Mapped[FeeItem] = relationship()


class BillingRun(Row, Model):
    """One issue of a period's bills and what it could not bill (B4)."""

    __tablename__ = "billing_run"
    __table_args__ = (one_of("state", RUN_STATES, "billing_run_state_known"),)

    period: Mapped[str] = mapped_column(String(7), index=True)
    issued_on: Mapped[date] = mapped_column(Date)
    started_at: Mapped[datetime] = mapped_column(Instant())
    finished_at: Mapped[datetime | None] = mapped_column(Instant())
    staff_id: Mapped[int | None] = refer("staff", null=True)
    state: Mapped[str] = mapped_column(String(10), default="running", server_default="running")
    invoices: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    amount: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    unbilled: Mapped[str] = mapped_column(default="[]", server_default="[]")  # JSON [{unit_code, reason}]


class Invoice(Row, Model):
    """One unit, payer and period (B5). All but the running totals and state is frozen by trigger.

    `balance = amount + late_fee - credited - paid` holds in the row itself.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint(
            "period", "unit_id", "payer_id", "kind", "part", name="invoice_once_per_unit_payer_period"
        ),
        one_of("kind", INVOICE_KINDS, "invoice_kind_known"),
        one_of("state", INVOICE_STATES, "invoice_state_known"),
        CheckConstraint("balance = amount + late_fee - credited - paid", name="invoice_balance_adds_up"),
        CheckConstraint("balance >= 0", name="invoice_never_overpaid"),
        CheckConstraint(
            "amount >= 0 AND paid >= 0 AND credited >= 0 AND late_fee >= 0", name="invoice_parts_not_negative"
        ),
        Index("invoice_unit_idx", "unit_id", "due_on", "id"),  # household file, ladder, allocation
        Index("invoice_payer_idx", "payer_id", "due_on"),  # owner's page
        Index(
            "invoice_move_in_idx",
            "unit_id",
            sqlite_where=text("kind = 'move_in'"),
            postgresql_where=text("kind = 'move_in'"),
        ),  # billing run: months paid ahead
        Index("invoice_issued_idx", "issued_on", "id"),  # list, newest first
        prefix_index("invoice", "number"),
        Index(
            "invoice_open_idx",
            "due_on",
            "id",
            sqlite_where=text("balance > 0"),
            postgresql_where=text("balance > 0"),
        ),  # overdue list, ladder sweep
        Index(
            "invoice_open_unit_idx",
            "unit_id",
            "due_on",
            sqlite_where=text("balance > 0"),
            postgresql_where=text("balance > 0"),
        ),  # cashier, allocation
    )

    number: Mapped[str] = mapped_column(String(30), unique=True)
    kind: Mapped[str] = mapped_column(String(10), default="regular", server_default="regular")
    part: Mapped[str] = mapped_column(
        String(60), default="", server_default=""
    )  # tells opening balances apart
    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner")
    period: Mapped[str] = mapped_column(String(7))
    issued_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money())
    paid: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    credited: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    late_fee: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    balance: Mapped[Decimal] = mapped_column(Money())
    state: Mapped[str] = mapped_column(String(12), default="open", server_default="open")
    stage: Mapped[str] = mapped_column(String(30), default="", server_default="")
    run_id: Mapped[int | None] = refer("billing_run", null=True)

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    lines: Mapped[list[InvoiceLine]] = relationship(back_populates="invoice", passive_deletes="all")

    def __str__(self) -> str:
        return self.number


class InvoiceLine(Row, Model):
    """Quantity × rate × months × factor, rounded once, with its explanation, and what is paid (B5, B19, M8).

    `raw_amount` is what was rounded, exact to 8 places; empty on lines of before. `service_from` and
    `service_to` are the first and the last day that it charges for, empty where it charges for no time.
    `bears_late_fee` is what the fee item said when the bill was issued (B22).
    The two running totals are kept by triggers from the rows of CreditNoteLine and AllocationLine; what was
    billed is frozen.
    """

    __tablename__ = "invoice_line"
    __table_args__ = (
        Index("invoice_line_invoice_idx", "invoice_id"),
        CheckConstraint(
            "paid >= 0 AND credited >= 0 AND paid + credited <= amount", name="invoice_line_never_overpaid"
        ),
        Index(
            "invoice_line_long_idx",
            "fee_item_id",
            "service_to",
            sqlite_where=text("months > 1"),
            postgresql_where=text("months > 1"),
        ),  # billing run: what a longer cycle has charged already
        Index(
            "invoice_line_without_late_fee_idx",
            "invoice_id",
            sqlite_where=text("bears_late_fee = 0"),
            postgresql_where=text("NOT bears_late_fee"),
        ),  # late fees
    )

    invoice_id: Mapped[int] = refer("invoice")
    fee_item_id: Mapped[int] = refer("fee_item")
    quantity: Mapped[Decimal] = mapped_column(FixedPoint(4))
    rate: Mapped[Decimal] = mapped_column(FixedPoint(6))
    amount: Mapped[Decimal] = mapped_column(Money())
    explanation: Mapped[str] = mapped_column(default="", server_default="")  # a Reason as JSON
    paid: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    credited: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    months: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    factor: Mapped[Decimal] = mapped_column(FixedPoint(4), default=1, server_default="10000")
    raw_amount: Mapped[Decimal | None] = mapped_column(FixedPoint(8))
    service_from: Mapped[date | None] = mapped_column(Date)
    service_to: Mapped[date | None] = mapped_column(Date)
    bears_late_fee: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")  # B22

    invoice: Mapped[Invoice] = relationship(back_populates="lines")
    fee_item: Mapped[FeeItem] = relationship()


class CreditNote(Row, Model):
    """A correction of an issued invoice; never edited (B5).

    An `error` was never owed and takes the late fee that it caused; `goodwill` leaves it.
    """

    __tablename__ = "credit_note"
    __table_args__ = (
        CheckConstraint("amount > 0", name="credit_note_amount_positive"),
        one_of("kind", CREDIT_KINDS, "credit_note_kind_known"),
    )

    number: Mapped[str] = mapped_column(String(30), unique=True)
    invoice_id: Mapped[int] = refer("invoice", index=True)
    fee_item_id: Mapped[int | None] = refer("fee_item", null=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    kind: Mapped[str] = mapped_column(String(10), default="goodwill", server_default="goodwill")
    reason: Mapped[str] = mapped_column()
    issued_on: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[datetime | None] = mapped_column(Instant())  # ladder: what was known at an hour
    staff_id: Mapped[int | None] = refer("staff", null=True)

    invoice: Mapped[Invoice] = relationship()
    fee_item: Mapped[FeeItem | None] = relationship()


class CreditNoteLine(Row, Model):
    """What a credit note takes off one line of its invoice (B5); `is_estimated` as in AllocationLine."""

    __tablename__ = "credit_note_line"
    __table_args__ = (
        UniqueConstraint("credit_note_id", "invoice_line_id", name="credit_note_line_once"),
        CheckConstraint("amount > 0", name="credit_note_line_amount_positive"),
    )

    credit_note_id: Mapped[int] = refer("credit_note")
    invoice_line_id: Mapped[int] = refer("invoice_line", index=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    is_estimated: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")

    credit_note: Mapped[CreditNote] = relationship()
    invoice_line: Mapped[InvoiceLine] = relationship()


class LateFeeWaiver(Row, Model):
    """Late fee waived by a manager with a reason (B7); taken off the accrued fee."""

    __tablename__ = "late_fee_waiver"
    __table_args__ = (CheckConstraint("amount > 0", name="late_fee_waiver_amount_positive"),)

    invoice_id: Mapped[int] = refer("invoice", index=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    reason: Mapped[str] = mapped_column()
    waived_on: Mapped[date] = mapped_column(Date)
    staff_id: Mapped[int] = refer("staff")

    invoice: Mapped[Invoice] = relationship()
    staff: Mapped[Staff] = relationship()


class WaiverRequest(AskedFor, EditableRow, Model):
    """A late fee that someone asks to have waived; another person decides (B7)."""

    __tablename__ = "waiver_request"
    __table_args__ = (
        one_of("state", REQUEST_STATES, "waiver_request_state_known"),
        CheckConstraint("amount > 0", name="waiver_request_amount_positive"),
    )

    invoice_id: Mapped[int] = refer("invoice", index=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    reason: Mapped[str] = mapped_column()

    invoice: Mapped[Invoice] = relationship()


class Incentive(EditableRow, Named, Model):
    """Pay N months ahead or before a date: a discount or a gift (B8)."""

    __tablename__ = "incentive"
    __table_args__ = (CheckConstraint("percent BETWEEN 0 AND 10000", name="incentive_percent_in_range"),)

    months_ahead: Mapped[int | None] = mapped_column(Integer)
    pay_before_on: Mapped[date | None] = mapped_column(Date)
    percent: Mapped[Decimal] = mapped_column(FixedPoint(2), default=0, server_default="0")
    gift: Mapped[str] = mapped_column(String(200), default="", server_default="")
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class IncentiveGrant(Row, Model):
    """Credited once per unit, incentive and year (B8)."""

    __tablename__ = "incentive_grant"
    __table_args__ = (
        UniqueConstraint("incentive_id", "unit_id", "year", name="incentive_once_per_unit_and_year"),
    )

    incentive_id: Mapped[int] = refer("incentive")
    unit_id: Mapped[int] = refer("unit", index=True)
    year: Mapped[int] = mapped_column(Integer)
    payment_id: Mapped[int | None] = refer("payment", null=True)
    amount: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    granted_on: Mapped[date] = mapped_column(Date)
    explanation: Mapped[str] = mapped_column(default="", server_default="")  # a Reason as JSON
    handed_over_on: Mapped[date | None] = mapped_column(Date)  # a gift
    taken_back_on: Mapped[date | None] = mapped_column(Date)  # its payment was undone

    incentive: Mapped[Incentive] = relationship()
    unit: Mapped[Unit] = relationship()


class InstalmentPlan(EditableRow, Model):
    """Arrears paid in parts, approved by the station head (B9)."""

    __tablename__ = "instalment_plan"
    __table_args__ = (
        one_of("state", PLAN_STATES, "instalment_plan_state_known"),
        CheckConstraint("amount > 0", name="instalment_plan_amount_positive"),
        Index("instalment_plan_unit_idx", "unit_id", "payer_id"),
    )

    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner")
    amount: Mapped[Decimal] = mapped_column(Money())
    state: Mapped[str] = mapped_column(String(12), default="proposed", server_default="proposed")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    proposed_by_id: Mapped[int | None] = refer("staff", null=True)
    approved_by_id: Mapped[int | None] = refer("staff", null=True)
    approved_at: Mapped[datetime | None] = mapped_column(Instant())
    ended_on: Mapped[date | None] = mapped_column(Date)

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    instalments: Mapped[list[Instalment]] = relationship(
        back_populates="plan", cascade="all, delete-orphan", order_by="Instalment.due_on"
    )


class Instalment(EditableRow, Model):
    __tablename__ = "instalment"
    __table_args__ = (
        UniqueConstraint("plan_id", "due_on", name="instalment_once_a_day"),
        CheckConstraint("amount > 0", name="instalment_amount_positive"),
    )

    plan_id: Mapped[int] = refer("instalment_plan")
    due_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money())
    state: Mapped[str] = mapped_column(
        String(10), default="open", server_default="open"
    )  # open, kept, missed

    plan: Mapped[InstalmentPlan] = relationship(back_populates="instalments")


class PlanInvoice(Row, Model):
    """A debt that a plan covers: kept out of reminders while the plan is kept (B9)."""

    __tablename__ = "plan_invoice"
    __table_args__ = (UniqueConstraint("plan_id", "invoice_id", name="plan_invoice_once"),)

    plan_id: Mapped[int] = refer("instalment_plan")
    invoice_id: Mapped[int] = refer("invoice", index=True)


class Deposit(Row, Model):
    """A deposit taken, returned or set off: one row an entry (B10); `void` when its payment was undone."""

    __tablename__ = "deposit"
    __table_args__ = (
        one_of("entry", ("taken", "returned", "set_off", "void"), "deposit_entry_known"),
        CheckConstraint("amount > 0", name="deposit_amount_positive"),
        Index("deposit_unit_idx", "unit_id", "payer_id"),
    )

    number: Mapped[str] = mapped_column(String(30), unique=True)
    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner")
    fee_item_id: Mapped[int] = refer("fee_item")
    entry: Mapped[str] = mapped_column(String(10))
    amount: Mapped[Decimal] = mapped_column(Money())
    reason: Mapped[str] = mapped_column(default="", server_default="")
    posted_on: Mapped[date] = mapped_column(Date)
    payment_id: Mapped[int | None] = refer("payment", null=True, index=True)
    staff_id: Mapped[int | None] = refer("staff", null=True)

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    fee_item: Mapped[FeeItem] = relationship()
