"""How a complaint of an old register ended, and which dates follow each other (R5)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.lifecycle import State
from rules.old_registers import Ending, Outcome, ending, following

OFFICE = ZoneInfo("Asia/Shanghai")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=OFFICE)


NOW = at("2026-03-02 10:00")
SOLVED, VISITED, CLOSED = at("2026-01-05 10:00"), at("2026-01-06 11:00"), at("2026-01-07 12:00")
# outcome, solved, visited, closed → state, outcome, closed; None: it has not ended
ENDINGS = [
    ("", None, None, None, None),
    ("", SOLVED, None, None, (State.CLOSED, Outcome.SOLVED, SOLVED)),
    ("", SOLVED, VISITED, None, (State.CLOSED, Outcome.SOLVED, VISITED)),
    ("", SOLVED, VISITED, CLOSED, (State.CLOSED, Outcome.SOLVED, CLOSED)),
    ("", None, None, CLOSED, (State.CLOSED, None, CLOSED)),
    ("solved", None, None, None, (State.CLOSED, Outcome.SOLVED, NOW)),
    ("cancelled", None, None, None, (State.CLOSED, Outcome.CANCELLED, NOW)),
    ("moved", SOLVED, None, None, (State.CLOSED, Outcome.MOVED, SOLVED)),
    ("invalid", None, None, CLOSED, (State.INVALID, Outcome.INVALID, CLOSED)),
]


@pytest.mark.parametrize(("outcome", "solved", "visited", "closed", "expected"), ENDINGS)
def test_how_a_complaint_ended(outcome, solved, visited, closed, expected):
    found = ending(outcome, resolved_at=solved, followed_up_at=visited, closed_at=closed, taken_over_at=NOW)

    assert found == (expected and Ending(*expected))


def test_an_outcome_that_is_none_is_no_ending():
    with pytest.raises(ValueError, match="open"):
        ending("open", resolved_at=None, followed_up_at=None, closed_at=None, taken_over_at=NOW)


# earlier, later → the later one as it counts; None: it lies before
FOLLOWING = [
    ("2026-01-05 10:00", "2026-01-05 10:00", "2026-01-05 10:00"),
    ("2026-01-05 10:00", "2026-01-05 09:59", None),
    ("2026-01-05 10:00", "2026-01-05 00:00", "2026-01-05 10:00"),  # the day alone
    ("2026-01-05 10:00", "2026-01-04 00:00", None),
    ("2026-01-05 00:00", "2026-01-05 00:00", "2026-01-05 00:00"),
    ("2026-01-05 07:00", "2026-01-05 08:00", "2026-01-05 08:00"),  # midnight of UTC is none of the office
    ("2026-01-05 09:00", "2026-01-05 08:00", None),
]


@pytest.mark.parametrize(("earlier", "later", "expected"), FOLLOWING)
def test_a_day_alone_is_not_before_an_hour_of_it(earlier, later, expected):
    assert following(at(earlier), at(later), OFFICE) == (expected and at(expected))


@given(st.datetimes(), st.datetimes())
def test_what_counts_never_lies_before_the_earlier_one(earlier, later):
    earlier, later = earlier.replace(tzinfo=UTC), later.replace(tzinfo=UTC)
    try:
        found = following(earlier, later, OFFICE)
    except OverflowError:  # at the ends of the calendar
        return
    assert found is None or found >= earlier
    assert (found is None) <= (later < earlier)
