"""`flask check` names what somebody broke behind the office's back (contract "Commands")."""

import pytest
from sqlalchemy import text

from models.office import JobRun
from office import rooms
from office.complaints import clock_jobs
from tests.factories.complaints import at, complain, people
from tests.factories.estate import NOW, add_unit, pay

SWEPT_AT = at("2026-03-04 19:00")
TICKETS = (
    ("UPDATE ticket_clock SET state = 'met' WHERE state = 'breached'", "ticket_clock_state_true"),
    ("UPDATE ticket_clock SET last_level = 0", "escalations_without_gap"),
    ("UPDATE ticket_clock SET state = 'running' WHERE state = 'breached'", "ticket_clock_looked_at"),
)


@pytest.mark.parametrize(("breaking", "named"), TICKETS, ids=[row[1] for row in TICKETS])
def test_a_broken_clock_is_named_by_its_ticket(session, breaking, named):
    people(session)
    ticket = complain(session)
    clock_jobs.sweep(session, SWEPT_AT)
    session.add(JobRun(job="ticket_clocks", due_for=SWEPT_AT, finished_at=SWEPT_AT, state="done"))
    session.flush()
    before = rooms.findings(session)

    session.execute(text(breaking))

    found = [one for one in rooms.findings(session) if one.check == named]
    assert before == []
    assert found
    assert all(one.name.startswith(f"{ticket.number} ") for one in found)


def test_a_receipt_whose_number_was_changed_is_named(session):
    unit = add_unit(session)
    session.commit()
    pay(session, unit, "10.00", now=NOW)
    session.execute(text("DROP TRIGGER payment_is_never_rewritten" + on_table(session, "payment")))

    session.execute(text("UPDATE payment SET receipt_no = 'R2026-000009'"))

    found = {one.check: one.name for one in rooms.findings(session)}
    assert found["receipt_ends_in_its_number"] == "R2026-000009"


@pytest.mark.parametrize("dialect", ["sqlite"])  # on PostgreSQL a constraint refuses it, not a trigger
def test_two_payers_at_once_are_named(session):
    unit = add_unit(session)
    session.commit()
    session.execute(text("DROP TRIGGER occupancy_one_payer_at_a_time"))

    session.execute(
        text(
            "INSERT INTO occupancy (unit_id, owner_id, kind, is_payer, from_on) "
            "SELECT unit_id, owner_id, kind, is_payer, '2026-03-01' FROM occupancy"
        )
    )

    assert ("one_payer_at_a_time", unit.code) in {(one.check, one.name) for one in rooms.findings(session)}


def on_table(session, table):
    return f" ON {table}" if session.get_bind().dialect.name == "postgresql" else ""
