"""Bills of a period that are taken back before they have left the house (B21)."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import EditableRow, Model, Money, Row, one_of, refer
from models.billing import CreditNote, Invoice
from models.decisions import REQUEST_STATES, AskedFor
from models.property import UNIT_KINDS
from rules.pools import PoolScope

SCOPES = tuple(scope.value for scope in PoolScope)


class TakeBack(AskedFor, EditableRow, Model):
    """Bills that somebody asks to have taken back; another person decides (B21).

    Asked for: so many `bills` of so much `amount`. Once approved, the two say what was taken back, and
    `left_out` which bills of the same choice stay, and why: JSON [{number, unit_code, reason}].
    """

    __tablename__ = "take_back"
    __table_args__ = (
        one_of("state", REQUEST_STATES, "take_back_state_known"),
        one_of("scope", SCOPES, "take_back_scope_known"),
        one_of("unit_kind", ("", *UNIT_KINDS), "take_back_unit_kind_known"),
        CheckConstraint("asked_by_id <> decided_by_id", name="take_back_takes_two_people"),
        CheckConstraint("bills >= 0 AND amount >= 0", name="take_back_not_negative"),
    )

    period: Mapped[str] = mapped_column(String(7), index=True)
    scope: Mapped[str] = mapped_column(String(10), default="estate", server_default="estate")
    scope_value: Mapped[str] = mapped_column(default="", server_default="")  # names, `;` between them
    unit_kind: Mapped[str] = mapped_column(String(20), default="", server_default="")  # empty: any
    reason: Mapped[str] = mapped_column()
    bills: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    amount: Mapped[Decimal] = mapped_column(Money(), default=0, server_default="0")
    left_out: Mapped[str] = mapped_column(default="[]", server_default="[]")


class TakenBill(Row, Model):
    """A bill that was taken back, with the credit note that took it back in full (B21)."""

    __tablename__ = "taken_bill"

    take_back_id: Mapped[int] = refer("take_back", index=True)
    invoice_id: Mapped[int] = refer("invoice", unique=True)
    credit_note_id: Mapped[int] = refer("credit_note", unique=True)

    take_back: Mapped[TakeBack] = relationship()
    invoice: Mapped[Invoice] = relationship()
    credit_note: Mapped[CreditNote] = relationship()
