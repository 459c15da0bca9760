from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from models.complaints import ClockPause, Complainant, Ticket, TicketClock, TicketEvent
from models.office import Audit, Message
from models.people import Department, Staff
from models.property import CalendarDay
from office.complaints import (
    clock_jobs,
    complainants,
    integrity,
    links,
    pauses,
    recalculation,
    severities,
    work,
    work_slips,
)
from office.complaints.complainants import NewComplainant
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.registration import NewTicket, register_ticket
from office.core.errors import Refused
from office.policies import store
from tests.factories.arrears import add_bill, add_unit
from tests.factories.complaints import MINUTE, at, clocks, complain, escalations_of, people, solved, wall

# preset, facts, severity -> clock: due, registered on Monday 2 March 2026 at 10:00 (T3, T4)
STARTED = [
    ("tower", {}, "minor", {"first_word": "2026-03-05 18:00", "solve": "2026-03-04 18:00"}),
    (
        "tower",
        {"is_media": True, "is_written": True, "happening_now": True},
        "major",
        {
            "on_site": "2026-03-02 10:10",
            "report_manager": "2026-03-02 10:00",
            "first_word": "2026-03-05 18:00",
            "solve": "2026-03-04 18:00",
            "written_answer": "2026-03-05 18:00",
        },
    ),
    ("residential", {}, "minor", {"department_plan": "2026-03-02 11:00", "first_word": "2026-03-03 10:00"}),
    (
        "residential",
        {"household_count": 3},
        "major",
        {
            "report_manager": "2026-03-02 10:10",
            "department_plan": "2026-03-02 11:00",
            "first_word": "2026-03-03 10:00",
            "solve": "2026-03-02 22:00",
        },
    ),
    (
        "project",
        {"is_written": True},
        "complex",
        {
            "department_plan": "2026-03-02 11:00",
            "first_word": "2026-03-03 10:00",
            "solve": "2026-03-04 18:00",
            "written_answer": "2026-03-05 18:00",
        },
    ),
]


@pytest.mark.parametrize(("preset", "facts", "severity", "due"), STARTED)
def test_a_new_ticket_has_its_severity_and_clocks(session_of, preset, facts, severity, due):
    session = session_of(preset)

    ticket = complain(session, **facts)

    assert (ticket.number, ticket.severity, ticket.state) == ("T2026-000001", severity, "registered")
    assert ticket.level == (1 if severity == "major" else 0)
    assert ticket.department.code == "cleaning"
    assert clocks(session, ticket) == {name: ("running", when, None) for name, when in due.items()}


def test_numbers_follow_each_other_by_the_office_year(session):
    numbers = [complain(session, text).number for text in ("2025-12-31 23:59", "2026-01-01 00:00", "10:00")]

    assert numbers == ["T2025-000001", "T2026-000001", "T2026-000002"]


@pytest.mark.parametrize(
    "changed",
    [
        {"channel": "rumour"},
        {"category": "weather"},
        {"statement": " "},
        {"severity": "gigantic"},
        {"registered_at": at("10:01")},
    ],
)
def test_what_can_not_be_registered_is_refused(session, changed):
    given = {
        "channel": "desk",
        "category": "cleaning",
        "statement": "x",
        "registered_at": at("10:00"),
    }

    with pytest.raises(Refused):
        register_ticket(session, NewTicket(**{**given, **changed}), now=at("10:00"))


def test_several_may_complain_and_anybody_without_a_name(session):
    joined = complain(
        session,
        complainants=[NewComplainant("王五", "13800000001"), NewComplainant("赵六"), NewComplainant(" ")],
    )
    anonymous = complain(session, is_anonymous=True)

    complainants.add_complainant(session, joined.id, NewComplainant("钱七"), now=at("10:05"), staff_id=None)

    names = [row.name for row in session.execute(select(Complainant)).scalars()]
    assert names == ["王五", "赵六", "钱七"]
    assert anonymous.is_anonymous
    assert set(clocks(session, anonymous)) == set(clocks(session, joined))


