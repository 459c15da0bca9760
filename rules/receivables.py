"""What is owed on issued invoices, and how payments, credits and late fees change it (M1, M6, B7, C13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from rules.allocation import OpenInvoice, Pick, allocate
from rules.late_fee import LateFee, LateFeePolicy, Reduction, late_fee
from rules.money import ZERO


@dataclass
class Receivable:
    """An issued invoice with its running totals in yuan; changed in memory, then written once.

    `reductions` (principal paid or credited, by day) and `waived` count only where late fees are charged.
    """

    id: int
    number: str
    unit_id: int
    payer_id: int
    due_on: date
    amount: Decimal
    credited: Decimal
    late_fee: Decimal
    paid: Decimal
    paid_late_fee: Decimal
    state: str
    reductions: list[Reduction] = field(default_factory=list)
    waived: Decimal = ZERO

    @property
    def principal(self) -> Decimal:
        """What is open of the amount."""
        return self.amount - self.credited - (self.paid - self.paid_late_fee)

    @property
    def balance(self) -> Decimal:
        return self.amount + self.late_fee - self.credited - self.paid

    @property
    def creditable(self) -> Decimal:
        """What a credit note may still take off the amount."""
        return self.amount - self.credited

    def settled_state(self, *, is_credited: bool = False) -> str:
        """`open`, `partly_paid`, `paid`, or `credited` when a credit note cleared it."""
        if self.balance == 0:
            return "credited" if is_credited or (self.paid == 0 and self.credited) else "paid"
        return "partly_paid" if self.paid else "open"

    def gross_late_fee(self, policy: LateFeePolicy, on: date) -> LateFee:
        """The late fee to the end of a day before waivers, with how it came about."""
        return late_fee(policy, self.amount, self.due_on, self.reductions, on)

    def late_fee_owed(self, policy: LateFeePolicy, on: date, *also: Reduction) -> Decimal:
        """The late fee to the end of a day less what was waived; never below what of it was paid."""
        fee = late_fee(policy, self.amount, self.due_on, [*self.reductions, *also], on)
        return max(fee.amount - self.waived, self.paid_late_fee, ZERO)

    def late_fee_if_paid(self, policy: LateFeePolicy, on: date) -> Decimal:
        """The late fee if everything open is paid on that day: the day itself isn't charged."""
        if not policy.is_on or self.due_on >= on:
            return self.late_fee
        return self.late_fee_owed(policy, on, Reduction(on, self.principal))

    def open_late_fee_if_paid(self, policy: LateFeePolicy, on: date) -> Decimal:
        """What of that late fee is not paid yet."""
        return self.late_fee_if_paid(policy, on) - self.paid_late_fee

    def accrue(self, policy: LateFeePolicy, today: date) -> None:
        """Set the late fee to what it is at the end of today."""
        if policy.is_on:
            self.late_fee = self.late_fee_owed(policy, today)

    def pay(self, principal: Decimal, late_fee: Decimal, on: date) -> None:
        """Add a paid part; negative amounts give it back."""
        self.paid += principal + late_fee
        self.paid_late_fee += late_fee
        if principal:
            self.reductions.append(Reduction(on, principal))


@dataclass(frozen=True)
class PaidPart:
    """What a payment pays of one receivable, in yuan; negative when it is given back."""

    receivable: Receivable
    principal: Decimal
    late_fee: Decimal


def pay_receivables(
    amount: Decimal,
    among: Sequence[Receivable],
    policy: LateFeePolicy,
    paid_on: date,
    picks: Sequence[Pick] = (),
) -> tuple[list[PaidPart], Decimal]:
    """Pay open receivables with an amount in yuan; answers the parts and what is left as credit (M1).

    The late fee of each receivable counts as of the day of payment. The receivables are changed; those that
    get nothing keep their late fee. Raises MoneyError and UnknownPickError.
    """
    by_number = {one.number: one for one in among}
    fees = {one.number: one.late_fee_if_paid(policy, paid_on) for one in among}
    owed = []
    for one in among:
        fee = fees[one.number]
        if one.principal + fee - one.paid_late_fee > 0:
            owed.append(
                OpenInvoice(one.number, one.due_on, one.principal, max(fee - one.paid_late_fee, ZERO))
            )
    allocated = allocate(amount, owed, picks)
    parts = []
    for share in allocated.allocations:
        receivable = by_number[share.number]
        receivable.late_fee = fees[share.number]
        receivable.pay(share.principal, share.late_fee, paid_on)
        parts.append(PaidPart(receivable, share.principal, share.late_fee))
    return parts, allocated.credit


@dataclass(frozen=True)
class PaidEarlier:
    """What one payment has paid of a receivable's principal or late fee (`part`), in yuan."""

    payment_id: int
    receivable: Receivable
    part: str
    amount: Decimal


def give_back(
    paid: Sequence[PaidEarlier], amount: Decimal, policy: LateFeePolicy, today: date
) -> list[tuple[int, PaidPart]]:
    """Take `amount` yuan back from receivables in the order given; answers (payment, negative part) (M6)."""
    given: list[tuple[int, PaidPart]] = []
    left = amount
    for one in paid:
        back = min(left, one.amount)
        if not back:
            break
        principal, fee = (back, ZERO) if one.part == "principal" else (ZERO, back)
        one.receivable.pay(-principal, -fee, today)
        given.append((one.payment_id, PaidPart(one.receivable, -principal, -fee)))
        left -= back
    for _, part in given:
        part.receivable.accrue(policy, today)
    return given
