"""Old complaint registers come in as history: nothing to do today, reports equal to a recount (R5).

`GATEHOUSE_FULL=1` takes the 8,000 complaints of the goal.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models.complaints import Escalation, Ticket, TicketClock, TicketEvent, is_unresolved
from models.office import Audit, Message
from models.people import Staff
from models.visits import Visit
from office.complaints import clock_jobs, integrity, timeline, work_board
from office.exchange import imports
from office.exchange.imports import tickets
from office.reports import catalog, complaints, dashboard
from office.reports.table import Wanted
from office.rooms import HISTORIES, IMPORTS
from tests.factories.old_registers import HEADER, register
from tests.factories.sandbox import set_present
from tests.factories.spreadsheets import csv_file
from tests.oracles import old_register

COUNT = 8000 if os.environ.get("GATEHOUSE_FULL") else 300
NOW = datetime(2026, 11, 2, 2, tzinfo=UTC)
YEARS = ("2024", "2025", "2026")


def bring(session, folder, rows, *, kinds=HISTORIES, staff_id=None, name="register.csv"):
    table = imports.read(
        csv_file(folder / name, HEADER, [[row.get(key, "") for key in HEADER] for row in rows])
    )
    return imports.take_in(session, "tickets", kinds["tickets"], table, now=NOW, staff_id=staff_id)


def complaint(**values):
    return {
        "number": "A1",
        "registered_at": "2026-01-05 10:00",
        "channel": "电话",
        "category": "cleaning",
        "statement": "the hall",
        **values,
    }


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def told(session, what, year):
    """A report's rows without their total: {name: registered, solved, median, nine of ten, mean}."""
    wanted = Wanted(year, NOW, date(2026, 11, 2), "en")
    table = catalog.table(session, f"complaints_{what}", wanted)
    places = [
        [column.key for column in table.columns].index(key)
        for key in ("registered", "resolved", "hours_median", "hours_ninetieth", "hours_to_solve")
    ]
    return {
        line.cells[0]: [line.cells[place] for place in places] for line in table.lines if not line.is_total
    }


def to_do(session):
    """All that a person would have to do, and what the program did of itself."""
    board = work_board.board(session, NOW, [])
    return (
        sum(map(len, board.groups.values())),
        [
            getattr(dashboard.complaints(session, NOW, ()), name)
            for name in ("open", "escalated", "late", "soon")
        ],
        [count(session, model) for model in (TicketClock, Visit, Escalation, Message)],
        session.scalar(select(func.count()).select_from(Ticket).where(is_unresolved())),
    )


NOTHING = (0, [0, 0, 0, 0], [0, 0, 0, 0], 0)


def test_a_register_comes_in_as_history(session, tmp_path):
    """R5: nothing to do, then or after a sweep; every figure as the recount has it; again adds nothing."""
    set_present(session, NOW)
    rows = register(COUNT, 14)

    report = bring(session, tmp_path, rows)

    assert (report.new, report.skipped) == (COUNT, 0)
    assert to_do(session) == NOTHING
    clock_jobs.sweep(session, NOW + timedelta(days=40))
    assert to_do(session) == NOTHING
    assert not list(integrity.all_hold(session))
    for year in YEARS:
        of_year = [row for row in rows if row["registered_at"].startswith(year)]
        assert told(session, "month", year) == old_register.by(of_year, old_register.month)
        assert told(session, "severity", year) == old_register.by(of_year, old_register.severity)
        assert told(session, "outcome", year) == old_register.by(of_year, old_register.outcome)
        wanted = Wanted(year, NOW, date(2026, 11, 2), "en")
        totals = complaints.complaint_totals(session, wanted)
        assert (totals["rate_followed_up"], totals["rate_on_time"]) == (None, None)
        invalid = [row for row in of_year if row["outcome"] == "invalid"]
        assert complaints.invalid_count(session, wanted) == len(invalid)
    again = bring(session, tmp_path, rows)
    assert (again.new, again.skipped, count(session, Ticket)) == (0, COUNT, COUNT)


def test_without_history_the_same_rows_are_work(session, tmp_path):
    """The control of the test above: what is resolved is visited, what has ended otherwise is refused."""
    set_present(session, NOW)
    rows = [row for row in register(40, 14) if not row["outcome"]]

    with pytest.raises(imports.RowsRefused) as refusal:
        bring(session, tmp_path, rows, kinds=IMPORTS)
    bring(session, tmp_path, [{**row, "closed_at": ""} for row in rows], kinds=IMPORTS)

    assert {problem.column for problem in refusal.value.problems} == {"closed_at"}
    assert count(session, Visit) == len(rows)
    assert to_do(session) != NOTHING


# what the register says → state, outcome, solved, closed as the office keeps them (NOW: taken over)
TAKEN = [
    ({"resolved_at": "2026-01-06 11:00"}, ("closed", "solved", "2026-01-06 11:00", "2026-01-06 11:00")),
    ({"resolved_at": "2026-01-05"}, ("closed", "solved", "2026-01-05 10:00", "2026-01-05 10:00")),
    (
        {"resolved_at": "2026-01-06 11:00", "closed_at": "2026-01-06"},
        ("closed", "solved", "2026-01-06 11:00", "2026-01-06 11:00"),
    ),
    ({"closed_at": "2026-01-08 09:00"}, ("closed", "", None, "2026-01-08 09:00")),
    ({"outcome": "已撤销"}, ("closed", "cancelled", None, "2026-11-02 10:00")),
    ({"outcome": "无效", "closed_at": "2026-01-08"}, ("invalid", "invalid", None, "2026-01-08 00:00")),
    ({"outcome": "转办"}, ("closed", "moved", None, "2026-11-02 10:00")),
    ({"outcome": "处理中"}, ("registered", "", None, None)),
    ({}, ("registered", "", None, None)),
]


