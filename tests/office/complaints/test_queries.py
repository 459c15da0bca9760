"""The conditions behind lists and counts of complaints: late, due soon, waiting for a review (K4, T4, T9)."""

from datetime import date

import pytest
from sqlalchemy import select

from models.complaints import TICKET_STATES, Ticket, is_escalated, is_unresolved
from office.complaints import clock_jobs, closures, queries, visits, work
from office.complaints.closures import ReviewMinutes
from office.policies import store
from tests.factories.complaints import at, complain, people, solved, visits_of
from tests.factories.rows import add_clock, add_ticket


def soon_within(session, minutes):
    policy = store.document(session, "complaints", date(2026, 3, 2)) | {"due_soon_minutes": minutes}
    store.store(session, "complaints", policy, valid_from=date(2026, 3, 2), now=at("08:00"))


def ids(session, *conditions):
    return list(session.scalars(select(Ticket.id).where(*conditions).order_by(Ticket.id)))


# an instant, how near is soon, and whether a complaint whose plan is due at 11:00 is late or due soon then
INSTANTS = [
    ("08:59:59", 120, False, False),
    ("09:00:00", 120, False, True),
    ("11:00:00", 120, False, True),
    ("11:00:01", 120, True, False),
    ("09:29:59", 90, False, False),
    ("09:30:00", 90, False, True),
    ("08:59:59", 121, False, True),
]


@pytest.mark.parametrize(("text", "minutes", "is_late", "is_soon"), INSTANTS)
def test_a_deadline_is_soon_in_the_policys_minutes_and_late_after_it(
    session, text, minutes, is_late, is_soon
):
    soon_within(session, minutes)
    ticket = complain(
        session, "2026-03-02 08:00", now=at("2026-03-02 08:00")
    )  # opens at 09:00: plan by 10:00
    work.meet_clock(session, ticket.id, "department_plan", now=at("08:30"))
    urgent = complain(session, "10:00", now=at("10:00"))
    now = at(f"2026-03-02 {text}")
    clock_jobs.sweep(session, now)

    late = ids(session, queries.is_open(), queries.is_late())
    soon = ids(session, queries.is_open(), queries.is_due_soon(now, queries.due_soon_minutes(session, now)))

    assert (late, soon) == ([urgent.id] if is_late else [], [urgent.id] if is_soon else [])


# the versions of the policy with their first days, and how many minutes are soon on 2 March
VERSIONS = [
    ([], 120),
    ([(date(2026, 3, 2), {"due_soon_minutes": 30})], 30),
    ([(date(2026, 3, 3), {"due_soon_minutes": 30})], 120),
    ([(date(2026, 3, 2), {"due_soon_minutes": None})], 120),  # of an older program: the usual value
    ([(date(2026, 3, 1), {"due_soon_minutes": 45}), (date(2026, 3, 2), {"kept_years": "many"})], 45),
]


@pytest.mark.parametrize(("versions", "minutes"), VERSIONS)
def test_lists_open_by_the_last_policy_that_can_be_read(session, versions, minutes):
    for day, changed in versions:
        document = store.document(session, "complaints", date(2026, 2, 1)) | changed
        whole = {name: value for name, value in document.items() if value is not None}
        store.store(session, "complaints", whole, valid_from=day, now=at("09:00"))

    assert queries.due_soon_minutes(session, at("2026-03-02 12:00")) == minutes


def test_a_late_deadline_that_was_met_at_last_is_late_no_more(session):
    ticket = complain(session)
    clock_jobs.sweep(session, at("11:01"))
    assert ids(session, queries.is_late()) == [ticket.id]

    work.meet_clock(session, ticket.id, "department_plan", now=at("11:05"))

    assert ids(session, queries.is_late()) == []


@pytest.mark.parametrize("state", TICKET_STATES)
def test_only_what_is_not_resolved_is_escalated_or_overdue(session, state):
    """K4; contract "Figures, exactly": also a resolved complaint whose visit is late is neither."""
    ended = at("12:00") if state in {"closed", "invalid"} else None
    ticket = add_ticket(session, at("10:00"), level=1, state=state, closed_at=ended)
    low = add_ticket(session, at("10:00"), state=state, closed_at=ended)
    add_clock(session, ticket, at("11:00"), "breached", stopped_at=None)

    found = [ids(session, is_escalated()), ids(session, queries.is_overdue()), ids(session, is_unresolved())]

    is_wanted = state in {"registered", "assigned", "in_progress", "reopened"}
    assert found == ([[ticket.id], [ticket.id], [ticket.id, low.id]] if is_wanted else [[], [], []])


def test_the_policy_says_which_severities_wait_for_a_review(session):
    """T9: not "major" by name; a complaint with its meeting waits for none."""
    policy = store.document(session, "complaints", date(2026, 3, 2))
    policy["reviewed_severities"] = ["minor", "major"]
    store.store(session, "complaints", policy, valid_from=date(2026, 3, 2), now=at("09:00"))
    staff = people(session)
    waiting, reviewed = solved(session, staff), solved(session, staff)
    minutes = ReviewMinutes("no roster", "cleaned", "a roster", "head, lead")
    closures.hold_review(session, reviewed.id, minutes, held_at=at("12:00"), now=at("12:00"))
    for ticket in (waiting, reviewed):
        (visit,) = visits_of(session, ticket)
        visits.record_visit(
            session, visit.id, now=at("2026-03-03 10:30"), satisfaction=5, staff_id=staff["front_desk"]
        )

    assert session.get(Ticket, waiting.id).state == "followed_up"
    assert ids(session, queries.awaits_review(session, at("2026-03-03 11:00"))) == [waiting.id]
    assert ids(session, queries.first_due_at().is_not(None)) == []
