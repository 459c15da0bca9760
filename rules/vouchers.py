"""Vouchers for the ledger: what bills, credits and money debit and credit, balanced to the fen (M12).

Amounts are yuan. A posting's amount is a debit above zero and a credit below. Prices include tax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from rules.billing import Period
from rules.money import ZERO, rounded, shared_out


class Use(StrEnum):
    """What an account is for: an item's income, money by a method, or one of the rest."""

    ITEM = "item"
    METHOD = "method"
    RECEIVABLE = "receivable"
    ADVANCES = "advances"
    DEFERRED = "deferred"
    LATE_FEE = "late_fee"
    OUTPUT_TAX = "output_tax"


class Auxiliary(StrEnum):
    """By what the lines of an account are kept apart."""

    NONE = "none"
    UNIT = "unit"
    PAYER = "payer"
    UNIT_PAYER = "unit_payer"
    BUILDING = "building"


class VoucherKind(StrEnum):
    """What a voucher books; all documents of one kind and day stand in one voucher."""

    BILLS = "bills"
    CREDITS = "credits"
    RECEIPTS = "receipts"
    OFFSETS = "offsets"  # credit from earlier that pays a bill
    GIVEN_BACK = "given_back"  # money voided, reversed, refunded, or taken off a bill again
    INCOME = "income"  # what was billed ahead, in its month of service
    REVERSAL = "reversal"  # of a voucher


IN_RED = frozenset({VoucherKind.CREDITS, VoucherKind.GIVEN_BACK})  # booked as the first entry, below zero


@dataclass(frozen=True)
class Account:
    """An account of the ledger with the tax that its prices include (0.06 is 6 %)."""

    use: Use
    code: str
    name: str
    tax_rate: Decimal = ZERO
    auxiliary: Auxiliary = Auxiliary.NONE


@dataclass(frozen=True)
class Party:
    """Whose money a posting is."""

    unit_id: int
    payer_id: int
    building_id: int


@dataclass(frozen=True)
class Key:
    """What keeps lines of one voucher apart."""

    use: Use
    account: str
    account_name: str
    unit_id: int | None = None
    payer_id: int | None = None
    building_id: int | None = None


@dataclass(frozen=True)
class Entry:
    """One line of a voucher: a debit or a credit; below zero where it takes an earlier one back."""

    key: Key
    debit: Decimal = ZERO
    credit: Decimal = ZERO


@dataclass(frozen=True)
class BilledLine:
    """A line of a bill: its amount in yuan and the days that it charges for, none where for no time."""

    id: int
    account: Account
    amount: Decimal
    service_from: date | None = None
    service_to: date | None = None


@dataclass(frozen=True)
class Deferral:
    """Income of a line that is moved to a month of service, or below zero out of it."""

    line_id: int
    month: str
    amount: Decimal


@dataclass(frozen=True)
class LineValue:
    """A line without its tax, and the tax."""

    net: Decimal
    tax: Decimal


Postings = dict[Key, Decimal]


def included_tax(amount: Decimal, rate: Decimal) -> Decimal:
    """The tax that a price includes: amount × rate ÷ (1 + rate), half-up to the fen."""
    return rounded(Fraction(amount) * Fraction(rate) / (1 + Fraction(rate)))


def line_values(lines: Sequence[BilledLine]) -> list[LineValue]:
    """The lines of one bill without tax: per rate the tax of their sum, shared by the largest remainder."""
    found = [LineValue(line.amount, ZERO) for line in lines]
    for rate in {line.account.tax_rate for line in lines if line.account.tax_rate}:
        places = [place for place, line in enumerate(lines) if line.account.tax_rate == rate]
        amounts = [lines[place].amount for place in places]
        if not (whole := sum(amounts, ZERO)):
            continue
        for place, tax in zip(places, shared_out(included_tax(whole, rate), amounts), strict=True):
            found[place] = LineValue(lines[place].amount - tax, tax)
    return found


def service_parts(amount: Decimal, first: date | None, last: date | None, at: str) -> dict[str, Decimal]:
    """An amount by month of service, whole months alike, parts of months by their days; Σ = the amount.

    What is charged for no time belongs to the month `at`.
    """
    if first is None or last is None or last < first:
        return {at: amount}
    months, weights = [], []
    month = Period.of(first)
    while month.first_on <= last:
        days = (min(last, month.last_on) - max(first, month.first_on)).days + 1
        months.append(str(month))
        weights.append(Decimal(days) / month.days)
        month = month.plus(1)
    return dict(zip(months, shared_out(amount, weights), strict=True))