# minutes after registration at which the tick looks -> first_word (due after 1440), and who was informed
SECONDS = timedelta(seconds=1)
BOUNDARIES = [
    ("2026-03-03 05:11", "running", False, []),
    ("2026-03-03 05:12", "running", True, []),
    ("2026-03-03 09:59", "running", True, []),
    ("2026-03-03 10:00", "running", True, []),
    ("2026-03-03 10:01", "breached", True, [1]),
    ("2026-03-03 15:30", "breached", True, [1]),
    ("2026-03-03 15:31", "breached", True, [1, 2]),
    ("2026-03-04 18:00", "breached", True, [1, 2]),
    ("2026-03-04 18:01", "breached", True, [1, 2, 3]),
    ("2026-04-01 10:00", "breached", True, [1, 2, 3]),
]


@pytest.mark.parametrize(("tick", "state", "is_warned", "levels"), BOUNDARIES)
def test_a_clock_warns_breaches_and_escalates(session, tick, state, is_warned, levels):
    """T4: before, at and after each instant."""
    ticket = complain(session)
    work.meet_clock(session, ticket.id, "department_plan", now=at("10:30"))

    clock_jobs.sweep(session, at(tick))

    word = session.execute(select(TicketClock).where(TicketClock.clock == "first_word")).scalar_one()
    assert (word.state, word.warned_at is not None) == (state, is_warned)
    assert [row[1] for row in escalations_of(session, ticket)] == levels
    assert session.get(Ticket, ticket.id).level == max([0, *levels])


def test_escalations_name_the_role_of_each_level(session):
    ticket = complain(session)
    work.meet_clock(session, ticket.id, "department_plan", now=at("10:30"))

    clock_jobs.sweep(session, at("2026-03-20 10:00"))

    assert escalations_of(session, ticket) == [
        ("first_word", 1, "2026-03-03 10:00", "station_head"),
        ("first_word", 2, "2026-03-03 15:30", "manager"),
        ("first_word", 3, "2026-03-04 18:00", "director"),
    ]


def test_a_major_clock_begins_at_the_second_level(session):
    ticket = complain(session, is_injury=True)

    clock_jobs.sweep(session, at("2026-03-20 10:00"))

    assert [row[1] for row in escalations_of(session, ticket) if row[0] == "solve"] == [2, 3]


@pytest.mark.parametrize(("stopped", "state"), [("10:59", "met"), ("11:00", "met"), ("11:01", "breached")])
def test_stopping_a_clock_at_its_due_time_is_in_time(session, stopped, state):
    ticket = complain(session)

    work.meet_clock(session, ticket.id, "department_plan", now=at(stopped))
    clock_jobs.sweep(session, at("2026-03-20 10:00"))

    assert clocks(session, ticket)["department_plan"] == (state, "2026-03-02 11:00", wall(at(stopped)))
    levels = [row[1] for row in escalations_of(session, ticket) if row[0] == "department_plan"]
    assert levels == ([1] if state == "breached" else [])


def test_stopping_late_writes_what_had_come_due_without_any_tick(session):
    """T4: the rows do not depend on a tick between the breach and the stop."""
    ticket = complain(session)

    work.meet_clock(session, ticket.id, "department_plan", now=at("2026-03-03 10:00"))

    assert [row for row in escalations_of(session, ticket) if row[0] == "department_plan"] == [
        ("department_plan", 1, "2026-03-02 11:00", "station_head"),
        ("department_plan", 2, "2026-03-02 16:30", "manager"),
    ]


def test_a_clock_that_does_not_run_can_not_be_kept(session):
    ticket = complain(session)

    for clock in ("on_site", "solve", "follow_up"):
        with pytest.raises(Refused):
            work.meet_clock(session, ticket.id, clock, now=at("10:30"))


def test_any_pattern_of_ticks_gives_the_same(session_of):
    """T4, T8: one tick, a tick a day, a tick at odd minutes."""
    found = []
    for step in (timedelta(days=45), timedelta(days=1), timedelta(minutes=1777)):
        session = session_of("project")
        ticket = complain(session, happening_now=True)
        pauses.pause(
            session,
            ticket.id,
            waiting_for="resident",
            reason="away",
            look_again_on=date(2026, 3, 9),
            now=at("10:20"),
        )
        pauses.resume(session, ticket.id, now=at("2026-03-10 10:20"))
        moment = at("2026-03-10 10:20")
        while moment < at("2026-04-17 10:00"):
            moment = min(moment + step, at("2026-04-17 10:00"))
            clock_jobs.sweep(session, moment)
        found.append(
            (
                clocks(session, ticket),
                escalations_of(session, ticket),
                session.get(Ticket, ticket.id).severity,
            )
        )

    assert found[0] == found[1] == found[2]
    assert found[0][2] == "major"


