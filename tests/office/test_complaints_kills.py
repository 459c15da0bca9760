"""Sweeps killed anywhere: every escalation still once, and the same as if nothing had happened (F1, T4)."""

import multiprocessing
import random
import time
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from models import engine
from models.complaints import Escalation, Ticket, TicketClock
from office import complaint_checks, complaints
from office.old_register import import_tickets
from tests.office.test_complaints_register import rows, set_present

KILLS = 12
STEPS, DAYS = 60, timedelta(days=30)
pytestmark = pytest.mark.kill


def open_session(url):
    made = create_engine(url)
    engine.prepare(made)
    return Session(made)


def sweep_all(url, start):
    """Tick through the days, a transaction a tick, until somebody kills this process."""
    with engine.writing(), open_session(url) as session:
        for step in range(1, STEPS + 1):
            complaints.sweep(session, start + DAYS * step / STEPS)
            session.commit()


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


def test_killed_sweeps_write_every_escalation_once(session_of):
    made = [row for row, _ in rows("kills", is_solved=False)][:80]
    start = min(row.registered_at for row in made)
    calm, stormy = session_of("project"), session_of("project")
    filled(calm, made, start)
    filled(stormy, made, start)
    complaints.sweep(calm, start + DAYS)
    url = stormy.get_bind().url.render_as_string(hide_password=False)
    stormy.close()
    dice, fork = random.Random(4), multiprocessing.get_context("fork")

    killed = 0
    for _ in range(KILLS):
        process = fork.Process(target=sweep_all, args=(url, start))
        process.start()
        time.sleep(dice.uniform(0.05, 0.6))
        killed += process.is_alive()
        process.kill()
        process.join()
    complaints.sweep(stormy, start + DAYS)

    assert killed
    assert result(stormy) == result(calm)
    assert list(complaint_checks.escalations_are_in_order(stormy)) == []
