"""Saved views that come by mail: on their day, once, with the rights of the moment when they leave (K4)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from python_calamine import load_workbook
from sqlalchemy import delete, select, update

from admin.panel import mailed_views
from models.engine import writing
from models.office import Audit, Message, SavedView
from models.people import Staff, StaffRole
from models.property import Area, Building, Unit
from tests.conftest import Office
from tests.factories.mail_server import Inbox, smtp_server

SUNDAY = datetime(2026, 5, 31, 4, tzinfo=UTC)  # noon in the office; Monday is the first of June
TUESDAY, NEXT_MONDAY = SUNDAY + timedelta(days=2), SUNDAY + timedelta(days=8)


@pytest.fixture
def inbox(office: Office) -> Iterator[Inbox]:
    found = Inbox()
    with smtp_server(found) as port:
        office.app.config["SMTP_URL"] = f"smtp://127.0.0.1:{port}?from=office@estate.example"
        yield found


def subscribe(office: Office, every: str, query: str = "kind=office&columns=code,area_m2") -> None:
    with writing(), office.session() as session:
        boss = Staff(login="boss", name="Boss", email="boss@example.invalid", language="en")
        boss.role_rows = [StaffRole(role="manager")]
        area = Area(name="East")
        session.add_all([boss, area])
        session.flush()
        building = Building(name="1", area_id=area.id)
        session.add(building)
        session.flush()
        for code, kind in (("O-2", "office"), ("O-10", "office"), ("R-1", "residence")):
            session.add(Unit(code=code, building_id=building.id, kind=kind, area_m2=10))
        session.add(
            SavedView(staff_id=boss.id, screen="units", name="Offices", query=query, mail_every=every)
        )
        session.commit()


def tick(office: Office, *instants: datetime) -> None:
    for at in instants:
        for _twice in range(2):
            done = office.run("tick", "--at", at.isoformat())
            assert done.exit_code == 0, done.output


def views(inbox: Inbox) -> list[Any]:
    return [each for each in inbox.letters if "Offices" in each["Subject"]]


def change(office: Office, *statements: Any) -> None:
    with writing(), office.session() as session:
        for each in statements:
            session.execute(each)
        session.commit()


@pytest.mark.parametrize(("every", "count"), [("", 0), ("week", 2), ("month", 1)])
def test_a_view_comes_on_its_day_once(office: Office, inbox: Inbox, every: str, count: int) -> None:
    subscribe(office, every)

    tick(office, SUNDAY, TUESDAY, NEXT_MONDAY)

    assert len(views(inbox)) == count
    assert set(inbox.recipients) <= {"boss@example.invalid"}


def test_the_sheet_holds_the_rows_and_columns_of_the_view(office: Office, inbox: Inbox) -> None:
    subscribe(office, "month")

    tick(office, SUNDAY, TUESDAY)

    (file,) = list(views(inbox)[0].iter_attachments())
    rows = load_workbook(io.BytesIO(file.get_content())).get_sheet_by_index(0).to_python()
    assert file.get_filename() == "Offices.xlsx"
    assert [row[0] for row in rows[1:]] == ["O-2", "O-10"]
    assert len(rows[0]) == 2
    with office.session() as session:
        (entry,) = session.scalars(select(Audit).where(Audit.action == "export"))
        assert entry.staff_id is not None


GONE: list[Callable[[], Any]] = [
    lambda: update(Staff).where(Staff.login == "boss").values(is_active=False),
    lambda: delete(StaffRole).where(
        StaffRole.staff_id == select(Staff.id).where(Staff.login == "boss").scalar_subquery()
    ),
    lambda: update(SavedView).values(mail_every=""),
]


@pytest.mark.parametrize("gone", GONE)
def test_rights_are_asked_again_when_it_leaves(office: Office, inbox: Inbox, gone: Callable[[], Any]) -> None:
    """The message waits because the server is busy; meanwhile its person leaves or may no longer export."""
    subscribe(office, "month")
    tick(office, SUNDAY)
    inbox.answers = ["451 later"] * 6
    tick(office, SUNDAY + timedelta(days=1))
    with office.session() as session:
        assert "failed" in set(session.scalars(select(Message.state).where(Message.key.like("view:%"))))
    inbox.answers = []
    change(office, gone())

    tick(office, TUESDAY)

    assert views(inbox) == []
    with office.session() as session:
        assert session.scalars(select(Message.state).where(Message.key.like("view:%"))).one() == "dropped"


@pytest.mark.parametrize(
    ("query", "most", "told"),
    [("area_m2_from=many", 20_000, "can't be read"), ("", 2, "too many for a mail")],
)
def test_what_cant_be_mailed_is_said_instead(
    office: Office, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, query: str, most: int, told: str
) -> None:
    monkeypatch.setattr(mailed_views, "MOST_MAILED", most)
    subscribe(office, "month", query)

    tick(office, SUNDAY, TUESDAY)

    (letter,) = views(inbox)
    assert list(letter.iter_attachments()) == []
    assert told in letter.get_body(("plain",)).get_content()
