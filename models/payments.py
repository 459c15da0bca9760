"""Money in: payments with their receipts, what they pay, statements, closed days (M1–M7)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Instant, Model, Money, Row, one_of, prefix_index, refer
from models.billing import FeeItem, Invoice, InvoiceLine
from models.decisions import REQUEST_STATES, AskedFor
from models.people import Owner, Staff
from models.property import Unit
from models.secrets import Sealed, masked
from models.text_keys import folded_of
from rules.cheques import STATES as CHEQUE_STATES

METHODS = ("cash", "card", "bank_transfer", "direct_debit", "wechat", "alipay", "cheque")
STATEMENT_METHODS = tuple(method for method in METHODS if method not in {"cash", "cheque"})
PAYMENT_KINDS = ("payment", "reversal", "refund")
PAYMENT_STATES = ("posted", "void", "reversed")
STATEMENT_STATES = ("posted", "waiting", "ignored")
DEBIT_STATES = ("sent", "collected", "failed", "waiting")
PARTS = ("principal", "late_fee")


class Payment(Row, Model):
    """Money received for a unit, its receipt number, and how much of it is allocated to bills (M1, M2).

    `allocated + credit = amount` while it is posted. A void or reversal keeps the row (state void/reversed,
    nothing allocated, no credit) and adds a counter-entry with the negative amount; a refund is such an
    entry too, and takes credit away.
    """

    __tablename__ = "payment"
    __table_args__ = (
        one_of("kind", PAYMENT_KINDS, "payment_kind_known"),
        one_of("state", PAYMENT_STATES, "payment_state_known"),
        one_of("method", METHODS, "payment_method_known"),
        CheckConstraint(
            "CASE WHEN state <> 'posted' OR kind = 'reversal' THEN allocated = 0 AND credit = 0 "
            "ELSE allocated + credit = amount END",
            name="payment_allocated_and_credit_add_up",
        ),
        CheckConstraint("(kind = 'payment') = (amount > 0)", name="payment_amount_positive"),
        CheckConstraint("allocated >= 0", name="payment_allocated_not_negative"),
        CheckConstraint("kind <> 'payment' OR credit >= 0", name="payment_never_over_allocated"),
        UniqueConstraint("series", "year", "running_no", name="payment_receipt_number_once"),
        Index("payment_unit_idx", "unit_id", "paid_at"),  # household file
        Index("payment_posted_idx", "posted_on", "cashier_id"),  # day-end
        Index("payment_paid_idx", "paid_at", "id"),  # list
        prefix_index("payment", "receipt_no"),
        Index(
            "payment_credit_idx",
            "unit_id",
            "payer_id",
            sqlite_where=text("credit <> 0"),
            postgresql_where=text("credit <> 0"),
        ),  # next bill
        Index("payment_reference_idx", "reference"),  # search, statement matching
    )

    receipt_no: Mapped[str] = mapped_column(String(30), unique=True)
    series: Mapped[str] = mapped_column(String(10))
    year: Mapped[int] = mapped_column(Integer)
    running_no: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10), default="payment", server_default="payment")
    counters_id: Mapped[int | None] = refer("payment", null=True, index=True)
    unit_id: Mapped[int] = refer("unit")
    payer_id: Mapped[int] = refer("owner", index=True)
    method: Mapped[str] = mapped_column(String(20))
    amount: Mapped[Decimal] = mapped_column(Money())
    allocated: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    credit: Mapped[Decimal] = mapped_column(Money())
    paid_at: Mapped[datetime] = mapped_column(Instant())
    posted_at: Mapped[datetime] = mapped_column(Instant())
    posted_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default="posted", server_default="posted")
    reference: Mapped[str] = mapped_column(String(120), default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")  # of a void, reversal or refund
    cashier_id: Mapped[int | None] = refer("staff", null=True)
    form_key: Mapped[str | None] = mapped_column(String(80), unique=True)  # one form, one payment
    copies_printed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    unit: Mapped[Unit] = relationship()
    payer: Mapped[Owner] = relationship()
    cashier: Mapped[Staff | None] = relationship()
    allocations: Mapped[list[Allocation]] = relationship(back_populates="payment", passive_deletes="all")

    def __str__(self) -> str:
        return self.receipt_no


class Earmark(EditableRow, Model):
    """Part of a payment's credit that is for an item, for service on certain days, or both (M10).

    It pays only lines of that item whose bill's month has one of those days; what is left of it is `amount`
    less the allocations made from it. Ended, what is left is free credit.
    """

    __tablename__ = "earmark"
    __table_args__ = (
        CheckConstraint("amount > 0", name="earmark_amount_positive"),
        CheckConstraint(
            "fee_item_id IS NOT NULL OR from_on IS NOT NULL OR to_on IS NOT NULL",
            name="earmark_is_for_something",
        ),
        CheckConstraint(
            "from_on IS NULL OR to_on IS NULL OR from_on <= to_on", name="earmark_from_before_to"
        ),
    )

    payment_id: Mapped[int] = refer("payment", index=True)
    fee_item_id: Mapped[int | None] = refer("fee_item", null=True)
    from_on: Mapped[date | None] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money())
    made_at: Mapped[datetime] = mapped_column(Instant())
    made_by_id: Mapped[int | None] = refer("staff", null=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant())
    ended_by_id: Mapped[int | None] = refer("staff", null=True)

    payment: Mapped[Payment] = relationship()
    fee_item: Mapped[FeeItem | None] = relationship()
    made_by: Mapped[Staff | None] = relationship(foreign_keys=[made_by_id])
    ended_by: Mapped[Staff | None] = relationship(foreign_keys=[ended_by_id])


class Allocation(Row, Model):
    """Part of a payment that pays part of an invoice; a reversal is a row with the negative amount.

    What it pays of the principal lies on lines of the invoice (AllocationLine). The lines are rows of their
    own, so that one row stays a payment's part of a bill: late fees, the ladder and the figures of whole
    bills read as few rows as before, and a migration adds rows without splitting posted ones.
    """

    __tablename__ = "allocation"
    __table_args__ = (
        one_of("part", PARTS, "allocation_part_known"),
        CheckConstraint("amount <> 0", name="allocation_amount_not_zero"),
        Index("allocation_payment_idx", "payment_id"),
        Index("allocation_invoice_idx", "invoice_id"),
        Index("allocation_effective_idx", "effective_at"),  # ladder: what was not yet paid on a past day
        Index(
            "allocation_earmark_idx",
            "earmark_id",
            sqlite_where=text("earmark_id IS NOT NULL"),
            postgresql_where=text("earmark_id IS NOT NULL"),
        ),  # what is left of it
    )

    payment_id: Mapped[int] = refer("payment")
    invoice_id: Mapped[int] = refer("invoice")
    amount: Mapped[Decimal] = mapped_column(Money())
    part: Mapped[str] = mapped_column(String(10), default="principal", server_default="principal")
    allocated_on: Mapped[date] = mapped_column(Date)  # the day from which it counts (late fee stops)
    allocated_at: Mapped[datetime] = mapped_column(Instant())
    effective_at: Mapped[datetime] = mapped_column(Instant())  # paid and known: max(paid_at, allocated_at)
    earmark_id: Mapped[int | None] = refer(
        "earmark", null=True
    )  # the credit that paid, where it was for this

    payment: Mapped[Payment] = relationship(back_populates="allocations")
    invoice: Mapped[Invoice] = relationship()
    lines: Mapped[list[AllocationLine]] = relationship(back_populates="allocation", passive_deletes="all")


class AllocationLine(Row, Model):
    """What an allocation pays of one line of its invoice; negative when it is given back (M8).

    `is_estimated`: from before payments knew lines, laid in proportion by a migration.
    """

    __tablename__ = "allocation_line"
    __table_args__ = (
        UniqueConstraint("allocation_id", "invoice_line_id", name="allocation_line_once"),
        CheckConstraint("amount <> 0", name="allocation_line_amount_not_zero"),
    )

    allocation_id: Mapped[int] = refer("allocation")
    invoice_line_id: Mapped[int] = refer("invoice_line", index=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    is_estimated: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")

    allocation: Mapped[Allocation] = relationship(back_populates="lines")
    invoice_line: Mapped[InvoiceLine] = relationship()


class Cheque(EditableRow, Model):
    """The cheque of a payment, and how it stands with the bank (M13)."""

    __tablename__ = "cheque"
    __table_args__ = (
        one_of("state", CHEQUE_STATES, "cheque_state_known"),
        CheckConstraint("number <> '' AND bank <> ''", name="cheque_has_number_and_bank"),
        Index("cheque_state_idx", "state", "due_on"),  # to present, with the bank
    )

    payment_id: Mapped[int] = refer("payment", unique=True)
    number: Mapped[str] = mapped_column(String(40))
    bank: Mapped[str] = mapped_column(String(120))
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12), default="to_present", server_default="to_present")
    presented_on: Mapped[date | None] = mapped_column(Date)
    cleared_on: Mapped[date | None] = mapped_column(Date)
    bounced_on: Mapped[date | None] = mapped_column(Date)
    fee_invoice_id: Mapped[int | None] = refer("invoice", null=True)  # what its bouncing cost

    payment: Mapped[Payment] = relationship()
    fee_invoice: Mapped[Invoice | None] = relationship()

    def __str__(self) -> str:
        return self.number


class DayClose(Row, Model):
    """A cashier's day, counted and locked (M3)."""

    __tablename__ = "day_close"
    __table_args__ = (
        UniqueConstraint("day", "cashier_id", "round", name="day_close_once_per_cashier_and_round"),
    )

    day: Mapped[date] = mapped_column(Date)
    cashier_id: Mapped[int] = refer("staff")
    round: Mapped[int] = mapped_column(Integer, default=1, server_default="1")  # how often it was closed
    closed_by_id: Mapped[int] = refer("staff")
    closed_at: Mapped[datetime] = mapped_column(Instant())

    cashier: Mapped[Staff] = relationship(foreign_keys=[cashier_id])
    lines: Mapped[list[DayCloseLine]] = relationship(back_populates="day_close", passive_deletes="all")


