"""What a meter counted: factor, counting down, starting again at 0, exchanges, estimates (B18)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from rules.billing import ONE, Period
from rules.money import EXACT, MoneyError

_NOTHING = Decimal(0)
_FINEST = Decimal("0.0001")  # to which a bill says a quantity; finer only by a factor


class ReadingKind(StrEnum):
    """How a value came about."""

    READ = "read"
    ESTIMATED = "estimated"  # until the meter is read: the next reading corrects it
    EXCHANGE_END = "exchange_end"  # the last value of the meter that is taken out
    EXCHANGE_START = "exchange_start"  # the first value of the one that is put in


@dataclass(frozen=True)
class MeterTraits:
    """How a meter counts: what one of its units is in units of the price, and where it starts again at 0."""

    factor: Decimal = ONE
    counts_down: bool = False
    wraps_at: Decimal | None = None


PLAIN = MeterTraits()


@dataclass(frozen=True)
class Reading:
    """A value that a meter showed on a day; `factor` holds from there on, None where it stays as it was."""

    read_on: date
    value: Decimal
    kind: ReadingKind = ReadingKind.READ
    factor: Decimal | None = None

    @property
    def order(self) -> tuple[date, bool]:
        """Its place among the readings of a meter: of one day, the value of the new meter is the last."""
        return self.read_on, self.kind == ReadingKind.EXCHANGE_START


class MeterError(ValueError):
    """A value that can't be counted with; `code` says why: runs backwards, or half an exchange."""

    def __init__(self, code: str, reading: Reading) -> None:
        super().__init__(f"{code}: {reading.value} ({reading.read_on})")
        self.code = code
        self.reading = reading


@dataclass(frozen=True)
class Step:
    """What a meter counted up to a reading since the one before, in units of the price.

    `used` is never below 0: what an estimate was too high by is taken off what follows. `problem` is the
    code of a step that can't be counted.
    """

    before: Reading
    reading: Reading
    factor: Decimal
    used: Decimal
    problem: str = ""
    taken_off: Decimal = Decimal(0)  # of what was counted, for an estimate that was too high


def consumption(
    previous: Decimal,
    current: Decimal,
    *,
    counts_down: bool = False,
    wraps_at: Decimal | None = None,
    is_estimated: bool = False,
) -> Decimal:
    """What a meter counted between two values, in its own units (B1, B18).

    A meter with `wraps_at` starts again at 0 there. After a value that was estimated too high the answer is
    below 0. Raises MoneyError with code `negative` when the meter ran backwards.
    """
    used = previous - current if counts_down else current - previous
    if used >= 0:
        return used
    if wraps_at is not None and max(previous, current) < wraps_at:
        around = used + wraps_at
        return used if is_estimated and -used <= around else around
    if is_estimated:
        return used
    raise MoneyError("negative", used)


def counted_in(day: date) -> Period:
    """The month that a reading ends: its first day is the end of the month before (B1)."""
    return Period.of(day - timedelta(days=1)) if day > date.min else Period.of(day)


def _that_count(readings: Iterable[Reading]) -> list[Reading]:
    """The readings in order, without estimates of a month that was read later in that month."""
    ordered = sorted(readings, key=lambda one: one.order)
    later: set[Period] = set()
    found = []
    for one in reversed(ordered):
        month = counted_in(one.read_on)
        if one.kind == ReadingKind.ESTIMATED and month in later:
            continue
        later.add(month)
        found.append(one)
    return found[::-1]


def steps(traits: MeterTraits, readings: Iterable[Reading]) -> list[Step]:
    """What a meter counted from each of its readings to the next, the oldest first (B18).

    An exchange counts from the old meter's last value and goes on from the new one's first. A step that
    can't be counted has a problem and uses nothing: `reading_runs_backwards`, or `no_exchange_end` and
    `no_exchange_start` for half an exchange.
    """
    found: list[Step] = []
    factor, too_high = traits.factor, _NOTHING
    before: Reading | None = None
    for one in _that_count(readings):
        if one.factor is not None:
            factor = one.factor
        if before is not None:
            step = _step(traits, before, one, factor, too_high)
            found.append(step[0])
            too_high = step[1]
        before = one
    return found


def _step(
    traits: MeterTraits, before: Reading, reading: Reading, factor: Decimal, too_high: Decimal
) -> tuple[Step, Decimal]:
    """The step to a reading, and by how much estimates are still too high after it."""
    is_ended = before.kind == ReadingKind.EXCHANGE_END
    if reading.kind == ReadingKind.EXCHANGE_START:
        problem = "" if is_ended or before.read_on == reading.read_on else "no_exchange_end"
        return Step(before, reading, factor, _NOTHING, problem), too_high
    if is_ended:
        return Step(before, reading, factor, _NOTHING, "no_exchange_start"), too_high
    try:
        counted = consumption(
            before.value,
            reading.value,
            counts_down=traits.counts_down,
            wraps_at=traits.wraps_at,
            is_estimated=before.kind == ReadingKind.ESTIMATED,
        )
    except MoneyError:
        return Step(before, reading, factor, _NOTHING, "reading_runs_backwards"), too_high
    counted = EXACT.multiply(counted, factor)
    if counted != counted.quantize(_FINEST):
        counted = counted.quantize(_FINEST, ROUND_HALF_UP)
    owed = max(counted - too_high, _NOTHING)
    step = Step(before, reading, factor, owed, taken_off=max(counted, _NOTHING) - owed)
    return step, max(too_high - counted, _NOTHING)


