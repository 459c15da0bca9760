"""Nothing can be found out by trying: public addresses answer alike what is there and what is not (T1, P7).

Alike means status, place and words of the answer, its headers, and how often the database is asked: the work
behind an answer is what its time tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from models import db
from models.complaints import Ticket
from office.access import attempts
from office.complaints import public_form
from office.complaints.public_form import Submission
from office.core import clock
from office.policies import store
from tests.admin.conftest import PASSWORD, Web, add_staff

FORM, TRACK = "/public/complaint/", "/public/complaint/track/"
ADDRESS = iter(range(10_000))


@pytest.fixture
def stranger(visitor: Web) -> Web:
    """Somebody without a session; the public form is on, and one complaint is there."""
    with visitor.rows() as session:
        now, today = clock.now(session), clock.today(session)
        rows = {**store.document(session, "public_form", today), "is_on": True}
        store.change(session, "public_form", rows, valid_from=today, reason="on", now=now, staff_id=None)
        add_staff(session, "known", "cashier")
        policy = public_form.form_policy(session, now)
        public_form.submit(session, policy, Submission(statement="x"), now)
        session.commit()
    return visitor


def send(web: Web, path: str, page: str, **fields: str) -> tuple[Any, ...]:
    """What a new browser gets for a form of this page, without what differs each time."""
    browser = Web(web.office, web.office.app.test_client())
    browser.client.environ_base["REMOTE_ADDR"] = f"2001:db8:{next(ADDRESS):x}::1"
    shown = browser.get(page).text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown))
    with counted(web) as asked:
        answer = browser.client.post(path, data={**hidden, **fields})
    text = re.sub(r'(nonce|value|data-token|data-version)="[^"]*"', "", answer.text)
    for given in fields.values():
        text = text.replace(given, "…") if given else text
    return answer.status_code, answer.location, text, sorted(answer.headers.keys()), len(asked)


@contextmanager
def counted(web: Web) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    with web.office.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def number_of(web: Web) -> str:
    with web.rows() as session:
        return session.scalars(select(Ticket.number)).one()


# what is there, what is not
PAIRS: dict[str, tuple[Callable[[Web], dict[str, str]], Callable[[Web], dict[str, str]], str]] = {
    "login": (
        lambda _web: {"login": "known", "password": "wrong"},
        lambda _web: {"login": "nobody", "password": "wrong"},
        "/login",
    ),
    "login of an administrator": (
        lambda _web: {"login": "admin", "password": "wrong"},
        lambda _web: {"login": "admin1", "password": "wrong"},
        "/login",
    ),
    "ticket number": (
        lambda web: {"number": number_of(web), "code": "AAAAA-AAAAA"},
        lambda _web: {"number": "T2026-999999", "code": "AAAAA-AAAAA"},
        TRACK,
    ),
    "unit code": (
        lambda _web: {"statement": "x", "household_count": "1", "unit_code": "A-01"},
        lambda _web: {"statement": "x", "household_count": "1", "unit_code": "Z-99"},
        FORM,
    ),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_what_is_there_and_what_is_not_are_answered_alike(stranger: Web, kind: str) -> None:
    there, missing, path = PAIRS[kind]
    send(stranger, path, path, **there(stranger))  # caches
    send(stranger, path, path, **missing(stranger))

    assert send(stranger, path, path, **there(stranger)) == send(stranger, path, path, **missing(stranger))


def test_the_control_sees_a_question_more(stranger: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking only for logins that are there whether they are held up was such a difference."""
    there, missing, path = PAIRS["login"]
    noted = attempts.note_failure

    def note(session: Any, login: str, address: str, **more: Any) -> None:
        noted(session, login, address, **more)
        if login == "known":
            attempts.is_held_up(session, login, address, **more)

    monkeypatch.setattr(attempts, "note_failure", note)

    assert send(stranger, path, path, **there(stranger)) != send(stranger, path, path, **missing(stranger))


def test_every_public_address_that_takes_something_is_tried(stranger: Web) -> None:
    public = {
        rule.rule
        for rule in stranger.office.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and (rule.rule == "/login" or rule.rule.startswith("/public/"))
    }

    assert public == {path for _there, _missing, path in PAIRS.values()}


def test_the_control_signs_in_with_the_right_password(stranger: Web) -> None:
    answer = send(stranger, "/login", "/login", login="known", password=PASSWORD)

    assert answer[0] == 302
