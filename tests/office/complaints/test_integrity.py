"""`flask check` and `flask explain ticket`: what always holds, and why a ticket is where it is."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from models.office import JobRun
from office.complaints import clock_jobs, integrity, visits
from office.complaints.timeline import explain_ticket, timeline
from office.core.errors import Refused
from tests.factories.complaints import at, complain, people, solved, visits_of


def busy_office(session):
    """Tickets in every state, some late."""
    staff = people(session)
    late = complain(session)
    waiting = complain(session)
    ticket = solved(session, staff, is_media=True)
    (visit,) = visits_of(session, ticket)
    clock_jobs.sweep(session, at("2026-03-04 19:00"))
    visits.record_visit(
        session, visit.id, now=at("2026-03-04 19:00"), satisfaction=1, staff_id=staff["station_head"]
    )
    session.add(
        JobRun(
            job="ticket_clocks",
            due_for=at("2026-03-04 19:00"),
            state="done",
            finished_at=at("2026-03-04 19:00") + timedelta(seconds=1),
        )
    )
    session.flush()
    session.expire_all()
    return late, waiting, ticket


def test_all_hold_in_a_busy_office(session):
    busy_office(session)

    assert list(integrity.all_hold(session)) == []


# what somebody breaks behind the office's back -> the check that names it
BROKEN = [
    ("UPDATE ticket SET state = 'closed'", "ticket_clock_follows_ticket"),
    ("UPDATE ticket_clock SET state = 'met' WHERE state = 'breached'", "ticket_clock_state_true"),
    ("UPDATE ticket_clock SET next_at = NULL WHERE state = 'running'", "ticket_clock_state_true"),
    (
        "UPDATE ticket_clock SET next_at = '2026-03-03 00:00:00', started_at = '2026-03-02 00:00:00' "
        "WHERE state = 'running'",
        "ticket_clock_looked_at",
    ),
    ("UPDATE ticket SET turns_major_at = registered_at WHERE state = 'registered'", "ticket_turned_major"),
    ("UPDATE ticket_clock SET last_level = 0", "escalations_without_gap"),
    ("DELETE FROM escalation WHERE level = 2", "escalations_without_gap"),
    (
        "UPDATE ticket_clock SET stopped_at = due_at, next_at = NULL WHERE state = 'breached'",
        "escalation_while_late",
    ),
    ("UPDATE ticket SET accused_id = handler_id", "ticket_state_true"),
    ("UPDATE ticket SET state = 'closed', closed_at = registered_at", "major_closed_with_review"),
    ("UPDATE ticket SET state = 'resolved' WHERE id = 1", "resolved_has_visit"),
]


@pytest.mark.parametrize(("statement", "check"), BROKEN)
def test_what_is_broken_is_named(session, statement, check):
    """The control of the test above."""
    busy_office(session)
    session.flush()

    session.execute(text(statement))

    assert check in {finding.check for finding in integrity.all_hold(session)}


def test_a_ticket_explains_itself(session):
    late, waiting, _ = busy_office(session)
    fresh = complain(session, "2026-03-04 19:00")

    told = explain_ticket(session, late.number, at("2026-03-04 19:00"))
    coming = explain_ticket(session, fresh.number, at("2026-03-04 19:00"))["next"]

    assert (told["state"], told["severity_reason"], told["level"]) == ("registered", "no_aggravating_fact", 3)
    word = next(clock for clock in told["clocks"] if clock["clock"] == "first_word")
    assert word["due_at"] == "2026-03-03T10:00:00+08:00"
    assert word["rule"].startswith("due_elapsed: rule=first_word, length=1440")
    assert [step["to_role"] for step in word["told"]] == ["station_head", "manager", "director"]
    assert [(step["what"], step["clock"], step["at"][:16], step["to_role"]) for step in coming[:3]] == [
        ("warning", "department_plan", "2026-03-05T09:48", ""),
        ("escalation", "department_plan", "2026-03-05T10:00", "station_head"),
        ("warning", "first_word", "2026-03-05T14:12", ""),
    ]
    assert coming[-1]["what"] == "turn_major"
    assert waiting.number in explain_ticket(session, waiting.number, at("11:00"))["number"]
    with pytest.raises(Refused):
        explain_ticket(session, "T1999-1", at("11:00"))


def test_the_timeline_tells_all_in_order(session):
    _, _, ticket = busy_office(session)

    lines = timeline(session, ticket)

    assert [line.at for line in lines] == sorted(line.at for line in lines)
    codes = [(line.kind, line.code) for line in lines]
    assert codes[0] == ("event", "register")
    assert {("escalation", "report_manager"), ("breached", "report_manager"), ("event", "reopen")} <= set(
        codes
    )
    assert [line.by for line in lines if line.code == "resolve"] == ["worker"]
