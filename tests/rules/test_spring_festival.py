"""300 tickets of each preset over a Spring Festival, worked out a second time by other means.

The oracle knows the contract's words, naive office time and another author's calendar; it counts
office minutes one by one and shares no line with `rules`.
"""

from dataclasses import replace
from datetime import UTC
from functools import cache

import pytest

from rules.deadlines import ClockPolicy, EscalationPolicy, Moment, clocks_starting, deadline, escalations
from rules.severity import Facts, SeverityPolicy, proposal
from rules.working_time import OfficeCalendar
from tests.factories.policies import policy
from tests.oracles.complaint_deadlines import SHIFT, expected, naive, tickets


@cache
def policies(preset):
    return (
        policy(preset, OfficeCalendar),
        policy(preset, ClockPolicy).rule,
        policy(preset, EscalationPolicy),
        policy(preset, SeverityPolicy),
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
