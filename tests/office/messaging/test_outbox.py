"""Messages are sent exactly once: real SMTP, a real webhook, and what happens when they fail (C4, C5, P6)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from admin.panel import labels
from models.engine import writing
from models.office import Message
from models.people import CHANNELS_OUT, Owner, OwnerPhone, Staff
from models.property import Estate
from models.secrets import fingerprint
from office.arrears.room import send_due
from office.core import clock, leases
from office.core.errors import Refused
from office.messaging import channels, outbox
from office.messaging.channels import mail, sms
from office.policies import store
from rules.upkeep import MessagePolicy
from tests.factories.mail_server import Inbox, free_port, smtp_server
from tests.factories.sandbox import set_present
from tests.factories.webhook import Webhook, webhook_server

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def ready(session: Session) -> Session:
    set_present(session, NOW)
    return session


def enqueue(session: Session, count: int = 1, **more: Any) -> None:
    for number in range(count):
        values = {"channel": "email", "address": f"owner{number}@example.org", "body": "请缴物业费", **more}
        outbox.enqueue(session, f"letter {number}", now=NOW, subject="缴费提醒", **values)
    session.commit()


def states(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Message.state).order_by(Message.id)))


def test_letters_arrive_once_over_one_connection(ready: Session, inbox: Inbox) -> None:
    enqueue(ready, 3)
    enqueue(ready, 3)  # the same keys again

    outcome = send_due(ready, NOW)
    send_due(ready, NOW + timedelta(hours=1))

    assert outcome.result == {"sent": 3}
    assert states(ready) == ["sent"] * 3
    assert inbox.recipients == [f"owner{number}@example.org" for number in range(3)]
    assert inbox.connections == 1
    letter = inbox.letters[0]
    assert letter["Subject"] == "缴费提醒"
    assert letter.get_body(("plain",)).get_content().strip() == "请缴物业费"
    assert letter["From"].addresses[0].addr_spec == "office@estate.example"
    assert letter["From"].addresses[0].display_name == ready.scalars(select(Estate.name)).one()


def test_a_letter_for_later_waits(ready: Session, inbox: Inbox) -> None:
    enqueue(ready, send_at=NOW + timedelta(hours=2))

    assert send_due(ready, NOW + timedelta(hours=2, seconds=-1)).done == 0
    assert send_due(ready, NOW + timedelta(hours=2)).done == 1


def test_a_refused_address_is_given_up_and_marked_bad(ready: Session, inbox: Inbox) -> None:
    ready.add_all(
        [Owner(name="王芳", email="owner0@example.org"), Owner(name="李明", email="owner1@example.org")]
    )
    inbox.refused = {"owner0@example.org"}
    enqueue(ready, 2)

    send_due(ready, NOW)

    assert states(ready) == ["dead", "sent"]
    assert list(ready.scalars(select(Owner.is_email_bad).order_by(Owner.id))) == [True, False]


def test_a_passing_error_is_tried_again_as_the_policy_says(ready: Session, inbox: Inbox) -> None:
    waits = store.in_force(ready, MessagePolicy, NOW.date()).waits
    inbox.answers = ["451 later"]
    enqueue(ready)

    send_due(ready, NOW)
    assert states(ready) == ["failed"]
    send_due(ready, NOW + waits[0] - timedelta(seconds=1))
    assert states(ready) == ["failed"]
    send_due(ready, NOW + waits[0])

    assert states(ready) == ["sent"]
    assert len(inbox.letters) == 1


def test_after_the_last_try_it_is_dead(ready: Session, inbox: Inbox) -> None:
    waits = store.in_force(ready, MessagePolicy, NOW.date()).waits
    inbox.answers = ["451 later"] * 100
    enqueue(ready)

    instant = NOW
    for wait in [timedelta(0), *waits]:
        instant += wait
        send_due(ready, instant)

    assert states(ready) == ["dead"]
    assert len(inbox.answers) == 100 - len(waits) - 1


def test_a_connection_lost_after_the_letter_makes_it_unknown(ready: Session, inbox: Inbox) -> None:
    inbox.must_hang_up = True
    enqueue(ready)
    send_due(ready, NOW)
    inbox.must_hang_up = False
    send_due(ready, NOW + timedelta(days=1))

    assert states(ready) == ["unknown"]
    assert inbox.letters == []


def test_a_server_down_for_an_hour_loses_nothing(ready: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """F13: the queue drains when it is back; no letter waits a try for each minute it was down."""
    port = free_port()
    monkeypatch.setenv("GATEHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}")
    enqueue(ready, 10)
    for minute in range(60):
        send_due(ready, NOW + timedelta(minutes=minute))
    assert set(states(ready)) <= {"pending", "failed"}

    inbox = Inbox()
    with smtp_server(inbox, port):
        send_due(ready, NOW + timedelta(hours=2))
        send_due(ready, NOW + timedelta(hours=8))

    assert states(ready) == ["sent"] * 10
    assert sorted(inbox.recipients) == sorted({f"owner{number}@example.org" for number in range(10)})


@pytest.mark.parametrize(
    "address", ["", "no address", "王@例子.中国", "a@b\r\nBcc: all@example.org", "a" * 300]
)
def test_an_impossible_address_stops_no_other(ready: Session, inbox: Inbox, address: str) -> None:
    for key, to in (("x", address), ("y", "y@example.org")):
        outbox.enqueue(ready, key, "email", to, subject="a\r\nBcc: b@c", body="t", now=NOW)
    ready.commit()

    send_due(ready, NOW)

    assert states(ready)[1] == "sent"
    assert "all@example.org" not in inbox.recipients


class TestAfterAKill:
    """A message in `sending` whose process is gone may have arrived: it waits for a person."""

    @pytest.fixture
    def sending(self, ready: Session) -> Callable[..., None]:
        def leave(claimed_by: str, age: timedelta = timedelta(0)) -> None:
            enqueue(ready)
            ready.execute(
                update(Message).values(
                    state="sending", claimed_by=claimed_by, claimed_at=clock.machine_now() - age, attempts=1
                )
            )
            ready.commit()

        return leave

    def test_it_is_unknown_and_not_sent_again(
        self, ready: Session, inbox: Inbox, sending: Callable[..., None]
    ) -> None:
        sending(leases.lease_holder())

        send_due(ready, NOW + timedelta(days=1))

        assert states(ready) == ["unknown"]
        assert inbox.letters == []

    @pytest.mark.parametrize(("age", "state"), [(599, "sending"), (601, "unknown")])
    def test_a_claim_elsewhere_keeps_its_lease(
        self, ready: Session, inbox: Inbox, sending: Callable[..., None], age: int, state: str
    ) -> None:
        sending("another-host:1:1.0", timedelta(seconds=age))

        send_due(ready, NOW)

        assert states(ready) == [state]

    @pytest.mark.parametrize(("has_arrived", "state", "letters"), [(True, "sent", 0), (False, "sent", 1)])
    def test_a_person_decides(
        self,
        ready: Session,
        inbox: Inbox,
        sending: Callable[..., None],
        has_arrived: bool,
        state: str,
        letters: int,
    ) -> None:
        sending(leases.lease_holder())
        send_due(ready, NOW)
        message_id = ready.scalars(select(Message.id)).one()

        with writing():
            outbox.decide_unknown(ready, message_id, has_arrived=has_arrived, now=NOW, staff_id=None)
            ready.commit()
        send_due(ready, NOW)

        assert (states(ready), len(inbox.letters)) == ([state], letters)
        with pytest.raises(Refused):
            outbox.decide_unknown(ready, message_id, has_arrived=True, now=NOW, staff_id=None)

    def test_guessing_instead_would_send_it_twice(
        self, ready: Session, inbox: Inbox, sending: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: with `sending` taken for `pending`, the owner reads it twice."""
        enqueue(ready)
        send_due(ready, NOW)
        ready.execute(update(Message).values(state="sending", claimed_by=leases.lease_holder()))
        ready.commit()

        def guess(session: Session) -> int:
            session.execute(update(Message).where(Message.state == "sending").values(state="pending"))
            return 0

        monkeypatch.setattr(outbox, "_settle_lost", guess)
        send_due(ready, NOW)

        assert len(inbox.letters) == 2


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Webhook]]:
    with webhook_server() as (url, handler):
        monkeypatch.setenv("GATEHOUSE_SMS_URL", f"{url}/sms")
        monkeypatch.setenv("GATEHOUSE_SMS_SECRET", "shared")
        monkeypatch.setenv("GATEHOUSE_WECOM_URL", f"{url}/wecom")
        yield handler


