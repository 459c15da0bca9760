"""What the months of a rent contract cost: its steps, its rent-free days, and who pays which days (B24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from rules.billing import ONE, Basis, Period, Quote, Share, Timing, quote
from rules.calendar_months import months_later
from rules.cycles import DAY, Anchor, Cycle, Months, Span, due, running, since
from rules.liability import Occupancy, segments
from rules.money import EXACT, TO_FEN, Rounding
from rules.reasons import Reason

Days = tuple[date, date]  # the first and the last, both included


@dataclass(frozen=True)
class Step:
    """Every so many months from the contract's first day the rent rises, by percent or by yuan a month."""

    every_months: int
    percent: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class RentChange:
    """From a day on the rent is another: by the percent of an index, or as was agreed, in yuan a month."""

    from_on: date
    percent: Decimal | None = None
    rent: Decimal | None = None


@dataclass(frozen=True)
class RentContract:
    """A unit let from a day to a day, both included, for a rent in yuan a month.

    `rent_free` are the first and the last day for which no rent is owed.
    """

    number: str
    tenant: int
    valid_from: date
    valid_to: date
    rent: Decimal
    step: Step | None = None
    rent_free: Days | None = None
    changes: tuple[RentChange, ...] = ()


@dataclass(frozen=True)
class Rent:
    """A month's rent in yuan, and the first and the last day that it holds."""

    from_on: date
    to_on: date
    rent: Decimal


def _raised(rent: Decimal, step: Step | RentChange) -> Decimal:
    """The rent after a step, half-up to the fen: it is the rent of a month, and so a sum of money."""
    if step.percent is not None:
        return TO_FEN.of(EXACT.add(rent, EXACT.multiply(rent, step.percent.scaleb(-2))))
    if isinstance(step, RentChange):
        return rent if step.rent is None else step.rent
    return EXACT.add(rent, step.amount or Decimal(0))


@lru_cache(maxsize=4096)
def rents(contract: RentContract) -> tuple[Rent, ...]:
    """The rents of a contract one after the other; a change on the day of a step comes after it (B24).

    Example: 10,000.00 from 15 March 2026 and 5 % every 12 months: 10,500.00 from 15 March 2027 on.
    """
    steps: list[tuple[date, Step | RentChange]] = []
    if step := contract.step:
        day = months_later(contract.valid_from, step.every_months)
        while day <= contract.valid_to:
            steps.append((day, step))
            day = months_later(contract.valid_from, (len(steps) + 1) * step.every_months)
    steps += [
        (max(change.from_on, contract.valid_from), change)
        for change in contract.changes
        if change.from_on <= contract.valid_to
    ]
    found = [Rent(contract.valid_from, contract.valid_to, contract.rent)]
    for day, one in sorted(steps, key=lambda step: step[0]):
        after = _raised(found[-1].rent, one)
        if day == found[-1].from_on:
            found[-1] = replace(found[-1], rent=after)
        else:
            found[-1] = replace(found[-1], to_on=day - DAY)
            found.append(Rent(day, contract.valid_to, after))
    return tuple(found)


def months_to_charge(
    contract: RentContract,
    cycle: Cycle,
    timing: Timing,
    period: Period,
    billed: Iterable[Days],
    *,
    is_month_before_out: bool,
) -> list[tuple[Months, date]]:
    """The months that a period's bill charges the rent for, each with the first day that is not billed yet.

    A cycle that counts from the unit's own day counts from the contract's first day. A contract that begins
    after the bill of its days went out is charged for them in the next one: `is_month_before_out` says that
    the unit's bill of the month before is out.
    """
    anchor_on = contract.valid_from if cycle.anchor == Anchor.UNIT else None
    found = due(cycle, timing, period, anchor_on)
    months: list[Months] = [] if isinstance(found, Reason) else list(found)
    before = period.plus(-1)
    if period.first_on <= contract.valid_from <= period.last_on:
        begun = running(cycle, timing, period, anchor_on)
        months = [*(begun[1] if begun else ()), *months]
    elif (
        is_month_before_out
        and (cycle.is_plain and timing == Timing.ADVANCE)
        and before.first_on <= contract.valid_from <= before.last_on
    ):
        months = [before, *months]
    days = list(billed)
    wanted = []
    for one in months:
        first_on = max(one.first_on, contract.valid_from)
        ends = [end for begin, end in days if begin <= one.last_on and end >= first_on]
        first_on = max([first_on, *(end + DAY for end in ends)])
        if first_on <= min(one.last_on, contract.valid_to):
            wanted.append((since(one, first_on), first_on))
    return wanted


