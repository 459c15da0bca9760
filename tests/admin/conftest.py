"""A browser without a window for offices that also have a few trial screens on real tables.

The trial screens use everything OfficeView offers, so that its protections can be tried whatever the
real screens of the day look like. Their permissions are added for the test and taken away again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from admin import menu
from admin.panel import labels, permissions
from admin.panel.view import (
    Ask,
    ChoiceFilter,
    OfficeView,
    OneClick,
    RangeFilter,
    Related,
    RelationFilter,
    office_action,
)
from models import db, engine
from models.billing import Invoice
from models.office import Audit
from models.people import Occupancy, Owner, OwnerPhone, Staff, StaffRole
from models.property import Area, Building, Unit
from models.secrets import fingerprint
from office.core.errors import Refused
from tests.conftest import ADMIN_PASSWORD, Fill, Office
from tests.factories.rows import line_of

PASSWORD = "a password for tests"


class TrialArea(OfficeView):
    table, screen, title = Area, "trial_areas", "Areas"
    column_list = ("name", "position", "opened_on")
    column_searchable_list = ("name",)
    column_editable_list = ("position",)
    form_columns = ("name", "position", "opened_on")
    related = (Related("trial_buildings", "area_id"),)


class TrialBuilding(OfficeView):
    table, screen, title = Building, "trial_buildings", "Buildings"
    column_list = ("name", "area.name")
    form_columns = ("name", "area")


class TrialUnit(OfficeView):
    table, screen, title = Unit, "trial_units", "Units"
    column_list = ("code", "building.name", "kind", "area_m2", "state", "handed_over_on", "note")
    column_searchable_list = ("code",)
    column_default_sort = "code"
    column_editable_list = ("note",)
    choices = {"kind": labels.UNIT_KINDS, "state": labels.UNIT_STATES}
    filters = (
        ChoiceFilter("kind"),
        ChoiceFilter("state"),
        RelationFilter("building"),
        RangeFilter("area_m2"),
        RangeFilter("handed_over_on"),
        RelationFilter("building.area"),
    )
    one_click = (OneClick("vacant", "Vacant", lambda view: [Unit.state == "vacant"]),)
    form_columns = ("code", "building", "floor", "kind", "area_m2", "handed_over_on", "state", "note")
    form_sections = (("Where", ("code", "building")),)
    bulk_columns = ("state", "note")

    def scope(self) -> list[Any]:
        return [Unit.code.not_like("X%")]  # rows beginning with X are someone else's

    @office_action("seal", "Seal", confirm="Seal?", fields=(Ask("reason", "Reason", is_required=True),))
    def seal(self, rows: list[Any], given: dict[str, Any]) -> str:
        for row in rows:
            if row.state == "sealed":
                raise Refused("%(code)s is sealed already.", code=row.code)
            row.state, row.note = "sealed", given["reason"]
        return "sealed"

    @office_action("touch", "Touch")
    def touch(self, rows: list[Any], _given: dict[str, Any]) -> None:
        for row in rows:
            row.note = "touched"


class TrialOwner(OfficeView):
    table, screen, title = Owner, "trial_owners", "Owners"
    column_list = ("name", "email", "id_number")
    column_searchable_list = ("name", "pinyin_initials")
    search_exact = ("phones.number_mac",)
    form_columns = ("name", "email", "id_number", "note")
    choices = {"kind": labels.OWNER_KINDS}
    related = (Related("trial_phones", "owner_id"),)


class TrialPhone(OfficeView):
    table, screen, title = OwnerPhone, "trial_phones", "Phones"
    column_list = ("number", "owner.name")
    form_columns = ("owner", "number")


class TrialOccupancy(OfficeView):
    table, screen, title = Occupancy, "trial_occupancies", "Occupancies"
    column_list = ("unit.code", "owner.name", "from_on", "to_on")
    form_columns = ("unit", "owner", "is_payer", "from_on", "to_on")

    def lookup_scope(self, name: str, _model: Any) -> list[Any]:
        return [Unit.code.not_like("X%")] if name == "unit" else []


class TrialInvoice(OfficeView):
    table, screen, title = Invoice, "trial_invoices", "Invoices"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("number", "unit.code", "payer.name", "due_on", "amount", "balance", "state", "stage")
    column_searchable_list = ("number", "unit.code", "payer.name", "payer.pinyin_initials")
    column_default_sort = "-issued_on"
    choices = {"state": labels.INVOICE_STATES}
    filters = (ChoiceFilter("state"), RangeFilter("due_on"), RangeFilter("balance"))


MENUS_OF: list[Any] = []  # the permissions that the kept menus were drawn for
TRIALS = (TrialArea, TrialBuilding, TrialUnit, TrialOwner, TrialPhone, TrialOccupancy, TrialInvoice)


@pytest.fixture(autouse=True)
def trial_permissions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The menus drawn are kept from test to test until one has changed what somebody may."""
    for trial in TRIALS:
        row = {"it_admin": permissions.ALL, "manager": permissions.ALL, "steward": "s"}
        monkeypatch.setitem(permissions.SCREENS, trial.screen, row)
    granted = deepcopy(permissions.SCREENS)
    if [granted] != MENUS_OF:
        menu._drawn_sidebar.cache_clear()
        menu._drawn_tabs.cache_clear()
        MENUS_OF[:] = [granted]
    yield
    if granted != permissions.SCREENS:
        MENUS_OF.clear()