def key_of(account: Account, of: Party) -> Key:
    """Where a party's amount stands: kept apart by what the account asks for."""
    return Key(
        account.use,
        account.code,
        account.name,
        of.unit_id if account.auxiliary in {Auxiliary.UNIT, Auxiliary.UNIT_PAYER} else None,
        of.payer_id if account.auxiliary in {Auxiliary.PAYER, Auxiliary.UNIT_PAYER} else None,
        of.building_id if account.auxiliary is Auxiliary.BUILDING else None,
    )


def add(postings: Postings, account: Account, of: Party, amount: Decimal) -> None:
    """Debit an account by an amount, credit it where that is below zero."""
    if amount:
        key = key_of(account, of)
        postings[key] = postings.get(key, ZERO) + amount


@dataclass(frozen=True)
class BillAccounts:
    """The accounts that a bill needs besides those of its items."""

    receivable: Account
    deferred: Account
    output_tax: Account


def book_bill(
    postings: Postings, lines: Sequence[BilledLine], accounts: BillAccounts, of: Party, month: str
) -> list[Deferral]:
    """Book a bill in a month: the receivable against income, tax, and income of months to come."""
    found: list[Deferral] = []
    for line, value in zip(lines, line_values(lines), strict=True):
        parts = service_parts(value.net, line.service_from, line.service_to, month)
        ahead = frozenset((line.id, at) for at in parts if at > month)
        found += _book_parts(postings, line, _signed(parts, -1), accounts.deferred, of, ahead)
        add(postings, accounts.output_tax, of, -value.tax)
        add(postings, accounts.receivable, of, line.amount)
    return found


def book_credit(
    postings: Postings,
    before: Sequence[BilledLine],
    after: Sequence[BilledLine],
    accounts: BillAccounts,
    of: Party,
    month: str,
    deferred: frozenset[tuple[int, str]],
) -> list[Deferral]:
    """Book a credit note: a bill's lines before it and after it, as a bill below zero.

    `deferred` are the lines and months whose income still waits; from the others it is taken away.
    """
    found: list[Deferral] = []
    for one, other, old, new in zip(before, after, line_values(before), line_values(after), strict=True):
        days = (one.service_from, one.service_to)
        parts = service_parts(old.net, *days, month)
        for at, part in service_parts(new.net, *days, month).items():
            parts[at] -= part
        found += _book_parts(postings, one, parts, accounts.deferred, of, deferred)
        add(postings, accounts.output_tax, of, old.tax - new.tax)
        add(postings, accounts.receivable, of, other.amount - one.amount)
    return found


def _signed(parts: Mapping[str, Decimal], sign: int) -> dict[str, Decimal]:
    return {month: sign * part for month, part in parts.items()}


def _book_parts(
    postings: Postings,
    line: BilledLine,
    parts: Mapping[str, Decimal],
    later: Account,
    of: Party,
    deferred: frozenset[tuple[int, str]],
) -> Iterable[Deferral]:
    """Debit a line's income by month, and the account of income to come where a month is deferred."""
    found = []
    for month, part in parts.items():
        if (line.id, month) in deferred and part:
            add(postings, later, of, part)
            found.append(Deferral(line.id, month, -part))
        else:
            add(postings, line.account, of, part)
    return found


def book_receipt(postings: Postings, method: Account, advances: Account, of: Party, amount: Decimal) -> None:
    """Book money received as its payer's advance; below zero money that went back."""
    add(postings, method, of, amount)
    add(postings, advances, of, -amount)


def book_allocation(
    postings: Postings, advances: Account, paid: Sequence[tuple[Account, Decimal]], payer: Party, bill: Party
) -> None:
    """Book what a payer's advance pays of a bill: its receivable, or a late fee with its tax."""
    for account, amount in paid:
        add(postings, advances, payer, amount)
        add(postings, account, bill, -amount)


def late_fee_tax(before: Decimal, amount: Decimal, rate: Decimal) -> Decimal:
    """The tax of a late fee paid on top of what of that bill's was paid before; the whole is rounded once."""
    return included_tax(before + amount, rate) - included_tax(before, rate)


def book_income(postings: Postings, income: Account, deferred: Account, of: Party, amount: Decimal) -> None:
    """Book income of a month of service that was billed before it."""
    add(postings, deferred, of, amount)
    add(postings, income, of, -amount)


def balanced(postings: Mapping[Key, Decimal], *, is_red: bool = False) -> list[Entry]:
    """The lines of a voucher, debits first; nothing stands where debits and credits cancel out.

    Raises ValueError where they don't balance.
    """
    if sum(postings.values(), ZERO):
        raise ValueError(f"debits and credits differ by {sum(postings.values(), ZERO)} yuan")
    sign = -1 if is_red else 1
    debits = [Entry(key, debit=amount) for key, amount in postings.items() if sign * amount > 0]
    owed = [Entry(key, credit=-amount) for key, amount in postings.items() if sign * amount < 0]
    return debits + owed