def test_a_second_sweep_at_the_same_instant_does_nothing(session):
    ticket = complain(session)
    clock_jobs.sweep(session, at("2026-03-03 12:00"))
    before = escalations_of(session, ticket)

    assert clock_jobs.sweep(session, at("2026-03-03 12:00")).done == 0
    assert escalations_of(session, ticket) == before


def test_alerts_go_to_staff_of_the_role_once(session):
    staff = people(session)
    for name in ("station_head", "worker"):
        session.get(Staff, staff[name]).alert_url = "json://localhost"
    ticket = complain(session)
    work.assign(session, ticket.id, now=at("10:00"), handler_id=staff["worker"])

    for text in ("11:01", "11:02"):
        clock_jobs.sweep(session, at(text))

    sent = session.execute(select(Message.staff_id, Message.channel).order_by(Message.id)).all()
    assert sorted(sent) == sorted([(staff["worker"], "alert"), (staff["station_head"], "alert")])


def test_who_a_complaint_is_about_is_alerted_to_nothing_of_it(session):
    """F22: the second complaint, about somebody else, shows that the two could be alerted."""
    staff = people(session)
    for name in ("station_head", "department_lead"):
        session.get(Staff, staff[name]).alert_url = "json://localhost"
    about, other = complain(session), complain(session)
    about.accused_id, other.accused_id = staff["station_head"], staff["department_lead"]
    session.flush()

    for text in ("10:50", "11:01"):
        clock_jobs.sweep(session, at(text))

    sent = set(session.execute(select(Message.ticket_id, Message.staff_id)).all())
    assert (about.id, staff["department_lead"]) in sent
    assert (other.id, staff["station_head"]) in sent
    assert {(about.id, staff["station_head"]), (other.id, staff["department_lead"])} & sent == set()


def alerts_of(session):
    return {key.split(":")[0] for key in session.execute(select(Message.key)).scalars()}


def test_a_complaint_registered_late_alerts_to_what_came_due_meanwhile(session):
    staff = people(session)
    session.get(Staff, staff["station_head"]).alert_url = "json://localhost"

    complain(session, "10:00", now=at("11:00"))
    assert alerts_of(session) == set()
    late = complain(session, "10:00", now=at("11:01"))

    assert [level for _clock, level, _at, _role in escalations_of(session, late)] == [1]
    assert alerts_of(session) == {"escalation"}


# --- month → major ---------------------------------------------------------------------------------

MONTH = [
    ("residential", "2026-04-02 09:59", "minor", None),
    ("residential", "2026-04-02 10:00", "major", "2026-04-02 22:00"),
    ("residential", "2026-04-05 12:00", "major", "2026-04-02 22:00"),
    ("project", "2026-04-02 10:00", "major", "2026-04-02 22:00"),
]


@pytest.mark.parametrize(("preset", "tick", "severity", "due"), MONTH)
def test_unsolved_for_a_month_turns_major(session_of, preset, tick, severity, due):
    """T8: at that instant, with new clocks from it."""
    session = session_of(preset)
    ticket = complain(session)

    clock_jobs.sweep(session, at(tick))

    ticket = session.get(Ticket, ticket.id)
    found = clocks(session, ticket)
    assert ticket.severity == severity
    if due:
        assert found["report_manager"][1] == "2026-04-02 10:10"
        assert found["solve"][1] == due
        assert wall(ticket.became_major_at) == "2026-04-02 10:00"
        assert ticket.level >= 1


def test_the_tower_has_no_month_rule(session_of):
    session = session_of("tower")
    ticket = complain(session)

    clock_jobs.sweep(session, at("2026-06-02 10:00"))

    assert session.get(Ticket, ticket.id).severity == "minor"


def test_a_breached_clock_stays_and_a_running_one_becomes_void(session_of):
    """T8: what turning major replaces."""
    session = session_of("project")
    late, waiting = complain(session), complain(session)
    pauses.pause(
        session,
        waiting.id,
        waiting_for="outside",
        reason="permit",
        look_again_on=date(2026, 4, 1),
        now=at("10:20"),
    )

    clock_jobs.sweep(session, at("2026-04-02 10:00"))

    states = [
        [
            row.state
            for row in session.execute(
                select(TicketClock)
                .where(TicketClock.ticket_id == ticket.id, TicketClock.clock == "solve")
                .order_by(TicketClock.id)
            ).scalars()
        ]
        for ticket in (late, waiting)
    ]
    assert states == [["breached", "running"], ["void", "paused"]]