@dataclass
class Web:
    """A browser on an office, signed in or not."""

    office: Office
    client: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **options)

    def token(self, path: str = "/account") -> str:
        return token_in(self.get(path))

    def post(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """A POST with this session's token."""
        return self.client.post(path, data={"csrf_token": self.own_token(), **(fields or {})}, **options)

    def own_token(self) -> str:
        page = self.get("/account")
        return token_in(page) if page.status_code == 200 else self.token("/login")

    def sign_in(self, login: str = "admin", password: str = ADMIN_PASSWORD, **options: Any) -> TestResponse:
        token = self.token("/login")
        fields = {"csrf_token": token, "login": login, "password": password}
        return self.client.post("/login", data=fields, **options)

    @property
    def is_signed_in(self) -> bool:
        return self.get("/account").status_code == 200

    @contextmanager
    def rows(self) -> Iterator[Session]:
        with self.office.app.app_context(), engine.writing():
            yield db.session()
            db.session.remove()

    def audits(self, table: str | None = None) -> list[Audit]:
        with self.rows() as session:
            statement = select(Audit).order_by(Audit.id)
            found = session.scalars(statement.where(Audit.table_name == table) if table else statement)
            return list(found)


def token_in(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, f"no token on {page.request.path}"
    return found[1]


def text_of(answer: TestResponse) -> str:
    """What a reader sees, without tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


def add_property(session: Session) -> None:
    """Two areas, two buildings, and units A-01 … A-06 in scope, X-01 out of it, with an owner and bills."""
    east, west = Area(name="东区"), Area(name="西区", position=1)
    session.add_all([east, west])
    session.flush()
    first, second = Building(name="1号楼", area_id=east.id), Building(name="2号楼", area_id=west.id)
    owner = Owner(
        name="王秀英",
        pinyin_initials="WXY",
        id_number="110101199001011237",
        id_number_mac=fingerprint("110101199001011237"),
    )
    session.add_all([first, second, owner])
    session.flush()
    session.add(OwnerPhone(owner_id=owner.id, number="13800138000", number_mac=fingerprint("13800138000")))
    for code in ("A-01", "A-02", "A-03", "A-04", "A-05", "A-06", "X-01"):
        building = second if code == "A-06" else first
        unit = Unit(
            code=code, building_id=building.id, kind="residence", area_m2=Decimal("89.5"), state="vacant"
        )
        session.add(unit)
        session.flush()
        session.add(
            Invoice(
                number=f"F-{code}",
                unit_id=unit.id,
                payer_id=owner.id,
                period="2026-01",
                amount=Decimal(100),
                issued_on=date(2026, 1, 1),
                due_on=date(2026, 1, 15),
                balance=Decimal(100),
                lines=[line_of(session, "100")],
            )
        )
    session.commit()


def add_staff(session: Session, login: str, *roles: str) -> None:
    staff = Staff(
        login=login, name=login.title(), password_hash=generate_password_hash(PASSWORD, "pbkdf2:sha256:1")
    )
    staff.role_rows = [StaffRole(role=role) for role in roles]
    session.add(staff)
    session.commit()


def add_first_rows(session: Session) -> None:
    add_property(session)
    add_staff(session, "steward", "steward")
    add_staff(session, "manager", "manager")


@pytest.fixture
def web_of(office_of: Callable[..., Office]) -> Callable[..., Web]:
    """Browsers on an office with the trial screens and `add_first_rows`'s, then those of more `fills`."""

    def open_web(preset: str = "residential", *, fills: tuple[Fill, ...] = (), **more: Any) -> Web:
        office = office_of(preset, views=TRIALS, fills=(add_first_rows, *fills), **more)
        return Web(office, office.app.test_client())

    return open_web


@pytest.fixture
def visitor(web_of: Callable[..., Web]) -> Web:
    """Nobody has signed in."""
    return web_of()


@pytest.fixture
def web(visitor: Web) -> Web:
    """The administrator has signed in."""
    assert visitor.sign_in().status_code == 302
    return visitor
