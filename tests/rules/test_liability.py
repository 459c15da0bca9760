"""Who pays for which days (P4, P5)."""

from datetime import date

import pytest

from rules.liability import Occupancy, TwoPayersError, liable, payer_or_nearest, segments

MARCH = date(2026, 3, 1), date(2026, 3, 31)


def day(number, month=3):
    return date(2026, month, number)


SPLIT = [
    # occupancies, (payer, days) split, (payer, days) not split
    ([(1, day(1, 1), None)], [(1, 31)], [(1, 31)]),
    ([(1, day(1, 1), day(15)), (2, day(16), None)], [(1, 15), (2, 16)], [(1, 31)]),
    ([(1, day(1, 1), day(28, 2)), (2, day(1), None)], [(2, 31)], [(2, 31)]),
    ([(1, day(1, 1), day(1)), (2, day(2), None)], [(1, 1), (2, 30)], [(1, 31)]),
    ([(1, day(1, 1), day(30)), (2, day(31), None)], [(1, 30), (2, 1)], [(1, 31)]),
    ([(1, day(11), None)], [(1, 21)], []),  # vacant on day 1
    ([(1, day(1, 1), day(10)), (2, day(21), None)], [(1, 10), (2, 11)], [(1, 31)]),
    ([(1, day(1, 1), day(10)), (1, day(11), None)], [(1, 31)], [(1, 31)]),  # a renewed lease
    ([(1, day(1, 4), None)], [], []),
    ([(1, day(1, 1), day(28, 2))], [], []),
    ([], [], []),
]


@pytest.mark.parametrize(("occupancies", "split", "whole"), SPLIT)
def test_the_liable_payer_by_days_or_of_day_one(occupancies, split, whole):
    known = [Occupancy(*one) for one in occupancies]

    by_days = liable(known, *MARCH, is_split=True)
    of_day_one = liable(known, *MARCH, is_split=False)

    assert [(one.payer, one.days) for one in by_days] == split
    assert [(one.payer, one.days) for one in of_day_one] == whole


def test_vacant_days_are_nobodys():
    parts = segments([Occupancy(1, day(11), day(20))], *MARCH)

    assert [(one.payer, one.days) for one in parts] == [(None, 10), (1, 10), (None, 11)]


@pytest.mark.parametrize(("last", "parts"), [(30, [(1, 30), (None, 1)]), (31, [(1, 31)])])
def test_a_vacant_last_day_is_a_part(last, parts):
    found = segments([Occupancy(1, day(1), day(last))], *MARCH)

    assert [(one.payer, one.days) for one in found] == parts


def test_two_payers_on_one_day_are_refused():
    with pytest.raises(TwoPayersError):
        segments([Occupancy(1, day(1), day(16)), Occupancy(2, day(16))], *MARCH)


NEAREST = [
    (day(1, 1), 1),
    (day(5, 1), 1),
    (day(20, 1), 1),
    (day(25, 1), 1),
    (day(31, 1), 1),
    (day(1), 2),
    (day(9), 2),
    (day(1, 4), 3),
]


@pytest.mark.parametrize(("on", "payer"), NEAREST)
def test_on_a_vacant_day_the_payer_before_counts_else_the_first_to_come(on, payer):
    """Lived in from 5 to 20 January by the first, from 1 to 31 March by the second, then by the third."""
    first, second, third = (
        Occupancy(1, day(5, 1), day(20, 1)),
        Occupancy(2, day(1), day(31)),
        Occupancy(3, day(1, 4)),
    )

    assert payer_or_nearest([first, second, third], on) == payer
    assert payer_or_nearest([third, second, first], on) == payer


def test_where_nobody_ever_paid_there_is_no_payer():
    assert payer_or_nearest([], day(1)) is None
