"""Sweeps killed at any statement: every escalation still once, the same as if nothing had happened (F1, T4).

With a control. GATEHOUSE_KILLS says how many die on each database (10 by default; the goal's 200 take some
minutes).
"""

import multiprocessing
import os
import random
import signal
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from models import engine
from models.complaints import Escalation, Ticket, TicketClock
from office.complaints import clock_jobs, due_clocks, integrity
from office.complaints.legacy_import import import_tickets
from tests.factories.legacy_tickets import rows
from tests.factories.sandbox import set_present
from tests.kills.power_cut import die_at, open_session

KILLS = int(os.environ.get("GATEHOUSE_KILLS", "10"))  # goals F1 asks for 200
TICKETS, STEPS, DAYS = 40, 12, timedelta(days=30)
pytestmark = [pytest.mark.kill, pytest.mark.timeout(300 + 10 * KILLS)]


def sweep_all(url, start, kill_at):
    """Tick through the days, a transaction a tick, and die at a statement."""
    with engine.writing(), open_session(url) as session:
        die_at(session.get_bind(), kill_at)
        for step in range(1, STEPS + 1):
            clock_jobs.sweep(session, start + DAYS * step / STEPS)
            session.commit()


def forget_the_transaction(url, start, _kill_at):
    """The control: clocks are committed before their escalations are written."""
    written = due_clocks.update_clocks

    def commit_and_die(session, changes):
        written(session, changes)
        session.commit()
        if changes:
            os.kill(os.getpid(), signal.SIGKILL)

    due_clocks.update_clocks = commit_and_die
    sweep_all(url, start, None)


def in_a_process(work, *given):
    """Run to the end or to its death; answers whether it was killed."""
    process = multiprocessing.get_context("fork").Process(target=work, args=given)
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def statements_of(session, start):
    """How many statements a calm way through the days takes."""
    seen = [0]

    def count(*_given):
        seen[0] += 1

    event.listen(session.get_bind(), "before_cursor_execute", count)
    for step in range(1, STEPS + 1):
        clock_jobs.sweep(session, start + DAYS * step / STEPS)
    event.remove(session.get_bind(), "before_cursor_execute", count)
    return seen[0]


def result(session):
    session.expire_all()
    escalations = session.execute(
        select(Ticket.number, Escalation.clock, Escalation.level, Escalation.at).join(Escalation.ticket)
    ).all()
    clocks = session.execute(
        select(Ticket.number, TicketClock.clock, TicketClock.state, TicketClock.last_level).join(
            TicketClock.ticket
        )
    ).all()
    return sorted(map(tuple, escalations)), sorted(map(tuple, clocks))


def filled(session, made, start):
    set_present(session, start)
    import_tickets(session, made, now=start)
    session.commit()


@pytest.fixture
def offices(session_of):
    """Two offices with the same open tickets, the first of which nothing happens to."""
    made = [row for row, _ in rows("kills", is_solved=False)][:TICKETS]
    start = min(row.registered_at for row in made)
    calm, stormy = session_of("project"), session_of("project")
    filled(calm, made, start)
    filled(stormy, made, start)
    url = stormy.get_bind().url.render_as_string(hide_password=False)
    stormy.close()
    return calm, stormy, url, start


def test_killed_sweeps_write_every_escalation_once(offices):
    calm, stormy, url, start = offices
    last, dice = statements_of(calm, start), random.Random(4)

    killed = sum(in_a_process(sweep_all, url, start, dice.randint(1, last)) for _ in range(KILLS))
    in_a_process(sweep_all, url, start, None)

    assert killed
    assert result(stormy) == result(calm)
    assert list(integrity.escalations_are_in_order(stormy)) == []


def test_control_without_the_transaction_escalations_are_lost(offices):
    calm, stormy, url, start = offices
    statements_of(calm, start)

    assert in_a_process(forget_the_transaction, url, start, None)
    in_a_process(sweep_all, url, start, None)

    assert result(stormy) != result(calm)
    assert list(integrity.escalations_are_in_order(stormy))
