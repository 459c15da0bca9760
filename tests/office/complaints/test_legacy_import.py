"""Old registers brought in: 300 tickets a preset over a Spring Festival against an independent oracle."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.complaints import Escalation, Ticket, TicketClock
from models.visits import Visit
from office.complaints import clock_jobs
from office.complaints.legacy_import import LegacyTicket, import_tickets
from office.core.errors import Refused
from tests.factories.complaints import at, clocks, complain, escalations_of, wall
from tests.factories.legacy_tickets import rows
from tests.factories.sandbox import set_present
from tests.oracles.complaint_deadlines import MINUTE, expected, naive

END = timedelta(days=60)


def clocks_by_ticket(session):
    found = {}
    for number, clock in session.execute(select(Ticket.number, TicketClock).join(TicketClock.ticket)):
        found.setdefault(number, {})[clock.clock] = clock
    return found


def escalations_by_clock(session):
    found = {}
    for number, row in session.execute(
        select(Ticket.number, Escalation).join(Escalation.ticket).order_by(Escalation.level)
    ):
        found.setdefault((number, row.clock), []).append((row.level, naive(row.at)))
    return found


@pytest.mark.parametrize("preset", ["tower", "residential", "project"])
def test_solved_tickets_agree_to_the_minute(session_of, preset):
    """T3–T5, V1: clocks met or breached by the oracle's due times, the visit planned, nothing escalated."""
    session = session_of(preset)
    made = list(rows(preset, is_solved=True))
    now = max(row.resolved_at for row, _ in made) + END
    set_present(session, now)

    import_tickets(session, [row for row, _ in made], now=now)
    clock_jobs.sweep(session, now + END)

    clocks = clocks_by_ticket(session)
    visits = dict(session.execute(select(Ticket.number, Visit.due_at).join(Visit.ticket)).all())
    for row, (begun, resolved, facts) in made:
        _, due, _ = expected(preset, begun, resolved, facts)
        found = clocks[row.number]
        assert {name: naive(clock.due_at) for name, clock in found.items()} == due
        for name, clock in found.items():
            is_kept = resolved <= due[name]
            if name == "follow_up":
                assert (clock.stopped_at, clock.state) == (None, "breached")
            else:
                assert (naive(clock.stopped_at), clock.state) == (resolved, "met" if is_kept else "breached")
        assert naive(visits[row.number]) == due["follow_up"]
    assert escalations_by_clock(session) == {}


@pytest.mark.parametrize("preset", ["tower", "residential", "project"])
@pytest.mark.parametrize("steps", [1, 40])
def test_unsolved_tickets_escalate_to_the_minute(session_of, preset, steps):
    """T4: the same escalation rows from one tick as from many."""
    session = session_of(preset)
    made = list(rows(preset, is_solved=False))
    start, days = min(row.registered_at for row, _ in made), timedelta(days=25)
    set_present(session, start)

    import_tickets(session, [row for row, _ in made], now=start)
    for step in range(1, steps + 1):
        clock_jobs.sweep(session, start + days * step / steps)

    escalations_of, clocks = escalations_by_clock(session), clocks_by_ticket(session)
    end = naive(start + days)
    for row, ticket in made:
        _, due, levels = expected(preset, *ticket)
        for name, instants in levels.items():
            if name == "follow_up":
                continue
            reached = [(level, when) for level, when in instants if when < end]
            assert escalations_of.get((row.number, name), []) == reached
            assert clocks[row.number][name].state == ("breached" if due[name] < end else "running")
    assert any(escalations_of.values())


def test_the_same_register_twice_adds_nothing(session):
    made = [row for row, _ in rows("twice", is_solved=True)][:50]
    unnumbered = [
        LegacyTicket(
            registered_at=row.registered_at, channel="phone", category="cleaning", statement=f"say {n // 2}"
        )
        for n, row in enumerate(made)
    ]
    now = max(row.resolved_at for row in made) + MINUTE

    first = import_tickets(session, [*made, *unnumbered], now=now)
    again = import_tickets(session, [*made, *unnumbered], now=now + MINUTE)

    assert (first.added, again.added, again.skipped) == (100, 0, 100)
    assert len(session.execute(select(Ticket)).all()) == 100


def old(**more):
    given = {
        "number": "OLD-1",
        "registered_at": at("10:00"),
        "channel": "phone",
        "category": "cleaning",
        "statement": "the hall was not cleaned",
    }
    return LegacyTicket(**{**given, **more})


