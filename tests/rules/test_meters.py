"""What a meter counted: exact numbers, exchanges, estimates, years (B18, contract "Charging, exactly")."""

import os
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.billing import Basis, Period, Tier, household_tiers, quote, stored_tiers
from rules.meters import (
    PLAIN,
    MeterError,
    MeterTraits,
    Reading,
    ReadingKind,
    consumption,
    counted_in,
    how_counted,
    in_month,
    parts_of_month,
    steps,
    used,
    used_in_year,
)
from rules.money import MoneyError

EXAMPLES = int(os.environ.get("GATEHOUSE_METER_EXAMPLES", "60"))
MARCH = Period(2026, 3)
KINDS = {"": "read", "e": "estimated", "x": "exchange_end", "s": "exchange_start"}


def reading(text):
    """`03-31 120 e ×40`: day, value, then kind and factor where they are said."""
    day, value, *more = text.split()
    kind = next((KINDS[one] for one in more if one in KINDS), "read")
    factor = next((Decimal(one[1:]) for one in more if one.startswith("×")), None)
    year = "" if day.count("-") == 2 else "2026-"
    return Reading(date.fromisoformat(year + day), Decimal(value), ReadingKind(kind), factor)


def readings(text):
    return [reading(one.strip()) for one in text.split(";")]


CONSUMPTION = [
    # previous, value, counts down, wraps at, used
    ("100", "150", False, None, "50"),
    ("99990", "10", False, "100000", "20"),
    ("7", "7", False, None, "0"),
    ("7", "7", False, "100", "0"),
    ("7", "7.5", False, "100", "0.5"),
    ("99", "0", False, "100", "1"),
    ("500", "480.5", True, None, "19.5"),
    ("3", "98", True, "100", "5"),
]


@pytest.mark.parametrize(("before", "now", "counts_down", "wraps_at", "expected"), CONSUMPTION)
def test_consumption_between_readings(before, now, counts_down, wraps_at, expected):
    wraps_at = wraps_at and Decimal(wraps_at)

    found = consumption(Decimal(before), Decimal(now), counts_down=counts_down, wraps_at=wraps_at)

    assert found == Decimal(expected)


@pytest.mark.parametrize(("before", "now", "counts_down"), [("10", "9", False), ("9", "10", True)])
def test_a_meter_that_ran_backwards_is_refused(before, now, counts_down):
    with pytest.raises(MoneyError, match="negative"):
        consumption(Decimal(before), Decimal(now), counts_down=counts_down)


@pytest.mark.parametrize("before", ["100", "101"])
def test_a_reading_that_the_meter_can_not_show_does_not_start_again(before):
    with pytest.raises(MoneyError, match="negative"):
        consumption(Decimal(before), Decimal(9), wraps_at=Decimal(100))


