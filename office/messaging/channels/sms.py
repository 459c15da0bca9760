"""SMS through a webhook of the office's choice (C5).

Each message is a POST of JSON `{"key", "to", "text", "at"}`. `X-Gatehouse-Signature` is the hex HMAC-SHA256
of `<X-Gatehouse-Timestamp>.<body>` under GATEHOUSE_SMS_SECRET; `Idempotency-Key` is the same on every try.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.request
from urllib.parse import urlsplit

from office.messaging.channels.base import Letter, Unreachable
from office.messaging.channels.webhook import post


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes again to know that the message is ours."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Sms:
    """One webhook."""

    def __init__(self, url: str, secret: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise Unreachable("GATEHOUSE_SMS_URL must begin with https:// or http://")
        self.url = url
        self.secret = secret

    def send(self, letter: Letter) -> None:
        """Post one message. Raises the errors of channels/base.py."""
        document = {
            "key": letter.key,
            "to": letter.address,
            "text": letter.body,
            "at": letter.at.isoformat(),
        }
        body = json.dumps(document, ensure_ascii=False).encode()
        timestamp = str(int(letter.at.timestamp()))
        request = urllib.request.Request(  # noqa: S310 -- the scheme was checked above
            self.url,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": letter.key,
                "X-Gatehouse-Timestamp": timestamp,
                "X-Gatehouse-Signature": signature(self.secret, timestamp, body),
            },
        )
        post(request)

    def close(self) -> None:
        """Nothing stays open."""