# --- work ------------------------------------------------------------------------------------------


def test_the_usual_way_of_a_ticket(session):
    staff = people(session)
    ticket = solved(session, staff)

    assert (ticket.state, ticket.resolution, wall(ticket.resolved_at)) == (
        "resolved",
        "cleaned",
        "2026-03-02 11:00",
    )
    assert clocks(session, ticket) == {
        "department_plan": ("met", "2026-03-02 11:00", "2026-03-02 11:00"),
        "first_word": ("met", "2026-03-03 10:00", "2026-03-02 11:00"),
        "follow_up": ("running", "2026-03-03 11:00", None),
    }
    verbs = list(session.execute(select(TicketEvent.verb).order_by(TicketEvent.id)).scalars())
    assert verbs == ["register", "assign", "start", "resolve"]
    audited = set(session.execute(select(Audit.action)).scalars())
    assert audited >= {"open_ticket", "assign", "start", "resolve"}


def test_solved_on_the_spot_is_registered_and_followed_up(session):
    staff = people(session)
    ticket = complain(session, clerk_id=staff["front_desk"])

    ticket = work.resolve_on_spot(
        session, ticket.id, resolution="explained", now=at("10:03"), staff_id=staff["front_desk"]
    )

    assert ticket.state == "resolved"
    assert clocks(session, ticket)["follow_up"][1] == "2026-03-03 10:03"


def test_illegal_jumps_are_refused_with_the_reason(session):
    ticket = complain(session)

    with pytest.raises(Refused, match="registered"):
        work.resolve_ticket(session, ticket.id, resolution="done", now=at("10:05"))
    with pytest.raises(Refused, match="what was done"):
        work.resolve_on_spot(session, ticket.id, resolution=" ", now=at("10:05"))
    with pytest.raises(Refused, match="no such"):
        work.assign(session, 10**6, now=at("10:05"))


def test_the_person_complained_about_never_handles_it(session):
    staff = people(session)
    ticket = complain(session, accused_id=staff["worker"], about_staff_conduct=True)

    with pytest.raises(Refused, match="complained about"):
        work.assign(session, ticket.id, now=at("10:05"), handler_id=staff["worker"])
    work.assign(session, ticket.id, now=at("10:05"))
    with pytest.raises(Refused, match="complained about"):
        work.start_work(session, ticket.id, now=at("10:06"), staff_id=staff["worker"])
    assert staff["worker"] not in [person.id for person in work.possible_handlers(session, ticket)]


# --- waiting ---------------------------------------------------------------------------------------


def paused(session, ticket, now, look=date(2026, 3, 9)):
    return pauses.pause(
        session, ticket.id, waiting_for="resident", reason="away", look_again_on=look, now=at(now)
    )


def test_a_pause_moves_what_may_pause_by_its_own_time(session):
    """T6."""
    ticket = complain(session, is_media=True)
    paused(session, ticket, "10:30")

    clock_jobs.sweep(session, at("2026-03-03 10:30"))
    waiting = clocks(session, ticket)
    pauses.resume(session, ticket.id, now=at("2026-03-03 10:30"))

    assert [waiting[name][0] for name in ("first_word", "solve", "department_plan")] == [
        "paused",
        "paused",
        "breached",
    ]
    found = clocks(session, ticket)
    assert found["solve"] == ("running", "2026-03-03 22:00", None)
    assert found["first_word"] == ("running", "2026-03-04 10:00", None)


def test_solving_while_it_waits_counts_the_pause(session):
    ticket = complain(session, is_media=True)
    work.assign(session, ticket.id, now=at("10:00"))
    work.start_work(session, ticket.id, now=at("10:00"))
    paused(session, ticket, "10:30")

    work.resolve_ticket(session, ticket.id, resolution="done", now=at("2026-03-04 10:30"))

    assert clocks(session, ticket)["solve"] == ("met", "2026-03-04 22:00", "2026-03-04 10:30")
    assert session.execute(select(ClockPause.to_at)).scalar_one() == at("2026-03-04 10:30")


