"""Nothing of an erased person is left in the office's files: database, its log, log files, backups (F23)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from models import db, engine
from models.people import Owner
from models.policies import PolicyVersion
from models.property import Estate
from office.core import clock
from office.estate import erasure
from office.operations import backup, nightly
from runtime.application import engine_of
from tests.admin.conftest import Web
from tests.admin.person_everywhere import NAME, files_with, furnish_person, sealed_texts, spellings
from tests.admin.sample_office import NOW, PHONES
from tests.conftest import Office

WORDS = (NAME, PHONES["own"])
PAGES = (
    f"/search/?q={NAME}", f"/owners/?search={NAME}", f"/statement_rows/?search={NAME}", "/outbox/", "/audit/",
    f"/owners/details/?id={NAME}",
)  # fmt: skip


def keep_one_backup(session: Session) -> int:
    """The person's office, in real time, which keeps the last night's backup alone."""
    owner_id = furnish_person(session)
    session.execute(update(Estate).values(is_sandbox=False, present_at=None))
    kept = {"rows": json.dumps({"kept": 1})}
    session.execute(update(PolicyVersion).where(PolicyVersion.policy == "backups").values(kept))
    return owner_id


@pytest.fixture
def office(office_of: Callable[..., Office]) -> Office:
    return office_of("residential", fills=(keep_one_backup,), is_own=True)


def wanted(office: Office) -> list[bytes]:
    """The person's words in every spelling, and sealed as they stand in the database."""
    with office.session() as session:
        return [*(one for word in WORDS for one in spellings(word)), *sealed_texts(session, WORDS)]


def erase(office: Office, *, is_overwritten: bool = True) -> None:
    with office.app.app_context(), engine.writing():
        if not is_overwritten:
            db.session.connection().exec_driver_sql("PRAGMA secure_delete=OFF")
        erasure.take_out(db.session(), db.session.get_one(Owner, office.made), now=NOW, staff_id=None)
        db.session.commit()
        db.session.remove()
        assert engine.forget_log(db.engine)


def test_no_file_of_the_office_holds_a_word_of_an_erased_person(office: Office, tmp_path: Path) -> None:
    web = Web(office, office.app.test_client())
    assert web.sign_in().status_code == 302
    for page in PAGES:
        assert web.get(page).status_code < 500
    words, bind = wanted(office), engine_of(office.app)
    backup.make(bind, tmp_path / "before.zip", now=NOW)
    assert files_with(tmp_path, words) >= {"before.zip/gatehouse.db"}  # the control: they are found

    erase(office)

    (tmp_path / "before.zip").unlink()
    backup.make(bind, tmp_path / "after.zip", now=NOW)
    assert files_with(tmp_path, words) == set()


def test_it_leaves_the_nightly_backups_when_their_nights_are_over(office: Office) -> None:
    words, folder = wanted(office), office.instance / "backups"
    with office.app.app_context(), engine.writing():
        nightly.make_tonights(db.session(), clock.machine_now())
    (first,) = folder.glob("*.zip")
    first.rename(folder / "gatehouse-2026-01-01.zip")
    erase(office)
    assert files_with(folder, words)

    with office.app.app_context(), engine.writing():
        nightly.make_tonights(db.session(), clock.machine_now())

    assert files_with(folder, words) == set()
    assert len(list(folder.glob("*.zip"))) == 1


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_without_overwriting_what_was_deleted_is_still_in_the_file(office: Office) -> None:
    words = wanted(office)

    erase(office, is_overwritten=False)

    assert files_with(office.instance, words)
