"""How complaints end, and how long they are kept (T7, T9–T11, V3)."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from models.complaints import (
    CaseEntry,
    Complainant,
    Escalation,
    RetentionRemoval,
    Ticket,
    TicketClock,
    TicketEvent,
)
from models.visits import Visit
from office.complaints import closures, retention, visits, work
from office.complaints.closures import ReviewMinutes
from office.complaints.complainants import NewComplainant
from office.core.errors import Refused
from tests.factories.complaints import at, clocks, complain, people, solved, visits_of, wall

MINUTES = ReviewMinutes("no roster", "cleaned", "a roster", "head, lead")


def satisfied(session, staff, **more):
    ticket = solved(session, staff, **more)
    (visit,) = visits_of(session, ticket)
    visits.record_visit(
        session, visit.id, now=at("2026-03-03 10:30"), satisfaction=5, staff_id=staff["station_head"]
    )
    return session.get(Ticket, ticket.id)


def test_a_major_ticket_closes_only_with_its_review_meeting(session):
    """T9: the meeting on record closes a ticket that waited for it alone."""
    staff = people(session)
    ticket = satisfied(session, staff, is_media=True)
    with pytest.raises(Refused, match="review meeting"):
        closures.close(session, ticket.id, now=at("2026-03-03 11:00"), staff_id=staff["manager"])

    ticket = closures.hold_review(
        session, ticket.id, MINUTES, held_at=at("2026-03-04 10:00"), now=at("2026-03-04 12:00")
    )

    assert (ticket.state, wall(ticket.closed_at)) == ("closed", "2026-03-04 12:00")


@pytest.mark.parametrize(
    ("minutes", "held"),
    [
        (replace(MINUTES, prevention=" "), "2026-03-04 10:00"),
        (MINUTES, "2026-03-05 10:00"),
        (MINUTES, "09:59"),
    ],
)
def test_a_meeting_without_words_or_at_an_impossible_time_is_refused(session, minutes, held):
    ticket = satisfied(session, people(session), is_media=True)

    with pytest.raises(Refused):
        closures.hold_review(session, ticket.id, minutes, held_at=at(held), now=at("2026-03-04 12:00"))


def test_invalid_needs_a_request_and_another_persons_approval(session):
    """T7: clocks that still ran are void, what was late stays late."""
    staff = people(session)
    ticket = complain(session)
    given = {"now": at("11:30"), "staff_id": staff["station_head"]}
    with pytest.raises(Refused, match="asked"):
        closures.decide_invalid(session, ticket.id, is_approved=True, **given)
    closures.request_invalid(session, ticket.id, ground="unfounded", reason="no such hall", **given)
    with pytest.raises(Refused, match="other than"):
        closures.decide_invalid(session, ticket.id, is_approved=True, **given)
    with pytest.raises(Refused, match="roles"):
        closures.decide_invalid(
            session, ticket.id, is_approved=True, now=at("11:31"), staff_id=staff["front_desk"]
        )

    ticket = closures.decide_invalid(
        session, ticket.id, is_approved=True, now=at("12:00"), staff_id=staff["manager"]
    )

    assert (ticket.state, wall(ticket.closed_at), ticket.turns_major_at) == (
        "invalid",
        "2026-03-02 12:00",
        None,
    )
    assert clocks(session, ticket) == {
        "department_plan": ("breached", "2026-03-02 11:00", "2026-03-02 12:00"),
        "first_word": ("void", "2026-03-03 10:00", "2026-03-02 12:00"),
    }
    assert "notice_due" in session.execute(select(TicketEvent.verb)).scalars().all()


def test_a_refused_request_leaves_the_ticket_and_may_be_made_again(session):
    staff = people(session)
    ticket = complain(session)
    asked = {"ground": "unfounded", "reason": "x", "staff_id": staff["front_desk"]}
    closures.request_invalid(session, ticket.id, now=at("10:10"), **asked)
    with pytest.raises(Refused, match="already"):
        closures.request_invalid(session, ticket.id, now=at("10:11"), **asked)
    assert len(closures.invalid_requests(session)) == 1

    closures.decide_invalid(
        session, ticket.id, is_approved=False, now=at("10:12"), staff_id=staff["manager"], note="it is ours"
    )
    closures.request_invalid(session, ticket.id, now=at("10:13"), **asked)

    assert session.get(Ticket, ticket.id).state == "registered"
    assert clocks(session, ticket)["first_word"][0] == "running"


def test_unreachable_closes_after_the_tries_with_the_managers_word(session):
    """V2."""
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)
    word = {"staff_id": staff["manager"], "note": "moved away"}
    for text in ("14:00", "2026-03-03 14:00", "2026-03-04 14:00"):
        with pytest.raises(Refused, match="more times"):
            closures.close_unreachable(session, ticket.id, now=at(text), **word)
        visits.record_visit(session, visit.id, now=at(text), is_reached=False, staff_id=staff["front_desk"])
    with pytest.raises(Refused, match="roles"):
        closures.close_unreachable(
            session, ticket.id, now=at("2026-03-05 10:00"), staff_id=staff["front_desk"], note="x"
        )

    ticket = closures.close_unreachable(session, ticket.id, now=at("2026-03-05 10:00"), **word)

    assert ticket.state == "closed"


def test_the_manager_may_end_the_loop_with_a_reason(session_of):
    """V3."""
    session = session_of("project")
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)
    visits.record_visit(session, visit.id, now=at("14:00"), satisfaction=1, staff_id=staff["front_desk"])

    ticket = closures.close_by_decision(
        session, ticket.id, now=at("15:00"), staff_id=staff["manager"], note="asks for the impossible"
    )

    assert (ticket.state, clocks(session, ticket)["solve"][0]) == ("closed", "void")


def test_a_case_holds_no_complainants_name(session):
    """T10."""
    ticket = complain(session, complainants=[NewComplainant("王五")])
    given = {
        "title": "A dirty hall",
        "what_was_done": "a roster",
        "category_id": ticket.category_id,
        "ticket_id": ticket.id,
        "now": at("10:10"),
    }

    with pytest.raises(Refused, match="name"):
        closures.add_case(session, what_happened="王五 found it dirty", **given)
    closures.add_case(session, what_happened="a resident found it dirty", **given)

    assert session.execute(select(CaseEntry.title)).scalar_one() == "A dirty hall"


# the night of the job, whether on hold -> whether removed; closed 3 March 2026 at 10:30 (T11)
KEPT = [
    ("2029-03-03 03:00", False, False),
    ("2029-03-03 10:29", False, False),
    ("2029-03-03 10:30", False, True),
    ("2029-03-04 03:00", False, True),
    ("2029-03-04 03:00", True, False),
]


@pytest.mark.parametrize(("night", "is_on_hold", "is_removed"), KEPT)
def test_closed_tickets_are_kept_three_years(session, night, is_on_hold, is_removed):
    staff = people(session)
    ticket = satisfied(session, staff, complainants=[NewComplainant("王五")], is_written=True)
    ticket.is_on_hold = is_on_hold
    other = complain(session, "2026-03-03 11:00", repeat_of_id=ticket.id)
    closures.add_case(
        session,
        title="t",
        what_happened="w",
        what_was_done="d",
        category_id=ticket.category_id,
        ticket_id=ticket.id,
        now=at("2026-03-04 10:00"),
    )
    number = ticket.number
    session.flush()

    done = retention.remove_expired(session, at(night)).done

    session.expire_all()
    assert done == int(is_removed)
    left = session.execute(select(Ticket.number)).scalars().all()
    assert (number in left, other.number in left) == (not is_removed, True)
    if is_removed:
        for table in (Complainant, Escalation, Visit):
            assert not session.execute(select(table)).all()
        assert {row.ticket_id for row in session.execute(select(TicketClock)).scalars()} == {other.id}
        assert session.execute(select(CaseEntry.ticket_id)).scalar_one() is None
        removal = session.execute(select(RetentionRemoval)).scalar_one()
        assert (removal.kind, removal.number, removal.removed_at) == ("ticket", number, at(night))


def test_an_open_ticket_is_never_removed(session):
    complain(session)

    assert retention.remove_expired(session, at("2036-03-02 10:00")).done == 0


def test_reopening_by_hand_drops_the_planned_visit(session):
    staff = people(session)
    ticket = solved(session, staff)

    ticket = work.reopen(session, ticket.id, now=at("12:00"), staff_id=staff["manager"], note="not done")

    (visit,) = visits_of(session, ticket)
    assert (ticket.state, visit.outcome, clocks(session, ticket)["follow_up"][0]) == (
        "reopened",
        "done",
        "met",
    )
