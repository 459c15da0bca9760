import random
from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.policy_values import PolicyValueError
from rules.working_time import OfficeCalendar, public_days
from tests.factories.policies import policy

DAY = timedelta(days=1)
HOURS = ((time(9), time(12)), (time(13, 30), time(18)))
WEEK = (HOURS,) * 5 + ((), ())


def office(preset="residential"):
    return policy(preset, OfficeCalendar)


OFFICE = office()


def at(text):
    """An office-time text as an instant."""
    return OFFICE.instant(date.fromisoformat(text[:10]), time.fromisoformat(text[11:]))


def wall(instant):
    return OFFICE.local(instant).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


@pytest.mark.parametrize("preset", ["tower", "residential", "project"])
def test_every_preset_has_the_same_hours(preset):
    calendar = office(preset)

    assert calendar.hours == WEEK
    assert calendar.make_up_hours == HOURS
    assert calendar.zone == "Asia/Shanghai"


@pytest.mark.parametrize("year", range(2008, 2027))
def test_every_day_agrees_with_an_independent_calendar(year):
    """T5: each day of 2008–2026 against chinesecalendar, by other authors."""
    first = date(year, 1, 1)
    days = [first + number * DAY for number in range(366) if (first + number * DAY).year == year]

    wrong = [day for day in days if OFFICE.is_working_day(day) != chinese_calendar.is_workday(day)]

    assert wrong == []


def test_a_calendar_without_make_up_days_would_be_found_out():
    """The control of the comparison above: plain weekends differ from the independent calendar."""
    plain = OfficeCalendar("Asia/Shanghai", WEEK, HOURS, country=None)
    days = [date(2026, 1, 1) + number * DAY for number in range(365)]

    assert any(plain.is_working_day(day) != chinese_calendar.is_workday(day) for day in days)


def brute_open_minutes(first, last):
    """Every open minute from day to day, counted by another calendar and plain wall-clock arithmetic."""
    shift = timedelta(hours=8)
    minutes = []
    day = first
    while day <= last:
        if chinese_calendar.is_workday(day):
            start = datetime(day.year, day.month, day.day, tzinfo=UTC) - shift
            ranges = (*range(9 * 60, 12 * 60), *range(13 * 60 + 30, 18 * 60))
            minutes += [start + timedelta(minutes=number) for number in ranges]
        day += DAY
    return minutes


@pytest.mark.parametrize(
    "first", [date(2019, 1, 28), date(2020, 1, 20), date(2024, 2, 5), date(2025, 1, 24), date(2026, 2, 12)]
)
def test_every_minute_of_two_weeks_around_spring_festival(first):
    """T5: from every minute of the fortnight, office minutes counted one by one."""
    open_minutes = brute_open_minutes(first, first + 40 * DAY)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(hours=8)
    is_open = set(open_minutes)
    gone = 0

    for number in range(14 * 24 * 60):
        now = start + timedelta(minutes=number)
        assert OFFICE.is_open(now) == (now in is_open)
        assert OFFICE.office_minutes_between(start, now) == gone
        if number % 7 == 0:
            for wait in (1, 60, 240):
                expected = open_minutes[gone + wait - 1] + timedelta(minutes=1)
                assert OFFICE.add_office_minutes(now, wait) == expected
        gone += now in is_open


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-03-02 09:00", 60, "2026-03-02 10:00"),
        ("2026-03-02 08:59", 60, "2026-03-02 10:00"),
        ("2026-03-02 11:00", 60, "2026-03-02 12:00"),
        ("2026-03-02 11:01", 60, "2026-03-02 13:31"),
        ("2026-03-02 12:00", 60, "2026-03-02 14:30"),
        ("2026-03-02 12:30", 1, "2026-03-02 13:31"),
        ("2026-03-02 17:00", 240, "2026-03-03 12:00"),
        ("2026-03-02 18:00", 240, "2026-03-03 14:30"),
        ("2026-03-02 11:30:30", 30, "2026-03-02 13:30:30"),
        ("2026-03-06 17:30", 60, "2026-03-09 09:30"),
        ("2026-02-14 17:30", 60, "2026-02-24 09:30"),  # make-up Saturday, then the Spring Festival
        ("2026-03-07 10:00", 0, "2026-03-07 10:00"),
    ],
)
def test_office_minutes_are_added(start, minutes, expected):
    assert wall(OFFICE.add_office_minutes(at(start), minutes)) == expected


