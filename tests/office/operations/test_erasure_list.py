"""A backup of before an erasure brings nobody back: who was erased is noted beside the database (F23)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import db
from models.billing import Invoice
from models.engine import writing
from models.people import Occupancy, Owner, Staff
from models.property import Area, Building, Unit
from office.core import clock
from office.core.errors import Refused
from office.estate import erasure, personal_data
from office.operations import erasure_list, nightly
from runtime.application import engine_of
from tests.conftest import Office

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TODAY = date(2026, 6, 1)
NAME = "欧阳秀英"
RETURNED = "erased_person_returned"


def add_person_who_left(session: Session) -> int:
    """Somebody who left long ago and owes nothing."""
    unit = Unit(
        code="1-101",
        building=Building(name="1", area=Area(name="东区")),
        kind="residence",
        area_m2=Decimal(80),
    )
    left = Occupancy(unit=unit, from_on=date(2015, 1, 1), to_on=date(2018, 6, 1), is_payer=True)
    owner = Owner(name=NAME, email="ouyang@example.org", occupancies=[left])
    session.add(owner)
    session.flush()
    nothing = dict.fromkeys(("amount", "late_fee", "credited", "paid", "balance"), Decimal(0))
    session.add(
        Invoice(
            number="F2018-1", unit=unit, payer=owner, period="2018-05", issued_on=date(2018, 5, 1),
            due_on=date(2018, 5, 15), state="paid", **nothing,
        )
    )  # fmt: skip
    session.flush()
    return owner.id


@pytest.fixture
def office(office_of: Callable[..., Office]) -> Office:
    return office_of("residential", fills=(add_person_who_left,), is_own=True)


@pytest.fixture
def before(office: Office, tmp_path: Path) -> Path:
    """A backup of before the erasure, on a stick."""
    (tmp_path / "stick").mkdir()
    file = tmp_path / "stick" / "before.zip"
    assert office.run("backup", file).exit_code == 0
    return file


def erase(office: Office) -> None:
    with office.app.app_context():
        with writing(), Session(db.engine) as session:
            staff_id = session.scalars(select(Staff.id)).first() or 0
            personal_data.erase(session, office.made, reason="asked", now=NOW, today=TODAY, staff_id=staff_id)
            session.commit()
        erasure_list.note(db.engine)


def name(office: Office) -> str:
    with office.session() as session:
        return session.get_one(Owner, office.made).name


def lists(office: Office) -> list[Path]:
    return sorted(office.instance.rglob(erasure_list.FILE))


def test_who_was_erased_is_erased_again_after_a_restore(office: Office, before: Path) -> None:
    erase(office)

    restored = office.run("restore", before)

    assert restored.exit_code == 0, restored.output
    assert name(office) == erasure.ERASED
    checked = office.run("check")
    assert checked.exit_code == 0, checked.output
    assert office.run("restore", before).exit_code == 0, "and so each time"
    assert name(office) == erasure.ERASED


def test_the_control_where_nothing_is_noted_the_person_is_back(
    office: Office, before: Path, office_of: Callable[..., Office]
) -> None:
    erase(office)
    elsewhere = office_of("residential", is_own=True)
    elsewhere.made = office.made

    assert elsewhere.run("restore", before).exit_code == 0
    assert name(elsewhere) == NAME

    (lists(office)[0]).rename(before.with_name(erasure_list.FILE))
    assert elsewhere.run("restore", before).exit_code == 0
    assert name(elsewhere) == erasure.ERASED, "with the list beside the backup"


def test_the_list_names_nobody_and_is_for_its_owner_only(office: Office) -> None:
    (office.instance / "backups").mkdir(exist_ok=True)

    erase(office)

    found = lists(office)
    assert {one.parent for one in found} == {office.instance, office.instance / "backups"}
    for file in found:
        assert file.stat().st_mode & 0o777 == 0o600
        text = file.read_text(encoding="utf-8")
        assert NAME not in text
        assert "ouyang" not in text
        (entry,) = json.loads(text)["erased"]
        assert entry["owner"] == office.made
        assert len(entry["traces"]) == 2


def test_the_nightly_job_notes_them_too(office: Office) -> None:
    with office.app.app_context(), writing():
        personal_data.erase(
            db.session(), office.made, reason="asked", now=NOW, today=TODAY,
            staff_id=db.session.scalars(select(Staff.id)).first() or 0,
        )  # fmt: skip
        db.session.commit()
        nightly.make_tonights(db.session(), clock.machine_now())

    assert len(lists(office)) == 2


def test_whom_something_still_ties_in_the_backup_is_told_until_erased_again(
    office: Office, tmp_path: Path
) -> None:
    with office.session() as session, writing():
        session.execute(update(Occupancy).where(Occupancy.owner_id == office.made).values(to_on=None))
        session.commit()
    file = tmp_path / "lived-there.zip"
    office.run("backup", file)
    with office.session() as session, writing():
        left = update(Occupancy).where(Occupancy.owner_id == office.made).values(to_on=date(2018, 6, 1))
        session.execute(left)
        session.commit()
    erase(office)

    restored = office.run("restore", file)

    assert restored.exit_code == 0
    assert "Erased before" in restored.output
    assert name(office) == NAME, "who lives there is not made nameless unseen"
    assert RETURNED in office.run("check").output
    assert "came back" in office.run("doctor").output
    with office.session() as session, writing():
        session.execute(left)
        session.commit()
    erase(office)
    assert RETURNED not in office.run("check").output


def test_another_person_under_the_same_id_is_left_alone(office: Office, before: Path) -> None:
    """Ids are given again after an old backup was restored; days and bills tell the two apart."""
    foreign = {"owner": office.made, "at": "2026-06-01T00:00:00+00:00", "traces": ["0" * 32]}
    listed = {"format": erasure_list.FORMAT, "erased": [foreign]}
    (office.instance / erasure_list.FILE).write_text(json.dumps(listed), encoding="utf-8")

    assert office.run("restore", before).exit_code == 0

    assert name(office) == NAME
    assert RETURNED not in office.run("check").output


def test_a_damaged_list_stops_the_restore_with_a_sentence(office: Office, before: Path) -> None:
    erase(office)
    lists(office)[0].write_text("{", encoding="utf-8")

    refused = office.run("restore", before)

    assert refused.exit_code == 1
    assert erasure_list.FILE in refused.output
    assert name(office) == erasure.ERASED
    with pytest.raises(Refused):
        erasure_list.known(engine_of(office.app))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_damaged_database_is_replaced_by_a_backup_without_them(office: Office, before: Path) -> None:
    erase(office)
    file = office.instance / "gatehouse.db"
    with office.app.app_context():
        db.engine.dispose()
    content = bytearray(file.read_bytes())
    content[:100] = b"x" * 100
    file.write_bytes(content)
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)

    restored = office.run("restore", before)

    assert restored.exit_code == 0, restored.output
    assert name(office) == erasure.ERASED
