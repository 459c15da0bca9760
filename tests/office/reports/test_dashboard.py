"""The start page: each count at the edge of its day or hour, each short list in its order (K4)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.collection import Contact, Reminder, ReminderBatch
from models.complaints import Ticket
from models.office import JobRun, Message
from models.people import Staff
from models.visits import Visit
from office.core.jobs import Job, JobResult
from office.reports import dashboard
from office.scheduling.timetable import Timetable
from tests.factories.rows import (
    Debtor,
    add_clock,
    add_contact,
    add_household,
    add_invoice,
    add_payment,
    add_reminder,
    add_statement_row,
    add_ticket,
    add_unit,
    add_visit,
    added,
    at,
)

TODAY = date(2026, 3, 19)  # a Thursday; its week ends on Sunday the 22nd
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOW = at("2026-03-19 10:00")
MIDNIGHT = at("2026-03-20")  # at which tomorrow begins in the office


@pytest.fixture
def debtor(session: Session) -> Debtor:
    return add_household(session, "1-101")


def test_an_empty_office_has_nothing_waiting(session: Session) -> None:
    assert dashboard.complaints(session, NOW, ()) == dashboard.Complaints(0, 0, 0, 0, due_soon_minutes=120)
    assert dashboard.visits_to_make(session, NOW, ()) == 0
    assert dashboard.promises_due(session, TODAY, ()) == 0
    assert dashboard.batches_to_approve(session, ()) == 0
    assert dashboard.reminders_to_do(session, TODAY, ()) == 0
    assert dashboard.tickets(session, ()) == []
    assert dashboard.registered_today(session, NOW, ()) == []
    assert dashboard.takings(session, TODAY, None) == []
    assert dashboard.waiting_rows(session) == (0, [])


CLOCKS = [  # state, due after now, whether it was stopped: late, soon
    ("breached", -DAY, False, (1, 0)),
    ("breached", DAY, False, (1, 0)),
    ("breached", -DAY, True, (0, 0)),
    ("running", -SECOND, False, (0, 0)),
    ("running", 0 * SECOND, False, (0, 1)),
    ("running", timedelta(hours=2), False, (0, 1)),
    ("running", timedelta(hours=2, seconds=1), False, (0, 0)),
    ("paused", timedelta(hours=1), False, (0, 0)),
]


@pytest.mark.parametrize(("state", "wait", "is_stopped", "wanted"), CLOCKS)
def test_a_complaint_is_late_when_a_deadline_was_missed_and_soon_within_two_hours(
    session: Session, state: str, wait: timedelta, wanted: tuple[int, int], *, is_stopped: bool
) -> None:
    ticket = add_ticket(session, NOW - DAY)
    for _ in range(2):  # one complaint all the same
        add_clock(session, ticket, NOW + wait, state, stopped_at=NOW if is_stopped else None)
    add_ticket(session, NOW - DAY)

    found = dashboard.complaints(session, NOW, ())

    assert (found.open, found.late, found.soon) == (2, *wanted)


def test_open_and_escalated_complaints_are_counted_within_reach(session: Session) -> None:
    for level in (0, 1, 2):
        add_ticket(session, NOW, level=level, severity="major" if level == 2 else "minor")
    add_ticket(session, NOW, level=1, state="closed", closed_at=NOW)
    for state in ("resolved", "followed_up"):  # open, and no longer escalated
        add_ticket(session, NOW - DAY, level=1, state=state, resolved_at=NOW)

    everywhere = dashboard.complaints(session, NOW, ())
    within = dashboard.complaints(session, NOW, [Ticket.severity == "major"])

    assert (everywhere.open, everywhere.escalated) == (5, 2)
    assert (within.open, within.escalated) == (1, 1)


@pytest.mark.parametrize(
    ("planned", "is_done", "count"),
    [
        (MIDNIGHT - SECOND, False, 1),
        (MIDNIGHT, False, 0),
        (NOW - 9 * DAY, False, 1),
        (NOW, True, 0),
    ],
)
def test_visits_are_to_make_until_tonight(
    session: Session, planned: datetime, count: int, *, is_done: bool
) -> None:
    add_visit(session, planned, done_at=NOW if is_done else None)

    assert dashboard.visits_to_make(session, NOW, ()) == count
    assert dashboard.visits_to_make(session, NOW, [Visit.assignee_role == "manager"]) == 0


@pytest.mark.parametrize(
    ("today", "promised", "state", "count"),
    [
        (TODAY, date(2026, 3, 22), "open", 1),
        (TODAY, date(2026, 3, 23), "open", 0),
        (TODAY, date(2026, 3, 1), "open", 1),
        (TODAY, TODAY, "kept", 0),
        (TODAY, TODAY, "broken", 0),
        (date(2026, 3, 22), date(2026, 3, 23), "open", 0),
        (date(2026, 3, 23), date(2026, 3, 29), "open", 1),
        (date(2026, 3, 23), date(2026, 3, 30), "open", 0),
    ],
)
def test_open_promises_are_due_until_sunday(
    session: Session, debtor: Debtor, today: date, promised: date, state: str, count: int
) -> None:
    add_contact(session, debtor, NOW - DAY, promised, promise_state=state)

    assert dashboard.promises_due(session, today, ()) == count
    assert dashboard.promises_due(session, today, [Contact.method == "visit"]) == 0


def test_only_drafts_wait_for_approval(session: Session) -> None:
    for number, state in enumerate(("draft", "draft", "approved")):
        batch = {"stage": "call", "made_for": TODAY, "part": number, "made_at": NOW}
        added(session, ReminderBatch(number=f"B{number}", state=state, **batch))

    assert dashboard.batches_to_approve(session, ()) == 2


@pytest.mark.parametrize(
    ("state", "day", "count"),
    [
        ("planned", TODAY, 1),
        ("approved", TODAY - DAY, 1),
        ("planned", TODAY + DAY, 0),
        ("sent", TODAY, 0),
        ("done", TODAY, 0),
    ],
)
def test_reminders_are_to_do_from_their_day_on(
    session: Session, debtor: Debtor, state: str, day: date, count: int
) -> None:
    add_reminder(session, add_invoice(session, debtor, TODAY), day, state=state)

    assert dashboard.reminders_to_do(session, TODAY, ()) == count
    assert dashboard.reminders_to_do(session, TODAY, [Reminder.channel == "visit"]) == 0


def test_the_first_deadline_is_on_top_and_complaints_without_one_are_last(session: Session) -> None:
    unit = add_unit(session, "1-101")
    without, without_too = add_ticket(session, NOW), add_ticket(session, NOW)
    later, first, twin = (add_ticket(session, NOW, unit.id) for _ in range(3))
    for ticket, hours in ((later, 3), (twin, 1), (first, 1), (first, 9)):
        add_clock(session, ticket, NOW + timedelta(hours=hours))
    add_clock(session, later, NOW, stopped_at=NOW)
    add_clock(session, without, NOW, stopped_at=NOW)
    closed = add_ticket(session, NOW, state="closed", closed_at=NOW)
    add_clock(session, closed, NOW)

    rows = dashboard.tickets(session, ())

    assert [(row.id, row.code, row.due_at) for row in rows] == [
        (first.id, "1-101", NOW + timedelta(hours=1)),
        (twin.id, "1-101", NOW + timedelta(hours=1)),
        (later.id, "1-101", NOW + timedelta(hours=3)),
        (without.id, None, None),
        (without_too.id, None, None),
    ]
    assert [row.id for row in dashboard.tickets(session, (), most=1)] == [first.id]
    assert [row.id for row in dashboard.tickets(session, [Ticket.id == later.id])] == [later.id]


def test_a_short_list_has_eight_lines(session: Session) -> None:
    for _ in range(9):
        add_ticket(session, NOW)
        add_statement_row(session)
    jobs = Timetable([Job(str(hour), nothing, at=time(hour)) for hour in range(10, 20)])

    assert len(dashboard.tickets(session, ())) == 8
    assert len(dashboard.registered_today(session, NOW, ())) == 8
    assert len(dashboard.next_jobs(session, jobs, NOW)) == 8
    count, rows = dashboard.waiting_rows(session)
    assert (count, len(rows)) == (9, 8)


def test_todays_complaints_are_newest_first_from_midnight_on(session: Session) -> None:
    unit = add_unit(session, "1-101")
    midnight = at("2026-03-19")
    add_ticket(session, midnight - SECOND)
    later = add_ticket(session, midnight + SECOND, unit.id)
    twin = add_ticket(session, midnight + SECOND, state="closed", closed_at=NOW)
    first = add_ticket(session, midnight)

    found = dashboard.registered_today(session, NOW, ())
    within = dashboard.registered_today(session, NOW, [Ticket.unit_id == unit.id])

    assert [(row.id, row.code) for row in found] == [
        (twin.id, None),
        (later.id, "1-101"),
        (first.id, None),
    ]
    assert [row.id for row in within] == [later.id]


def test_takings_of_the_day_stand_by_method(session: Session, debtor: Debtor) -> None:
    anne, bert = (added(session, Staff(login=name, name=name)) for name in ("anne", "bert"))
    for amount, method, cashier in (("10.10", "wechat", anne), ("20", "cash", anne), ("5", "cash", bert)):
        add_payment(session, debtor, NOW, amount, method=method, cashier_id=cashier.id)
    for day in (TODAY - DAY, TODAY + DAY):
        add_payment(session, debtor, NOW, posted_on=day, cashier_id=anne.id)

    everyone = dashboard.takings(session, TODAY, None)

    assert everyone == [("cash", 2, Decimal(25)), ("wechat", 1, Decimal("10.10"))]
    assert dashboard.takings(session, TODAY, bert.id) == [("cash", 1, Decimal(5))]


def test_the_oldest_waiting_row_is_first(session: Session) -> None:
    add_statement_row(session, state="ignored")
    rows = [add_statement_row(session, memo=str(number)) for number in range(3)]

    count, shown = dashboard.waiting_rows(session, most=2)

    assert (count, [row.memo for row in shown]) == (3, ["0", "1"])
    assert rows[0].id == shown[0].id


def nothing(_session: Session, _due_for: datetime) -> JobResult:
    return JobResult()


JOBS = Timetable(
    [Job("backup", nothing, at=time(2)), Job("late", nothing, at=time(12)), Job("minute", nothing)]
)


def run(session: Session, job: str, state: str, hours: int = 1) -> JobRun:
    due_for = NOW - timedelta(hours=hours)
    return added(session, JobRun(job=job, due_for=due_for, state=state, finished_at=due_for))


def test_the_next_jobs_are_those_of_a_time_of_day_the_soonest_first(session: Session) -> None:
    assert dashboard.next_jobs(session, JOBS, NOW) == [
        ("late", at("2026-03-19 12:00")),
        ("backup", at("2026-03-20 02:00")),
    ]
    assert [job for job, _ in dashboard.next_jobs(session, JOBS, NOW, most=1)] == ["late"]


@pytest.mark.parametrize(
    ("state", "failed", "is_backed_up"),
    [("done", (), True), ("failed", ("backup",), False), ("dead", ("backup",), False), ("due", (), False)],
)
def test_the_last_run_of_each_job_tells_its_health(
    session: Session, state: str, failed: tuple[str, ...], *, is_backed_up: bool
) -> None:
    run(session, "backup", "failed", hours=3)
    run(session, "backup", "done", hours=2)
    last = run(session, "backup", state)

    found = dashboard.health(session, JOBS, NOW)

    assert (found.failed_jobs, found.lost_messages) == (failed, 0)
    assert found.backed_up_at == (last.finished_at if is_backed_up else None)


def test_messages_of_which_nobody_knows_are_counted_among_the_newest(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "NEWEST", 4)
    for number, state in enumerate(("dead", "dead", "unknown", "sent", "pending")):
        message = {"key": str(number), "channel": "email", "address": "a@example.invalid", "body": ""}
        added(session, Message(state=state, made_at=NOW, next_try_at=NOW, **message))

    assert dashboard.health(session, JOBS, NOW).lost_messages == 2
