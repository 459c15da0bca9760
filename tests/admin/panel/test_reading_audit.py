"""What a GET takes out is noted although somebody else wrote after the GET had begun to read (F17)."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import event

from admin.panel import audit, list_exports
from models import db
from tests.admin.conftest import Web

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def let_another_write(web: Web) -> None:
    """As soon as a request has begun to read, another process commits a row."""
    path = web.office.url.removeprefix("sqlite:///")
    with web.office.app.app_context():
        engine = db.engine

    def write(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM staff_role" in statement or "FROM web_session" in statement:
            other = sqlite3.connect(path)
            name = secrets.token_hex(4)
            other.execute("INSERT INTO area (name, name_folded, position) VALUES (?, ?, 9)", (name, name))
            other.commit()
            other.close()

    event.listen(engine, "after_cursor_execute", write)


def test_an_export_is_noted_though_another_wrote_meanwhile(web: Web) -> None:
    let_another_write(web)

    answer = web.get("/trial_units/export/csv/")

    assert answer.status_code == 200
    assert [row.action for row in web.audits("unit")] == ["export"]


def test_control_noted_in_the_reading_transaction_it_fails(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_the_same(action: str, table: str, row_id: int | None, about: Mapping[str, Any]) -> None:
        audit.record(action, table, row_id, {}, about)
        db.session.commit()

    monkeypatch.setattr(list_exports, "record_reading", in_the_same)
    let_another_write(web)
    web.office.app.testing = False

    assert web.get("/trial_units/export/csv/").status_code == 503