def test_a_word_given_while_it_waits_counts_the_pause(session):
    """T6: in time after its first deadline, as that has moved; and the others wait on."""
    ticket = complain(session, is_media=True)
    paused(session, ticket, "10:30")

    work.meet_clock(session, ticket.id, "first_word", now=at("2026-03-04 10:30"))

    found = clocks(session, ticket)
    assert found["first_word"] == ("met", "2026-03-05 10:00", "2026-03-04 10:30")
    assert found["solve"][0] == "paused"
    assert [one.check for one in integrity.all_hold(session)] == []


def test_two_pauses_add_up(session):
    ticket = complain(session, is_media=True)
    for start, end in (("11:00", "12:00"), ("13:00", "15:00")):
        paused(session, ticket, start)
        pauses.resume(session, ticket.id, now=at(end))

    assert clocks(session, ticket)["solve"][1] == "2026-03-03 01:00"


def test_a_pause_after_the_breach_changes_nothing(session):
    ticket = complain(session, is_media=True)
    paused(session, ticket, "22:01")

    assert clocks(session, ticket)["solve"][0] == "breached"
    assert clocks(session, ticket)["first_word"][0] == "paused"


def test_the_tick_looks_again_at_what_waits(session):
    staff = people(session)
    session.get(Staff, staff["department_lead"]).alert_url = "json://localhost"
    ticket = complain(session)
    work.meet_clock(session, ticket.id, "department_plan", now=at("10:01"))
    paused(session, ticket, "10:30", date(2026, 3, 4))

    for text in ("2026-03-04 08:59", "2026-03-04 09:00", "2026-03-04 09:01"):
        clock_jobs.sweep(session, at(text))
        keys = [key for key in session.execute(select(Message.key)).scalars() if key.startswith("look_again")]
        assert len(keys) == (0 if text.endswith("08:59") else 1)
    assert clocks(session, ticket)["first_word"][0] == "paused"


def test_resuming_alerts_to_what_came_due_while_it_waited(session_of):
    session = session_of("tower")
    staff = people(session)
    session.get(Staff, staff["department_lead"]).alert_url = "json://localhost"
    ticket = complain(session)  # to be solved by Wednesday 18:00: the warning comes on Wednesday at 09:00
    paused(session, ticket, "2026-03-04 08:30")
    assert alerts_of(session) == set()

    pauses.resume(session, ticket.id, now=at("2026-03-04 10:00"))

    assert clocks(session, ticket)["solve"][0] == "running"
    assert alerts_of(session) == {"warning"}


@pytest.mark.parametrize(
    "changed", [{"waiting_for": "rain"}, {"reason": " "}, {"look_again_on": date(2026, 3, 2)}]
)
def test_a_pause_needs_whom_why_and_until_when(session, changed):
    ticket = complain(session)
    given = {"waiting_for": "resident", "reason": "away", "look_again_on": date(2026, 3, 3)}

    with pytest.raises(Refused):
        pauses.pause(session, ticket.id, now=at("10:30"), **{**given, **changed})


def test_only_one_pause_at_a_time_and_no_resuming_without(session):
    ticket = complain(session)
    with pytest.raises(Refused):
        pauses.resume(session, ticket.id, now=at("10:20"))
    paused(session, ticket, "10:30")
    with pytest.raises(Refused):
        paused(session, ticket, "10:31")


# --- severity --------------------------------------------------------------------------------------


def test_raising_is_free_and_starts_the_clocks_now(session):
    ticket = complain(session)

    ticket = severities.change_severity(session, ticket.id, "major", now=at("14:00"))

    found = clocks(session, ticket)
    assert (found["report_manager"][1], found["solve"][1]) == ("2026-03-02 14:10", "2026-03-03 02:00")
    assert (ticket.level, ticket.turns_major_at) == (1, None)


def test_raising_replaces_the_running_solution(session_of):
    session = session_of("project")
    ticket = complain(session)

    severities.change_severity(session, ticket.id, "major", now=at("14:00"))

    rows = session.execute(
        select(TicketClock.state).where(TicketClock.clock == "solve").order_by(TicketClock.id)
    )
    assert list(rows.scalars()) == ["void", "running"]


