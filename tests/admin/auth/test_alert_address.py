"""Each member of staff sets and tries the own address for alerts; who has none is told (C5, P7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from models.people import Staff
from tests.admin.conftest import PASSWORD, Web, text_of
from tests.factories.mail_server import Inbox, smtp_server
from tests.factories.webhook import Webhook, webhook_server

PAGE = "/account/alerts"
TOKEN = "0123456789abcdef" * 4
NONE_YET = "Alerts do not reach you"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Webhook]]:
    with webhook_server() as (url, handler):
        monkeypatch.setenv("GATEHOUSE_ALERT_GATEWAY", url)
        yield handler


def save(web: Web, kind: str, address: str, secret: str = "") -> None:
    answer = web.post(PAGE, {"do": "save", "kind": kind, "address": address, "secret": secret})
    assert answer.status_code == 302, text_of(answer)


def test_who_has_none_is_told_on_the_start_page_until_there_is_one(web: Web) -> None:
    start = web.get("/", follow_redirects=True)
    assert NONE_YET in start.text
    assert PAGE in start.text

    save(web, "wecom", TOKEN)

    assert NONE_YET not in web.get("/", follow_redirects=True).text
    web.post(PAGE, {"do": "remove"})
    assert NONE_YET in web.get("/", follow_redirects=True).text


def test_a_test_goes_to_the_own_robot_and_the_page_says_so(web: Web, service: type[Webhook]) -> None:
    save(web, "wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={TOKEN}")

    answer = web.post(PAGE, {"do": "test"}, follow_redirects=True)

    assert "The test was handed over" in answer.text
    assert service.paths == [f"/cgi-bin/webhook/send?key={TOKEN}"]
    assert TOKEN not in answer.text  # only its ends are shown
    assert [row.action for row in web.audits("staff")][-2:] == ["alert_address", "alert_test"]


def test_the_words_of_a_service_that_refuses_are_shown(web: Web, service: type[Webhook]) -> None:
    save(web, "dingtalk", TOKEN, "SEC12345678")
    service.answer = b'{"errcode": 310000, "errmsg": "sign not match <b>"}'

    answer = web.post(PAGE, {"do": "test"}, follow_redirects=True)

    assert "The test did not arrive: 310000 sign not match &lt;b&gt;" in answer.text


def test_a_service_that_nobody_reaches_is_told(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_ALERT_GATEWAY", "http://127.0.0.1:9")
    save(web, "feishu", TOKEN)

    assert "did not arrive" in web.post(PAGE, {"do": "test"}, follow_redirects=True).text


def test_mail_is_tried_too_and_told_where_it_is_not_set_up(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    save(web, "email", "admin@estate.example")
    assert "IT has not set up this channel yet" in web.post(PAGE, {"do": "test"}, follow_redirects=True).text
    inbox = Inbox()
    with smtp_server(inbox) as port:
        monkeypatch.setenv("GATEHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}?from=office@estate.example")

        web.post(PAGE, {"do": "test"})

    assert inbox.recipients == ["admin@estate.example"]


@pytest.mark.parametrize(
    ("kind", "address"),
    [("email", "nobody"), ("wecom", "https://example.org/x"), ("json", "http://localhost"), ("", TOKEN)],
)
def test_what_is_no_address_is_refused_and_stays_in_the_form(web: Web, kind: str, address: str) -> None:
    answer = web.post(PAGE, {"do": "save", "kind": kind, "address": address})

    assert answer.status_code == 400
    assert f'value="{address}"' in answer.text
    assert NONE_YET in web.get("/", follow_redirects=True).text


def test_nobody_is_awaited_with_the_lock_in_hand(web: Web, service: type[Webhook]) -> None:
    """Another writes while a service takes its time: no transaction stands open meanwhile."""
    save(web, "wecom", TOKEN)
    wrote = []

    def write(handler: Webhook) -> None:
        other = Web(web.office, web.office.app.test_client())
        other.client.environ_base["REMOTE_ADDR"] = "10.7.7.7"
        wrote.append(other.sign_in("manager", PASSWORD).status_code)
        Webhook.do_POST(handler)

    service.do_POST = write  # type: ignore[method-assign]

    web.post(PAGE, {"do": "test"})

    assert wrote == [302]


def test_the_administrator_sees_whom_no_alert_reaches(web: Web) -> None:
    save(web, "wecom", TOKEN)
    with web.rows() as session:
        ids = {staff.login: staff.id for staff in session.scalars(select(Staff))}

    found = web.get("/staff/?view=no_alerts").text

    listed = {login for login, key in ids.items() if f"/staff/details/?id={key}&" in found.replace('"', "&")}
    assert listed == {"manager", "steward"}
