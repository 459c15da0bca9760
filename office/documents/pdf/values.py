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
class OwnersContract:
    """The company's contract with the owners, and which clause of it says what (D1); empty where unknown."""

    name: str = ""
    number: str = ""
    signed_on: date | None = None
    fees_clause: str = ""
    late_fees_clause: str = ""
    restrictions_clause: str = ""


@dataclass(frozen=True)
class CodeToPay:
    """The company's own code to pay by (收款码, D8): `way` as in `rules.codes`, a PNG in base64."""

    way: str
    picture: str


@dataclass(frozen=True)
class EstateDetails:
    """The estate and who manages it, in the language of a paper (P1, D1).

    `name` is the place, `creditor` who is owed. `currency` is its sign, `currency_code` as in `CNY`;
    `time_zone` as in `Asia/Shanghai`, `word_set` a code. What the office has not filled in is empty.
    """

    name: str
    time_zone: str
    address: str = ""
    phone: str = ""
    office_hours: str = ""
    currency: str = "¥"
    ways_to_pay: tuple[str, ...] = ()
    word_set: str = "mainland"
    currency_code: str = "CNY"
    company_name: str = ""
    registration_no: str = ""
    registered_address: str = ""
    legal_representative: str = ""
    licence: str = ""
    contract: OwnersContract = OwnersContract()
    codes_to_pay: tuple[CodeToPay, ...] = ()

    @property
    def creditor(self) -> str:
        """The company, a person in law; the estate's name until the office has said who that is."""
        return self.company_name or self.name


@dataclass(frozen=True)
class Recipient:
    name: str
    unit_code: str
    address: str = ""
    phone: str = ""
    id_number: str = ""  # masked in the file


@dataclass(frozen=True)
class LateFeeTerms:
    """What a late fee is reckoned by: rate a day, days of grace, cap as a part of the bill (B7)."""

    daily_rate: Decimal
    grace_days: int
    cap_rate: Decimal | None = None


@dataclass(frozen=True)
class EarlierPaper:
    """A paper that another one rests on, by the title, number and day that it bears."""

    title: str
    number: str
    on: date


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
    """What is open of one invoice; `period` is `YYYY-MM`, `days` those its late fee was charged for.

    `unit_code` stands on papers about several units (C19).
    """

    invoice_number: str
    period: str
    due_on: date
    amount: Decimal
    late_fee: Decimal = Decimal(0)
    days: int = 0
    unit_code: str = ""