@pytest.mark.parametrize(("said", "kept"), TAKEN)
def test_how_a_complaint_stands_afterwards(session, tmp_path, said, kept):
    set_present(session, NOW)

    bring(session, tmp_path, [complaint(**said)])

    ticket = session.scalars(select(Ticket)).one()
    zone = tickets.clock.zone(session)
    shown = [at and f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (ticket.resolved_at, ticket.closed_at)]
    assert (ticket.state, ticket.outcome, *shown) == kept
    assert (ticket.taken_over_at == NOW) is (ticket.state in {"closed", "invalid"})


# what the register says → the column and the problem that are told
WRONG = [
    ({"resolved_at": "2026-01-05 09:59"}, "resolved_at", "before the registration"),
    ({"resolved_at": "2026-01-04"}, "resolved_at", "before the registration"),
    ({"closed_at": "2026-01-04"}, "closed_at", "before the registration"),
    ({"resolved_at": "2026-01-07", "closed_at": "2026-01-06"}, "closed_at", "before the solution"),
    ({"closed_at": "2062-01-06"}, "closed_at", "lies in the future"),
    ({"outcome": "处理中", "closed_at": "2026-01-06"}, "outcome", "not ended, and yet"),
    ({"severity": "complex"}, "severity", "There is no severity complex here"),
    ({"category": "电梯"}, "category", "unknown category"),
    ({"outcome": "大概"}, "outcome", "unknown: 大概"),
    ({"registered_at": ""}, "registered_at", "empty"),
]


@pytest.mark.parametrize(("said", "column", "problem"), WRONG)
def test_what_is_wrong_is_told_per_row(session, tmp_path, said, column, problem):
    set_present(session, NOW)

    with pytest.raises(imports.RowsRefused) as refusal:
        bring(session, tmp_path, [complaint(), complaint(number="A2", **said)])

    (found,) = refusal.value.problems
    assert (found.row, found.column) == (3, column)
    assert (found.message % found.values).startswith(problem)
    assert count(session, Ticket) == 0


def test_a_number_of_two_complaints_is_refused_and_never_merged(session, tmp_path):
    rows = [complaint(), complaint(statement="another one"), complaint(number="ａ1 ", statement="a third")]

    with pytest.raises(imports.RowsRefused) as refusal:
        bring(session, tmp_path, [{**row, "closed_at": "2026-02-01"} for row in rows[:2]])

    assert [problem.row for problem in refusal.value.problems] == [3]


def test_words_of_the_register_are_mapped_by_a_person(session, tmp_path):
    rows = [complaint(category="电梯困人", outcome="了结")]
    path = csv_file(tmp_path / "own.csv", HEADER, [[row.get(key, "") for key in HEADER] for row in rows])
    mapping = imports.mapping.from_toml(
        '[values.category]\n"电梯困人" = "equipment"\n[values.outcome]\n"了结" = "solved"\n',
        "own.toml",
        [column.code for column in tickets.COLUMNS],
    )

    imports.take_in(session, "tickets", HISTORIES["tickets"], imports.read(path), now=NOW, mapping=mapping)

    ticket = session.scalars(select(Ticket)).one()
    assert (ticket.category.code, ticket.outcome) == ("equipment", "solved")


def test_the_timeline_says_when_and_by_whom_it_was_taken_over(session, tmp_path):
    """R5; who handled it may have left: the name stays as text, no row of staff is made."""
    staff = Staff(login="lin", name="Lin")
    session.add(staff)
    session.flush()
    people = count(session, Staff)

    row = complaint(
        resolved_at="2026-01-06 11:00", closed_at="2026-01-07", handler="李离职", resolution="扫了"
    )
    bring(session, tmp_path, [row], staff_id=staff.id)

    ticket = session.scalars(select(Ticket)).one()
    lines = [(line.code, line.at, line.by) for line in timeline.timeline(session, ticket)]
    taken_over = timeline.timeline(session, ticket)[-1]
    assert [code for code, _at, _by in lines] == ["register", "resolve", "close", "take_over"]
    assert lines[-1] == ("take_over", NOW, "Lin")
    assert taken_over.reason.inputs == {"handler_was": "李离职", "outcome": "solved"}
    assert (ticket.resolution, ticket.handler_id, count(session, Staff)) == ("扫了", None, people)
    assert session.scalars(select(Audit.action).where(Audit.staff_id == staff.id)).all() == ["import"]


def test_what_is_past_its_years_of_keeping_is_told(session, tmp_path):
    """T11: closed three years ago or longer, the next night removes it."""
    rows = [
        complaint(number=str(year), registered_at=f"{year}-11-02 09:00", closed_at=f"{year}-11-02 10:00")
        for year in (2022, 2023, 2024)
    ]

    report = bring(session, tmp_path, rows)

    assert report.details == {"no_outcome": 3, "past_keeping": 2}


def test_open_rows_of_a_register_are_told_apart(session, tmp_path):
    report = bring(session, tmp_path, [complaint(), complaint(number="A2", outcome="solved")])

    assert report.details == {"still_open": 1, "solved": 1}
    assert count(session, TicketEvent) == 3
