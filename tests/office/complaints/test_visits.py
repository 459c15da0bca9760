from datetime import date, timedelta

import pytest
from sqlalchemy import select

from models.complaints import Ticket, TicketClock
from models.property import Area, Building, Unit
from models.visits import Visit
from office.complaints import clock_jobs, pauses, severities, visits, work
from office.core.errors import Refused
from rules.visits import VisitOutcome
from tests.factories.complaints import at, clocks, complain, escalations_of, people, solved, visits_of, wall

# preset, facts, solved -> planned from, due, role (V1; contract: Visits)
PLANNED = [
    ("tower", {}, "11:00", "2026-03-02 11:00", "2026-03-05 18:00", "front_desk"),
    ("tower", {"is_media": True}, "11:00", "2026-03-02 11:00", "2026-03-05 18:00", "station_head"),
    ("tower", {}, "2026-03-05 10:00", "2026-03-05 10:00", "2026-03-06 10:00", "front_desk"),
    ("residential", {}, "11:00", "2026-03-02 11:00", "2026-03-03 11:00", "front_desk"),
    ("residential", {"is_media": True}, "11:00", "2026-03-03 11:00", "2026-03-04 11:00", "station_head"),
    ("project", {"is_written": True}, "11:00", "2026-03-02 11:00", "2026-03-03 11:00", "front_desk"),
]


@pytest.mark.parametrize(("preset", "facts", "done", "planned", "due", "role"), PLANNED)
def test_resolving_plans_the_follow_up(session_of, preset, facts, done, planned, due, role):
    session = session_of(preset)
    staff = people(session)

    ticket = solved(session, staff, done=done, **facts)

    (visit,) = visits_of(session, ticket)
    assert (wall(visit.planned_from), wall(visit.due_at), visit.assignee_role) == (planned, due, role)
    assert visit.assignee_id == staff[role]
    assert visit.number == "V2026-000001"


def test_never_by_who_did_the_work(session):
    """V1: the clerk who solved it on the spot does not ask whether it was solved."""
    staff = people(session)
    ticket = complain(session, clerk_id=staff["front_desk"])

    ticket = work.resolve_on_spot(
        session, ticket.id, resolution="told", now=at("10:05"), staff_id=staff["front_desk"]
    )
    (visit,) = visits_of(session, ticket)

    assert visit.assignee_id == staff["station_head"]
    with pytest.raises(Refused, match="did the work"):
        visits.record_visit(session, visit.id, now=at("12:00"), satisfaction=5, staff_id=staff["front_desk"])
    with pytest.raises(Refused, match="did the work"):
        visits.reassign(
            session, visit.id, assignee_id=staff["front_desk"], now=at("12:00"), staff_id=staff["manager"]
        )
    assert visit.done_at is None


# satisfaction, facts -> outcome, state, whether closed (V2, V3)
ANSWERS = [
    (5, {}, "satisfied", "closed", True),
    (4, {}, "satisfied", "closed", True),
    (4, {"is_media": True}, "satisfied", "followed_up", False),
    (3, {}, "partly", "followed_up", False),
    (2, {}, "dissatisfied", "reopened", False),
    (1, {"is_media": True}, "dissatisfied", "reopened", False),
]


@pytest.mark.parametrize(("answer", "facts", "outcome", "state", "is_closed"), ANSWERS)
def test_what_an_answer_brings(session, answer, facts, outcome, state, is_closed):
    staff = people(session)
    ticket = solved(session, staff, **facts)
    (visit,) = visits_of(session, ticket)

    recorded = visits.record_visit(
        session,
        visit.id,
        now=at("2026-03-03 10:30"),
        satisfaction=answer,
        method="phone",
        staff_id=staff["station_head"],
    )

    ticket = session.get(Ticket, ticket.id)
    assert (recorded.outcome, visit.outcome, ticket.state) == (outcome, outcome, state)
    assert (ticket.closed_at is not None, ticket.satisfaction) == (is_closed, answer)
    assert clocks(session, ticket)["follow_up"][0] == "met"


