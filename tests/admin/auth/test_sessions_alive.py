"""A form sent long after its page was opened: its session is kept alive without waiting for itself (F15)."""

from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import select

from admin.auth import sessions
from models import engine
from models.base import db
from models.people import Staff, WebSession

A_WHILE = timedelta(minutes=5)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["GET", "POST"])
def test_whoever_comes_back_after_a_while_is_served(web, way):
    token = web.token()
    with web.rows() as session:
        row = session.scalars(select(WebSession)).one()
        row.seen_at = old = row.seen_at - A_WHILE
        session.commit()

    if way == "GET":
        assert web.get("/account").status_code == 200
    else:
        answer = web.client.post("/preferences", data={"csrf_token": token, "theme": "dark"})
        assert answer.status_code == 302

    with web.rows() as session:
        assert session.scalars(select(WebSession.seen_at)).one() > old
        assert session.scalars(select(Staff.theme).where(Staff.login == "admin")).one() == (
            "dark" if way == "POST" else "auto"
        )


def is_served_beside_a_writer(web):
    """Whether a page is answered while another's transaction keeps the session's row, or the whole file."""
    with web.rows() as session:
        session.scalars(select(WebSession)).one().seen_at -= A_WHILE
        session.commit()
    reader = Thread(target=web.get, args=("/account",), daemon=True)
    with web.office.app.app_context(), engine.writing(), db.engine.begin() as writer:
        writer.execute(select(WebSession.key_hash).with_for_update()).all()
        reader.start()
        reader.join(10)
        is_served = not reader.is_alive()
    reader.join()
    return is_served


def test_a_reader_waits_for_no_writer(web):
    assert is_served_beside_a_writer(web)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_control_one_who_does_not_ask_first_waits(web, monkeypatch):
    monkeypatch.setattr(sessions, "is_written", lambda _engine: False)

    assert not is_served_beside_a_writer(web)