MONTHS = [
    # traits, readings, what March counts
    (PLAIN, "03-01 100; 03-31 130", "30"),
    (MeterTraits(Decimal(40)), "03-01 100; 03-31 130", "1200"),
    (MeterTraits(Decimal("0.5")), "03-01 0.0000; 03-31 0.0333", "0.0167"),  # half-up to what a bill says
    (MeterTraits(Decimal("0.5"), counts_down=True), "03-01 100; 03-31 70", "15"),
    (MeterTraits(wraps_at=Decimal(10000)), "02-28 9990; 04-01 15", "25"),
    # its first day is March's beginning and February's end; days after 1 April are April's
    (PLAIN, "02-10 5; 03-01 100; 03-31 130; 04-02 500", "30"),
    (PLAIN, "02-10 5; 04-01 130", "125"),
    (PLAIN, "03-05 7; 03-20 9", "2"),  # a new meter: from its first value on
    (PLAIN, "03-05 7", None),
    (PLAIN, "03-01 7", None),
    (PLAIN, "02-10 5; 02-20 9", None),
    # exchange: (old end − previous) + (value − new start)
    (PLAIN, "03-01 100; 03-10 112 x; 03-10 3 s; 03-31 20", "29"),
    # times each its factor
    (PLAIN, "03-01 100; 03-10 112 x; 03-10 3 s ×40; 03-31 5", "92"),
    (MeterTraits(Decimal(40)), "03-01 100; 03-10 101 x; 03-10 0 s ×1; 03-31 7", "47"),
    (MeterTraits(Decimal(40)), "03-01 100 ×10; 03-10 101 x; 03-10 0 s ×1; 03-31 7", "17"),
    # several in a month, on the first and on the last day, put in some days later
    (PLAIN, "03-01 100; 03-10 112 x; 03-10 3 s; 03-20 5 x; 03-20 900 s; 03-31 901", "15"),
    (PLAIN, "02-28 95; 03-01 100 x; 03-01 3 s; 03-31 20", "17"),
    (PLAIN, "02-28 95; 04-01 100 x; 04-01 3 s", "5"),
    (PLAIN, "03-01 100; 03-10 112 x; 03-14 3 s; 03-31 20", "29"),
    (PLAIN, "03-01 100; 03-10 112; 03-10 3 s; 03-31 20", "29"),  # read on the day, then exchanged
    (PLAIN, "03-01 100; 03-10 112 x", "12"),  # taken out for good
    (PLAIN, "03-03 3 s; 03-31 20", "17"),  # the very first meter
    # estimated: what follows corrects it
    (PLAIN, "03-01 100; 03-31 120 e", "20"),
    (PLAIN, "02-01 80; 03-01 100 e; 03-31 130", "30"),
    (PLAIN, "02-01 80; 03-01 100 e; 03-31 95", "0"),
    (PLAIN, "01-01 80; 02-01 100 e; 03-01 95; 03-31 110", "10"),
    (PLAIN, "01-01 80; 02-01 100 e; 03-01 95; 03-31 99", "0"),
    (PLAIN, "03-01 100; 03-15 150 e; 03-31 120", "20"),  # read in the same month: never charged
    (MeterTraits(wraps_at=Decimal(1000)), "02-01 80; 03-01 100 e; 03-31 95", "0"),
    (MeterTraits(wraps_at=Decimal(1000)), "02-01 980; 03-01 995 e; 03-31 5", "10"),
    (MeterTraits(Decimal(2), counts_down=True), "01-01 80; 02-01 60 e; 03-01 65; 03-31 50", "20"),
    # what can't be counted
    (PLAIN, "03-01 100; 03-31 99", "reading_runs_backwards"),
    (PLAIN, "03-01 100; 03-10 3 s; 03-31 20", "no_exchange_end"),
    (PLAIN, "03-01 100; 03-10 112 x; 03-31 120", "no_exchange_start"),
    (PLAIN, "02-01 100; 03-01 99; 03-31 120", "21"),  # February's trouble is not March's
]


@pytest.mark.parametrize(("traits", "text", "expected"), MONTHS)
def test_a_month_of_a_meter(traits, text, expected):
    month = in_month(steps(traits, readings(text)), MARCH)

    if expected is None:
        assert month is None
    elif expected[0].isdigit():
        assert month.used == Decimal(expected)
    else:
        with pytest.raises(MeterError) as wrong:
            _ = month.used
        assert wrong.value.code == expected


EXPLAINED = [
    ("03-01 100; 03-31 130", {"from": "100 (2026-03-01)", "to": "130 (2026-03-31)"}),
    ("03-01 100; 03-31 130 ×40", {"counted": "(130 − 100) × 40"}),
    (
        "03-01 100; 03-10 112 x; 03-10 3 s ×40; 03-31 5",
        {"to": "5 (2026-03-31)", "counted": "(112 − 100) + (5 − 3) × 40"},
    ),
    ("03-01 100; 03-20 112; 03-31 130 ×2", {"counted": "(112 − 100) + (130 − 112) × 2"}),
    ("03-01 100; 03-20 112; 03-31 130 e", {"estimated": "to"}),
    ("02-01 100; 03-01 120 e; 03-31 130", {"estimated": "from"}),
    ("01-01 80; 02-01 100 e; 03-01 95; 03-31 110", {"too_high": Decimal(5)}),
    ("02-28 95; 04-01 100 x; 04-01 3 s", {"to": "100 (2026-04-01)"}),
]


