"""Where alerts for a member of staff go: a chat robot's address, or an e-mail address (C5, P7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["wecom", "dingtalk", "feishu", "email"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_EMAIL = re.compile(r"[^\s@,;:<>()\"]+@[^\s@,;:<>()\"]+\.[^\s@,;:<>()\".]+")
# the robot's token, alone or in the address that the chat shows
_TOKENS = {
    "wecom": re.compile(
        r"(?:https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=)?([A-Za-z0-9_-]{16,100})", re.ASCII
    ),
    "dingtalk": re.compile(
        r"(?:https://oapi\.dingtalk\.com/robot/send\?access_token=)?([A-Za-z0-9]{32,100})", re.ASCII
    ),
    "feishu": re.compile(
        r"(?:https://open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/)?([A-Za-z0-9_-]{16,100})",
        re.ASCII,
    ),
}
_SECRET = re.compile(r"[A-Za-z0-9_-]{8,100}", re.ASCII)
SIGNED = frozenset({"dingtalk", "feishu"})  # robots that may ask for a signature


class AlertAddressError(ValueError):
    """What was typed is no address of its kind: `code` says which part, `kind` for what."""

    def __init__(self, code: Literal["kind", "address", "secret"], kind: str) -> None:
        super().__init__(f"{kind}: {code}")
        self.code = code
        self.kind = kind


@dataclass(frozen=True)
class AlertAddress:
    """One person's address: a robot's token with the secret by which it is signed, or an e-mail address."""

    kind: Kind
    target: str
    secret: str = ""

    def stored(self) -> str:
        """As it is stored: `wecom:KEY`, `dingtalk:TOKEN:SECRET`, `email:office@example.org`."""
        return ":".join(part for part in (self.kind, self.target, self.secret) if part)


def read(stored: str) -> AlertAddress | None:
    """A stored address; None for one of another form, such as an apprise URL that IT entered."""
    kind, _colon, rest = stored.partition(":")
    for known in KINDS:
        if kind == known and rest and not rest.startswith("//"):
            target, _colon, secret = rest.partition(":")
            return AlertAddress(known, target, secret)
    return None


def typed(kind: str, address: str, secret: str = "") -> AlertAddress:
    """The address that a person typed. Raises AlertAddressError.

    A robot's address may be pasted whole; only the hosts of the three services are taken, so that nobody lets
    the server call another one.

    Example: `typed("email", "a@example.org")` is `AlertAddress("email", "a@example.org")`.
    """
    address, secret = address.strip(), secret.strip()
    for known in KINDS:
        if kind == known:
            return _checked(known, address, secret)
    raise AlertAddressError("kind", kind)


def _checked(kind: Kind, address: str, secret: str) -> AlertAddress:
    if kind == "email":
        if len(address) > 200 or not _EMAIL.fullmatch(address):
            raise AlertAddressError("address", kind)
        return AlertAddress(kind, address)
    found = _TOKENS[kind].fullmatch(address)
    if found is None:
        raise AlertAddressError("address", kind)
    if secret and (kind not in SIGNED or not _SECRET.fullmatch(secret)):
        raise AlertAddressError("secret", kind)
    return AlertAddress(kind, found[1], secret)
