"""The ledger's accounts, and the vouchers made for it (M12)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, String, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, FixedPoint, Id, Instant, Model, Money, Row, one_of, refer
from models.billing import FeeItem, InvoiceLine
from models.payments import METHODS
from models.people import Owner, Staff
from models.property import Building, Unit
from rules.vouchers import Auxiliary, Use, VoucherKind

USES = tuple(use.value for use in Use)
AUXILIARIES = tuple(one.value for one in Auxiliary)
VOUCHER_KINDS = tuple(kind.value for kind in VoucherKind)
SOURCES = ("invoice", "credit_note", "payment", "allocation")


class LedgerAccount(EditableRow, Model):
    """Which account of the ledger an item, a method or another use has from a day on (M12).

    `target` says the use and its item or method in one text. The rate is the tax that prices include.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        one_of("use", USES, "ledger_account_use_known"),
        one_of("auxiliary", AUXILIARIES, "ledger_account_auxiliary_known"),
        one_of("method", ("", *METHODS), "ledger_account_method_known"),
        CheckConstraint(
            "(use = 'item') = (fee_item_id IS NOT NULL)", name="ledger_account_item_has_its_item"
        ),
        CheckConstraint("(use = 'method') = (method <> '')", name="ledger_account_method_has_its_method"),
        CheckConstraint("tax_rate BETWEEN 0 AND 10000", name="ledger_account_tax_rate_in_range"),
        CheckConstraint("account <> ''", name="ledger_account_is_named"),
        UniqueConstraint("target", "valid_from", name="ledger_account_once_per_start"),
    )

    use: Mapped[str] = mapped_column(String(20))
    fee_item_id: Mapped[int | None] = refer("fee_item", null=True)
    method: Mapped[str] = mapped_column(String(20), default="", server_default="")
    target: Mapped[str] = mapped_column(String(60))
    account: Mapped[str] = mapped_column(String(40))
    account_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    tax_rate: Mapped[Decimal] = mapped_column(FixedPoint(4), default=0, server_default="0")
    auxiliary: Mapped[str] = mapped_column(String(20), default="none", server_default="none")
    valid_from: Mapped[date] = mapped_column(Date)

    fee_item: Mapped[FeeItem | None] = relationship()


def target_of(use: str, fee_item_id: int | None = None, method: str = "") -> str:
    """`item:12`, `method:cash`, `receivable`: one text for what an account is for."""
    return ":".join(filter(None, (use, str(fee_item_id or ""), method)))


@event.listens_for(LedgerAccount, "before_insert")
@event.listens_for(LedgerAccount, "before_update")
def _write_target(_mapper: Any, _connection: Any, row: LedgerAccount) -> None:
    row.target = target_of(row.use, row.fee_item_id, row.method)


class Voucher(Row, Model):
    """A voucher of a month, numbered without gaps; never changed, only reversed; exported once (M12)."""

    __tablename__ = "voucher"
    __table_args__ = (
        one_of("kind", VOUCHER_KINDS, "voucher_kind_known"),
        CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)", name="voucher_reversal_says_of_what"
        ),
        UniqueConstraint("period", "running_no", name="voucher_number_once_a_month"),
        UniqueConstraint("reverses_id", name="voucher_reversed_once"),
        Index(
            "voucher_not_exported_idx",
            "period",
            sqlite_where=text("exported_at IS NULL"),
            postgresql_where=text("exported_at IS NULL"),
        ),  # export
    )

    number: Mapped[str] = mapped_column(String(30), unique=True)
    period: Mapped[str] = mapped_column(String(7))
    running_no: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(12))
    dated_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money())  # Σ debit = Σ credit
    reverses_id: Mapped[int | None] = refer("voucher", null=True)
    reason: Mapped[str] = mapped_column(default="", server_default="")  # of a reversal
    made_at: Mapped[datetime] = mapped_column(Instant())
    made_by_id: Mapped[int | None] = refer("staff", null=True)
    exported_at: Mapped[datetime | None] = mapped_column(Instant())
    exported_by_id: Mapped[int | None] = refer("staff", null=True)

    made_by: Mapped[Staff | None] = relationship(foreign_keys=[made_by_id])
    exported_by: Mapped[Staff | None] = relationship(foreign_keys=[exported_by_id])
    reverses: Mapped[Voucher | None] = relationship(remote_side="Voucher.id")

    def __str__(self) -> str:
        return self.number


class VoucherLine(Row, Model):
    """A debit or credit of a voucher; below zero (in red) where it takes back an earlier one (M12)."""

    __tablename__ = "voucher_line"
    __table_args__ = (
        one_of("use", USES, "voucher_line_use_known"),
        CheckConstraint("(debit = 0) <> (credit = 0)", name="voucher_line_debit_or_credit"),
        UniqueConstraint("voucher_id", "position", name="voucher_line_position_once"),
    )

    voucher_id: Mapped[int] = refer("voucher")
    position: Mapped[int] = mapped_column(Integer)
    use: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(40))
    account_name: Mapped[str] = mapped_column(String(120))
    debit: Mapped[Decimal] = mapped_column(Money())
    credit: Mapped[Decimal] = mapped_column(Money())
    unit_id: Mapped[int | None] = refer("unit", null=True)
    payer_id: Mapped[int | None] = refer("owner", null=True)
    building_id: Mapped[int | None] = refer("building", null=True)

    voucher: Mapped[Voucher] = relationship()
    unit: Mapped[Unit | None] = relationship()
    payer: Mapped[Owner | None] = relationship()
    building: Mapped[Building | None] = relationship()


class VoucherSource(Row, Model):
    """A document that a voucher books; in one voucher at most that is not reversed (M12)."""

    __tablename__ = "voucher_source"
    __table_args__ = (
        one_of("source", SOURCES, "voucher_source_known"),
        Index("voucher_source_voucher_idx", "voucher_id"),
        Index(
            "voucher_source_in_one_voucher",
            "source",
            "source_id",
            unique=True,
            sqlite_where=text("is_live"),
            postgresql_where=text("is_live"),
        ),
    )

    voucher_id: Mapped[int] = refer("voucher")
    source: Mapped[str] = mapped_column(String(12))
    source_id: Mapped[int] = mapped_column(Id)
    is_live: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")

    voucher: Mapped[Voucher] = relationship()


class DeferredIncome(Row, Model):
    """Income of a line moved to a month of service, below zero out of it; Σ is what waits (M12)."""

    __tablename__ = "deferred_income"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="deferred_income_not_zero"),
        Index("deferred_income_month_idx", "month", "invoice_line_id"),
        Index("deferred_income_voucher_idx", "voucher_id"),
        Index("deferred_income_line_idx", "invoice_line_id"),
    )

    voucher_id: Mapped[int] = refer("voucher")
    invoice_line_id: Mapped[int] = refer("invoice_line")
    month: Mapped[str] = mapped_column(String(7))
    amount: Mapped[Decimal] = mapped_column(Money())

    voucher: Mapped[Voucher] = relationship()
    invoice_line: Mapped[InvoiceLine] = relationship()