def test_dissatisfied_reopens_one_level_up_with_a_new_clock(session):
    """V3."""
    staff = people(session)
    ticket = solved(session, staff, is_media=True)
    (visit,) = visits_of(session, ticket)

    visits.record_visit(
        session, visit.id, now=at("2026-03-03 12:00"), satisfaction=1, staff_id=staff["station_head"]
    )

    ticket = session.get(Ticket, ticket.id)
    assert (ticket.level, ticket.reopen_count, ticket.resolved_at) == (3, 1, None)
    assert clocks(session, ticket)["solve"] == ("running", "2026-03-04 00:00", None)
    assert escalations_of(session, ticket)[0][:2] == ("report_manager", 2)


# when the dissatisfied resident is met → when a minor complaint is to be solved: one office hour later (T20)
REOPENED_AT = [
    ("2026-03-03 10:00", "2026-03-03 11:00"),
    ("2026-03-03 11:30", "2026-03-03 14:00"),
    ("2026-03-03 17:30", "2026-03-04 09:30"),
    ("2026-03-07 10:00", "2026-03-09 10:00"),
]


@pytest.mark.parametrize(("met_at", "due"), REOPENED_AT)
def test_a_minor_complaint_reopened_has_the_length_of_a_plan_to_be_solved(session, met_at, due):
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)

    visits.record_visit(session, visit.id, now=at(met_at), satisfaction=2, staff_id=staff["front_desk"])

    assert clocks(session, ticket)["solve"] == ("running", due, None)
    clock_jobs.sweep(session, at(due))
    assert clocks(session, ticket)["solve"][0] == "running"
    clock_jobs.sweep(session, at(due) + timedelta(seconds=1))
    assert clocks(session, ticket)["solve"][0] == "breached"
    assert ("solve", 1) in [row[:2] for row in escalations_of(session, ticket)]


def test_the_time_of_a_reopened_complaint_waits_with_it(session):
    """T6, T20: a pause moves it by the paused office time."""
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)
    visits.record_visit(
        session, visit.id, now=at("2026-03-03 10:00"), satisfaction=1, staff_id=staff["front_desk"]
    )

    pauses.pause(
        session,
        ticket.id,
        waiting_for="resident",
        reason="away",
        look_again_on=at("2026-03-04 09:00").date(),
        now=at("2026-03-03 10:30"),
        staff_id=staff["worker"],
    )
    pauses.resume(session, ticket.id, now=at("2026-03-03 11:45"), staff_id=staff["worker"])

    assert clocks(session, ticket)["solve"] == ("running", "2026-03-03 13:45", None)


def test_lowering_a_reopened_complaint_leaves_it_a_time_for_its_solution(session):
    """T3, T20: a minor one that was never reopened has none."""
    staff = people(session)
    reopened, other = solved(session, staff, is_media=True), complain(session, is_media=True)
    (visit,) = visits_of(session, reopened)
    visits.record_visit(
        session, visit.id, now=at("2026-03-03 12:00"), satisfaction=1, staff_id=staff["station_head"]
    )

    for ticket in (reopened, other):
        severities.change_severity(
            session,
            ticket.id,
            severity="minor",
            note="no media after all",
            now=at("2026-03-03 12:30"),
            staff_id=staff["station_head"],
        )

    assert clocks(session, reopened)["solve"] == ("running", "2026-03-03 14:30", None)
    assert clocks(session, other)["solve"][0] in {"void", "breached"}


def test_it_loops_until_satisfied(session_of):
    session = session_of("project")
    staff = people(session)
    ticket = solved(session, staff)
    for turn, answer in enumerate((1, 2, 5)):
        day = f"2026-03-0{3 + turn}"
        *_, visit = visits_of(session, ticket)
        visits.record_visit(
            session, visit.id, now=at(f"{day} 09:30"), satisfaction=answer, staff_id=staff["front_desk"]
        )
        if answer < 4:
            work.start_work(session, ticket.id, now=at(f"{day} 10:00"), staff_id=staff["worker"])
            work.resolve_ticket(
                session, ticket.id, resolution="again", now=at(f"{day} 11:00"), staff_id=staff["worker"]
            )

    ticket = session.get(Ticket, ticket.id)
    states = [
        row.state
        for row in session.execute(
            select(TicketClock).where(TicketClock.clock == "solve").order_by(TicketClock.id)
        ).scalars()
    ]
    assert (ticket.state, ticket.reopen_count, ticket.level) == ("closed", 2, 2)
    assert [visit.outcome for visit in visits_of(session, ticket)] == [
        "dissatisfied",
        "dissatisfied",
        "satisfied",
    ]
    assert states == ["met", "met", "met"]


