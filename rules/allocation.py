"""Which debts a payment pays, in which order, down to lines of bills; what is left as credit (M1, M8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Literal, Protocol, TypeVar

from rules.money import ZERO, MoneyError, shared_out
from rules.policy_values import Checked, FeeItemCode


class Dated(Protocol):
    """A bill as what its age depends on."""

    @property
    def number(self) -> str: ...
    @property
    def due_on(self) -> date: ...


Bill = TypeVar("Bill", bound=Dated)


Rank = tuple[int, int, int]  # the lower is paid first
FIRST, OTHERS, DEPOSITS = range(3)  # tiers of ranks


@dataclass(frozen=True)
class AllocationPolicy(Checked):
    """What a payment pays first inside a bill, and what prepaid credit for an item may pay besides (M8, M10).

    The items named first are paid first, in their order; the others in the order of the bill's lines, or in
    proportion to what is open of each; refundable deposits last. Items to be paid whole are paid in full or
    not at all.
    """

    inside_bill: Literal["in_order", "in_proportion"] = "in_order"
    first_items: tuple[FeeItemCode, ...] = ()
    whole_items: tuple[FeeItemCode, ...] = ()
    is_disputed_paid_by_earmarked: bool = False
    is_late_fee_paid_by_earmarked: bool = False

    def rank(self, item: str, place: int, *, is_deposit: bool) -> Rank:
        """When the line at a place of its bill is paid; lines of one rank share what comes."""
        if item in self.first_items:
            return FIRST, self.first_items.index(item), place
        if is_deposit:
            return DEPOSITS, 0, place
        is_shared = self.inside_bill == "in_proportion" and item not in self.whole_items
        return OTHERS, 0, -1 if is_shared else place


@dataclass(slots=True)
class OpenLine:
    """A line of an invoice with what is open on it in yuan; one that `is_whole` is never paid in part."""

    id: int
    open: Decimal
    rank: Rank = (OTHERS, 0, 0)
    is_whole: bool = False
    fee_item_id: int | None = None


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice with what is open on it in yuan, the late fee apart; Σ of its lines is the principal."""

    number: str
    due_on: date
    principal: Decimal
    late_fee: Decimal = ZERO
    lines: Sequence[OpenLine] = ()

    @property
    def balance(self) -> Decimal:
        return self.principal + self.late_fee


@dataclass(frozen=True)
class Pick:
    """A cashier's choice: this invoice next, or one line of it; all of that or so many yuan."""

    number: str
    amount: Decimal | None = None
    line_id: int | None = None


@dataclass(frozen=True)
class Allocation:
    """What one invoice gets of a payment, in yuan; `lines` are the parts of the principal by line id."""

    number: str
    principal: Decimal
    late_fee: Decimal = ZERO
    lines: tuple[tuple[int, Decimal], ...] = ()

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
    """The cashier picked an invoice or a line that is not open; its text is the number of the invoice."""


class PaidWholeError(ValueError):
    """The cashier picked a part of what is paid whole or not at all; `open` is the whole in yuan."""

    def __init__(self, number: str, line_id: int, whole: Decimal) -> None:
        super().__init__(number)
        self.number, self.line_id, self.whole = number, line_id, whole


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


def laid_on(amount: Decimal, lines: Sequence[OpenLine]) -> list[tuple[int, Decimal]]:
    """What each line gets of an amount in yuan, by rank; what no line takes is not laid (M8)."""
    left, laid = amount, []
    for _, of_rank in groupby(sorted(lines, key=_RANK), _RANK):
        sharing = [line for line in of_rank if line.open > 0 and not (line.is_whole and line.open > left)]
        parts = [line.open for line in sharing]
        if (whole := sum(parts, ZERO)) > left:
            parts = list(shared_out(left, parts)) if len(parts) > 1 else [left]
            whole = left
        laid += [(line.id, part) for line, part in zip(sharing, parts, strict=True) if part]
        left -= whole
        if not left:
            break
    return laid


_RANK = attrgetter("rank")


@dataclass(frozen=True)
class BilledLine:
    """A line of an invoice with its running totals in yuan."""

    id: int
    fee_item_id: int
    is_deposit: bool
    amount: Decimal
    credited: Decimal
    paid: Decimal

    @property
    def creditable(self) -> Decimal:
        return self.amount - self.credited