def test_lowering_needs_the_station_head_and_a_reason(session_of):
    """T3; the clocks of the lower severity are counted from where the others were."""
    session = session_of("project")
    staff = people(session)
    ticket = complain(session, is_media=True)

    for who, note in (("front_desk", "only a blog"), ("station_head", " ")):
        with pytest.raises(Refused, match=r"lower"):
            severities.change_severity(
                session, ticket.id, "simple", now=at("10:20"), staff_id=staff[who], note=note
            )
    severities.change_severity(
        session, ticket.id, "simple", now=at("10:20"), staff_id=staff["station_head"], note="only a blog"
    )

    found = clocks(session, ticket)
    assert found["solve"] == ("running", "2026-03-04 18:00", None)
    assert found["report_manager"][0] == "breached"
    assert wall(session.get(Ticket, ticket.id).turns_major_at) == "2026-04-02 10:00"


def test_a_severity_below_the_proposed_one_needs_the_same(session):
    staff = people(session)

    with pytest.raises(Refused):
        complain(session, is_media=True, severity="minor", clerk_id=staff["front_desk"], severity_note="x")

    lowered = complain(
        session, is_media=True, severity="minor", clerk_id=staff["station_head"], severity_note="a blog"
    )
    raised = complain(session, severity="major", clerk_id=staff["front_desk"])
    assert (lowered.severity, raised.severity) == ("minor", "major")


def test_a_third_household_makes_a_complaint_major(session_of):
    """T1, T3: joining counts; the clocks of the new severity start at that instant; facts never lower."""
    session = session_of("residential")
    ticket = complain(session)
    staff = people(session)

    def join(name, text, **more):
        complainants.add_complainant(
            session, ticket.id, NewComplainant(name), now=at(text), staff_id=staff["front_desk"], **more
        )
        return ticket.household_count, ticket.severity

    assert join("王五", "10:10") == (2, "minor")
    assert join("王五的妻子", "10:20", is_further_household=False) == (2, "minor")
    assert join("赵六", "10:30") == (3, "major")
    assert clocks(session, ticket)["solve"] == ("running", "2026-03-02 22:30", None)
    assert "household_count" in ticket.severity_reason
    with pytest.raises(Refused):
        join("  ", "10:40")
    assert session.execute(select(func.count(Complainant.id))).scalar_one() == 3


# --- policies and holidays that change ---------------------------------------------------------------


def test_a_new_holiday_moves_running_clocks_and_no_breached_one(session_of):
    """T5, T6."""
    session = session_of("tower")
    early = complain(session, "2026-02-24 10:00")
    late = complain(session)
    clock_jobs.sweep(session, at("11:00"))
    session.add(CalendarDay(day=date(2026, 3, 3), is_working=False))
    session.flush()

    moved = clock_jobs.recalculate(session, at("11:00"))

    assert clocks(session, late)["solve"] == ("running", "2026-03-05 18:00", None)
    assert clocks(session, early)["solve"] == ("breached", "2026-02-26 18:00", None)
    # the first word, promised on the 3rd working day, moves as well
    assert (moved.clocks, moved.earlier, moved.tickets) == (2, 0, {late.id})
    assert clock_jobs.recalculate(session, at("11:00")).clocks == 0


def test_a_preview_counts_what_would_move_and_writes_nothing(session_of):
    """T5: a day, or a whole policy, as if it were already saved."""
    session = session_of("tower")
    ticket = complain(session)
    stood = clocks(session, ticket)
    rows = store.document(session, "clocks", date(2026, 3, 2))
    for rule in rows["rule"]:
        rule["length"] = 1 if rule["code"] == "solve" else rule["length"]

    day = recalculation.preview_recalculation(
        session, PolicyTimeline(session, own_days={date(2026, 3, 3): False}), at("11:00")
    )
    policy = PolicyTimeline(session, as_if={"clocks": (date(2026, 3, 2), rows)})
    shorter = recalculation.preview_recalculation(session, policy, at("11:00"))
    later = PolicyTimeline(session, as_if={"clocks": (date(2026, 3, 3), rows)})

    assert (day.clocks, day.earlier) == (2, 0)
    assert (shorter.clocks, shorter.earlier) == (1, 1)
    assert recalculation.preview_recalculation(session, later, at("11:00")).clocks == 0
    assert clocks(session, ticket) == stood


