"""An office for money's screens: one for a whole module, its present chosen, with people who sign in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from models import db
from models.billing import Invoice
from models.people import Occupancy, Owner, OwnerPhone, Staff
from models.property import Area, Building, Unit
from models.secrets import fingerprint
from office.billing import runs
from office.core import clock
from office.estate.owners import pinyin_initials
from office.policies import store
from tests.admin.conftest import PASSWORD, Web, add_staff, text_of
from tests.conftest import Office, Templates

NOW = "2026-03-20T10:00:00+08:00"
TODAY = date(2026, 3, 20)
SINCE = date(2025, 1, 1)
STAFF = ("cashier", "manager", "director", "station_head")


@dataclass
class CashierDesk:
    """The office with a browser for each person."""

    office: Office
    people: dict[str, Web]

    def __getattr__(self, login: str) -> Web:
        return self.people[login]

    @contextmanager
    def rows(self) -> Iterator[Session]:
        with self.people["cashier"].rows() as session:
            yield session

    def one(self, statement: Any) -> Any:
        """The one value of a query."""
        with self.rows() as session:
            return session.execute(statement).scalar_one()

    def all(self, statement: Any) -> list[Any]:
        with self.rows() as session:
            return [row[0] if len(row) == 1 else tuple(row) for row in session.execute(statement)]

    def unit(
        self, code: str, payer: str = "", *, kind: str = "residence", phone: str = "", **more: Any
    ) -> int:
        """A unit of 100 m² with who pays for it: someone known by name, someone new, or nobody."""
        with self.rows() as session:
            building = session.scalars(select(Building)).first() or Building(name="1", area=Area(name="东区"))
            unit = Unit(code=code, building=building, kind=kind, area_m2=Decimal(100), **more)
            session.add(unit)
            session.flush()
            if payer:
                owner = session.scalars(select(Owner).where(Owner.name == payer)).first()
                if owner is None:
                    owner = Owner(name=payer, pinyin_initials=pinyin_initials(payer))
                    session.add(owner)
                    session.flush()
                if phone:
                    session.add(OwnerPhone(owner_id=owner.id, number=phone, number_mac=fingerprint(phone)))
                session.add(Occupancy(unit_id=unit.id, owner_id=owner.id, from_on=SINCE))
            session.commit()
            return int(unit.id)

    def bill(self, *periods: str) -> None:
        with self.rows() as session:
            for period in periods:
                runs.issue_invoices(session, period, now=clock.now(session))
            session.commit()

    def invoice(self, code: str, period: str) -> int:
        found = (
            select(Invoice.id)
            .join(Unit)
            .where(Unit.code == code, Invoice.period == period, Invoice.kind == "regular")
        )
        return int(self.one(found))

    def balance(self, invoice_id: int) -> str:
        return str(self.one(select(Invoice.balance).where(Invoice.id == invoice_id)))

    def policy(self, name: str, **rows: Any) -> None:
        """Store a policy's table with some values changed, in force from the first day."""
        with self.rows() as session:
            stored = store.document(session, name, TODAY)
            stored[name] = {**stored[name], **rows}
            store.store(session, name, stored, valid_from=SINCE, now=clock.now(session))
            session.commit()

    def staff_id(self, login: str) -> int:
        return int(self.one(select(Staff.id).where(Staff.login == login)))


def opened(dialect: str, templates: Templates, folder: Path) -> Iterator[CashierDesk]:
    """One residential office; to be a fixture of a module."""
    url = templates.copy(dialect, "residential", folder)
    app = create_app(templates.settings(url, folder))
    office = Office(app, url, folder)
    assert office.run("tick", "--at", NOW).exit_code == 0
    people = {}
    for login in STAFF:
        people[login] = web = Web(office, app.test_client())
        with web.rows() as session:
            add_staff(session, login, login)
        web.sign_in(login, PASSWORD)
    yield CashierDesk(office, people)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    templates.drop(url)


def act(web: Web, screen: str, action: str, row_id: int | None = None, **fields: Any) -> str:
    """Run an action with its answers; what the page after it says."""
    given = {"action": action, "confirmed": "1", **fields}
    if row_id is not None:
        given["rowid"] = str(row_id)
    return text_of(web.post(f"/{screen}/action/", given, follow_redirects=True))


def pdf(answer: TestResponse) -> bytes:
    """The PDF that a page answered."""
    assert answer.status_code == 200, text_of(answer)
    assert answer.data.startswith(b"%PDF-")
    content: bytes = answer.data
    return content


def finished(web: Web, answer: TestResponse) -> dict[str, Any]:
    """What a task says at its end, asked after as its page does."""
    task_id = answer.location.rpartition("id=")[2]
    for _ in range(600):
        told = web.get(f"/billing/state/?id={task_id}").json
        assert told is not None
        if told["state"] != "running":
            return {**told, "id": task_id}
        time.sleep(0.05)
    raise AssertionError("the task does not end")