def credited_on(amount: Decimal, lines: Sequence[BilledLine]) -> dict[int, Decimal]:
    """What a credit note takes off each line, in yuan by line id (B5).

    First what is open, then what is paid, each in proportion; refundable deposits after all other lines.
    """
    found: dict[int, Decimal] = {}
    left = amount
    for is_deposit in (False, True):
        some = [line for line in lines if line.is_deposit is is_deposit]
        for rooms in ([line.creditable - line.paid for line in some], [line.paid for line in some]):
            taken = min(left, sum(rooms, ZERO))
            if taken:
                for line, part in zip(some, shared_out(taken, rooms), strict=True):
                    if part:
                        found[line.id] = found.get(line.id, ZERO) + part
                left -= taken
    return found


@dataclass(slots=True)
class _Bill:
    """An invoice while a payment is laid out: what is still open on it, and what it got by now."""

    invoice: OpenInvoice
    principal: Decimal
    late_fee: Decimal
    lines: list[OpenLine]
    got: dict[int, Decimal] = field(default_factory=dict)

    def take(self, amount: Decimal, line_id: int | None) -> Decimal:
        """Take as much of an amount as may be, principal before late fee; answers what was taken."""
        lines = [line for line in self.lines if line_id in {None, line.id}]
        if line_id is not None and not any(line.open > 0 for line in lines):
            raise UnknownPickError(self.invoice.number)
        if not self.invoice.lines:
            principal = min(amount, self.principal)
        else:
            parts = dict(laid_on(amount, lines))
            for line in lines:
                if part := parts.get(line.id):
                    line.open -= part
                    self.got[line.id] = self.got.get(line.id, ZERO) + part
            principal = sum(parts.values(), ZERO)
        if line_id is not None and not principal and lines[0].is_whole:
            raise PaidWholeError(self.invoice.number, line_id, lines[0].open)
        self.principal -= principal
        late_fee = min(amount - principal, self.late_fee) if line_id is None and not self.principal else ZERO
        self.late_fee -= late_fee
        return principal + late_fee

    @property
    def allocation(self) -> Allocation:
        return Allocation(
            self.invoice.number,
            self.invoice.principal - self.principal,
            self.invoice.late_fee - self.late_fee,
            tuple(self.got.items()),
        )


def allocate(amount: Decimal, invoices: Sequence[OpenInvoice], picks: Sequence[Pick] = ()) -> Allocated:
    """How `amount` yuan pays the open invoices, in the order it pays them; what is over is credit (M1, M8).

    On each invoice the principal comes before its late fee, the lines in the order of their ranks. Picked
    invoices and lines are paid first, in the picked order; what the picks leave goes on by age. Raises
    MoneyError (`negative`), UnknownPickError and PaidWholeError.
    """
    if not amount.is_finite() or amount < 0:
        raise MoneyError("negative" if amount.is_finite() else "not_finite", amount)
    open_now = {one.number: one for one in invoices}
    paid: dict[str, _Bill] = {}
    left = amount
    for number, wanted, line_id in _turns(open_now, picks):
        if not left and line_id is None:
            continue
        bill = paid.get(number) or _opened(open_now[number])
        taken = bill.take(left if wanted is None else min(left, wanted), line_id)
        if taken:
            paid[number] = bill
            left -= taken
    return Allocated(tuple(bill.allocation for bill in paid.values()), left)


def _opened(invoice: OpenInvoice) -> _Bill:
    lines = [replace(line) for line in invoice.lines]
    return _Bill(invoice, max(invoice.principal, ZERO), max(invoice.late_fee, ZERO), lines)


def _turns(
    open_now: dict[str, OpenInvoice], picks: Sequence[Pick]
) -> Iterable[tuple[str, Decimal | None, int | None]]:
    for pick in picks:
        if pick.number not in open_now:
            raise UnknownPickError(pick.number)
        if pick.amount is not None and pick.amount <= 0:
            raise MoneyError("negative", pick.amount)
        yield pick.number, pick.amount, pick.line_id
    for invoice in by_age(open_now.values()):
        yield invoice.number, None, None
