"""A mail server for the tests of every room that sends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.mail_server import Inbox, smtp_server


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """What the mail server got to which the office's settings point."""
    inbox = Inbox()
    with smtp_server(inbox) as port:
        monkeypatch.setenv("GATEHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}?from=office@estate.example")
        yield inbox
