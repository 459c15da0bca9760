"""A form sent after its session has ended is done once its person has signed in (U7); deep links lead on."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from admin.auth import kept_forms
from models.people import KeptForm, Staff, StaffRole, WebSession
from models.property import Area
from office.access import kept_forms as kept_rows
from office.access.sessions import end_sessions
from office.core import clock
from office.operations.expiry import clear_expired
from tests.admin.conftest import Web
from tests.conftest import ADMIN_PASSWORD

NAME = "云栖东区"


def count(web: Web, model: Any) -> int:
    with web.rows() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def areas(web: Web) -> list[str]:
    """The areas that were made, beside those that the office has."""
    with web.rows() as session:
        return list(session.scalars(select(Area.name).where(Area.name == NAME)))


def admin_of(session: Any) -> Staff:
    found: Staff = session.scalars(select(Staff).where(Staff.login == "admin")).one()
    return found


def idle(session: Any) -> None:
    for row in session.scalars(select(WebSession)):
        row.seen_at -= timedelta(minutes=31)


ENDS: dict[str, Callable[[Any], None]] = {
    "idle": idle,
    "signed out elsewhere": lambda session: end_sessions(session, admin_of(session).id),
}


def end(web: Web, way: str = "idle") -> str:
    """End the session; the token of the page that is still open."""
    token = web.token()
    with web.rows() as session:
        ENDS[way](session)
        session.commit()
    return token


def send(web: Web, token: str, path: str = "/areas/new/", **fields: Any) -> Any:
    return web.client.post(path, data={"csrf_token": token, **(fields or {"name": NAME, "position": "1"})})


def add_clerk(web: Web) -> None:
    with web.rows() as session:
        admin = admin_of(session)
        clerk = Staff(
            login="clerk", name="小陈", password_hash=admin.password_hash, must_change_password=False
        )
        clerk.role_rows = [StaffRole(role="manager")]
        session.add(clerk)
        session.commit()


@pytest.mark.parametrize("way", ENDS)
def test_what_was_sent_is_done_once_after_signing_in(web: Web, way: str) -> None:
    token = end(web, way)

    kept = send(web, token)
    assert (kept.status_code, kept.location) == (303, "/login")
    assert "kept" in web.get("/login").text
    assert areas(web) == []

    signed_in = web.sign_in()
    assert signed_in.location == "/kept"
    done = web.get("/kept")
    assert done.status_code == 302, done.text
    assert done.location.startswith("/areas/details/")
    assert NAME in web.get(done.location).text  # and says that it is saved
    assert areas(web) == [NAME]
    assert web.get("/kept").location == "/"
    assert areas(web) == [NAME]
    assert count(web, KeptForm) == 0


def test_what_can_t_be_done_comes_back_filled_in(web: Web) -> None:
    send(web, end(web), name=NAME, position="erste")
    web.sign_in()

    page = web.get("/kept")

    assert page.status_code == 422
    assert NAME in page.text
    assert "erste" in page.text
    nonce = page.headers["Content-Security-Policy"]
    assert "'self'" in nonce
    assert areas(web) == []
    again = send(web, web.token(), name=NAME, position="1")
    assert again.status_code == 302  # the token of the page is that of the present session


def test_nobody_else_sees_anything_of_it(web: Web) -> None:
    add_clerk(web)
    send(web, end(web))

    assert web.sign_in("clerk").location == "/"
    assert web.get("/kept").location == "/"
    elsewhere = Web(web.office, web.office.app.test_client())
    assert elsewhere.sign_in().location == "/"
    assert elsewhere.get("/kept").location == "/"
    assert areas(web) == []

    end(web)  # the clerk goes; whose it is comes back to this browser
    assert web.sign_in().location == "/kept"
    assert web.get("/kept").status_code == 302
    assert areas(web) == [NAME]


def test_it_is_sealed(web: Web) -> None:
    send(web, end(web))

    with web.rows() as session:
        stored = session.execute(text("SELECT sent FROM kept_form")).scalar_one()
        assert NAME in session.scalars(select(KeptForm.sent)).one().encode().decode("unicode_escape")
    assert NAME not in stored
    assert "csrf" not in stored


NOT_KEPT: dict[str, Callable[[Web], Any]] = {
    "another token": lambda web: send(web, "x" * 43 if end(web) else ""),
    "no token": lambda web: web.client.post("/areas/new/", data={"name": NAME if end(web) else ""}),
    "a password": lambda web: send(
        web, end(web), "/account", old_password=ADMIN_PASSWORD, new_password="n" * 12
    ),
    "no such page": lambda web: send(web, end(web), "/nowhere/"),
    "in the background": lambda web: web.client.post(
        "/areas/new/", data={"csrf_token": end(web), "name": NAME}, headers={"Accept": "application/json"}
    ),
}


@pytest.mark.parametrize("case", NOT_KEPT)
def test_what_is_not_kept(web: Web, case: str) -> None:
    assert NOT_KEPT[case](web).status_code == 401
    assert count(web, KeptForm) == 0


def test_control_without_the_token_s_check_a_stranger_s_page_would_be_kept(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_forms.hmac, "compare_digest", lambda _one, _other: True)

    assert send(web, "of another site" if end(web) else "").status_code == 303


def test_nothing_of_a_person_who_was_disabled(web: Web) -> None:
    token = web.token()
    with web.rows() as session:
        admin_of(session).is_active = False
        session.commit()

    assert send(web, token).status_code == 401
    assert count(web, KeptForm) == 0


def test_a_deliberate_sign_out_keeps_nothing(web: Web) -> None:
    send(web, end(web))
    web.sign_in()
    assert count(web, KeptForm) == 1
    token = web.token()

    web.post("/logout")

    assert count(web, KeptForm) == 0
    assert send(web, token).status_code == 401


def test_files_are_kept_too(web: Web) -> None:
    token = end(web)
    roster = (
        "unit_code,area_name,building,unit_kind,area,owner_name\n1-101,东区,1号楼,residence,89.5,王秀英\n"
    )
    file = (io.BytesIO(roster.encode()), "roster.csv")
    sent = web.client.post(
        "/imports/upload/",
        data={"csrf_token": token, "kind": "roster", "file": file},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303

    web.sign_in()
    answer = web.get("/kept")

    assert answer.status_code in {200, 302}
    page = web.get(answer.location) if answer.status_code == 302 else answer
    assert "roster.csv" in page.text


def test_a_file_too_large_is_chosen_again(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_forms, "MOST_BYTES", 3)
    web.client.post(
        "/imports/upload/",
        data={"csrf_token": end(web), "file": (io.BytesIO(b"1234"), "a.csv")},
        headers={"Referer": "http://localhost/imports/?kind=roster"},
    )
    web.sign_in()

    answer = web.get("/kept")

    assert answer.location == "/imports/?kind=roster"
    assert "choose it again" in web.get(answer.location).text


def test_an_outage_meanwhile_loses_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    send(web, end(web))
    web.sign_in()
    with monkeypatch.context() as patch:
        patch.setattr(kept_forms, "_sent_again", lambda *_given: web.office.app.make_response(("away", 503)))
        assert web.get("/kept").status_code == 503

    assert web.get("/kept").status_code == 302
    assert areas(web) == [NAME]


def test_pages_open_in_another_tab_go_on_after_signing_in(web: Web) -> None:
    token = end(web)
    web.sign_in()

    assert send(web, token).status_code == 302
    assert web.get("/login?to=/areas/").location == "/areas/"


def test_the_sign_in_leads_where_the_address_said(visitor: Web) -> None:
    asked = visitor.get("/units/?search=1-101&sort=-code")
    page = visitor.get(asked.location)
    fields = {"csrf_token": visitor.token("/login"), "login": "admin", "password": ADMIN_PASSWORD}

    assert 'value="/units/?search=1-101&amp;sort=-code"' in page.text
    for to, location in (
        ("/units/?search=1-101&sort=-code", "/units/?search=1-101&sort=-code"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
    ):
        stranger = Web(visitor.office, visitor.office.app.test_client())
        fields["csrf_token"] = stranger.token("/login")
        assert stranger.client.post("/login", data={**fields, "to": to}).location == location
    assert visitor.get("/").location == "/login"


def test_what_nobody_comes_back_for_goes_by_itself(web: Web) -> None:
    send(web, end(web))
    with web.rows() as session:
        session.scalars(select(KeptForm)).one().at -= kept_rows.KEPT
        session.commit()
    assert web.sign_in().location == "/"

    with web.rows() as session:  # a sandbox's clock may be days ahead: whoever is at work stays signed in
        clear_expired(session, clock.machine_now() + timedelta(days=30))
        session.commit()
    assert web.is_signed_in

    with web.rows() as session:
        old = session.scalars(select(WebSession)).one()
        old.created_at -= timedelta(days=2)
        session.flush()
        clear_expired(session, clock.machine_now())
        session.commit()

    assert count(web, KeptForm) == count(web, WebSession) == 0