@dataclass(frozen=True)
class MeterMonth:
    """What a meter showed at both ends of a service month, and each step between."""

    base: Reading
    last: Reading
    steps: tuple[Step, ...]

    @property
    def used(self) -> Decimal:
        """What it counted in the month. Raises MeterError for the first step that can't be counted."""
        return used(self.steps)


def used(counted: Iterable[Step]) -> Decimal:
    """The sum of some steps. Raises MeterError for the first one that can't be counted."""
    total = _NOTHING
    for step in counted:
        if step.problem:
            raise MeterError(step.problem, step.reading)
        total += step.used
    return total


def in_month(counted: Sequence[Step], month: Period) -> MeterMonth | None:
    """What was counted in a month: from its first day's reading, or the last one before, to its last.

    The first day of a month is the end of the one before too. Where no reading is so old, it counts from
    the first one in the month; None where the month has no reading, or only that one.
    """
    end = month.plus(1).first_on
    within = tuple(step for step in counted if month.first_on < step.reading.read_on <= end)
    is_read = any(step.reading.kind != ReadingKind.EXCHANGE_START for step in within)
    if not is_read:
        return None
    last = [step for step in within if step.reading.kind != ReadingKind.EXCHANGE_START][-1]
    return MeterMonth(within[0].before, last.reading, within)


def used_in_year(counted: Sequence[Step], month: Period) -> Decimal:
    """What was counted in a year before one of its months, from the year's first reading on (B18).

    That is the reading that January is counted from, or the first one of a meter that came later. Steps that
    can't be counted are left out.
    """
    first_on = date(month.year, 1, 1)
    before = [step for step in counted if first_on < step.reading.read_on <= month.first_on]
    return used(step for step in before if not step.problem)


def parts_of_month(month: MeterMonth, moves: Iterable[date]) -> list[tuple[date, tuple[Step, ...]]]:
    """The steps of a month cut where the meter was read on the day of a move (B18).

    `moves` are the first days of new payers, and the first day without one; the reading of the day before
    is as good. Answers each part with the day of the month from which it counts, in order.
    """
    read = {step.reading.read_on for step in month.steps} | {month.base.read_on}
    cuts: dict[date, date] = {}
    for day in sorted(moves):
        for read_on in (day, day - timedelta(days=1)):
            if read_on in read:
                cuts[read_on] = day
                break
    parts: list[tuple[date, list[Step]]] = [(date.min, [])]
    for step in month.steps:
        cut = cuts.get(step.before.read_on)
        if cut is not None and cut > parts[-1][0]:
            parts.append((cut, []))
        parts[-1][1].append(step)
    return [(day, tuple(some)) for day, some in parts if some]


def plain(number: Decimal) -> str:
    """A number without zeros at its end."""
    return f"{number.normalize():f}"


def told(reading: Reading) -> str:
    """A reading as a line of a bill tells it: its value and day."""
    return f"{reading.value} ({reading.read_on})"


def how_counted(counted: Sequence[Step]) -> dict[str, object]:
    """How a line of a bill explains what some steps counted: from, to, and what is not plain (B5, B18).

    `counted` is each meter's last value minus its first, times its factor, where a factor or an exchange
    needs it; `too_high` what an earlier estimate is taken off by; `estimated` that an end was not read.
    """
    first, last = counted[0].before, counted[-1].reading
    if last.kind == ReadingKind.EXCHANGE_START:
        last = counted[-1].before
    found: dict[str, object] = {"from": told(first), "to": told(last)}
    spans: list[tuple[Decimal, Decimal, Decimal]] = []
    for step in counted:
        if step.reading.kind == ReadingKind.EXCHANGE_START:
            continue
        joins = spans and step.before.kind != ReadingKind.EXCHANGE_START and spans[-1][2] == step.factor
        start = spans.pop()[0] if joins else step.before.value
        spans.append((start, step.reading.value, step.factor))
    if len(spans) > 1 or any(factor != ONE for _, _, factor in spans):
        found["counted"] = " + ".join(
            f"({plain(end)} − {plain(start)})" + ("" if factor == ONE else f" × {plain(factor)}")
            for start, end, factor in spans
        )
    if too_high := sum((step.taken_off for step in counted), _NOTHING):
        found["too_high"] = too_high
    ends = [name for name, one in (("from", first), ("to", last)) if one.kind == ReadingKind.ESTIMATED]
    if ends:
        found["estimated"] = " ".join(ends)
    return found


def how_chained(spans: Sequence[tuple[str, str]]) -> list[int]:
    """Which spans of readings, in the order of their bills, begin where nothing before them ended.

    The parts of one month, one for each of its payers, say the same span.
    Example: 5 to 9, 9 to 12, 13 to 20 answers the third.
    """
    found = []
    for place, (start, _) in enumerate(spans):
        if place and start not in {end for _, end in spans[:place]} | {begin for begin, _ in spans[:place]}:
            found.append(place)
    return found
