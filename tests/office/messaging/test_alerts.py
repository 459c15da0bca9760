"""Alerts reach a person's own robot or mail, and what the service answers is told (C5, P7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office import Audit, Message
from models.people import Staff
from office.core.errors import Refused
from office.messaging import channels, outbox, own_address
from tests.factories.mail_server import Inbox
from tests.factories.webhook import Webhook, webhook_server

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TOKEN = "0123456789abcdef" * 4
TAKEN = b'{"errcode": 0, "errmsg": "ok"}'


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Webhook]]:
    """The three services, through the gateway that IT has set."""
    with webhook_server() as (url, handler):
        monkeypatch.setenv("GATEHOUSE_ALERT_GATEWAY", f"{url}/")
        yield handler


def alert(session: Session, address: str, subject: str = "Complaint 7 is late") -> None:
    own_address.try_out(session, address, "key", subject, at=NOW)


def test_wecom_gets_a_text_at_the_robots_key(session: Session, service: type[Webhook]) -> None:
    alert(session, f"wecom:{TOKEN}")

    assert service.paths == [f"/cgi-bin/webhook/send?key={TOKEN}"]
    assert json.loads(service.received[0][1]) == {
        "msgtype": "text",
        "text": {"content": "Complaint 7 is late"},
    }


def test_dingtalk_gets_a_signed_address(session: Session, service: type[Webhook]) -> None:
    alert(session, f"dingtalk:{TOKEN}:SECabcdefgh")

    asked = parse_qs(urlsplit(service.paths[0]).query)
    instant = asked["timestamp"][0]
    right = hmac.digest(b"SECabcdefgh", f"{instant}\nSECabcdefgh".encode(), hashlib.sha256)
    assert int(instant) == NOW.timestamp() * 1000
    assert asked["access_token"] == [TOKEN]
    assert base64.b64decode(asked["sign"][0]) == right


def test_feishu_gets_the_signature_in_its_body(session: Session, service: type[Webhook]) -> None:
    service.answer = b'{"code": 0, "msg": "success"}'

    alert(session, f"feishu:{TOKEN}:abcdefgh")

    said = json.loads(service.received[0][1])
    right = hmac.digest(f"{said['timestamp']}\nabcdefgh".encode(), b"", hashlib.sha256)
    assert service.paths == [f"/open-apis/bot/v2/hook/{TOKEN}"]
    assert (said["msg_type"], said["content"]) == ("text", {"text": "Complaint 7 is late"})
    assert base64.b64decode(said["sign"]) == right


def test_an_email_address_gets_mail(session: Session, inbox: Inbox) -> None:
    alert(session, "email:li@estate.example")

    assert inbox.recipients == ["li@estate.example"]
    assert inbox.letters[0]["Subject"] == "Complaint 7 is late"


ANSWERS = (
    ("wecom", 200, b'{"errcode": 93000, "errmsg": "invalid webhook url"}', channels.Declined),
    ("wecom", 200, b'{"errcode": 45009, "errmsg": "api freq out of limit"}', channels.Undelivered),
    ("wecom", 200, b"<html>", channels.Unsure),
    ("wecom", 200, b"[]", channels.Unsure),
    ("dingtalk", 200, b'{"errcode": 310000, "errmsg": "sign not match"}', channels.Declined),
    ("feishu", 200, b'{"code": 19001, "msg": "param invalid"}', channels.Declined),
    ("feishu", 500, b"", channels.Undelivered),
    ("feishu", 404, b"", channels.Declined),
)


@pytest.mark.parametrize(("kind", "status", "answer", "error"), ANSWERS)
def test_what_the_service_answers_is_told(
    session: Session, service: type[Webhook], kind: str, status: int, answer: bytes, error: type[Exception]
) -> None:
    service.status, service.answer = status, answer

    with pytest.raises(error) as told:
        alert(session, f"{kind}:{TOKEN}")

    assert type(told.value) is error
    service.status, service.answer = 200, TAKEN
    alert(session, f"{kind}:{TOKEN}")  # the control


def test_one_service_that_is_down_keeps_no_other_from_its_alert(
    session: Session, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_ALERT_GATEWAY", "http://127.0.0.1:9")
    people = [
        Staff(login="a", name="A", alert_url=f"wecom:{TOKEN}"),
        Staff(login="b", name="B", alert_url="email:b@estate.example"),
    ]
    session.add_all(people)
    session.flush()
    for staff in people:
        outbox.enqueue(
            session, staff.login, "alert", "", subject="Late", body="Late", now=NOW, staff_id=staff.id
        )
    session.commit()

    outbox.send_due(session, NOW, reminders=None)  # type: ignore[arg-type]

    assert list(session.scalars(select(Message.state).order_by(Message.id))) == ["failed", "sent"]


def test_a_person_chooses_and_takes_away_and_the_history_holds_no_address(session: Session) -> None:
    staff = session.scalars(select(Staff)).one()
    assert own_address.without(session) == [staff.name]

    own_address.choose(session, staff, "email", "li@estate.example", "", now=NOW)
    assert own_address.without(session) == []
    own_address.choose(session, staff, "", "", "", now=NOW)

    assert own_address.without(session) == [staff.name]
    told = session.scalars(select(Audit.changes).where(Audit.action == "alert_address").order_by(Audit.id))
    assert [json.loads(one) for one in told] == [
        {"alert_url": [None, "email"]},
        {"alert_url": ["email", None]},
    ]


def test_what_is_no_address_is_refused_and_nothing_changes(session: Session) -> None:
    staff = session.scalars(select(Staff)).one()

    with pytest.raises(Refused, match="no address"):
        own_address.choose(session, staff, "wecom", "https://example.org/hook", "", now=NOW)

    assert staff.alert_url is None