def test_an_sms_is_signed_and_says_its_key(ready: Session, webhook: type[Webhook]) -> None:
    enqueue(ready, channel="sms", address="13800000001")

    send_due(ready, NOW)

    ((headers, body),) = webhook.received
    assert json.loads(body)["text"] == "请缴物业费"
    assert headers["Idempotency-Key"] == "letter 0"
    expected = sms.signature("shared", headers["X-Gatehouse-Timestamp"], body)
    assert headers["X-Gatehouse-Signature"] == expected
    assert sms.signature("other", headers["X-Gatehouse-Timestamp"], body) != expected


@pytest.mark.parametrize(
    ("status", "state", "is_bad"),
    [(200, "sent", False), (422, "dead", True), (429, "failed", False), (503, "failed", False)],
)
def test_what_the_webhook_answers(
    ready: Session, webhook: type[Webhook], status: int, state: str, is_bad: bool
) -> None:
    owner = Owner(name="王芳")
    number = "13800000001"
    ready.add(OwnerPhone(owner=owner, number=number, number_mac=fingerprint(number)))
    webhook.status = status
    enqueue(ready, channel="sms", address=number)

    send_due(ready, NOW)

    assert states(ready) == [state]
    assert ready.scalars(select(OwnerPhone.is_bad)).one() is is_bad


