"""Real SMTP servers on this machine, and what they were given."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass
class Inbox:
    """A mail server's handler: what it was given, and how it answers.

    `answers` are given first, one for each letter; `refused` are addresses that nobody has.
    """

    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    letters: list[Any] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    must_hang_up: bool = False

    async def handle_EHLO(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 -- as above
        if self.must_hang_up:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 never heard"
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.letters.append(message_from_bytes(envelope.content, policy=default))
            self.recipients += envelope.rcpt_tos
        return answer


@contextmanager
def smtp_server(inbox: Inbox | SlowInbox, port: int = 0) -> Iterator[int]:
    """Serve on this port, or on a free one; gives the port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=port or free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """A port on which nothing listens at the moment."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


class SlowInbox:
    """A mail server's handler that takes some time for each letter, as real servers do."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.seconds = 0.06
        self.has_one = threading.Event()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        text = message_from_bytes(envelope.content, policy=default).get_body(("plain",))
        assert text is not None
        self.received[text.get_content().strip().splitlines()[-1]] += 1
        self.has_one.set()
        await asyncio.sleep(self.seconds)
        return "250 taken"
