"""A payer's or a unit's account: what raised and lowered the debt, day by day, with its balances (M11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from rules.late_fee import DAY, LateFeePolicies
from rules.money import ZERO
from rules.receivables import Receivable

# in the order in which those of one day stand
KINDS = (
    "payer",  # somebody pays for the unit from this day on
    "bill",
    "late_fee",
    "waiver",
    "freed",  # paid parts of a bill that was credited become prepaid credit
    "credit",
    "payment",
    "prepaid_used",
    "void",
    "reversed",
    "refund",
    "deposit_taken",
    "deposit_returned",
    "deposit_set_off",
    "deposit_void",
)
_ORDER = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Movement:
    """What changed an account on a day; yuan, each as it stands in its column.

    `number` is its own, `of` are the numbers of what it is about (bills, a receipt). `detail` is a code or a
    name: a bill's period, a way to pay, the kind of a credit note, a deposit's fee item, a payer. `prepaid`
    and `deposit` are what came into (or, below zero, left) the credit and the deposits that are held.
    """

    on: date
    kind: str
    unit_id: int
    payer_id: int
    number: str = ""
    of: tuple[str, ...] = ()
    detail: str = ""
    note: str = ""
    billed: Decimal = ZERO
    late_fee: Decimal = ZERO
    credited: Decimal = ZERO
    paid: Decimal = ZERO
    prepaid: Decimal = ZERO
    deposit: Decimal = ZERO

    @property
    def change(self) -> Decimal:
        """By how much it raises the debt."""
        return self.billed + self.late_fee - self.credited - self.paid


@dataclass(frozen=True)
class Balances:
    """What stands at the end of a day or of a line: debt on bills, unused credit, deposits held; yuan."""

    owed: Decimal = ZERO
    prepaid: Decimal = ZERO
    deposit: Decimal = ZERO

    def after(self, one: Movement) -> Balances:
        return Balances(self.owed + one.change, self.prepaid + one.prepaid, self.deposit + one.deposit)


@dataclass(frozen=True)
class Account:
    """An account between two days, both included.

    closing = opening + bills + late fees - credits - payments, for the debt on bills. Unused credit is its
    payer's own money and stands beside it: nobody's credit pays another's debt.
    """

    from_on: date
    to_on: date
    opening: Balances
    movements: tuple[Movement, ...]

    @property
    def closing(self) -> Balances:
        return self.total(self.opening)

    def total(self, start: Balances = Balances()) -> Balances:
        for one in self.movements:
            start = start.after(one)
        return start

    def lines(self) -> Iterator[tuple[Movement, Balances]]:
        """Each movement with what stands after it."""
        standing = self.opening
        for one in self.movements:
            standing = standing.after(one)
            yield one, standing

    def sum_of(self, column: str) -> Decimal:
        return sum((getattr(one, column) for one in self.movements), ZERO)


def account(movements: Iterable[Movement], from_on: date | None, to_on: date) -> Account:
    """The account of some movements between two days; what lies before is its opening.

    Without a first day from the day of the first movement.
    """
    until = sorted((one for one in movements if one.on <= to_on), key=lambda one: (one.on, _ORDER[one.kind]))
    first_on = from_on or min((until[0].on if until else to_on), to_on)
    opening = Balances()
    for one in until:
        if one.on < first_on:
            opening = opening.after(one)
    return Account(first_on, to_on, opening, tuple(one for one in until if one.on >= first_on))


def fee_days(movements: Iterable[Movement], from_on: date | None, to_on: date) -> list[date]:
    """The days on which late fees are put on an account: those of payments and credits, each month's last.

    So the balance of each of these days is what was owed on it, and adjoining accounts meet: the day before
    the first one is among them.
    """
    days = {one.on: one.kind for one in movements if one.on <= to_on}
    if not days:
        return []
    found = {on for on, kind in days.items() if kind not in {"bill", "payer"}}
    day = min(days)
    while day <= to_on:
        following = (day.replace(day=28) + 4 * DAY).replace(day=1)
        found.add(min(following - DAY, to_on))
        day = following
    if from_on is not None and from_on <= to_on:
        found.add(from_on - DAY)
    return sorted(found)


def late_fee_movements(
    bill: Receivable, policies: LateFeePolicies, days: Iterable[date]
) -> Iterator[Movement]:
    """The late fee of a bill, charged since the last of the days each; waivers are movements of their own."""
    charged = waived = ZERO
    for day in days:
        now = bill.charged_on(policies, day)
        waived_now = sum((one.amount for one in bill.waivers if one.on <= day), ZERO)
        if fee := now + waived_now - charged - waived:
            yield Movement(day, "late_fee", bill.unit_id, bill.payer_id, of=(bill.number,), late_fee=fee)
        charged, waived = now, waived_now
        if bill.balance == 0 and day >= bill.changed_on:
            return


def by_day(movements: Iterable[Movement]) -> Iterator[Movement]:
    """The movements as people read them: the late fees of a day in one line, with the bills they are for."""
    for (kind, _on), group in groupby(movements, key=lambda one: (one.kind, one.on)):
        if kind != "late_fee":
            yield from group
            continue
        fees = list(group)
        yield replace(
            fees[0],
            of=tuple(number for one in fees for number in one.of),
            late_fee=sum((one.late_fee for one in fees), ZERO),
        )
