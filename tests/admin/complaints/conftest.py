"""Offices whose present is chosen: no test of the complaint screens depends on the hour it runs at."""

import pytest
from sqlalchemy import select

from models.people import Department, Staff
from tests.admin.conftest import add_staff
from tests.factories.complaint_desk import as_
from tests.factories.complaints import at
from tests.factories.sandbox import set_present

MONDAY_MORNING = at("2026-03-02 10:00")


@pytest.fixture
def web_of(web_of):
    """Browsers on offices in which it is a Monday morning until a test sets another present."""

    def open_web(preset="residential", **more):
        web = web_of(preset, **more)
        with web.rows() as session:
            set_present(session, MONDAY_MORNING)
        return web

    return open_web


@pytest.fixture
def desk(visitor):
    """Staff of every role; the front desk has signed in."""
    with visitor.rows() as session:
        for role in ("front_desk", "station_head", "department_lead", "director"):
            add_staff(session, role, role)
        lead = session.scalars(select(Staff).where(Staff.login == "department_lead")).one()
        lead.department = session.scalars(select(Department).where(Department.code == "cleaning")).one()
        session.commit()
    as_(visitor, "front_desk")
    return visitor
