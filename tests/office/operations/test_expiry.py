"""Texts of messages and given-up uploads go after the policy's days, to the day (F23, P3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.complaints import Attachment
from models.office import Message, Task
from office.core.errors import Refused
from office.exchange.imports import uploads
from office.messaging import outbox
from office.operations import expiry
from tests.factories.rows import add_ticket

NOW = datetime(2026, 6, 1, 19, 15, tzinfo=UTC)
MESSAGE_DAYS, UPLOAD_DAYS = 180, 14


def add_message(session: Session, days: float, state: str) -> Message:
    made = NOW - timedelta(days=days)
    message = Message(
        key=f"{days}-{state}", channel="email", address="li@example.org", subject="For 李雷", body="You owe",
        made_at=made, next_try_at=made, state=state,
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def add_file(session: Session, days: float, **of: int) -> Attachment:
    file = Attachment(
        key=f"{days}-{of}", file_name="李雷.csv", media_type="text/csv", content=b"x",
        added_at=NOW - timedelta(days=days), **of,
    )  # fmt: skip
    session.add(file)
    session.flush()
    return file


def test_address_and_text_stand_sealed_in_the_database(session: Session) -> None:
    add_message(session, 0, "pending")

    stored = session.execute(text("SELECT address, body FROM message")).one()

    assert "li@" not in stored.address
    assert "owe" not in stored.body


@pytest.mark.parametrize("state", ["sent", "dropped", "unknown", "dead"])
def test_a_message_loses_its_text_after_the_days_of_the_policy(session: Session, state: str) -> None:
    young, old = (add_message(session, days, state) for days in (MESSAGE_DAYS, MESSAGE_DAYS + 0.001))

    result = expiry.clear_expired(session, NOW)

    session.expire_all()
    assert result.result == {"messages": 1, "files": 0}
    assert (old.address, old.subject, old.body, old.cleared_at) == ("", "", "", NOW)
    assert (young.address, young.body, young.cleared_at) == ("li@example.org", "You owe", None)
    assert expiry.clear_expired(session, NOW).done == 0  # a second run does nothing


@pytest.mark.parametrize("state", ["pending", "failed", "sending"])
def test_a_message_that_is_still_to_go_out_keeps_its_text(session: Session, state: str) -> None:
    message = add_message(session, 1000, state)

    expiry.clear_expired(session, NOW)

    session.expire_all()
    assert message.body == "You owe"


def test_a_cleared_message_is_not_sent_again_but_may_be_called_arrived(session: Session) -> None:
    message = add_message(session, 1000, "unknown")
    expiry.clear_expired(session, NOW)
    session.expire_all()

    with pytest.raises(Refused, match="removed already"):
        outbox.decide_unknown(session, message.id, has_arrived=False, now=NOW, staff_id=None)

    outbox.decide_unknown(session, message.id, has_arrived=True, now=NOW, staff_id=None)
    assert message.state == "sent"


def test_an_upload_that_nobody_takes_in_is_given_up_with_all_it_showed(session: Session) -> None:
    for days in (UPLOAD_DAYS, UPLOAD_DAYS + 0.001):
        made = NOW - timedelta(days=days)
        task = uploads.bring(session, "statement", "李雷.csv", b"x", now=made, staff_id=None)
        uploads.keep_trial(session, task.id, {"rows": 1, "sample": [["李雷"]], "headers": ["户名"]})
    session.flush()

    assert expiry.clear_expired(session, NOW).result == {"messages": 0, "files": 1}

    young, old = session.scalars(select(Task).order_by(Task.id))
    assert (old.state, old.file_name) == ("failed", "")
    assert old.result == {"kind": "statement", "rows": 1, "headers": ["户名"], "key": ""}
    assert young.result["sample"] == [["李雷"]]
    assert uploads.content_of(session, young) == b"x"
    with pytest.raises(Refused, match="no longer here"):
        uploads.content_of(session, old)


def test_files_of_complaints_stay_and_files_of_nothing_go(session: Session) -> None:
    add_file(session, 1000, ticket_id=add_ticket(session, NOW).id)
    add_file(session, UPLOAD_DAYS + 1)
    add_file(session, UPLOAD_DAYS - 1)

    assert expiry.clear_expired(session, NOW).done == 1

    assert len(list(session.scalars(select(Attachment.id)))) == 2
