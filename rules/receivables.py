"""What is owed on issued invoices, and how payments, credits and late fees change it (M1, M6, B7, C13)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from rules.allocation import OpenInvoice, OpenLine, Pick, allocate
from rules.late_fee import DAY, LateFee, LateFeePolicies, LateFeePolicy, Reduction, late_fee, together
from rules.money import ZERO


@dataclass(frozen=True)
class Owed:
    """What is open on a day, in yuan: principal and late fee, each without the other (D2)."""

    principal: Decimal = ZERO
    late_fee: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.principal + self.late_fee

    def __add__(self, other: Owed) -> Owed:
        return Owed(self.principal + other.principal, self.late_fee + other.late_fee)


@dataclass
class Apart:
    """Lines of a bill whose late fee is reckoned apart: of an item, or (without one) that bear none (B22).

    `lines` are their ids, the sums yuan; what lowers them as in Receivable.
    """

    item: str
    amount: Decimal = ZERO
    lines: set[int] = field(default_factory=set)
    reductions: list[Reduction] = field(default_factory=list)
    errors: list[Reduction] = field(default_factory=list)

    def owed(self, known_on: date) -> Decimal:
        return self.amount - sum_until(known_on, self.errors)

    def lower(self, on: date, lines: Mapping[int, Decimal], *, is_error: bool = False) -> None:
        """Note what of a payment or credit note lies on these lines."""
        amount = sum((amount for line, amount in lines.items() if line in self.lines), ZERO)
        if amount:
            (self.errors if is_error else self.reductions).append(Reduction(on, amount))


@dataclass
class Receivable:
    """An issued invoice with its running totals in yuan; changed in memory, then written once.

    Its history counts where late fees are charged, and for a day that has passed: `reductions` (principal
    paid, or credited as goodwill), `errors` (principal that was never owed, by the day of its credit note),
    `fees_paid`, and `waivers` of late fees. The open `lines` are known where money is laid on it, or taken
    off (M8).
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
    errors: list[Reduction] = field(default_factory=list)
    fees_paid: list[Reduction] = field(default_factory=list)
    waivers: list[Reduction] = field(default_factory=list)
    lines: list[OpenLine] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)

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

    def gross_late_fee(self, policy: LateFeePolicy, on: date, *, known_on: date = date.max) -> LateFee:
        """The late fee as it stands on a day, before waivers, with how it came about.

        The days before it are charged, itself not: who pays on a day owes nothing for that day. What a credit
        note took off as an error never caused a fee, as far as it was known by `known_on`.
        """
        owed, reductions = self.amount - sum_until(known_on, self.errors), self.reductions
        parts = []
        for one in self.apart:
            terms = policy.of_item(one.item) if one.item else None
            if one.item and terms is None:
                continue
            owed -= one.owed(known_on)
            reductions = [*reductions, *(Reduction(each.on, -each.amount) for each in one.reductions)]
            if terms is not None:
                of_item = (one.owed(known_on), self.due_on, one.reductions, on - DAY, one.item)
                parts.append(late_fee(terms, *of_item))
        fee = late_fee(policy, owed, self.due_on, reductions, on - DAY)
        return together([fee, *parts]) if parts else fee

    def late_fee_on(self, policy: LateFeePolicy, on: date) -> Decimal:
        """The late fee as it stands on a day, less what was waived; never below what of it was paid.

        Where the policy is off, what was charged before stays.
        """
        return self._late_fee(policy, on, self.paid_late_fee)

    def late_fee_overpaid(self, policy: LateFeePolicy, on: date) -> Decimal:
        """What was paid of a late fee that a credit note for an error took away."""
        return max(self.paid_late_fee - self._late_fee(policy, on, ZERO), ZERO)

    def _late_fee(
        self, policy: LateFeePolicy, on: date, paid: Decimal, *, known_on: date = date.max
    ) -> Decimal:
        if policy.is_on:
            gross = self.gross_late_fee(policy, on, known_on=known_on).amount
            charged = gross - sum_until(known_on, self.waivers)
        else:
            charged = self.late_fee + sum_after(known_on, self.waivers)
        return max(charged, paid, ZERO)

    def owed_on(self, policies: LateFeePolicies, on: date) -> Owed:
        """What is open on a day: paying it that day leaves 0.00 (D2).

        Of a day that has passed: as it stood at its end. What came later is put back, for which the history
        is needed.
        """
        paid = self.paid_late_fee - sum_after(on, self.fees_paid)
        principal = self.principal + sum_after(on, self.reductions) + sum_after(on, self.errors)
        return Owed(principal, self.charged_on(policies, on) - paid)

    def charged_on(self, policies: LateFeePolicies, on: date) -> Decimal:
        """The late fee that was charged by the end of a day, less what was waived by then; yuan."""
        paid = self.paid_late_fee - sum_after(on, self.fees_paid)
        if self.balance == 0 and on >= self.changed_on:  # it keeps the fee with which it was settled
            return self.late_fee
        if (charging := policies.charging(on)) is None:
            return max(paid, ZERO)
        policy, until = charging
        return self._late_fee(policy, until, paid, known_on=on)

    @property
    def changed_on(self) -> date:
        """The last day on which something was paid, credited or waived."""
        changes = (*self.reductions, *self.errors, *self.fees_paid, *self.waivers)
        return max((one.on for one in changes), default=date.min)

    def credit(
        self, amount: Decimal, on: date, *, is_error: bool, lines: Mapping[int, Decimal] | None = None
    ) -> None:
        """Take off what a credit note credits, of lines by id; an error as if never billed (B5)."""
        for line in self.lines:
            line.open -= (lines or {}).get(line.id, ZERO)
        for each in self.apart:
            each.lower(on, lines or {}, is_error=is_error)
        self.credited += amount
        (self.errors if is_error else self.reductions).append(Reduction(on, amount))

    def accrue(self, policy: LateFeePolicy, today: date) -> None:
        """Set the late fee to what it is today: paying it today leaves 0.00."""
        self.late_fee = self.late_fee_on(policy, today)

    def pay(
        self, principal: Decimal, late_fee: Decimal, on: date, lines: Iterable[tuple[int, Decimal]] = ()
    ) -> None:
        """Add a paid part, with what of its principal lies on lines; negative amounts give it back."""
        if lines:
            of_line = dict(lines)
            for line in self.lines:
                line.open -= of_line.get(line.id, ZERO)
            for each in self.apart:
                each.lower(on, of_line)
        self.paid += principal + late_fee
        self.paid_late_fee += late_fee
        if principal:
            self.reductions.append(Reduction(on, principal))
        if late_fee:
            self.fees_paid.append(Reduction(on, late_fee))


