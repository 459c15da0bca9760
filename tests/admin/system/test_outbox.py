"""Messages of unknown fate on their screen: a person decides, and it is audited (C4)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.office import Message
from office.messaging.channels import NOT_SET_UP
from tests.admin.conftest import PASSWORD, Web
from tests.conftest import SET_UP_AT


def leave(web: Web, state: str) -> str:
    with web.rows() as session:
        message = Message(
            key="key",
            channel="email",
            address="a@example.org",
            body="text",
            state=state,
            made_at=SET_UP_AT,
            next_try_at=SET_UP_AT,
        )
        session.add(message)
        session.commit()
        return str(message.id)


def state_of(web: Web) -> str:
    with web.rows() as session:
        return session.scalars(select(Message.state)).one()


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        ("unknown", "arrived", "sent"),
        ("unknown", "again", "pending"),
        ("dead", "again", "pending"),
        ("pending", "arrived", "pending"),
        ("sent", "again", "sent"),
    ],
)
def test_a_person_decides(web: Web, before: str, action: str, after: str) -> None:
    fields = {"action": action, "rowid": leave(web, before), "confirmed": "1"}

    web.post("/outbox/action/", fields)

    assert state_of(web) == after
    assert len([audit for audit in web.audits("message") if audit.action == "decide"]) == (before != after)


def test_a_steward_may_not(visitor: Web) -> None:
    row = leave(visitor, "unknown")
    visitor.sign_in("steward", PASSWORD)

    refused = visitor.post("/outbox/action/", {"action": "arrived", "rowid": row, "confirmed": "1"})

    assert refused.status_code == 403
    assert state_of(visitor) == "unknown"


def test_our_own_error_is_told_in_the_readers_language(web: Web) -> None:
    key = leave(web, "failed")
    with web.rows() as session:
        session.scalars(select(Message)).one().error = NOT_SET_UP
        session.commit()
    web.post("/preferences", {"language": "zh_Hans"})

    assert "信息技术人员尚未配置该渠道" in web.get(f"/outbox/details/?id={key}").text
