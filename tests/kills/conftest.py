"""A slow mail server for the tests that kill processes while letters are sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.mail_server import SlowInbox, smtp_server


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowInbox]:
    """What the mail server got to which the office's settings point."""
    letters = SlowInbox()
    with smtp_server(letters) as port:
        monkeypatch.setenv("GATEHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}")
        yield letters