@pytest.mark.parametrize(("text", "expected"), EXPLAINED)
def test_a_line_tells_how_it_was_counted(text, expected):
    found = how_counted(in_month(steps(PLAIN, readings(text)), MARCH).steps)

    assert expected.items() <= found.items()
    assert not set(found) - {"from", "to"} - set(expected)


def test_a_month_is_cut_where_it_was_read_on_the_day_of_a_move():
    month = in_month(steps(PLAIN, readings("03-01 0; 03-11 4; 03-20 9; 03-31 30")), MARCH)
    tenth, eleventh, fifteenth, twenty_first = (date(2026, 3, day) for day in (10, 11, 15, 21))

    def cut(*moves):
        return [(day, used(some)) for day, some in parts_of_month(month, moves)]

    assert cut() == [(date.min, 30)]
    assert cut(eleventh) == [(date.min, 4), (eleventh, 26)]
    assert cut(twenty_first) == [(date.min, 9), (twenty_first, 21)]  # read on the day before
    assert cut(eleventh, twenty_first) == [(date.min, 4), (eleventh, 5), (twenty_first, 21)]
    assert cut(fifteenth) == cut(tenth) == [(date.min, 30)]


YEARS = [
    # readings, month, counted in the year before it
    ("2025-12-25 100; 01-25 130; 02-25 150; 03-25 155", MARCH, "50"),
    ("01-01 100; 02-01 130; 03-01 150; 04-01 155", MARCH, "50"),
    ("2025-11-30 7; 2025-12-31 100; 01-31 130; 02-28 150", MARCH, "50"),
    ("02-10 100; 03-01 130; 03-31 150", MARCH, "30"),  # a meter that came within the year
    ("2025-12-31 100; 01-31 130", Period(2026, 1), "0"),
    ("2025-12-31 100; 01-31 130; 02-15 140 x; 02-15 0 s ×2; 02-28 5", MARCH, "50"),
    ("2025-12-31 100; 01-31 130; 02-10 20; 03-01 30", MARCH, "40"),  # the step back is left out
]


@pytest.mark.parametrize(("text", "month", "expected"), YEARS)
def test_a_year_counts_from_its_first_reading(text, month, expected):
    assert used_in_year(steps(PLAIN, readings(text)), month) == Decimal(expected)


TIERS = (Tier(Decimal(2), Decimal(180)), Tier(Decimal(3), Decimal(260)), Tier(Decimal(5)))
YEARLY = [
    # counted before, in the month, amount, steps
    ("0", "180", "360.00", "180×2"),
    ("170", "20", "50.00", "10×2+10×3"),
    ("180", "1", "3.00", "1×3"),
    ("250", "30", "130.00", "10×3+20×5"),
    ("300", "7.5", "37.50", "7.5×5"),
    ("300", "0", "0.00", "0"),
]


@pytest.mark.parametrize(("before", "quantity", "amount", "told"), YEARLY)
def test_tiers_go_on_over_the_year(before, quantity, amount, told):
    line = quote(Basis.METERED, Decimal(quantity), Decimal(0), tiers=TIERS, counted_before=Decimal(before))

    assert (str(line.amount), line.reason.inputs["tiers"]) == (amount, told)


PEOPLE = [(None, "180"), (1, "180"), (4, "180"), (5, "210"), (7, "270")]


@pytest.mark.parametrize(("people", "first_bound"), PEOPLE)
def test_a_larger_household_has_higher_tiers(people, first_bound):
    tiers = stored_tiers('[["180", "2", "30"], ["260", "3", "40"], [null, "5"]]')

    found = household_tiers(tiers, people, 4)

    assert str(found[0].up_to) == first_bound
    assert found[-1].up_to is None
    assert household_tiers(tiers, people, None) == tiers


