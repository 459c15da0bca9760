"""Flask-Login carries who is signed in; only rows of `web_session` count (P7, F4, F15)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask_login import LoginManager, current_user, login_required
from sqlalchemy import delete, select
from werkzeug.exceptions import Unauthorized

from admin.panel import signed_in
from models.people import Staff, WebSession
from office.access.sessions import end_sessions
from tests.admin.conftest import PASSWORD, Web

ELSEWHERE = {"User-Agent": "another browser"}


def admin_of(session):
    return session.scalars(select(Staff).where(Staff.login == "admin")).one()


def name_seen(web: Web) -> str | None:
    """Whom Flask-Login names while this browser's request is answered."""
    with web.client:
        web.get("/account")
        return current_user.staff.login if current_user.is_authenticated else None


def test_current_user_is_the_person_and_nobody_before_signing_in(visitor: Web) -> None:
    assert name_seen(visitor) is None
    visitor.sign_in()
    assert name_seen(visitor) == "admin"


REVOKED: dict[str, Callable] = {
    "the row is gone": lambda session: session.execute(delete(WebSession)),
    "all sessions ended": lambda session: end_sessions(session, admin_of(session).id),
    "disabled": lambda session: setattr(admin_of(session), "is_active", False),
}


@pytest.mark.parametrize("case", REVOKED)
def test_what_was_revoked_opens_nothing_at_the_next_request(web: Web, case: str) -> None:
    with web.rows() as session:
        REVOKED[case](session)
        session.commit()

    assert name_seen(web) is None
    assert web.get("/").location == "/login"
    assert web.client.post("/preferences").status_code == 401


def test_no_key_of_a_user_and_no_cookie_that_remembers_is_made(web: Web) -> None:
    web.get("/account")
    with web.client.session_transaction() as cookie:
        assert set(cookie) == {"id"}
    assert web.client.get_cookie("remember_token") is None
    with web.rows() as session:
        key = admin_of(session).id

    with web.client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = str(key), True
        del cookie["id"]

    assert not web.is_signed_in


def is_let_in_beside_a_foreign_cookie(web: Web) -> bool:
    web.client.set_cookie("remember_token", "1|of another program on this host")
    return web.is_signed_in


def test_a_remember_cookie_of_another_program_keeps_nobody_out(web: Web) -> None:
    assert is_let_in_beside_a_foreign_cookie(web)


def test_control_flask_login_alone_would_read_it(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signed_in.SessionManager, "_load_user_from_remember_cookie")

    assert not is_let_in_beside_a_foreign_cookie(web)


def varies(web: Web) -> bool:
    return "Cookie" in web.get("/static/icons.svg").headers.get("Vary", "")


def test_a_static_file_is_the_same_for_everybody(web: Web) -> None:
    assert not varies(web)


def test_control_flask_login_alone_would_look_into_the_session(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = LoginManager._update_remember_cookie.__get__(signed_in.login_manager)
    handlers = web.office.app.after_request_funcs
    monkeypatch.setitem(handlers, None, [*handlers[None], theirs])

    assert varies(web)


def stays_signed_in_elsewhere(web: Web) -> bool:
    """From another address with another browser's name, and without a cookie written anew."""
    answer = web.get("/account", headers=ELSEWHERE, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    return answer.status_code == 200 and "Set-Cookie" not in answer.headers


def test_a_session_is_bound_to_its_row_and_not_to_an_address(web: Web) -> None:
    assert stays_signed_in_elsewhere(web)


@pytest.mark.parametrize("mode", ["basic", "strong"])
def test_control_with_session_protection_it_is_bound(
    web: Web, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(signed_in.login_manager, "session_protection", mode)

    assert not stays_signed_in_elsewhere(web)


def names_in_one_context(web: Web) -> list[str]:
    """Two people's requests that share an application context, as a script or a test may send them."""
    other = Web(web.office, web.office.app.test_client())
    other.sign_in("manager", PASSWORD)
    with web.office.app.app_context():
        return ["manager" if "Manager" in each.get("/account").text else "admin" for each in (web, other)]


def test_each_request_is_asked_anew(web: Web) -> None:
    assert names_in_one_context(web) == ["admin", "manager"]


def test_control_flask_login_alone_asks_once_a_context(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_in, "load", lambda: None)

    assert names_in_one_context(web) != ["admin", "manager"]


def test_login_required_answers_as_the_guard_does(web: Web) -> None:
    @login_required
    def view() -> str:
        return "seen"

    with web.office.app.test_request_context("/"):
        assert view().location == "/login"
    with web.office.app.test_request_context("/", method="POST"), pytest.raises(Unauthorized):
        view()
    with web.client:
        web.get("/account")
        assert view() == "seen"
