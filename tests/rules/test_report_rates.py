"""Rates, ages and effects (K1–K3)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from rules.report_rates import (
    Collected,
    age_band,
    age_bands,
    billed,
    bound_problems,
    distance,
    is_effect,
    is_old_arrears,
    is_unprompted,
    kept_rate,
    mean,
    missing_to_target,
    on_time_rate,
    percent,
    times,
    working_seconds,
)

RATES = [
    (590, 943, "62.6"),  # the worked example of K1
    (1, 3, "33.3"),
    (2, 3, "66.7"),
    (1, 2000, "0.1"),  # 0.05 goes up
    (1, 2001, "0.0"),
    (943, 943, "100.0"),
    (0, 5, "0.0"),
    (0, 0, None),
    (5, 0, None),
    (-1, 3, "-33.3"),
    (-1, 2000, "-0.1"),  # away from zero
]


@pytest.mark.parametrize(("part", "whole", "wanted"), RATES)
def test_a_rate_has_one_decimal_half_up(part, whole, wanted):
    found = percent(part, whole)

    assert found == (wanted and Decimal(wanted))
    assert wanted is None or str(found) == wanted


def test_collected_adds_up_and_rates_the_sum():
    total = Collected(Decimal(100), Decimal(50), 10, 4) + Collected(Decimal(300), Decimal(300), 5, 5)

    assert (total.rate_amount, total.rate_households) == (Decimal("87.5"), Decimal("60.0"))
    assert (Collected().rate_amount, Collected().rate_households) == (None, None)
    assert total + Collected() == total


def test_credits_are_taken_off_what_was_billed():
    assert billed([Decimal(100), Decimal(50)], [Decimal(20)]) == Decimal(130)


def test_the_way_to_the_target():
    so_far = Collected(Decimal(1000), Decimal(626), 10, 6)

    assert distance(so_far.rate_amount, Decimal(90)) == Decimal("-27.4")
    assert missing_to_target(so_far, Decimal(90)) == Decimal("274.00")
    assert missing_to_target(so_far, Decimal(60)) == 0
    assert distance(None, Decimal(90)) is None


# billed, and yuan still missing of 626 paid to 90 %
MISSING = [("1000.01", "274.01"), ("1000", "274.00"), ("695.56", "0.01"), ("695.55", "0.00"), ("0", "0.00")]


@pytest.mark.parametrize(("amount", "missing"), MISSING)
def test_a_part_of_a_fen_is_missing_too(amount, missing):
    assert missing_to_target(Collected(Decimal(amount), Decimal(626)), Decimal(90)) == Decimal(missing)


BANDS = age_bands([30, 60, 90, 180, 365])
AGES = [
    (0, None),
    (1, "0-30"),
    (30, "0-30"),
    (31, "31-60"),
    (60, "31-60"),
    (61, "61-90"),
    (90, "61-90"),
    (91, "91-180"),
    (180, "91-180"),
    (181, "181-365"),
    (365, "181-365"),
    (366, "366+"),
]


def test_a_column_begins_behind_the_one_before():
    assert [band.code for band in age_bands([30, 60])] == ["0-30", "31-60", "61+"]
    assert [band.code for band in age_bands([])] == ["0+"]


@pytest.mark.parametrize(("days", "code"), AGES)
def test_the_age_of_a_debt(days, code):
    due_on = date(2026, 1, 15)

    band = age_band(BANDS, due_on, date.fromordinal(due_on.toordinal() + days))

    assert (band and band.code) == code


@pytest.mark.parametrize(
    ("bounds", "is_sound"),
    [([30, 60], True), ([], True), ([60, 30], False), ([0], False), ([1], True), ([30, 30], False)],
)
def test_columns_must_ascend(bounds, is_sound):
    assert (not bound_problems(bounds)) is is_sound


def test_shares_of_nothing_are_nothing():
    assert on_time_rate(0, 0) is None
    assert on_time_rate(3, 1) == Decimal("75.0")
    assert kept_rate(0, 0) is None
    assert kept_rate(1, 2) == Decimal("33.3")
    assert mean(0, 0) is None
    assert mean(13, 4) == Decimal("3.3")  # 3.25


@pytest.mark.parametrize(("paid", "is_so"), [(9, False), (10, True), (17, True), (18, False)])
def test_a_payment_within_seven_days_is_the_messages_effect(paid, is_so):
    assert is_effect(date(2026, 3, 10), date(2026, 3, paid), 7) is is_so


def test_unprompted_is_before_any_reminder():
    assert is_unprompted(date(2026, 3, 15), None)
    assert is_unprompted(date(2026, 3, 15), date(2026, 3, 16))
    assert not is_unprompted(date(2026, 3, 15), date(2026, 3, 15))
    assert not is_unprompted(date(2026, 3, 16), date(2026, 3, 16))


def test_a_bill_of_an_earlier_year_is_old_arrears():
    """K1."""
    assert [year for year in (2025, 2026, 2027) if is_old_arrears(year, 2026)] == [2025]


# seconds each complaint took → hours: median, 90th percentile, mean (K8)
TIMES = [
    ([], (None, None, None)),
    ([3600], ("1.0", "1.0", "1.0")),
    ([3600, 7200], ("1.5", "2.0", "1.5")),
    ([3600 * hour for hour in range(1, 11)], ("5.5", "9.0", "5.5")),
    ([3600 * hour for hour in range(1, 12)], ("6.0", "10.0", "6.0")),
    ([360_000, *[3600] * 9], ("1.0", "1.0", "10.9")),
    ([179, 180], ("0.0", "0.1", "0.0")),  # half-up: 180 s are 0.05 h
]


@pytest.mark.parametrize(("seconds", "expected"), TIMES)
def test_median_and_ninetieth_percentile_stand_beside_the_mean(seconds, expected):
    found = times(seconds)

    assert (found.median, found.ninetieth, found.mean) == tuple(
        hours and Decimal(hours) for hours in expected
    )


def minute(count):
    return datetime(2026, 3, 2, 1, tzinfo=UTC) + timedelta(minutes=count)


# waits as minutes after the registration, of an hour until it was solved → minutes that count (T6)
WAITS = [
    ([], 60),
    ([(10, 20)], 50),
    ([(10, 20), (15, 30)], 40),
    ([(20, 30), (10, 15)], 45),
    ([(-10, 5)], 55),
    ([(50, 70)], 50),
    ([(50, None)], 50),
    ([(70, 80)], 60),
    ([(-10, 70)], 0),
    ([(10, 40), (20, 30)], 30),
]


@pytest.mark.parametrize(("waits", "minutes"), WAITS)
def test_waiting_counts_nothing_and_no_second_twice(waits, minutes):
    spans = [(minute(begun), None if ended is None else minute(ended)) for begun, ended in waits]

    assert working_seconds(minute(0), minute(60), spans) == minutes * 60