# preset, the row -> state, level, reopened, closed, the visit's outcome (contract: Settled besides)
SOLVED = {"resolved_at": at("11:00")}
MET = {**SOLVED, "followed_up_at": at("2026-03-03 10:00")}
LIVES = [
    ("residential", {}, ("registered", 2, 0, None), None),
    ("residential", SOLVED, ("resolved", 0, 0, None), ""),
    ("residential", {**MET, "satisfaction": 5}, ("closed", 0, 0, "2026-03-03 10:00"), "satisfied"),
    ("residential", {**MET, "satisfaction": 4}, ("closed", 0, 0, "2026-03-03 10:00"), "satisfied"),
    ("residential", {**MET, "satisfaction": 3}, ("followed_up", 0, 0, None), "partly"),
    ("residential", {**MET, "satisfaction": 2}, ("reopened", 1, 1, None), "dissatisfied"),
    ("residential", {**MET}, ("followed_up", 0, 0, None), "done"),
    (
        "project",
        {**MET, "satisfaction": 5, "severity": "major"},
        ("followed_up", 1, 0, None),
        "satisfied",
    ),
    ("project", {**MET, "satisfaction": 1, "severity": "major"}, ("reopened", 2, 1, None), "dissatisfied"),
]


@pytest.mark.parametrize(("preset", "row", "life", "outcome"), LIVES)
def test_an_old_ticket_stands_where_its_row_says(session_of, preset, row, life, outcome):
    session = session_of(preset)
    present = at("2026-03-03 11:00")
    set_present(session, present)

    import_tickets(session, [old(**row)], now=present)

    ticket = session.execute(select(Ticket)).scalar_one()
    outcomes = list(session.execute(select(Visit.outcome)).scalars())
    assert (ticket.state, ticket.level, ticket.reopen_count, wall(ticket.closed_at)) == life
    assert outcomes == ([] if outcome is None else [outcome])


def test_a_dissatisfied_old_ticket_has_a_new_solution_clock(session_of):
    """V3: of the same length from the instant of the visit; late, it escalates like any other."""
    session = session_of("project")
    set_present(session, at("2026-03-03 10:00"))
    import_tickets(session, [old(**MET, satisfaction=2)], now=at("2026-03-03 10:00"))
    ticket = session.execute(select(Ticket)).scalar_one()

    clock_jobs.sweep(session, at("2026-03-20 10:00"))

    assert clocks(session, ticket)["solve"] == ("breached", "2026-03-05 18:00", None)
    assert [row[:2] for row in escalations_of(session, ticket)] == [("solve", 1), ("solve", 2), ("solve", 3)]
    assert session.get(Ticket, ticket.id).level == 3


def test_solved_after_a_month_it_had_become_major(session_of):
    """T8."""
    session = session_of("project")
    set_present(session, at("2026-05-01 10:00"))

    import_tickets(session, [old(resolved_at=at("2026-04-02 12:00"))], now=at("2026-05-01 10:00"))

    ticket = session.execute(select(Ticket)).scalar_one()
    rows = session.execute(
        select(TicketClock.clock, TicketClock.state, TicketClock.due_at).order_by(TicketClock.id)
    ).all()
    assert (ticket.severity, ticket.level) == ("major", 1)
    assert [(name, state, wall(due)) for name, state, due in rows] == [
        ("department_plan", "breached", "2026-03-02 11:00"),
        ("first_word", "breached", "2026-03-03 10:00"),
        ("solve", "breached", "2026-03-04 18:00"),
        ("report_manager", "breached", "2026-04-02 10:10"),
        ("solve", "met", "2026-04-02 22:00"),
        ("follow_up", "breached", "2026-04-04 12:00"),
    ]


def test_unsolved_old_tickets_stand_at_the_present_at_once(session):
    set_present(session, at("2026-03-04 19:00"))
    import_tickets(session, [old()], now=at("2026-03-04 19:00"))
    ticket = session.execute(select(Ticket)).scalar_one()

    assert clocks(session, ticket)["first_word"][0] == "breached"
    assert [row[1] for row in escalations_of(session, ticket) if row[0] == "first_word"] == [1, 2, 3]


def test_a_sandbox_never_ticked_has_no_present_yet(session):
    """Its first tick sets the present, perhaps to before all that seems late by the machine's clock."""
    set_present(session, None)
    import_tickets(session, [old()], now=at("2026-11-22 19:00"))
    ticket = session.execute(select(Ticket)).scalar_one()

    clock_jobs.sweep(session, at("10:30"))

    assert clocks(session, ticket)["department_plan"][0] == "running"
    assert not escalations_of(session, ticket)


def test_own_numbers_step_over_those_of_the_old_register(session):
    set_present(session, at("11:00"))
    rows = [
        old(number="T2026-000001"),
        old(number="", statement="second"),
        old(number="", statement="third", resolved_at=at("11:00")),
    ]

    import_tickets(session, rows, now=at("11:00"))
    ticket = complain(session, now=at("11:00"))

    numbers = list(session.execute(select(Ticket.number).order_by(Ticket.id)).scalars())
    assert numbers == ["T2026-000001", "T2026-000002", "T2026-000003", "T2026-000004"]
    assert ticket.number == "T2026-000004"
    assert session.execute(select(Visit.number)).scalar_one() == "V2026-000001"


@pytest.mark.parametrize(
    "changed", [{"unit_code": "9-999"}, {"category": "weather"}, {"severity": "complex"}]
)
def test_unknown_codes_are_refused(session, changed):
    with pytest.raises(Refused):
        import_tickets(session, [old(**changed)], now=at("11:00"))
