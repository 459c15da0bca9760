"""What waits for a person is counted beside the menu and listed in the inbox, one's own requests not (K6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import inbox
from models.billing import Invoice, WaiverRequest
from models.people import Staff
from tests.admin.conftest import PASSWORD, Web, add_staff
from tests.conftest import SET_UP_AT

BY = {"F-A-01": "manager", "F-A-02": "admin"}  # who asked for the waiver of this bill's late fee


def add_requests(session: Session) -> None:
    add_staff(session, "cashier", "cashier")
    for number, login in BY.items():
        session.add(
            WaiverRequest(
                invoice_id=session.scalars(select(Invoice.id).where(Invoice.number == number)).one(),
                amount=Decimal(1),
                reason="水管爆裂",
                asked_by_id=session.scalars(select(Staff.id).where(Staff.login == login)).one(),
                asked_at=SET_UP_AT,
            )
        )
    session.commit()


@pytest.fixture
def web(web_of: Callable[..., Web]) -> Web:
    return web_of(fills=(add_requests,))


@pytest.mark.parametrize(("login", "expected"), [("manager", 1), ("cashier", None)])
def test_what_another_asked_for_waits_for_who_may_decide(web: Web, login: str, expected: int | None) -> None:
    web.sign_in(login, PASSWORD)

    counts = web.get("/inbox/counts").json
    page = web.get("/inbox/").text

    assert counts is not None
    assert counts.get("billing") == expected
    assert counts.get("today") == expected
    assert ("F-A-02" in page) == bool(expected)
    assert "F-A-01" not in page


def test_control_without_the_condition_one_s_own_request_is_shown(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_conditions", lambda view, one: [*view.scope(), *one.conditions(view)])
    web.sign_in("manager", PASSWORD)

    assert "F-A-01" in web.get("/inbox/").text


def test_the_start_page_says_what_waits(web: Web) -> None:
    web.sign_in("manager", PASSWORD)

    assert "/waiver_requests/?view=requested" in web.get("/start/").text


def test_a_page_whose_frame_fails_is_said_in_a_sentence(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.sign_in("manager", PASSWORD)
    monkeypatch.setitem(web.office.app.jinja_env.globals, "sidebar", None)

    answer = web.get("/units/")

    assert answer.status_code == 500
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    ("login", "words", "shown", "hidden"),
    [
        ("manager", "credit notes", "/credit_notes/", "/invoices/"),
        ("manager", "UNITS", "/units/new/", "/owners/"),
        ("cashier", "day-end", "/day_close/", "/day_reopenings/new/"),
        ("cashier", "policy simulation", "Nothing found", "/simulate/"),
    ],
)
def test_the_search_finds_pages_that_one_may_open(
    web: Web, login: str, words: str, shown: str, hidden: str
) -> None:
    web.sign_in(login, PASSWORD)

    page = web.get("/search/", query_string={"q": words}).text.partition("<main")[2]

    assert shown in page
    assert hidden not in page
