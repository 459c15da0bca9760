"""Which debts a payment pays, in which order, and what is left as credit (M1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

from rules.money import ZERO, MoneyError


class Dated(Protocol):
    """A bill as what its age depends on."""

    @property
    def number(self) -> str: ...
    @property
    def due_on(self) -> date: ...


Bill = TypeVar("Bill", bound=Dated)


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice with what is open on it in yuan, the late fee apart."""

    number: str
    due_on: date
    principal: Decimal
    late_fee: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        return self.principal + self.late_fee


@dataclass(frozen=True)
class Pick:
    """A cashier's choice: this invoice next, all of it or so many yuan."""

    number: str
    amount: Decimal | None = None


@dataclass(frozen=True)
class Allocation:
    """What one invoice gets of a payment, in yuan."""

    number: str
    principal: Decimal
    late_fee: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        return self.principal + self.late_fee


@dataclass(frozen=True)
class Allocated:
    """A payment laid out: Σ allocations + credit = its amount."""

    allocations: tuple[Allocation, ...]
    credit: Decimal

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.allocations), ZERO)


class UnknownPickError(ValueError):
    """The cashier picked an invoice that is not open."""


def number_key(number: str) -> tuple[tuple[int, int, str], ...]:
    """The order of invoice numbers: digits as whole numbers, so 9 comes before 10."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", number)
        if part
    )


def by_age(invoices: Iterable[Bill]) -> list[Bill]:
    """Oldest due date first, then the lowest number (contract "Allocation")."""
    found = invoices if isinstance(invoices, list) else list(invoices)
    return found if len(found) < 2 else sorted(found, key=lambda one: (one.due_on, number_key(one.number)))


def allocate(amount: Decimal, invoices: Sequence[OpenInvoice], picks: Sequence[Pick] = ()) -> Allocated:
    """How `amount` yuan pays the open invoices, in the order it pays them; what is over is credit (M1).

    On each invoice the principal comes before its late fee. Picked invoices are paid first, in the picked
    order; what the picks leave goes on by age. Raises MoneyError (`negative`) and UnknownPickError.
    """
    if not amount.is_finite() or amount < 0:
        raise MoneyError("negative" if amount.is_finite() else "not_finite", amount)
    open_now = {one.number: one for one in invoices}
    paid: dict[str, Allocation] = {}
    left = amount
    for number, wanted in _turns(open_now, picks):
        before = paid.get(number, Allocation(number, ZERO))
        room = open_now[number].balance - before.amount
        part = min(left, max(room, ZERO), room if wanted is None else wanted)
        if part > 0:
            paid[number] = _with(before, part, open_now[number])
            left -= part
    return Allocated(tuple(paid.values()), left)


def _turns(open_now: dict[str, OpenInvoice], picks: Sequence[Pick]) -> Iterable[tuple[str, Decimal | None]]:
    for pick in picks:
        if pick.number not in open_now:
            raise UnknownPickError(pick.number)
        if pick.amount is not None and pick.amount <= 0:
            raise MoneyError("negative", pick.amount)
        yield pick.number, pick.amount
    for invoice in by_age(open_now.values()):
        yield invoice.number, None


def _with(before: Allocation, part: Decimal, invoice: OpenInvoice) -> Allocation:
    principal = min(part, invoice.principal - before.principal)
    return Allocation(before.number, before.principal + principal, before.late_fee + part - principal)