def test_recalculating_forgets_no_pause(session_of):
    """T6: the paused time stays in the deadline, and a paused clock goes on by the new policy."""
    session = session_of("project")
    first, second = (complain(session) for _ in range(2))
    for ticket in (first, second):
        pauses.pause(
            session,
            ticket.id,
            waiting_for="resident",
            reason="away",
            look_again_on=date(2026, 3, 4),
            now=at("11:00"),
        )
    pauses.resume(session, first.id, now=at("13:00"))
    rows = store.document(session, "clocks", date(2026, 3, 2))
    for rule in rows["rule"]:
        rule["length"] = 1500 if rule["code"] == "first_word" else rule["length"]
    store.store(session, "clocks", rows, valid_from=date(2026, 3, 2), now=at("13:30"))

    moved = clock_jobs.recalculate(session, at("13:30"))
    pauses.resume(session, second.id, now=at("14:00"))

    assert moved.clocks == 1
    assert clocks(session, first)["first_word"][:2] == ("running", "2026-03-03 13:00")  # 25 h and 2 paused
    assert clocks(session, second)["first_word"][:2] == ("running", "2026-03-03 14:00")  # 25 h and 3 paused


def test_a_policy_of_a_later_day_moves_deadlines_when_the_day_comes(session_of):
    """§9: nightly; without a new policy nothing is looked at."""
    session = session_of("tower")
    ticket = complain(session)
    rows = store.document(session, "clocks", date(2026, 3, 2))
    for rule in rows["rule"]:
        rule["length"] = 3 if rule["code"] == "solve" else rule["length"]
    store.store(session, "clocks", rows, valid_from=date(2026, 3, 4), now=at("10:00"))

    done = [clock_jobs.follow_policies(session, at(f"2026-03-0{day} 00:01")).done for day in (3, 4, 5)]

    assert done == [0, 1, 0]
    assert clocks(session, ticket)["solve"][1] == "2026-03-05 18:00"


def test_a_changed_policy_holds_from_its_day(session):
    rows = store.document(session, "clocks", date(2026, 3, 2))
    for rule in rows["rule"]:
        if rule["code"] == "first_word":
            rule["length"] = 60
    store.store(session, "clocks", rows, valid_from=date(2026, 3, 3), now=at("10:00"))

    before, after = complain(session), complain(session, "2026-03-03 10:00")

    assert clocks(session, before)["first_word"][1] == "2026-03-03 10:00"
    assert clocks(session, after)["first_word"][1] == "2026-03-03 11:00"


# --- links -----------------------------------------------------------------------------------------


def test_a_repeat_points_to_the_first(session):
    first, second, third = (complain(session) for _ in range(3))

    links.link_repeat(session, second.id, repeat_of_id=first.id, now=at("10:01"))
    third = links.link_repeat(session, third.id, repeat_of_id=second.id, now=at("10:01"))

    assert third.repeat_of_id == first.id
    with pytest.raises(Refused):
        links.link_repeat(session, first.id, repeat_of_id=second.id, now=at("10:02"))
    with pytest.raises(Refused):
        links.link_repeat(session, first.id, repeat_of_id=first.id, now=at("10:02"))


def test_another_department_supports_by_a_work_slip(session):
    """T2."""
    ticket = complain(session)
    other = session.execute(select(Department).where(Department.code == "engineering")).scalar_one()

    slip = work_slips.issue_work_slip(
        session, ticket.id, department_id=other.id, task="mend the tap", now=at("10:05")
    )
    work_slips.answer_work_slip(session, slip.id, plan="tomorrow", is_done=True, now=at("11:00"))

    assert (slip.number, slip.plan, wall(slip.done_at)) == ("WS2026-000001", "tomorrow", "2026-03-02 11:00")
    with pytest.raises(Refused):
        work_slips.issue_work_slip(
            session, ticket.id, department_id=ticket.department_id, task="x", now=at("10:05") + MINUTE
        )


def test_a_bill_is_linked_to_a_complaint_that_exists(session):
    bill = add_bill(session, add_unit(session), date(2026, 3, 15))

    with pytest.raises(Refused, match="no such complaint"):
        links.link_debt(session, 0, invoice_id=bill.id, now=at("10:00"))


def test_a_complaint_is_linked_to_a_bill_of_its_own_unit(session):
    """F22: at the desk, and later."""
    own, other = add_unit(session), add_unit(session, "1-102", "李四")
    bill = add_bill(session, other, date(2026, 3, 15))
    ticket = complain(session, unit_id=own[0])

    with pytest.raises(Refused, match="of another unit"):
        links.link_debt(session, ticket.id, invoice_id=bill.id, now=at("10:00"))
    with pytest.raises(Refused, match="of another unit"):
        complain(session, unit_id=own[0], invoice_id=bill.id)

    assert ticket.invoice_id is None