def test_a_wecom_message_says_its_key_and_person(ready: Session, webhook: type[Webhook]) -> None:
    enqueue(ready, channel="wecom", address="wangfang")

    send_due(ready, NOW)

    assert states(ready) == ["sent"]
    ((headers, body),) = webhook.received
    assert json.loads(body) == {"touser": "wangfang", "msgtype": "text", "text": {"content": "请缴物业费"}}
    assert headers["Idempotency-Key"] == "letter 0"


@pytest.mark.parametrize(
    ("status", "answer", "state", "is_bad"),
    [
        (200, b'{"errcode": 0}', "sent", False),
        (200, b'{"errcode": 60111, "errmsg": "userid not found"}', "dead", True),
        (200, b'{"errcode": 45009, "errmsg": "api freq out of limit"}', "failed", False),
        (200, b"welcome", "unknown", False),
        (200, b"[]", "unknown", False),
        (422, b"", "dead", True),
        (503, b"", "failed", False),
    ],
)
def test_what_wecom_answers(
    ready: Session, webhook: type[Webhook], status: int, answer: bytes, state: str, is_bad: bool
) -> None:
    ready.add(Owner(name="王芳", chat_id="wangfang"))
    webhook.status, webhook.answer = status, answer
    enqueue(ready, channel="wecom", address="wangfang")

    send_due(ready, NOW)

    assert states(ready) == [state]
    assert ready.scalars(select(Owner.is_chat_bad)).one() is is_bad


def test_wecom_that_nobody_serves_is_tried_again(ready: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_WECOM_URL", "http://127.0.0.1:9/wecom")
    enqueue(ready, channel="wecom", address="wangfang")

    send_due(ready, NOW)

    assert states(ready) == ["failed"]


def test_an_owner_without_a_chat_account_is_not_reached_there(ready: Session, webhook: type[Webhook]) -> None:
    enqueue(ready, channel="wecom", address="")

    send_due(ready, NOW)

    assert (states(ready), webhook.received) == (["dead"], [])


def test_every_channel_to_owners_can_be_chosen_and_has_its_words() -> None:
    """A channel is a row of channels.KINDS: what a person may choose and read must not lack it."""
    assert channels.ELECTRONIC | {"print"} == set(CHANNELS_OUT) == set(labels.CHANNELS_OUT)
    assert set(channels.KINDS) == {*CHANNELS_OUT, "alert"}


def test_a_channel_that_is_not_set_up_waits(ready: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEHOUSE_SMTP_URL", raising=False)
    enqueue(ready)

    send_due(ready, NOW)

    assert states(ready) == ["failed"]
    assert "email" not in channels.available(ready)


def test_an_alert_goes_to_the_persons_own_address(ready: Session, webhook: type[Webhook]) -> None:
    url = os.environ["GATEHOUSE_SMS_URL"].replace("http://", "json://")
    staff = Staff(login="lead", name="Lead", alert_url=url)
    ready.add(staff)
    ready.flush()
    outbox.enqueue(ready, "alert", "alert", "", body="late", subject="Ticket", now=NOW, staff_id=staff.id)
    ready.commit()

    send_due(ready, NOW)

    assert states(ready) == ["sent"]
    assert json.loads(webhook.received[0][1])["message"] == "late"


def test_a_letter_keeps_its_id_on_every_try() -> None:
    letter = channels.Letter("key", "a@example.org", "Subject", "text", NOW)
    other = channels.Letter("key 2", "a@example.org", "Subject", "text", NOW)

    first, second, third = (
        message_from_bytes(mail.written(one, "office@example.org"))["Message-ID"]
        for one in (letter, letter, other)
    )

    assert first == second != third
