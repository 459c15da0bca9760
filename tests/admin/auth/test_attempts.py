"""Guessing passwords is held up, and nobody else is: by account and address, failures only (P7, F15)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from werkzeug.security import generate_password_hash

from admin.auth import sign_in as sign_in_page
from models import engine
from models.people import SignInAttempt, Staff
from office.access import attempts
from office.core import clock
from office.policies import store
from rules.sign_in import USUAL, SignInPolicy
from tests.admin.conftest import ADMIN_PASSWORD, PASSWORD, Web, add_staff, text_of
from tests.conftest import Office
from tests.factories.policies import document

HELD, ELSEWHERE = "10.0.0.9", "10.0.0.8"


def sign_in(web: Web, login: str = "admin", password: str = "wrong", *, source: str = HELD) -> int:
    """The answer to an attempt of a new browser."""
    other = Web(web.office, web.office.app.test_client())
    other.client.environ_base["REMOTE_ADDR"] = source
    return other.sign_in(login, password).status_code


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that nobody has is compared with as cheap a hash as those of the tests' offices."""
    monkeypatch.setattr(sign_in_page, "NO_ONE", generate_password_hash("nobody", "pbkdf2:sha256:1"))


@pytest.fixture
def colleague(visitor: Web) -> str:
    with visitor.rows() as session:
        add_staff(session, "colleague", "cashier")
    return "colleague"


def test_an_account_waits_after_ten_failures_and_in_whatever_spelling(visitor: Web, colleague: str) -> None:
    spellings = ("admin", "ADMIN", " admin ")
    answers = [sign_in(visitor, spellings[number % 3]) for number in range(12)]

    assert answers == [401] * 10 + [429] * 2
    assert sign_in(visitor, password=ADMIN_PASSWORD, source=ELSEWHERE) == 429, "from anywhere"
    assert sign_in(visitor, colleague, PASSWORD) == 302


def test_correct_sign_ins_are_never_counted(visitor: Web) -> None:
    assert [sign_in(visitor, password=ADMIN_PASSWORD) for _ in range(15)] == [302] * 15


def test_a_correct_sign_in_ends_the_count(visitor: Web) -> None:
    for _ in range(3):
        assert [sign_in(visitor) for _ in range(9)] == [401] * 9
        assert sign_in(visitor, password=ADMIN_PASSWORD) == 302


def test_an_address_holds_only_the_accounts_that_failed_from_it(visitor: Web, colleague: str) -> None:
    for number in range(USUAL.wrong_from_address - USUAL.wrong_at_held_address):
        sign_in(visitor, f"nobody{number}")
    assert [sign_in(visitor) for _each in range(USUAL.wrong_at_held_address)] == [401] * 3

    assert sign_in(visitor, password=ADMIN_PASSWORD) == 429
    assert sign_in(visitor, password=ADMIN_PASSWORD, source=ELSEWHERE) == 302
    assert sign_in(visitor, colleague, PASSWORD) == 302, "the office behind the same address"


def test_an_ipv6_network_is_one_address(visitor: Web) -> None:
    for number in range(USUAL.wrong_from_address - USUAL.wrong_at_held_address):
        sign_in(visitor, f"nobody{number}", source=f"2001:db8::{number:x}")
    for last in range(USUAL.wrong_at_held_address):
        assert sign_in(visitor, source=f"2001:db8::f:{last:x}") == 401

    assert sign_in(visitor, password=ADMIN_PASSWORD, source="2001:db8:0:0:1::1") == 429
    assert sign_in(visitor, password=ADMIN_PASSWORD, source="2001:db8:0:1::1") == 302


def test_a_mistyped_password_from_a_held_address_is_told_as_such(visitor: Web) -> None:
    for number in range(USUAL.wrong_from_address):
        sign_in(visitor, f"nobody{number}")

    assert [sign_in(visitor), sign_in(visitor)] == [401] * 2
    assert sign_in(visitor, password=ADMIN_PASSWORD) == 302


def test_a_wait_of_hours_lasts_so_long_whoever_else_fails(office: Office) -> None:
    """Failures are forgotten when the policy's wait is over, and no sooner."""
    with office.session() as session, engine.writing():
        now = clock.machine_now()
        hours = document("residential", SignInPolicy) | {"wait_minutes": 180}
        store.store(session, "sign_in", hours, valid_from=now.date() - timedelta(days=1), now=now)
        for _ in range(USUAL.wrong_passwords):
            attempts.note_failure(session, "admin", HELD, now=now)
        attempts.note_failure(session, "nobody", HELD, now=now + timedelta(minutes=179))
        held = [
            attempts.is_held_up(session, "admin", ELSEWHERE, now=now + timedelta(minutes=minutes))
            for minutes in (0, 61, 179, 181)
        ]

    assert held == [True, True, True, False]


@pytest.mark.parametrize("by", [timedelta(days=1), timedelta(days=-1)], ids=["future", "past"])
def test_failures_of_another_time_do_not_count(visitor: Web, by: timedelta) -> None:
    for _ in range(12):
        sign_in(visitor)
    with visitor.rows() as session:
        session.execute(update(SignInAttempt).values(at=clock.machine_now() + by))
        session.commit()

    assert sign_in(visitor, password=ADMIN_PASSWORD) == 302


def test_a_person_whose_account_was_held_up_is_told_once(visitor: Web) -> None:
    for _ in range(12):
        sign_in(visitor)
    with visitor.rows() as session:
        attempts.forget_failures(session, "admin")
        session.commit()

    said = []
    for _ in range(2):
        browser = Web(visitor.office, visitor.office.app.test_client())
        browser.sign_in()
        said.append("tried for your account too often" in text_of(browser.get("/start/")))
    assert said == [True, False]
    assert [each.action for each in visitor.audits("staff")].count(attempts.HELD_UP) == 1


def test_the_control_without_the_count_guessing_goes_on(
    visitor: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "note_failure", lambda *_given, **_more: None)

    assert [sign_in(visitor) for _ in range(12)] == [401] * 12


def test_a_login_that_is_too_long_or_odd_is_a_failure_like_another(visitor: Web) -> None:
    assert [sign_in(visitor, login) for login in ("x" * 5000, "\x00", "", "管理员")] == [401] * 4
    with visitor.rows() as session:
        assert session.scalars(select(Staff.id).where(Staff.login == "")).all() == []
