"""Personal data at rest: sealed text that can be found again only by its exact value (P3).

One key per installation, derived from the secret key. `seal` is for storing, `fingerprint` for the
column beside it that an exact search compares.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator


class _Keys:
    cipher: Fernet | None = None
    finder: bytes = b""


def configure(secret_key: str) -> None:
    """Derive the two keys from the installation's secret key; called once by create_app."""
    root = secret_key.encode()
    _Keys.cipher = Fernet(
        base64.urlsafe_b64encode(hmac.new(root, b"gatehouse: seal", hashlib.sha256).digest())
    )
    _Keys.finder = hmac.new(root, b"gatehouse: find", hashlib.sha256).digest()


def seal(text: str) -> str:
    if _Keys.cipher is None:
        raise RuntimeError("models.secrets.configure was not called")
    return _Keys.cipher.encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """The text again, or an empty string when it was sealed with another secret key."""
    if _Keys.cipher is None:
        raise RuntimeError("models.secrets.configure was not called")
    try:
        return _Keys.cipher.decrypt(token.encode()).decode()
    except InvalidToken:
        return ""


def fingerprint(text: str) -> str:
    """A keyed hash by which an exact value is found; spaces and letter case do not matter."""
    plain = "".join(text.split()).casefold()
    return hmac.new(_Keys.finder, plain.encode(), hashlib.sha256).hexdigest()


def masked(text: str) -> str:
    """`138****0001` for a phone or ID number; short texts lose all but their ends."""
    if len(text) >= 11:
        return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"
    if len(text) >= 4:
        return f"{text[:1]}{'*' * (len(text) - 2)}{text[-1:]}"
    return "*" * len(text)


class Sealed(TypeDecorator[str]):
    """Text that is encrypted in the database and plain in Python."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else unseal(value)
