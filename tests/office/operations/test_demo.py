"""The demo estate has lived for a year when it is made, also in a sandbox (S23)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import db
from models.billing import InstalmentPlan, Invoice
from models.collection import Contact, Reminder, Restriction
from models.complaints import ReviewMeeting, Ticket
from models.payments import Payment
from models.visits import Visit
from office.core import clock
from office.operations.demo_complaints import DemoComplaints
from office.operations.demo_year import METHODS, MONTHS
from rules.billing import Period
from tests.conftest import Office

pytestmark = pytest.mark.long


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_year_of_everything_ends_now(office_of: Callable[..., Office]) -> None:
    office = office_of("none")
    made = office.run("init", "--preset", "tower", "--demo", "--sandbox", "--admin-password", "correct horse")
    assert made.exit_code == 0, made.output

    with office.app.app_context():
        session = db.session()
        this_month = Period.of(clock.today(session))

        def all_of(column: Any) -> set[Any]:
            return set(session.scalars(select(column).distinct()))

        assert all_of(Invoice.period) == {str(this_month.plus(-back)) for back in range(MONTHS)}
        assert all_of(Payment.method) == set(METHODS)
        assert all_of(Payment.state) == {"posted", "void"}
        assert {"printed", "done", "not_made"} <= all_of(Reminder.state)
        assert {"planned", "approved"} & all_of(Reminder.state)  # as the day of the month has it
        assert {"reached", "not_reached", "promised", "refused"} <= all_of(Contact.outcome)
        assert {"kept", "broken", "open"} <= all_of(Contact.promise_state)
        assert {"kept", "broken"} <= all_of(InstalmentPlan.state)
        assert all_of(Restriction.state)
        assert all_of(Ticket.state) == {
            "registered", "in_progress", "resolved", "followed_up", "closed", "invalid", "reopened"
        }  # fmt: skip
        assert {"satisfied", "partly", "dissatisfied", ""} <= all_of(Visit.outcome)
        assert session.scalar(select(func.count()).select_from(ReviewMeeting))
        assert session.scalar(select(func.max(Ticket.level))) >= 2
    checked = office.run("check", "--json")
    assert checked.exit_code == 0, checked.output
    assert all(not found for found in json.loads(checked.stdout).values() if isinstance(found, list))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_two_things_at_one_instant_happen_as_they_were_planned(session: Session) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    courses = DemoComplaints(session, {"year": {}, "complaints": []}, zone, date(2026, 3, 2), {}, date.min)
    at, done = datetime(2026, 3, 2, 10, tzinfo=zone), []

    courses._plan(at - timedelta(hours=1), lambda _now: courses._plan(at, lambda _later: done.append(2)))
    courses._plan(at, lambda _now: done.append(1))
    courses.go_on(at)

    assert done == [1, 2]
