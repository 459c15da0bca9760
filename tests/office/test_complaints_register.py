"""300 tickets a preset over a Spring Festival, imported, ticked and read back, against an independent oracle."""

from datetime import UTC, timedelta

import pytest
from sqlalchemy import select

from models.complaints import Escalation, Ticket, TicketClock
from models.property import Estate
from models.visits import Visit
from office import complaints
from office.old_register import OldTicket, import_tickets
from rules.severity import Facts
from tests.rules.test_spring_festival import MINUTE, SHIFT, expected, naive, tickets

END = timedelta(days=60)


def instant(moment):
    """Office time as an instant."""
    return (moment - SHIFT).replace(tzinfo=UTC)


def rows(seed, *, is_solved):
    for number, (at, resolved, facts) in enumerate(tickets(seed)):
        yield (
            OldTicket(
                number=f"OLD-{number}",
                registered_at=instant(at),
                channel="phone",
                category="cleaning",
                statement="the hall was not cleaned",
                facts=Facts.from_row(facts),
                resolved_at=instant(resolved) if is_solved else None,
            ),
            (at, resolved, facts),
        )


def set_present(session, at):
    estate = session.execute(select(Estate)).scalar_one()
    estate.present_at = at
    session.flush()


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
    complaints.sweep(session, now + END)

    clocks = clocks_by_ticket(session)
    visits = dict(session.execute(select(Ticket.number, Visit.due_at).join(Visit.ticket)).all())
    for row, (at, resolved, facts) in made:
        severity, due, _ = expected(preset, at, resolved, facts)
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
        complaints.sweep(session, start + days * step / steps)

    told, clocks = escalations_by_clock(session), clocks_by_ticket(session)
    end = naive(start + days)
    for row, ticket in made:
        severity, due, levels = expected(preset, *ticket)
        for name, instants in levels.items():
            if name == "follow_up":
                continue
            reached = [(level, at) for level, at in instants if at < end]
            assert told.get((row.number, name), []) == reached
            assert clocks[row.number][name].state == ("breached" if due[name] < end else "running")
    assert any(told.values())


def test_the_same_register_twice_adds_nothing(session):
    made = [row for row, _ in rows("twice", is_solved=True)][:50]
    unnumbered = [
        OldTicket(
            registered_at=row.registered_at, channel="phone", category="cleaning", statement=f"say {n // 2}"
        )
        for n, row in enumerate(made)
    ]
    now = max(row.resolved_at for row in made) + MINUTE

    first = import_tickets(session, [*made, *unnumbered], now=now)
    again = import_tickets(session, [*made, *unnumbered], now=now + MINUTE)

    assert (first.added, again.added, again.skipped) == (100, 0, 100)
    assert len(session.execute(select(Ticket)).all()) == 100