class DayReopening(AskedFor, EditableRow, Model):
    """A closed day that somebody asks to have opened again; another person decides (M3)."""

    __tablename__ = "day_reopening"
    __table_args__ = (
        one_of("state", REQUEST_STATES, "day_reopening_state_known"),
        CheckConstraint("asked_by_id <> decided_by_id", name="day_reopening_takes_two_people"),
        Index(
            "day_reopening_asked_once",
            "day_close_id",
            unique=True,
            sqlite_where=text("state <> 'refused'"),
            postgresql_where=text("state <> 'refused'"),
        ),
    )

    day_close_id: Mapped[int] = refer("day_close")
    reason: Mapped[str] = mapped_column()

    day_close: Mapped[DayClose] = relationship()


class DayCloseLine(Row, Model):
    __tablename__ = "day_close_line"
    __table_args__ = (
        UniqueConstraint("day_close_id", "method", name="day_close_line_once_per_method"),
        CheckConstraint("expected = counted OR reason <> ''", name="day_close_difference_has_reason"),
    )

    day_close_id: Mapped[int] = refer("day_close")
    method: Mapped[str] = mapped_column(String(20))
    expected: Mapped[Decimal] = mapped_column(Money())
    counted: Mapped[Decimal] = mapped_column(Money())
    reason: Mapped[str] = mapped_column(default="", server_default="")

    day_close: Mapped[DayClose] = relationship(back_populates="lines")


