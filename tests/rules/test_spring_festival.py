"""300 tickets of each preset over a Spring Festival, worked out a second time by other means.

The oracle knows the contract's words, naive office time and another author's calendar; it counts
office minutes one by one and shares no line with `rules`.
"""

import random
import tomllib
from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import chinese_calendar
import pytest

from rules.deadlines import EscalationPolicy, Moment, clock_rules, clocks_starting, deadline, escalations
from rules.severity import Facts, SeverityPolicy, proposal
from rules.working_time import OfficeCalendar

PRESETS = Path(__file__).parents[2] / "seed" / "presets"
SHIFT = timedelta(hours=8)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def is_open(moment):
    minute = moment.hour * 60 + moment.minute
    in_hours = 540 <= minute < 720 or 810 <= minute < 1080
    return in_hours and chinese_calendar.is_workday(moment.date())


OPEN_MINUTES = [
    moment
    for moment in (datetime(2026, 2, 1) + number * MINUTE for number in range(70 * 24 * 60))  # noqa: DTZ001 - the oracle's office time
    if is_open(moment)
]


def office_minutes_later(moment, count):
    """One minute after the `count`-th open minute from the moment on."""
    return OPEN_MINUTES[bisect_left(OPEN_MINUTES, moment) + count - 1] + MINUTE


def working_days_later(moment, count):
    day = moment.replace(hour=18, minute=0)
    while count:
        day += DAY
        count -= chinese_calendar.is_workday(day.date())
    return day


def severity_of(preset, facts):
    if facts["household_count"] >= 3 or facts["is_media"] or facts["loss_amount"] >= 10000:
        return "major"
    if preset != "project":
        return "minor"
    return "complex" if facts["is_repeat"] or facts["is_written"] else "simple"


def due_times(preset, severity, facts, at, resolved):
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


def levels(is_major, due):
    second = office_minutes_later(due, 240)
    instants = [due, second, working_days_later(second, 1)]
    return list(
        zip(range(2, 4), instants, strict=False) if is_major else zip(range(1, 4), instants, strict=True)
    )


def tickets(seed):
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


def document(preset, name):
    return tomllib.loads((PRESETS / preset / f"{name}.toml").read_text(encoding="utf-8"))


def naive(instant):
    return (instant + SHIFT).replace(tzinfo=None)


@cache
def policies(preset):
    return (
        OfficeCalendar.from_row(document(preset, "calendar")),
        clock_rules(document(preset, "clocks")),
        EscalationPolicy.from_row(document(preset, "escalation")),
        SeverityPolicy.from_row(document(preset, "severities")),
    )


def worked_out(preset, at, resolved, facts, calendar=None):
    office, rules, ladder, severities = policies(preset)
    office = calendar or office
    known = Facts.from_row(facts)
    severity = proposal(severities, known).severity
    due, told = {}, {}
    for moment, start in ((Moment.REGISTERED, at), (Moment.RESOLVED, resolved)):
        instant = (start - SHIFT).replace(tzinfo=UTC)
        for rule in clocks_starting(rules, moment, severity, known):
            registered = (at - SHIFT).replace(tzinfo=UTC)
            due_at = deadline(office, rule, instant, registered_at=registered).due_at
            due[rule.clock] = naive(due_at)
            first = ladder.level_at_start(severity)
            steps = escalations(office, ladder, rule.clock, first, due_at)
            told[rule.clock] = [(step.level, naive(step.at)) for step in steps]
    return severity, due, told


def expected(preset, at, resolved, facts):
    severity = severity_of(preset, facts)
    due = due_times(preset, severity, facts, at, resolved)
    return severity, due, {clock: levels(severity == "major", instant) for clock, instant in due.items()}


@pytest.mark.parametrize("preset", ["tower", "residential", "project"])
def test_three_hundred_tickets_agree_to_the_minute(preset):
    """T3, T4, T5, V1."""
    for at, resolved, facts in tickets(preset):
        assert worked_out(preset, at, resolved, facts) == expected(preset, at, resolved, facts)


@pytest.mark.parametrize("preset", ["tower", "residential", "project"])
def test_an_office_without_holidays_would_be_found_out(preset):
    """The control: plain weekends give other instants for some of the same tickets."""
    plain = replace(policies(preset)[0], country=None)

    assert any(
        worked_out(preset, *ticket, calendar=plain) != expected(preset, *ticket) for ticket in tickets(preset)
    )
