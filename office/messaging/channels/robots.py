"""Group robots of WeCom, DingTalk and Feishu: a POST of text to the address that the chat gives (C5).

Each service answers 200 with a code of its own; 0 is taken. GATEHOUSE_ALERT_GATEWAY is a host that hands the
posts on, by the same paths, where the office's server can't reach the services itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from office.messaging.channels.base import Declined, Letter, Undelivered
from office.messaging.channels.webhook import answered, post
from rules.alert_addresses import AlertAddress

SERVICES: Mapping[str, tuple[str, str]] = {
    "wecom": ("https://qyapi.weixin.qq.com", "/cgi-bin/webhook/send?key="),
    "dingtalk": ("https://oapi.dingtalk.com", "/robot/send?access_token="),
    "feishu": ("https://open.feishu.cn", "/open-apis/bot/v2/hook/"),
}
# codes of an address that no robot has, or of a signature or key word that it refuses: no later try helps
REFUSED: Mapping[str, frozenset[int]] = {
    "wecom": frozenset({93000, 93008, 93017}),
    "dingtalk": frozenset({300001, 300005, 310000, 400101, 400102, 400106}),
    "feishu": frozenset({19001, 19021, 19022, 19024}),
}


def send(address: AlertAddress, letter: Letter, gateway: str = "") -> None:
    """Post one alert. Raises the errors of channels/base.py."""
    host, path = SERVICES[address.kind]
    if gateway:
        host = gateway.rstrip("/")
        if urlsplit(host).scheme not in {"http", "https"}:
            raise Undelivered("GATEHOUSE_ALERT_GATEWAY must begin with https:// or http://")
    url, document = f"{host}{path}{quote(address.target)}", _document(address, letter)
    if address.kind == "dingtalk" and address.secret:
        instant = str(int(letter.at.timestamp() * 1000))
        signed = _signed(address.secret.encode(), f"{instant}\n{address.secret}".encode())
        url += f"&timestamp={instant}&sign={quote(signed, safe='')}"
    request = urllib.request.Request(  # noqa: S310 -- a fixed host, or IT's own whose scheme was checked
        url,
        data=json.dumps(document, ensure_ascii=False).encode(),
        method="POST",
        headers={"Content-Type": "application/json"},
    )
    code, text = answered(post(request), ("errcode", "code", "StatusCode"))
    if code in REFUSED[address.kind]:
        raise Declined(f"{code} {text}", is_address_bad=True)
    if code:
        raise Undelivered(f"{code} {text}")


def _document(address: AlertAddress, letter: Letter) -> dict[str, Any]:
    parts = [letter.subject] if letter.subject.endswith(letter.body) else [letter.subject, letter.body]
    text = "\n".join(part for part in parts if part)
    if address.kind != "feishu":
        return {"msgtype": "text", "text": {"content": text}}
    signature = {}
    if address.secret:
        instant = _seconds(letter.at)
        signature = {"timestamp": instant, "sign": _signed(f"{instant}\n{address.secret}".encode(), b"")}
    return {**signature, "msg_type": "text", "content": {"text": text}}


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _signed(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
