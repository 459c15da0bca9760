"""A ticket's life as a state machine: whatever people and the clock do, in any order (T4, T7, T9, V1, V3).

GATEHOUSE_TEST_LIVES says how many lives each office sees (8 by default).
"""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from models.complaints import Escalation, Ticket, TicketClock
from models.visits import Visit
from office.complaints import (
    clock_jobs,
    closures,
    deadlines,
    integrity,
    pauses,
    severities,
    visits,
    work,
)
from office.complaints.closures import ReviewMinutes
from office.complaints.registration import NewTicket, register_ticket
from office.core.errors import Refused
from rules.deadlines import clock_state
from rules.lifecycle import TRANSITIONS
from rules.severity import Facts
from tests.factories.complaints import at, people

# state -> the states that may follow it in one step of ours
FOLLOWS = {}
for row in TRANSITIONS:
    for source in row.sources:
        FOLLOWS.setdefault(source.value, {source.value}).add(row.target.value if row.target else source.value)
FOLLOWS["resolved"] |= {"closed"}  # a satisfied visit follows up and closes at once
EXAMPLES = int(os.environ.get("GATEHOUSE_TEST_LIVES", "8"))
WAITS = st.integers(1, 4000).map(lambda minutes: timedelta(minutes=minutes))


class Life(RuleBasedStateMachine):
    """One ticket, people of every role, and a clock that ticks when it likes."""

    session = None
    preset = ""

    def __init__(self):
        super().__init__()
        self.session.rollback()  # of an example that failed half way
        self.now = at("10:00")
        self.staff = people(self.session)
        self.ticket = register_ticket(
            self.session,
            NewTicket(
                channel="desk",
                category="cleaning",
                statement="the hall",
                facts=Facts(is_written=True, happening_now=True),
                registered_at=self.now,
                clerk_id=self.staff["front_desk"],
            ),
            now=self.now,
        ).id
        self.before = "registered"
        self.escalations = []

    def row(self):
        self.session.expire_all()
        return self.session.get(Ticket, self.ticket)

    def do(self, verb, *given, **more):
        """Try a verb; what is refused must change nothing."""
        states = self.row().state
        savepoint = self.session.begin_nested()
        try:
            verb(self.session, *given, now=self.now, **more)
            savepoint.commit()
        except Refused:
            savepoint.rollback()
            assert self.row().state == states

    @rule(wait=WAITS)
    def time_passes(self, wait):
        self.now += wait

    @rule()
    def the_clock_ticks(self):
        clock_jobs.sweep(self.session, self.now)

    @rule(who=st.sampled_from(["worker", "department_lead"]))
    def assign(self, who):
        self.do(work.assign, self.ticket, handler_id=self.staff[who])

    @rule()
    def start(self):
        self.do(work.start_work, self.ticket, staff_id=self.staff["worker"])

    @rule(clock=st.sampled_from(["first_word", "department_plan", "written_answer", "on_site", "follow_up"]))
    def keep(self, clock):
        self.do(work.meet_clock, self.ticket, clock)

    @rule(text=st.sampled_from(["done", " "]))
    def resolve(self, text):
        self.do(work.resolve_ticket, self.ticket, resolution=text, staff_id=self.staff["worker"])

    @rule()
    def solve_on_the_spot(self):
        self.do(work.resolve_on_spot, self.ticket, resolution="x", staff_id=self.staff["front_desk"])

    @rule(days=st.integers(1, 9))
    def wait_for_the_resident(self, days):
        look = (self.now + timedelta(days=days)).date()
        self.do(pauses.pause, self.ticket, waiting_for="resident", reason="away", look_again_on=look)

    @rule()
    def go_on(self):
        self.do(pauses.resume, self.ticket)

    @rule(severity=st.sampled_from(["major", "complex", "simple"]))
    def change_severity(self, severity):
        who = self.staff["station_head"]
        self.do(severities.change_severity, self.ticket, severity, staff_id=who, note="seen")

    @precondition(lambda self: self.open_visit() is not None)
    @rule(
        answer=st.sampled_from([None, 1, 2, 3, 4, 5]),
        who=st.sampled_from(["front_desk", "station_head", "worker"]),
    )
    def visit(self, answer, who):
        self.do(
            visits.record_visit,
            self.open_visit(),
            satisfaction=answer,
            is_reached=answer is not None,
            staff_id=self.staff[who],
        )

    def open_visit(self):
        return self.session.scalars(
            select(Visit.id).where(Visit.ticket_id == self.ticket, Visit.done_at.is_(None))
        ).one_or_none()

    @rule()
    def reopen(self):
        self.do(work.reopen, self.ticket, staff_id=self.staff["manager"], note="not yet")

    @rule()
    def hold_the_review(self):
        minutes = ReviewMinutes("c", "c", "p", "all")
        self.do(closures.hold_review, self.ticket, minutes, held_at=self.now)

    @rule(how=st.sampled_from([closures.close, closures.close_unreachable, closures.close_by_decision]))
    def close(self, how):
        self.do(how, self.ticket, staff_id=self.staff["manager"], note="enough")

    @rule(who=st.sampled_from(["front_desk", "manager"]))
    def ask_for_invalid(self, who):
        given = {"ground": "unfounded", "reason": "x", "staff_id": self.staff[who]}
        self.do(closures.request_invalid, self.ticket, **given)

    @rule(is_approved=st.booleans())
    def decide_about_invalid(self, is_approved):
        given = {"is_approved": is_approved, "staff_id": self.staff["manager"], "note": "no"}
        self.do(closures.decide_invalid, self.ticket, **given)

    @invariant()
    def no_illegal_jump(self):
        state = self.row().state
        assert state in FOLLOWS.get(self.before, {self.before})
        self.before = state

    @invariant()
    def all_that_always_holds_holds(self):
        assert list(integrity.all_hold(self.session)) == []

    @invariant()
    def an_escalation_stays_as_it_was_written(self):
        rows = self.session.execute(
            select(Escalation.ticket_clock_id, Escalation.level, Escalation.at).order_by(Escalation.id)
        ).all()
        assert rows[: len(self.escalations)] == self.escalations
        assert len({row[:2] for row in rows}) == len(rows)
        self.escalations = rows

    def teardown(self):
        """One last tick long after: every clock is what the rule says, and escalated to the top."""
        clock_jobs.sweep(self.session, self.now + timedelta(days=90))
        self.session.expire_all()
        for clock in self.session.scalars(select(TicketClock)):
            if clock.state in {"met", "breached"}:
                last = clock.stopped_at or self.now + timedelta(days=90)
                assert clock.state == clock_state(last, clock.due_at, stopped_at=clock.stopped_at)
            if clock.state == "breached" and clock.stopped_at is None:
                assert clock.last_level == 3
        assert list(integrity.all_hold(self.session)) == []
        self.session.rollback()


def live(session, preset, **more):
    """Let tickets of an office live through random histories."""
    machine = type("LifeIn", (Life,), {"session": session, "preset": preset})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


@pytest.mark.parametrize(
    ("dialect", "preset"),
    [("sqlite", "tower"), ("sqlite", "residential"), ("sqlite", "project"), ("postgresql", "project")],
    indirect=["dialect"],
)
def test_whatever_happens_a_ticket_stays_true(session_of, preset):
    live(session_of(preset), preset)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_control_clocks_that_nobody_stops_are_found(session_of, monkeypatch):
    """Resolving, reopening and closing no longer stop what runs."""
    monkeypatch.setattr(deadlines, "stop_clocks", lambda *_given, **_more: [])

    with pytest.raises(AssertionError):
        live(session_of("project"), "project", derandomize=True, phases=[Phase.generate])
