"""Days and times as people write them: each form, and what can't be told for sure is refused."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import dates
from rules.dates import DateError, Order, day_of, instant_of, order_of, parts, told

OFFICE = ZoneInfo("Asia/Shanghai")
FIFTH = date(2026, 3, 5)
# ways to write the 5th of March 2026 that mean no other day
WRITTEN = [
    "2026-3-5", "2026-03-05", "2026/03/05", "2026.3.5", "2026年3月5日", "2026 年 3 月 5 日", "20260305",
    "２０２６－０３－０５", "2026-03-05 00:00:00", "2026-03-05T00:00", "115/03/05", "115.3.5", "115-03-05",
    "民國115年3月5日", "中華民國115年3月5日", "民国115/3/5", "115年3月5日", "1150305", "5 Mar 2026",
    "05-Mar-2026",    "5 March 2026", "Mar 5, 2026", "2026年3月5日 星期四", "2026/3/5 (週四)",
]  # fmt: skip
NO_DAY = [
    "", "tomorrow", "46086", "2026-13-01", "2026-02-29", "26/3/5", "5/3/26", "2026-3", "3-5", "1899-12-31",
    "2200-01-01", "2026/3/5 (週五)", "2026-03-055", "202603051", "2026-03-05 09:00", "115/13/05", "民國0年",
    "5 Foo 2026", "31/02/2026", "13/13/2026", "2026_03_05", "1/2/3/2026",
]  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
def test_one_day_in_each_way_to_write_it(written):
    assert day_of(written) == FIFTH


@pytest.mark.parametrize("written", NO_DAY)
def test_what_is_no_day_is_refused(written):
    with pytest.raises(DateError):
        day_of(written)


# written, what stands elsewhere in the column → the day; None: it can't be told
EITHER = [
    ("05/03/2026", (), None),
    ("05/03/2026", ("13/03/2026",), date(2026, 3, 5)),
    ("05/03/2026", ("03/13/2026",), date(2026, 5, 3)),
    ("05/03/2026", ("12/03/2026", "03/12/2026"), None),
    ("05/03/2026", ("13/03/2026", "03/13/2026"), None),  # they contradict each other
    ("05/03/2026", ("2026-03-13",), None),
    ("05-03-2026", ("31-01-2026",), date(2026, 3, 5)),
    ("05.03.2026", ("31/01/2026 09:30",), date(2026, 3, 5)),
    ("05/05/2026", (), date(2026, 5, 5)),
    ("13/03/2026", ("03/13/2026",), date(2026, 3, 13)),
    ("03/13/2026", (), date(2026, 3, 13)),
]


@pytest.mark.parametrize(("written", "others", "day"), EITHER)
def test_a_number_above_twelve_tells_the_order_of_its_column(written, others, day):
    order = order_of((written, *others))

    if day is None:
        with pytest.raises(DateError) as refusal:
            day_of(written, order)
        assert refusal.value.code == "ambiguous"
        assert told(written, order) == written
    else:
        assert day_of(written, order) == day
        assert day_of(told(written, order)) == day


# written, hour and minute … as the office's clock shows them; None: no time
TIMES = [
    ("2026-03-05 09:30", time(9, 30)),
    ("2026-03-05T09:30:15.25", time(9, 30, 15, 250_000)),
    ("2026/3/5 9:30:15", time(9, 30, 15)),
    ("2026年3月5日 9时30分", time(9, 30)),
    ("2026年3月5日9時5分7秒", time(9, 5, 7)),
    ("2026年3月5日 9点", time(9)),
    ("115/3/5 下午 3:05", time(15, 5)),
    ("2026-03-05 03:05 PM", time(15, 5)),
    ("2026-03-05 12:05 PM", time(12, 5)),
    ("2026-03-05 12:05 a.m.", time(0, 5)),
    ("2026-03-05 下午15:05", time(15, 5)),
    ("2026-03-05 上午 13:00", None),
    ("2026-03-05 0:30 PM", None),
    ("2026-03-05 24:00", None),
    ("2026-03-05 09:60", None),
    ("2026-03-05 AM 9:30 PM", None),
    ("2026-03-05 soon", None),
    ("09:30", None),
]


@pytest.mark.parametrize(("written", "at"), TIMES)
def test_times_behind_a_day(written, at):
    if at is None:
        with pytest.raises(DateError):
            parts(written)
    else:
        assert instant_of(written, OFFICE) == datetime.combine(FIFTH, at, OFFICE)


def test_an_offset_counts_before_the_offices_zone():
    assert instant_of("2026-03-05T09:30+00:00", OFFICE) == datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


# a number that a spreadsheet keeps → what it says; 1904 is not known, other numbers stay
SERIALS = [
    ("46086", "2026-03-05"),
    ("46086.5", "2026-03-05 12:00:00"),
    ("46086.3958333333", "2026-03-05 09:30:00"),
    ("20260305", "20260305"),
    ("25568", "25568"),
    ("73416", "73416"),
]


@pytest.mark.parametrize(("written", "says"), SERIALS)
def test_a_number_of_a_spreadsheet_is_its_day(written, says):
    assert told(written, None, is_number=True) == says
    assert told(written, None) == written  # as text it could be anything


days = st.dates(date(1912, 1, 1), date(2110, 12, 31))
WAYS = [
    lambda day: f"{day.year}-{day.month}-{day.day}",
    lambda day: f"{day:%Y/%m/%d}",
    lambda day: f"{day.year}.{day.month}.{day.day}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{day:%Y%m%d}",
    lambda day: f"民國{day.year - 1911}年{day.month}月{day.day}日",
    lambda day: f"{day.year - 1911:03}/{day:%m/%d}",
    lambda day: f"{day:%d %b %Y}",
]


@given(days, st.sampled_from(WAYS))
def test_a_day_read_is_the_day_that_was_written(day, way):
    assert day_of(way(day)) == day


@given(st.lists(days, min_size=1, max_size=20), st.sampled_from(Order))
def test_a_column_is_read_whole_or_said_to_be_open_but_never_wrong(column, order):
    """The control below reads the days as one country does, and is wrong."""
    way = "%d/%m/%Y" if order is Order.DAY_FIRST else "%m/%d/%Y"
    written = [f"{day:{way}}" for day in column]
    known = order_of(written)

    assert known in {None, order}
    for text, day in zip(written, column, strict=True):
        if known is None and day.day <= 12 and day.day != day.month:
            with pytest.raises(DateError, match="ambiguous"):
                day_of(text, known)
        else:
            assert day_of(text, known) == day


def test_reading_by_one_countrys_order_would_be_wrong():
    day = date(2026, 5, 3)

    assert day_of(f"{day:%m/%d/%Y}", Order.DAY_FIRST) != day


@given(st.text(max_size=30), st.sampled_from([None, *Order]))
def test_any_text_is_a_day_or_refused(text, order):
    try:
        found = day_of(text, order)
    except DateError:
        return
    assert dates.FIRST_YEAR <= found.year <= dates.LAST_YEAR


@given(st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)))  # noqa: DTZ001 -- as a spreadsheet keeps it
def test_a_spreadsheets_number_is_its_second(at):
    at = at.replace(microsecond=0)
    days = (at - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001

    day, found, _zone = parts(told(f"{days:.10f}", None, is_number=True))

    assert datetime.combine(day, found or time()) == at
