"""What people do at the complaint desk, through the screens of a `Web`."""

from sqlalchemy import select

from models.complaints import Ticket
from models.people import Staff
from models.property import Unit
from tests.admin.conftest import PASSWORD, text_of

FORM = {
    "channel": "desk",
    "category": "cleaning",
    "statement": "走廊没有打扫",
    "household_count": "1",
}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def as_(web, login):
    web.client.get("/")
    if web.is_signed_in:
        web.post("/logout")
    assert web.sign_in(login, PASSWORD).status_code == 302
    return web


def staff_id(web, login):
    with web.rows() as session:
        return session.scalars(select(Staff.id).where(Staff.login == login)).one()


def unit_id(web, code="A-01"):
    with web.rows() as session:
        return session.scalars(select(Unit.id).where(Unit.code == code)).one()


def register(web, **more):
    answer = web.post("/tickets/new/", {**FORM, **more})
    assert answer.status_code == 302, text_of(answer)
    return int(answer.location.partition("id=")[2])


def ticket(web, key):
    with web.rows() as session:
        row = session.get(Ticket, key)
        session.expunge(row)
        return row


def act(web, key, action, screen="tickets", **given):
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
