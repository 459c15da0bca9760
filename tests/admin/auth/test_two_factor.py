"""Two-factor sign-in: set up, used, lost, asked for by the estate, switched off (P7, F15)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from admin.auth import guard
from models.office import Audit
from models.people import RecoveryCode, SignInAttempt, Staff
from models.policies import PolicyVersion
from office.access import two_factor
from office.core import clock
from tests.admin.conftest import PASSWORD, Web, text_of
from tests.conftest import ADMIN_PASSWORD

PAGE = "/account/second-step"


def set_up(web: Web) -> tuple[str, list[str]]:
    """Set it up as a person does: the secret that the page shows, and the recovery codes."""
    web.post(PAGE, {"do": "start"})
    key = re.search(r"<code>([A-Z2-7 ]{32,})</code>", web.get(PAGE).text)
    assert key
    secret = key[1].replace(" ", "")
    shown = web.post(PAGE, {"do": "confirm", "code": pyotp.TOTP(secret).now()})
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code>", shown.text)
    assert shown.status_code == 200, text_of(shown)
    forget_step(web)
    return secret, codes


def forget_step(web: Web) -> None:
    """As if half a minute had passed since the last code."""
    with web.rows() as session:
        for staff in session.scalars(select(Staff)):
            staff.totp_step = None
        session.commit()


def visitor_of(web: Web, address: str = "10.9.9.9") -> Web:
    other = Web(web.office, web.office.app.test_client())
    other.client.environ_base["REMOTE_ADDR"] = address
    return other


def send_code(web: Web, code: str) -> Any:
    return web.client.post("/login", data={"csrf_token": web.token("/login"), "code": code})


def require_for(web: Web, role: str) -> None:
    with web.rows() as session:
        row = session.scalars(select(PolicyVersion).where(PolicyVersion.policy == "sign_in")).one()
        rows = json.loads(row.rows)
        rows["second_step_for"][role] = True
        row.rows = json.dumps(rows)
        session.commit()


def actions(web: Web) -> list[str]:
    return [row.action for row in web.audits("staff")]


def test_after_the_password_the_door_asks_for_a_code_that_opens_once(web: Web) -> None:
    secret, codes = set_up(web)
    assert web.is_signed_in
    assert len(set(codes)) == 10

    visitor = visitor_of(web)
    asked = visitor.sign_in()
    assert asked.status_code == 401
    assert 'name="code"' in asked.text
    assert not visitor.is_signed_in
    assert send_code(visitor, "000000").status_code == 401
    code = pyotp.TOTP(secret).now()
    assert send_code(visitor, code).status_code == 302
    assert visitor.is_signed_in

    another = visitor_of(web, "10.9.9.8")
    another.sign_in()
    assert send_code(another, code).status_code == 401  # the same code again
    assert not another.is_signed_in
    with web.rows() as session:
        changes = " ".join(session.scalars(select(Audit.changes)))
        assert secret not in changes
        kept = list(session.scalars(select(RecoveryCode.code_mac)))
        assert not set(kept) & {code.replace("-", "") for code in codes}
    assert "second_step_on" in actions(web)


def test_a_recovery_code_opens_once_and_the_use_is_on_record(web: Web) -> None:
    _secret, codes = set_up(web)
    for number, status in ((1, 302), (2, 401)):
        visitor = visitor_of(web, f"10.9.9.{number}")
        visitor.sign_in()

        assert send_code(visitor, codes[0].upper()).status_code == status
    assert actions(web).count("recovery_code_used") == 1
    assert "9 recovery codes are left" in text_of(web.get(PAGE))

    again = web.post(PAGE, {"do": "renew", "password": ADMIN_PASSWORD})

    assert len(re.findall(r"<li><code>", again.text)) == 10
    visitor = visitor_of(web, "10.9.9.3")
    visitor.sign_in()
    assert send_code(visitor, codes[1]).status_code == 401


def test_a_code_without_the_password_opens_nothing(web: Web) -> None:
    secret, _codes = set_up(web)
    visitor = visitor_of(web)

    assert send_code(visitor, pyotp.TOTP(secret).now()).status_code == 401
    assert not visitor.is_signed_in

    visitor.sign_in()
    with web.rows() as session:  # changed in the meantime
        session.scalars(select(Staff).where(Staff.login == "admin")).one().password_hash = "other"
        session.commit()
    assert send_code(visitor, pyotp.TOTP(secret).now()).status_code == 401


def test_after_five_wrong_codes_the_door_waits_from_wherever_they_come(web: Web) -> None:
    secret, _codes = set_up(web)
    found = []
    for number in range(7):
        visitor = visitor_of(web, f"10.9.8.{number}")
        visitor.sign_in()
        found.append(send_code(visitor, "000000").status_code)

    assert found == [401] * 5 + [429] * 2
    assert send_code(visitor, pyotp.TOTP(secret).now()).status_code == 429
    with web.rows() as session:
        session.execute(SignInAttempt.__table__.delete())
        session.commit()
    assert send_code(visitor, pyotp.TOTP(secret).now()).status_code == 302


def test_wrong_codes_of_another_time_or_before_a_right_one_do_not_count(web: Web) -> None:
    secret, _codes = set_up(web)
    for at in ("future", "a right one before"):
        visitor = visitor_of(web)
        visitor.sign_in()
        assert [send_code(visitor, "000000").status_code for _ in range(4)] == [401] * 4, at
        if at == "future":  # the machine's clock was set back
            with web.rows() as session:
                session.execute(update(SignInAttempt).values(at=clock.machine_now() + timedelta(days=1)))
                session.commit()
            assert send_code(visitor, "000000").status_code == 401
        assert send_code(visitor, pyotp.TOTP(secret).now()).status_code == 302, at
        forget_step(web)


def test_control_without_the_count_wrong_codes_go_on(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(web)
    monkeypatch.setattr(two_factor, "is_held_up", lambda *_arguments, **_more: False)
    visitor = visitor_of(web)
    visitor.sign_in()

    assert [send_code(visitor, "000000").status_code for _ in range(7)] == [401] * 7


def test_switching_on_and_off_ends_other_sessions_and_asks_for_the_password(web: Web) -> None:
    other = visitor_of(web)
    other.sign_in()
    set_up(web)
    assert not other.is_signed_in

    refused = web.post(PAGE, {"do": "off", "password": "wrong"})
    assert refused.status_code == 400
    assert "not right" in text_of(refused)
    assert web.post(PAGE, {"do": "off", "password": ADMIN_PASSWORD}).status_code == 302
    assert other.sign_in().status_code == 302
    assert actions(web).count("second_step_off") == 1
    with web.rows() as session:
        assert session.scalars(select(RecoveryCode)).all() == []


def test_a_wrong_code_sets_nothing_up(web: Web) -> None:
    web.post(PAGE, {"do": "start"})

    refused = web.post(PAGE, {"do": "confirm", "code": "12"})

    assert refused.status_code == 400
    assert "Check the clock" in text_of(refused)
    assert visitor_of(web).sign_in().status_code == 302


def test_who_the_estate_asks_sees_nothing_else_until_it_is_set_up(web: Web) -> None:
    require_for(web, "manager")
    manager = visitor_of(web)
    manager.sign_in("manager", PASSWORD)

    for path in ("/", "/areas/", "/areas/new/", "/areas/export/csv/"):
        answer = manager.get(path)
        assert (answer.status_code, answer.headers.get("location")) == (302, PAGE)
    assert "asks your role" in text_of(manager.get(PAGE))
    set_up(manager)
    assert manager.get("/areas/").status_code == 200
    refused = manager.post(PAGE, {"do": "off", "password": PASSWORD})
    assert refused.status_code == 400
    steward = visitor_of(web, "10.9.9.7")
    steward.sign_in("steward", PASSWORD)
    assert steward.get("/areas/").status_code == 200  # not asked


def test_control_without_the_guard_the_estates_wish_is_void(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_for(web, "manager")
    monkeypatch.setattr(guard, "_must_set_up", lambda: False)
    manager = visitor_of(web)
    manager.sign_in("manager", PASSWORD)

    assert manager.get("/areas/").status_code == 200


def test_the_administrator_lets_in_who_lost_the_phone(web: Web) -> None:
    manager = visitor_of(web)
    manager.sign_in("manager", PASSWORD)
    set_up(manager)
    with web.rows() as session:
        key = session.scalars(select(Staff.id).where(Staff.login == "manager")).one()

    fields = {"action": "second_step_off", "rowid": key, "confirmed": "1"}
    assert manager.post("/staff/action/", fields).status_code == 403
    assert web.post("/staff/action/", fields).status_code == 302

    assert not manager.is_signed_in
    assert manager.sign_in("manager", PASSWORD).status_code == 302
    assert actions(web).count("second_step_off") == 1
    again = web.post("/staff/action/", fields, follow_redirects=True)
    assert "has no second step" in text_of(again)


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        ({}, True),
        ({"wrong_codes": 0}, False),
        ({"recovery_codes": 51}, False),
        ({"wait_minutes": "x"}, False),
        ({"second_step_for": {"emperor": True}}, False),
    ],
)
def test_an_edited_policy_is_checked(session: Session, change: dict[str, Any], is_taken: bool) -> None:
    import seed
    from office.policies import store

    rows = {**seed.preset_policies("tower")["sign_in"], **change}

    assert (store.problems(session, "sign_in", rows, {}) == []) == is_taken