@dataclass(frozen=True)
class _Piece:
    """Days of a month that one payer owes one rent for; their share of the month, or so many whole months."""

    payer: int
    rent: Rent
    days: Days
    share: Share | None = None
    months: int = 1


def rent_lines(
    contract: RentContract,
    months: Months,
    first_on: date,
    payers: Sequence[Occupancy],
    rounding: Rounding = TO_FEN,
) -> list[tuple[int, Quote]]:
    """The lines of months, from the first day that is not billed yet on: payer and price of each (B24, B20).

    Whole months at one rent are one line; of a month in part each payer owes rent × days ÷ days of the month.
    `payers` are who pays the rent and when, never two at once.
    """
    pieces: list[_Piece] = []
    for days in _each_month(months):
        for piece in _of_month(contract, days, first_on, payers):
            last = pieces[-1] if pieces else None
            is_next = last is not None and last.days[1] + DAY == piece.days[0]
            if last and is_next and not (last.share or piece.share) and _alike(last, piece):
                pieces[-1] = replace(last, days=(last.days[0], piece.days[1]), months=last.months + 1)
            else:
                pieces.append(piece)
    return [(piece.payer, _priced(contract, piece, rounding)) for piece in pieces]


def _alike(one: _Piece, other: _Piece) -> bool:
    return (one.payer, one.rent) == (other.payer, other.rent)


def _each_month(months: Months) -> list[Days]:
    """The first and the last day of each of the months."""
    starts = months.starts if isinstance(months, Span) else (months.first_on,)
    return [(first, after - DAY) for first, after in pairwise((*starts, months.last_on + DAY))]


def _of_month(
    contract: RentContract, month: Days, first_on: date, payers: Sequence[Occupancy]
) -> list[_Piece]:
    pieces = []
    of = (month[1] - month[0]).days + 1
    for rent in rents(contract):
        owed = [
            (segment.payer, (segment.from_on, segment.to_on), segment.days)
            for days in _owed(contract, max(rent.from_on, month[0], first_on), min(rent.to_on, month[1]))
            for segment in segments(payers, *days)
            if segment.payer is not None
        ]
        shared = tuple(count for _, _, count in owed)
        for index, (payer, days, count) in enumerate(owed):
            share = None if count == of else Share(shared, index, of)
            pieces.append(_Piece(payer, rent, days, share))
    return pieces


def _owed(contract: RentContract, first_on: date, last_on: date) -> Iterator[Days]:
    """Those of some days for which rent is owed."""
    parts = [(first_on, last_on)]
    if contract.rent_free:
        free_from, free_to = contract.rent_free
        parts = [(first_on, min(last_on, free_from - DAY)), (max(first_on, free_to + DAY), last_on)]
    yield from (part for part in parts if part[0] <= part[1])


def _priced(contract: RentContract, piece: _Piece, rounding: Rounding) -> Quote:
    price = quote(
        Basis.FIXED,
        ONE,
        piece.rent.rent,
        share=piece.share,
        months=piece.months,
        rounding=rounding,
        row=f"contract {contract.number} {piece.rent.from_on}",
    )
    return replace(price, from_on=piece.days[0], to_on=piece.days[1])
