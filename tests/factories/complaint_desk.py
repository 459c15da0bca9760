"""What people do at the complaint desk, through the screens of a `Web`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from models.complaints import Ticket
from models.people import Staff
from models.property import Unit
from tests.admin.conftest import PASSWORD, Web, text_of

FORM = {
    "channel": "desk",
    "category": "cleaning",
    "statement": "走廊没有打扫",
    "household_count": "1",
}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def as_(web: Web, login: str) -> Web:
    web.client.get("/")
    if web.is_signed_in:
        web.post("/logout")
    assert web.sign_in(login, PASSWORD).status_code == 302
    return web


def staff_id(web: Web, login: str) -> int:
    with web.rows() as session:
        return session.scalars(select(Staff.id).where(Staff.login == login)).one()


def unit_id(web: Web, code: str = "A-01") -> int:
    with web.rows() as session:
        return session.scalars(select(Unit.id).where(Unit.code == code)).one()


def register(web: Web, **more: Any) -> int:
    answer = web.post("/tickets/new/", {**FORM, **more})
    assert answer.status_code == 302, text_of(answer)
    return int(answer.location.partition("id=")[2])


def ticket(web: Web, key: int) -> Ticket:
    with web.rows() as session:
        row = session.get_one(Ticket, key)
        session.expunge(row)
        return row


def act(web: Web, key: int, action: str, screen: str = "tickets", **given: Any) -> TestResponse:
    return web.post(
        f"/{screen}/action/",
        {
            "action": action,
            "rowid": key,
            "confirmed": "1",
            "url": f"/{screen}/details/?id={key}",
            **given,
        },
        follow_redirects=True,
    )
