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

    def open_web(preset="residential", *, fills=(), **more):
        return web_of(preset, fills=(begin_monday, *fills), **more)

    return open_web


def begin_monday(session):
    set_present(session, MONDAY_MORNING)
    session.commit()


def add_every_role(session):
    for role in ("front_desk", "station_head", "department_lead", "director"):
        add_staff(session, role, role)
    lead = session.scalars(select(Staff).where(Staff.login == "department_lead")).one()
    lead.department = session.scalars(select(Department).where(Department.code == "cleaning")).one()


@pytest.fixture
def desk(web_of):
    """Staff of every role; the front desk has signed in."""
    desk = web_of(fills=(add_every_role,))
    as_(desk, "front_desk")
    return desk
