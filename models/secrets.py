"""Personal data at rest: sealed text that can be found again only by its exact value (P3).

One key per installation, derived from the secret key. `seal` is for storing, `fingerprint` for the
column beside it that an exact search compares.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class _Keys:
    sealing: bytes = b""
    finder: bytes = b""


def configure(secret_key: str) -> None:
    """Derive the two keys from the installation's secret key; called once by create_app."""
    root = secret_key.encode()
    _Keys.sealing = hmac.new(root, b"gatehouse: seal", hashlib.sha256).digest()
    _Keys.finder = hmac.new(root, b"gatehouse: find", hashlib.sha256).digest()


@cache
def _cipher(key: bytes) -> Fernet:
    from cryptography.fernet import Fernet

    if not key:
        raise RuntimeError("models.secrets.configure was not called")
    return Fernet(base64.urlsafe_b64encode(key))


def seal(text: str) -> str:
    return _cipher(_Keys.sealing).encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """The text again, or an empty string when it was sealed with another secret key."""
    from cryptography.fernet import InvalidToken

    try:
        return _cipher(_Keys.sealing).decrypt(token.encode()).decode()
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
