"""WeCom messages to owners through a webhook of the office's choice (C5).

Each message is a POST of WeCom's own JSON, `{"touser": chat ID, "msgtype": "text", "text": {"content": …}}`,
as its application API and gateways before it take it; `Idempotency-Key` is the same on every try. WeCom
answers 200 with an `errcode`: 0 is taken, those below name an address that is no member's, others may pass.
"""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import urlsplit

from office.messaging.channels.base import Declined, Letter, Undelivered, Unreachable
from office.messaging.channels.webhook import answered, post

NO_SUCH_PERSON = frozenset({40003, 60111, 81013, 46004})


class WeCom:
    """One webhook (GATEHOUSE_WECOM_URL)."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise Unreachable("GATEHOUSE_WECOM_URL must begin with https:// or http://")
        self.url = url

    def send(self, letter: Letter) -> None:
        """Post one message. Raises the errors of channels/base.py."""
        if not letter.address:
            raise Declined("the owner has no chat ID", is_address_bad=False)
        document = {"touser": letter.address, "msgtype": "text", "text": {"content": letter.body}}
        request = urllib.request.Request(  # noqa: S310 -- the scheme was checked above
            self.url,
            data=json.dumps(document, ensure_ascii=False).encode(),
            method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": letter.key},
        )
        code, text = answered(post(request), ("errcode",))
        if code in NO_SUCH_PERSON:
            raise Declined(f"{code} {text}", is_address_bad=True)
        if code:
            raise Undelivered(f"{code} {text}")

    def close(self) -> None:
        """Nothing stays open."""