class StatementLayout(EditableRow, Model):
    """Which column of a bank's file means what; remembered by its header (M5)."""

    __tablename__ = "statement_layout"

    name: Mapped[str] = mapped_column(String(80), unique=True)
    name_folded: Mapped[str] = folded_of("name", 80, is_unique=True)
    header: Mapped[str] = mapped_column()  # JSON list of the header cells it is known by
    columns: Mapped[str] = mapped_column()  # JSON {our code: their header}
    method: Mapped[str] = mapped_column(String(20), default="bank_transfer", server_default="bank_transfer")


class StatementRow(EditableRow, Model):
    """One row of an imported statement, posted once whatever is imported again (M5)."""

    __tablename__ = "statement_row"
    __table_args__ = (
        one_of("state", STATEMENT_STATES, "statement_row_state_known"),
        UniqueConstraint("source", "transaction_id", name="statement_row_once"),
        Index(
            "statement_row_waiting_idx",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),  # queue
        Index("statement_row_paid_idx", "paid_at"),  # is a movement known?
        Index("statement_row_number_idx", "number"),
        Index("statement_row_counter_idx", "counter_account"),  # who paid from it before
    )

    source: Mapped[str] = mapped_column(String(40))
    transaction_id: Mapped[str] = mapped_column(String(120))
    paid_at: Mapped[datetime | None] = mapped_column(Instant())
    is_time_known: Mapped[bool] = mapped_column(default=True, server_default="1")
    amount: Mapped[Decimal] = mapped_column(Money())
    method: Mapped[str] = mapped_column(String(20))
    memo: Mapped[str] = mapped_column(default="", server_default="")
    payer_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    number: Mapped[str] = mapped_column(String(120), default="", server_default="")  # where it identifies
    account: Mapped[str] = mapped_column(String(64), default="", server_default="")  # the estate's own
    counter_account: Mapped[str] = mapped_column(String(64), default="", server_default="")
    balance: Mapped[Decimal | None] = mapped_column(Money())  # after the movement
    status: Mapped[str] = mapped_column(String(80), default="", server_default="")  # the file's own word
    state: Mapped[str] = mapped_column(String(10), default="waiting", server_default="waiting")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    reason_before: Mapped[str] = mapped_column(default="", server_default="")  # why it waited, for an undo
    payment_id: Mapped[int | None] = refer("payment", null=True, index=True)
    imported_at: Mapped[datetime] = mapped_column(Instant())

    payment: Mapped[Payment | None] = relationship()