def test_a_reading_of_the_first_day_ends_the_month_before():
    assert counted_in(date(2026, 4, 1)) == MARCH == counted_in(date(2026, 3, 2))
    assert counted_in(date.min) == Period(1, 1)


amounts = st.decimals(0, 5000, places=2)
many = settings(max_examples=EXAMPLES, deadline=None)


@many
@given(st.lists(amounts, min_size=2, max_size=12), st.booleans(), st.sampled_from(["1", "40", "0.5"]))
def test_months_together_count_what_the_meter_counted(added, counts_down, factor):
    """Whatever was read between, the sum of all steps is last − first, times the factor."""
    total = sum(added, Decimal(0))
    values = [sum(added[: place + 1], Decimal(0)) for place in range(len(added))]
    found = [
        Reading(date(2026, 1, 1) + timedelta(days=9 * place), total - one if counts_down else one)
        for place, one in enumerate(values)
    ]
    counted = steps(MeterTraits(Decimal(factor), counts_down=counts_down), found)

    months = [in_month(counted, Period(2026, month)) for month in range(1, 7)]

    expected = (values[-1] - values[0]) * Decimal(factor)
    assert used(counted) == expected
    assert sum(month.used for month in months if month) == expected


@many
@given(st.lists(amounts, min_size=2, max_size=12))
def test_a_meter_that_wraps_counts_as_one_that_does_not(added):
    size = Decimal(10_000)  # more than a step
    values = [sum(added[: place + 1], Decimal(0)) for place in range(len(added))]
    days = [date(2026, 1, 1) + timedelta(days=31 * place) for place in range(len(added))]

    wrapped = [Reading(day, value % size) for day, value in zip(days, values, strict=True)]

    assert used(steps(MeterTraits(wraps_at=size), wrapped)) == values[-1] - values[0]


@many
@given(st.lists(st.tuples(amounts, amounts), min_size=2, max_size=10))
def test_estimates_are_corrected_in_the_end(pairs):
    """Once the meter has passed all that was estimated for it, it was charged what it counted."""
    value, found = Decimal(0), [Reading(date(2026, 1, 1), Decimal(0))]
    guesses = []
    for place, (counted, guess) in enumerate(pairs, 2):
        guess += value  # noqa: PLW2901 -- no estimate is below what was read
        value += counted
        guesses.append(guess)
        estimate = place % 2 == 0
        found.append(
            Reading(
                Period(2026, 1).plus(place - 1).first_on,
                guess if estimate else value,
                ReadingKind.ESTIMATED if estimate else ReadingKind.READ,
            )
        )
    beyond = max([value, *guesses]) + 1
    found.append(Reading(Period(2026, 1).plus(len(pairs) + 1).first_on, beyond))

    counted_steps = steps(PLAIN, found)

    assert all(step.used >= 0 for step in counted_steps)
    assert used(counted_steps) == beyond


@many
@given(st.lists(st.tuples(amounts, amounts, st.sampled_from(["1", "2", "40"])), min_size=1, max_size=8))
def test_exchanges_lose_nothing(devices):
    """Each meter counts from its own start to its own end, times its own factor."""
    day, found, expected = date(2026, 1, 1), [], Decimal(0)
    for start, counted, factor in devices:
        found.append(Reading(day, start, ReadingKind.EXCHANGE_START, Decimal(factor)))
        day += timedelta(days=3)
        found.append(Reading(day, start + counted, ReadingKind.EXCHANGE_END))
        expected += counted * Decimal(factor)

    assert used(steps(PLAIN, reversed(found))) == expected


@many
@given(amounts, amounts)
def test_a_year_costs_what_its_months_cost(first, second):
    def cost(quantity, before=Decimal(0)):
        return quote(Basis.METERED, quantity, Decimal(0), tiers=TIERS, counted_before=before).raw

    assert cost(first) + cost(second, first) == cost(first + second)