def sum_until(on: date, changes: Iterable[Reduction]) -> Decimal:
    """The sum of what changed by the end of a day, in yuan."""
    return sum((one.amount for one in changes if one.on <= on), ZERO)


def sum_after(on: date, changes: Iterable[Reduction]) -> Decimal:
    """The sum of what changed after a day, in yuan."""
    return sum((one.amount for one in changes if one.on > on), ZERO)


@dataclass(frozen=True)
class PaidPart:
    """What a payment pays of one receivable, in yuan; negative when it is given back.

    `lines` says what of the principal lies on which line of the bill, by line id.
    """

    receivable: Receivable
    principal: Decimal
    late_fee: Decimal
    lines: tuple[tuple[int, Decimal], ...] = ()


def pay_receivables(
    amount: Decimal,
    among: Sequence[Receivable],
    policy: LateFeePolicy,
    paid_on: date,
    picks: Sequence[Pick] = (),
    *,
    only_lines: Collection[int] | None = None,
    is_late_fee_paid: bool = True,
) -> tuple[list[PaidPart], Decimal]:
    """Pay open receivables with an amount in yuan; answers the parts and what is left as credit (M1).

    The late fee of each receivable counts as of the day of payment. Credit for an item pays `only_lines` (by
    line id), and the late fee only where it may and no other line is open. The receivables are changed; those
    that get nothing keep their late fee. Raises MoneyError, UnknownPickError and PaidWholeError.
    """
    by_number = {one.number: one for one in among}
    fees = {one.number: one.late_fee_on(policy, paid_on) for one in among}
    owed = []
    for one in among:
        fee = max(fees[one.number] - one.paid_late_fee, ZERO)
        principal, lines = one.principal, one.lines
        if only_lines is not None:
            lines = [line for line in one.lines if line.id in only_lines]
            principal = sum((line.open for line in lines), ZERO)
            if not is_late_fee_paid or not lines or principal < one.principal:
                fee = ZERO
        if principal + fee > 0:
            owed.append(OpenInvoice(one.number, one.due_on, principal, fee, lines))
    allocated = allocate(amount, owed, picks)
    parts = []
    for share in allocated.allocations:
        receivable = by_number[share.number]
        receivable.late_fee = fees[share.number]
        receivable.pay(share.principal, share.late_fee, paid_on, share.lines)
        parts.append(PaidPart(receivable, share.principal, share.late_fee, share.lines))
    return parts, allocated.credit


@dataclass(frozen=True)
class PaidEarlier:
    """What one payment has paid of a line of a receivable, or of its late fee (`part`), in yuan.

    `earmark_id` is the earmark from which it was paid, and to which it goes back (M10).
    """

    payment_id: int
    receivable: Receivable
    part: str
    amount: Decimal
    line_id: int | None = None
    earmark_id: int | None = None


@dataclass(frozen=True)
class GivenBack:
    """A negative part that goes back to a payment, and to the earmark of it from which it was paid."""

    payment_id: int
    part: PaidPart
    earmark_id: int | None = None


def give_back(
    paid: Sequence[PaidEarlier], amount: Decimal, policy: LateFeePolicy, today: date
) -> list[GivenBack]:
    """Take `amount` yuan back from receivables in the order given; one part for a payment and bill (M6)."""
    taken: dict[tuple[int, int, str, int | None], list[tuple[PaidEarlier, Decimal]]] = {}
    left = amount
    for one in paid:
        back = min(left, one.amount)
        if not back:
            break
        key = one.payment_id, one.receivable.id, one.part, one.earmark_id
        taken.setdefault(key, []).append((one, back))
        left -= back
    given = [_given_back(of_bill, today) for of_bill in taken.values()]
    for each in given:
        each.part.receivable.accrue(policy, today)
    return given


def _given_back(taken: Sequence[tuple[PaidEarlier, Decimal]], today: date) -> GivenBack:
    one, back = taken[0][0], sum((amount for _, amount in taken), ZERO)
    principal, fee = (back, ZERO) if one.part == "principal" else (ZERO, back)
    lines = tuple((each.line_id, -amount) for each, amount in taken if each.line_id is not None)
    one.receivable.pay(-principal, -fee, today, lines)
    return GivenBack(one.payment_id, PaidPart(one.receivable, -principal, -fee, lines), one.earmark_id)
