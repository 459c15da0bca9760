"""Acting on all rows that match a list, beyond its page: asked first, part by part, one bad row alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from admin.panel import chosen_rows, many_rows
from models.office import Audit, Task
from models.people import Staff, StaffRole
from models.property import Unit
from tests.admin.conftest import Web, text_of

COUNT = 130
MATCHING = urlencode({"kind": "office"})


def add_many_units(session: Session) -> None:
    session.execute(
        insert(Unit),
        [
            {"code": f"M-{number:03d}", "building_id": 1, "kind": "office", "area_m2": Decimal(9)}
            for number in range(COUNT)
        ],
    )
    session.execute(
        insert(Unit), [{"code": "X-99", "building_id": 1, "kind": "office", "area_m2": Decimal(9)}]
    )
    session.commit()


@pytest.fixture
def many(web_of: Callable[..., Web]) -> Web:
    """130 offices more, and one that is someone else's."""
    web = web_of(fills=(add_many_units,))
    assert web.sign_in().status_code == 302
    return web


@pytest.fixture
def is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows are as many as one request never takes."""
    monkeypatch.setattr(chosen_rows, "MOST_AT_ONCE", 50)
    monkeypatch.setattr(many_rows, "PART", 20)


def mark_in(page: str) -> str:
    found = re.search(r'name="matching_mark" value="([^"]+)"', page)
    assert found
    return found[1]


def asked(web: Web, action: str, query: str = MATCHING) -> str:
    answer = web.post(
        "/trial_units/action/", {"action": action, "all_matching": query, "url": "/trial_units/"}
    )
    assert answer.status_code == 200
    return answer.text


def answered(web: Web, action: str, query: str = MATCHING, **more: str) -> str:
    """What a person sees after saying yes to all that match, once the work is done."""
    sent = {
        "action": action,
        "all_matching": query,
        "confirmed": "1",
        "matching_mark": mark_in(asked(web, action, query)),
    }
    answer = web.post("/trial_units/action/", {**sent, "url": "/trial_units/", **more})
    assert answer.status_code == 302
    return text_when_done(web, answer.headers["Location"])


def text_when_done(web: Web, address: str) -> str:
    for _ in range(200):
        page = web.get(address)
        if "data-poll" not in page.text:
            return text_of(page)
        time.sleep(0.05)
    raise AssertionError("the work never ends")


def notes(web: Web) -> dict[str, int]:
    with web.rows() as session:
        rows = session.execute(
            select(Unit.note, func.count()).where(Unit.kind == "office").group_by(Unit.note)
        )
        return {str(note): count for note, count in rows}


def test_all_that_match_are_counted_before_anything_is_done(many: Web) -> None:
    page = asked(many, "touch")

    assert "All 130 rows that match" in page
    assert notes(many) == {"": 131}
    answered(many, "touch")
    assert notes(many) == {"touched": 130, "": 1}  # X-99 is out of reach
    assert len([each for each in many.audits("unit") if each.action == "touch"]) == 130


def test_sums_of_money_are_said_with_the_count(many: Web) -> None:
    with many.rows() as session:
        count = session.scalar(select(func.count()).select_from(Unit).where(Unit.code.like("A-%")))
    answer = many.post("/invoices/action/", {"action": "notice", "all_matching": ""})

    assert answer.status_code == 200
    assert "All 7 rows that match" in answer.text
    assert count == 6
    assert "¥700.00" in answer.text


@pytest.mark.usefixtures("is_long")
def test_many_rows_are_done_in_the_background_part_by_part(many: Web) -> None:
    told = answered(many, "touch")

    assert "130 rows are done." in told
    assert notes(many) == {"touched": 130, "": 1}
    audits = [each for each in many.audits("unit") if each.action == "touch"]
    assert len(audits) == 130
    assert {each.staff_id for each in audits} == {1}


@pytest.mark.usefixtures("is_long")
def test_one_refused_row_holds_up_no_other_and_is_named(many: Web) -> None:
    with many.rows() as session:
        session.execute(update(Unit).where(Unit.code == "M-007").values(state="sealed"))
        session.commit()

    told = answered(many, "seal", reason="empty")

    assert "129 rows are done." in told
    assert "1 row was refused" in told
    assert "M-007 is sealed already." in told
    assert notes(many) == {"empty": 129, "": 2}


def test_rows_that_came_meanwhile_are_asked_about_anew(many: Web) -> None:
    mark = mark_in(asked(many, "touch"))
    with many.rows() as session:
        session.add(Unit(code="N-1", building_id=1, kind="office", area_m2=1))
        session.commit()

    sent = {"action": "touch", "all_matching": MATCHING, "confirmed": "1", "matching_mark": mark}
    again = many.post("/trial_units/action/", sent)

    assert "Other rows match now" in again.text
    assert "All 131 rows that match" in again.text
    assert notes(many) == {"": 132}


def test_control_without_the_mark_rows_never_shown_are_changed(
    many: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen_rows.Chosen, "is_seen", True)
    with many.rows() as session:
        session.add(Unit(code="N-1", building_id=1, kind="office", area_m2=1))
        session.commit()

    many.post("/trial_units/action/", {"action": "touch", "all_matching": MATCHING, "confirmed": "1"})

    assert notes(many) == {"touched": 131, "": 1}


@pytest.mark.parametrize("query", ["area_m2_from=many", "kind=castle"])
def test_a_filter_that_cant_be_read_is_never_acted_upon(many: Web, query: str) -> None:
    answer = many.post(
        "/trial_units/action/", {"action": "touch", "all_matching": query}, follow_redirects=True
    )

    assert "mend or remove it first" in text_of(answer)
    assert notes(many) == {"": 131}


def test_more_than_can_be_chosen_is_said(many: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_rows, "MOST", 100)

    answer = many.post(
        "/trial_units/action/", {"action": "touch", "all_matching": MATCHING}, follow_redirects=True
    )

    assert "narrow the list first" in text_of(answer)
    assert notes(many) == {"": 131}


@pytest.mark.usefixtures("is_long")
def test_ticked_rows_are_never_cut_silently(many: Web) -> None:
    with many.rows() as session:
        ids = list(session.scalars(select(Unit.id).where(Unit.kind == "office")))

    answer = many.post("/trial_units/action/", {"action": "touch", "rowid": ids})

    assert "130 rows are done." in text_when_done(many, answer.headers["Location"])
    assert notes(many) == {"touched": 130, "": 1}


@pytest.mark.usefixtures("is_long")
def test_a_right_that_ends_meanwhile_stops_the_work(many: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    many_rows_may = many_rows.ManyRows._part
    with many.rows() as session:
        clerk = Staff(login="clerk", name="Clerk", password_hash=session.get_one(Staff, 1).password_hash)
        clerk.role_rows = [StaffRole(role="manager")]
        session.add(clerk)
        session.commit()
        clerk_id = clerk.id
    web = Web(many.office, many.office.app.test_client())
    assert web.sign_in("clerk").status_code == 302

    def then_dismissed(self, session, *arguments):  # type: ignore[no-untyped-def]
        told = many_rows_may(self, session, *arguments)
        session.execute(update(Staff).where(Staff.id == clerk_id).values(is_active=False))
        session.commit()
        return told

    sent = {
        "action": "touch",
        "all_matching": MATCHING,
        "confirmed": "1",
        "matching_mark": mark_in(asked(web, "touch")),
    }
    monkeypatch.setattr(many_rows.ManyRows, "_part", then_dismissed)
    web.post("/trial_units/action/", sent)

    for _ in range(100):
        with many.rows() as session:
            task = session.scalars(select(Task).where(Task.kind == many_rows.TASK)).one()
            if task.state != "running":
                break
        time.sleep(0.05)
    assert task.state == "failed"
    assert notes(many) == {"touched": 20, "": 111}


def changed_together(web: Web, **more: object) -> str:
    first = {"all_matching": MATCHING, "change-note": "1", "note": "new"}
    page = web.post("/trial_units/bulk/", first).text
    sent = {**first, "step": "apply", "matching_mark": mark_in(page), "url": "/trial_units/", **more}
    answer = web.post("/trial_units/bulk/", sent)
    return text_when_done(web, answer.headers["Location"])


@pytest.mark.usefixtures("is_long")
def test_a_long_bulk_edit_is_undone_together(many: Web) -> None:
    assert "130 rows are done." in changed_together(many)
    assert notes(many) == {"new": 130, "": 1}
    with many.rows() as session:
        session.execute(update(Unit).where(Unit.code == "M-003").values(note="by hand"))
        session.commit()
        entry = session.scalars(select(Audit.id).where(Audit.action == "bulk_edit")).first()

    answer = many.post("/trial_units/undo/", {"audit": str(entry)})
    told = text_when_done(many, answer.headers["Location"])

    assert "129 rows are done." in told
    assert "1 row was refused" in told
    assert notes(many) == {"": 130, "by hand": 1}


def test_rows_deleted_since_the_preview_are_asked_about_anew(many: Web) -> None:
    first = {"all_matching": MATCHING, "change-note": "1", "note": "new"}
    mark = mark_in(many.post("/trial_units/bulk/", first).text)
    with many.rows() as session:
        session.execute(delete(Unit).where(Unit.code == "M-001"))
        session.commit()

    page = many.post("/trial_units/bulk/", {**first, "step": "apply", "matching_mark": mark})

    assert "Other rows match now" in page.text
    assert notes(many) == {"": 130}
