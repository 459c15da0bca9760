"""`flask password`: whoever lost theirs gets in once, and nobody else stays in (P7, F15)."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from tests.conftest import ADMIN_PASSWORD, Office


def sign_in(client: FlaskClient, password: str) -> str:
    """Where a sign-in leads."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert found
    fields = {"csrf_token": found[1], "login": "admin", "password": password}
    return str(client.post("/login", data=fields).location)


def test_a_lost_password_is_replaced_by_one_for_once(office: Office) -> None:
    open_browser, new_browser = office.app.test_client(), office.app.test_client()
    assert sign_in(open_browser, ADMIN_PASSWORD) == "/"

    answer = office.run("password", "admin")

    given = answer.stdout.split()[-1]
    assert open_browser.get("/account").location.startswith("/login")
    assert sign_in(office.app.test_client(), ADMIN_PASSWORD) == "None"
    assert sign_in(new_browser, given) == "/"
    assert new_browser.get("/units/").location == "/account"  # a new password first


def test_nobody_of_that_name_is_a_refusal(office: Office) -> None:
    answer = office.run("password", "nobody")

    assert answer.exit_code == 1
    assert "nobody" in answer.stderr