class PayerAccount(Row, Model):
    """An account from which a person confirmed that money came for a unit: a second sign next time (M5)."""

    __tablename__ = "payer_account"
    __table_args__ = (
        UniqueConstraint("unit_id", "account_mac", name="payer_account_once_per_unit"),
        Index("payer_account_mac_idx", "account_mac"),  # whose is it?
    )

    unit_id: Mapped[int] = refer("unit")
    owner_id: Mapped[int] = refer("owner", index=True)  # who pays for the unit with it
    account: Mapped[str] = mapped_column(Sealed())
    account_mac: Mapped[str] = mapped_column(String(64))
    account_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    confirmed_by_id: Mapped[int | None] = refer("staff", null=True)
    confirmed_at: Mapped[datetime] = mapped_column(Instant())

    unit: Mapped[Unit] = relationship()
    owner: Mapped[Owner] = relationship()
    confirmed_by: Mapped[Staff | None] = relationship()

    def __str__(self) -> str:
        return masked(self.account)


class DirectDebitBatch(EditableRow, Model):
    """A file of debits for the bank and what came back (M4)."""

    __tablename__ = "direct_debit_batch"
    __table_args__ = (one_of("state", ("exported", "answered"), "direct_debit_batch_state_known"),)

    number: Mapped[str] = mapped_column(String(30), unique=True)
    period: Mapped[str] = mapped_column(String(7))
    layout: Mapped[str] = mapped_column(String(40))
    exported_at: Mapped[datetime] = mapped_column(Instant())
    answered_at: Mapped[datetime | None] = mapped_column(Instant())
    state: Mapped[str] = mapped_column(String(10), default="exported", server_default="exported")

    rows: Mapped[list[DirectDebit]] = relationship(back_populates="batch", passive_deletes="all")


class DirectDebit(Row, Model):
    """One bill in a batch, with the unit code and the account as they went to the bank (M4).

    `waiting`: the bank collected what `payment` had posted already, and a person says that it is the same
    money; or it answered another amount than was sent (`answered`), and a person says what holds.
    """

    __tablename__ = "direct_debit"
    __table_args__ = (
        one_of("state", DEBIT_STATES, "direct_debit_state_known"),
        UniqueConstraint("batch_id", "invoice_id", name="direct_debit_once_per_batch"),
    )

    batch_id: Mapped[int] = refer("direct_debit_batch")
    invoice_id: Mapped[int] = refer("invoice", index=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    unit_code: Mapped[str] = mapped_column(String(40), default="", server_default="")
    bank: Mapped[str] = mapped_column(String(80), default="", server_default="")
    account: Mapped[str] = mapped_column(Sealed(), default="", server_default="")
    account_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    state: Mapped[str] = mapped_column(String(10), default="sent", server_default="sent")
    bank_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    answered: Mapped[Decimal | None] = mapped_column(Money())  # where it is not the amount that was sent
    payment_id: Mapped[int | None] = refer("payment", null=True, index=True)

    batch: Mapped[DirectDebitBatch] = relationship(back_populates="rows")
    invoice: Mapped[Invoice] = relationship()


class DebitMandate(EditableRow, Model):
    """The payer's permission to debit an account (M4)."""

    __tablename__ = "debit_mandate"

    unit_id: Mapped[int] = refer("unit", unique=True)
    owner_id: Mapped[int] = refer("owner", index=True)
    bank: Mapped[str] = mapped_column(String(80))
    account: Mapped[str] = mapped_column(Sealed())
    account_name: Mapped[str] = mapped_column(String(120))
    signed_on: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)

    unit: Mapped[Unit] = relationship()
    owner: Mapped[Owner] = relationship()
