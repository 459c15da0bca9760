"""What several documents carry; plain values without a database behind them. Money is decimal yuan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


class DocumentRefused(ValueError):  # noqa: N818 -- says what happened; "Error" would say less
    """A document that must not be printed; `code` says why, for wording on a higher floor."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class EstateDetails:
    """The letterhead and the ways to pay of P1; `time_zone` as in `Asia/Shanghai`, `word_set` a code."""

    name: str
    time_zone: str
    address: str = ""
    phone: str = ""
    office_hours: str = ""
    currency: str = "¥"
    ways_to_pay: tuple[str, ...] = ()
    word_set: str = "mainland"


@dataclass(frozen=True)
class Recipient:
    name: str
    unit_code: str
    address: str = ""


@dataclass(frozen=True)
class ChargeLine:
    """One line of a bill: quantity × rate = amount (B5)."""

    item: str
    amount: Decimal
    quantity: Decimal | None = None
    rate: Decimal | None = None
    unit: str = ""
    explanation: str = ""


@dataclass(frozen=True)
class PastReminder:
    """That a debtor was reminded on a day; `way` is a channel or a method of contact."""

    on: date
    way: str


@dataclass(frozen=True)
class DebtLine:
    """What is open of one invoice; `period` is `YYYY-MM`."""

    invoice_number: str
    period: str
    due_on: date
    amount: Decimal
    late_fee: Decimal = Decimal(0)