def test_nobody_reached_is_tried_again_and_then_the_manager_decides(session):
    """V2."""
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)
    planned = []
    for text in ("14:00", "2026-03-03 14:00", "2026-03-04 14:00"):
        found = visits.record_visit(
            session, visit.id, now=at(text), is_reached=False, staff_id=staff["front_desk"]
        )
        planned.append(wall(found.again_from))

    assert planned == ["2026-03-03 09:00", "2026-03-04 09:00", None]
    assert (found.asks_role, visit.outcome, visit.attempts) == ("manager", VisitOutcome.UNREACHABLE, 3)
    assert clocks(session, ticket)["follow_up"] == ("met", "2026-03-03 11:00", "2026-03-02 14:00")


def test_a_recorded_visit_is_not_recorded_twice(session):
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)
    visits.record_visit(session, visit.id, now=at("14:00"), satisfaction=5, staff_id=staff["front_desk"])

    with pytest.raises(Refused, match="already"):
        visits.record_visit(session, visit.id, now=at("14:01"), satisfaction=1, staff_id=staff["front_desk"])


@pytest.mark.parametrize(
    "changed", [{"satisfaction": 0}, {"satisfaction": 6}, {"satisfaction": None}, {"method": "pigeon"}]
)
def test_impossible_answers_are_refused(session, changed):
    staff = people(session)
    ticket = solved(session, staff)
    (visit,) = visits_of(session, ticket)
    given = {"satisfaction": 5, "method": "door"}

    with pytest.raises(Refused):
        visits.record_visit(session, visit.id, now=at("14:00"), **{**given, **changed})


# kind -> role, due after resolving or hand-over on 2 March at 10:00 (V4)
OTHERS = [
    ("repair", "front_desk", "2026-03-05 10:00"),
    ("collection", "steward", "2026-03-09 10:00"),
    ("courtesy", "steward", "2026-03-09 10:00"),
]


def flat(session):
    building = Building(name="3", area=Area(name="South"))
    unit = Unit(code="3-101", building=building, kind="residence", area_m2=80, floor=1)
    session.add(unit)
    session.flush()
    return unit


@pytest.mark.parametrize(("kind", "role", "due"), OTHERS)
def test_other_visits_have_a_plan_too(session, kind, role, due):
    staff = people(session)
    unit = flat(session)

    visit = visits.plan_visit(session, kind, unit_id=unit.id, caused_at=at("10:00"), now=at("10:00"))
    visits.record_visit(session, visit.id, now=at("2026-03-03 10:00"), method="door", words="all well")

    assert (visit.assignee_role, visit.assignee_id, wall(visit.due_at)) == (role, staff[role], due)
    assert (visit.outcome, visit.words) == ("done", "all well")
    with pytest.raises(Refused):
        visits.plan_visit(session, "follow_up", unit_id=unit.id, caused_at=at("10:00"), now=at("10:00"))


def test_the_steward_of_the_building_comes_first(session):
    staff = people(session)
    unit = flat(session)
    session.get(visits.Staff, staff["worker"]).buildings = [unit.building]
    session.flush()

    visit = visits.plan_visit(session, "courtesy", unit_id=unit.id, caused_at=at("10:00"), now=at("10:00"))

    assert visit.assignee_id == staff["worker"]


def test_todays_route_is_by_building_and_floor(session):
    staff = people(session)
    building = Building(name="1", area=Area(name="North"))
    units = [
        Unit(code=code, building=building, kind="residence", area_m2=80, floor=floor)
        for code, floor in (("1-901", 9), ("1-101", 1), ("1-501", 5))
    ]
    session.add_all(units)
    session.flush()
    for unit, text in zip(units, ("10:00", "2026-03-02 23:59", "2026-03-03 00:00"), strict=True):
        visits.plan_visit(session, "courtesy", unit_id=unit.id, caused_at=at(text), now=at("10:00"))

    route = visits.visits_today(session, date(2026, 3, 2), staff_id=staff["steward"])

    assert [visit.unit.code for visit in route] == ["1-101", "1-901"]
    assert not visits.visits_today(session, date(2026, 3, 2), role="front_desk")
    assert len(session.execute(select(Visit)).all()) == 3
