"""Whom a known incident reaches, how far it is, when it becomes major (T25)."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.incidents import Joined, Phase, Place, covers, households, is_about, phase, raised_to
from rules.pools import PoolScope
from rules.severity import SeverityLevel, SeverityPolicy, SeverityRule

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
HOME = Place("1-101", "1", "East")
POLICY = SeverityPolicy(
    (SeverityLevel("minor", 1), SeverityLevel("complex", 2), SeverityLevel("major", 3)),
    (
        SeverityRule("major", "household_count", 10),
        SeverityRule("complex", "household_count", 3),
        SeverityRule("major", "is_media"),
    ),
    "minor",
)


@pytest.mark.parametrize(
    ("now", "ends", "closed", "found"),
    [
        (NOON - INSTANT, None, None, Phase.COMING),
        (NOON, None, None, Phase.ON),
        (NOON + timedelta(hours=2), NOON + timedelta(hours=2), None, Phase.ON),
        (NOON + timedelta(hours=2) + INSTANT, NOON + timedelta(hours=2), None, Phase.LATE),
        (NOON + timedelta(days=9), None, None, Phase.ON),
        (NOON + timedelta(hours=3), NOON + timedelta(hours=2), NOON + timedelta(hours=3), Phase.CLOSED),
    ],
)
def test_how_far_an_incident_is(now, ends, closed, found):
    assert phase(NOON, ends, closed, now) is found


@pytest.mark.parametrize(
    ("scope", "names", "is_covered"),
    [
        (PoolScope.ESTATE, (), True),
        (PoolScope.AREA, ("West", "east"), True),
        (PoolScope.AREA, ("West",), False),
        (PoolScope.BUILDING, ("1",), True),
        (PoolScope.BUILDING, ("East/1",), True),
        (PoolScope.BUILDING, ("West/1", "2"), False),
        (PoolScope.UNITS, ("１-101",), True),
        (PoolScope.UNITS, ("1-102", "1"), False),
    ],
)
def test_whom_an_incident_reaches(scope, names, is_covered):
    assert covers(scope, names, HOME) is is_covered


@pytest.mark.parametrize(
    ("category", "typed", "is_so"),
    [(None, (3,), True), (3, (), True), (3, (3, 1), True), (1, (3, 1), True), (2, (3, 1), False)],
)
def test_what_an_incident_is_about(category, typed, is_so):
    assert is_about(category, typed) is is_so


def test_a_household_counts_once_however_often_it_calls():
    assert households([]) == 0
    assert households([Joined(1, 1), Joined(1, 1), Joined(2, 1)]) == 2
    assert households([Joined(1, 1), Joined(1, 4), Joined(None, 1), Joined(None, 2)]) == 7


@pytest.mark.parametrize(
    ("count", "reached", "found"),
    [
        (0, "", ""),
        (2, "", ""),
        (3, "", "complex"),
        (4, "complex", ""),
        (9, "complex", ""),
        (10, "complex", "major"),
        (11, "major", ""),
        (3, "gone", "complex"),
    ],
)
def test_each_severity_is_reached_once(count, reached, found):
    """T25: three households raise it once; the fourth raises nothing again."""
    assert raised_to(POLICY, count, reached) == found
