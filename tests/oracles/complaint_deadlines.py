"""Severity, due times and escalations of tickets over a Spring Festival, worked out a second time.

Knows the contract's words, office time without a zone and another author's holiday calendar; counts office
minutes one by one and shares no line with `rules`.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import chinese_calendar

Facts = dict[str, Any]

SHIFT = timedelta(hours=8)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def is_open(moment: datetime) -> bool:
    minute = moment.hour * 60 + moment.minute
    in_hours = 540 <= minute < 720 or 810 <= minute < 1080
    return in_hours and chinese_calendar.is_workday(moment.date())


@cache
def open_minutes() -> list[datetime]:
    """Each open minute of seventy days."""
    first = datetime(2026, 2, 1)  # noqa: DTZ001 - the oracle's office time
    return [moment for number in range(70 * 24 * 60) if is_open(moment := first + number * MINUTE)]


def office_minutes_later(moment: datetime, count: int) -> datetime:
    """One minute after the `count`-th open minute from the moment on."""
    opened = open_minutes()
    return opened[bisect_left(opened, moment) + count - 1] + MINUTE


def working_days_later(moment: datetime, count: int) -> datetime:
    day = moment.replace(hour=18, minute=0)
    while count:
        day += DAY
        count -= chinese_calendar.is_workday(day.date())
    return day


def severity_of(preset: str, facts: Facts) -> str:
    if facts["household_count"] >= 3 or facts["is_media"] or facts["loss_amount"] >= 10000:
        return "major"
    if preset != "project":
        return "minor"
    return "complex" if facts["is_repeat"] or facts["is_written"] else "simple"


def due_times(
    preset: str, severity: str, facts: Facts, at: datetime, resolved: datetime
) -> dict[str, datetime]:
    is_major = severity == "major"
    due = {"first_word": working_days_later(at, 3) if preset == "tower" else at + DAY}
    if facts["happening_now"]:
        due["on_site"] = at + 10 * MINUTE
    if is_major:
        due["report_manager"] = at if preset == "tower" else at + 10 * MINUTE
    if preset != "tower":
        due["department_plan"] = office_minutes_later(at, 60)
    if is_major and preset != "tower":
        due["solve"] = at + 12 * HOUR
    elif preset != "residential":
        due["solve"] = working_days_later(at, 2)
    if facts["is_written"] and preset != "residential":
        due["written_answer"] = working_days_later(at, 3)
    if preset == "tower":
        due["follow_up"] = max(working_days_later(at, 3), resolved + DAY)
    else:
        due["follow_up"] = resolved + (2 * DAY if is_major else DAY)
    return due


def levels(is_major: bool, due: datetime) -> list[tuple[int, datetime]]:
    second = office_minutes_later(due, 240)
    instants = [due, second, working_days_later(second, 1)]
    return list(
        zip(range(2, 4), instants, strict=False) if is_major else zip(range(1, 4), instants, strict=True)
    )


def tickets(seed: int) -> Iterator[tuple[datetime, datetime, Facts]]:
    chance = random.Random(seed)
    for _ in range(300):
        at = datetime(2026, 2, 9) + chance.randrange(21 * 24 * 60) * MINUTE  # noqa: DTZ001 - the oracle's office time
        facts = {
            "household_count": chance.choice([1, 1, 2, 3, 5]),
            "loss_amount": chance.choice([0, 9999, 10000]),
            **{
                name: chance.random() < 0.2
                for name in ("is_media", "is_repeat", "is_written", "happening_now")
            },
        }
        yield at, at + chance.randrange(5 * 24 * 60) * MINUTE, facts


def naive(instant: datetime) -> datetime:
    return (instant + SHIFT).replace(tzinfo=None)


def expected(
    preset: str, at: datetime, resolved: datetime, facts: Facts
) -> tuple[str, dict[str, datetime], dict[str, list[tuple[int, datetime]]]]:
    severity = severity_of(preset, facts)
    due = due_times(preset, severity, facts, at, resolved)
    return severity, due, {clock: levels(severity == "major", instant) for clock, instant in due.items()}