def test_office_minutes_are_never_added_backwards():
    with pytest.raises(ValueError, match="backwards"):
        OFFICE.add_office_minutes(at("2026-03-02 09:00"), -1)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 3, 2), 2, date(2026, 3, 4)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),  # the 14th is a make-up day, 15–23 is the festival
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # a make-up Sunday
        (date(2011, 12, 30), 1, date(2011, 12, 31)),  # made up for a holiday of the year after
        (date(2026, 3, 7), 0, date(2026, 3, 7)),
    ],
)
def test_the_day_of_receipt_is_not_counted(day, count, expected):
    assert OFFICE.nth_working_day_after(day, count) == expected
    assert OFFICE.working_days_between(day, expected) == count


def test_next_working_day_with_and_without_the_day_itself():
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)

    assert OFFICE.next_working_day(friday) == friday
    assert OFFICE.next_working_day(friday, is_inclusive=False) == monday
    assert OFFICE.next_working_day(date(2026, 3, 7)) == monday


def test_an_override_stands_above_what_is_published():
    closed, opened = date(2026, 3, 4), date(2026, 3, 7)
    calendar = OfficeCalendar("Asia/Shanghai", WEEK, HOURS, overrides={closed: False, opened: True})

    assert not calendar.is_working_day(closed)
    assert calendar.is_working_day(opened)
    assert calendar.nth_working_day_after(date(2026, 3, 3), 3) == opened
    assert calendar.closing(opened) == at("2026-03-07 18:00")


@pytest.mark.parametrize("year", [1900, 1949, 2000, 2026, 2027, 2100, 2101, 2500])
def test_an_unpublished_year_is_provisional_and_never_crashes(year):
    """T5: January comes before the library's next release."""
    assert OFFICE.is_provisional(year) == (year > 2026)
    assert OFFICE.next_working_day(date(year, 1, 1)).year == year
    assert OFFICE.add_office_minutes(datetime(year, 12, 31, 10, tzinfo=UTC), 60)


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        ("2026-01-31 10:15", 1, "2026-02-28 10:15"),
        ("2028-01-31 10:15", 1, "2028-02-29 10:15"),
        ("2026-12-15 23:59", 1, "2027-01-15 23:59"),
        ("2026-03-31 00:00", 1, "2026-04-30 00:00"),
        ("2026-02-28 09:00", 1, "2026-03-28 09:00"),
    ],
)
def test_a_calendar_month_later(start, count, expected):
    assert wall(OFFICE.months_later(at(start), count)) == expected


def test_clock_changes_of_other_zones():
    berlin = OfficeCalendar(
        "Europe/Berlin", (((time(1), time(4)),),) * 7, ((time(9), time(18)),), country=None
    )
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)

    assert berlin.opening(spring) == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert berlin.closing(spring) == datetime(2026, 3, 29, 2, tzinfo=UTC)
    assert berlin.office_minutes_between(berlin.opening(spring), berlin.closing(spring)) == 120
    assert berlin.office_minutes_between(berlin.opening(autumn), berlin.closing(autumn)) == 240
    assert berlin.instant(spring, time(2, 30)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert berlin.months_later(datetime(2026, 2, 28, 11, tzinfo=UTC), 1) == datetime(
        2026, 3, 28, 11, tzinfo=UTC
    )
    assert berlin.months_later(datetime(2026, 3, 10, 11, tzinfo=UTC), 1) == datetime(
        2026, 4, 10, 10, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("hours", "make_up", "code"),
    [
        ((HOURS,) * 6, HOURS, "not_seven_weekdays"),
        (((),) * 7, HOURS, "no_office_hours"),
        (WEEK, (), "no_make_up_hours"),
        ((((time(12), time(9)),),) * 7, HOURS, "hours_not_in_order"),
        ((((time(9), time(13)), (time(12), time(18))),) * 7, HOURS, "hours_not_in_order"),
    ],
)
def test_impossible_hours_are_refused(hours, make_up, code):
    with pytest.raises(PolicyValueError, match=code):
        OfficeCalendar("Asia/Shanghai", hours, make_up)


moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(moments, st.integers(0, 5000), st.integers(0, 5000))
def test_adding_is_monotone_and_counting_is_its_inverse(moment, some, more):
    sooner = OFFICE.add_office_minutes(moment, some)
    later = OFFICE.add_office_minutes(moment, some + more)

    assert moment <= sooner <= later
    assert OFFICE.add_office_minutes(sooner, more) == later
    assert OFFICE.office_minutes_between(moment, later) == some + more


def test_holidays_are_read_once_a_year():
    public_days.cache_clear()

    for number in random.Random(1).sample(range(365), 100):
        OFFICE.is_working_day(date(2025, 1, 1) + number * DAY)

    assert public_days.cache_info().misses == 1
