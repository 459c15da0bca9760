"""A form sent long after its page was opened: its session is kept alive without waiting for itself (F15)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

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
