"""Personal data at rest: sealed text that can be found again only by its exact value (P3).

One key per installation, derived from the secret key. `seal` is for storing, `fingerprint` for the
column beside it that an exact search compares.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


@dataclass(frozen=True)
class Keys:
    """What is derived from one secret key: the key that seals, and the one that makes fingerprints."""

    sealing: bytes
    finder: bytes

    @classmethod
    def of(cls, secret_key: str) -> Keys:
        """The keys of an installation's secret key."""
        root = secret_key.encode()
        return cls(
            hmac.new(root, b"gatehouse: seal", hashlib.sha256).digest(),
            hmac.new(root, b"gatehouse: find", hashlib.sha256).digest(),
        )

    def seal(self, text: str) -> str:
        return _cipher(self.sealing).encrypt(text.encode()).decode()

    def opened(self, token: str) -> str | None:
        """The text that was sealed, or None when it was sealed with another key."""
        from cryptography.fernet import InvalidToken

        try:
            return _cipher(self.sealing).decrypt(token.encode()).decode()
        except InvalidToken:
            return None

    def fingerprint(self, text: str) -> str:
        plain = "".join(text.split()).casefold()
        return hmac.new(self.finder, plain.encode(), hashlib.sha256).hexdigest()


class _InUse:
    keys = Keys(b"", b"")


def configure(secret_key: str) -> None:
    """Take an installation's secret key into use; called by create_app."""
    _InUse.keys = Keys.of(secret_key)


def in_use() -> Keys:
    """The keys in use."""
    return _InUse.keys


@cache
def _cipher(key: bytes) -> Fernet:
    from cryptography.fernet import Fernet

    if not key:
        raise RuntimeError("models.secrets.configure was not called")
    return Fernet(base64.urlsafe_b64encode(key))


def seal(text: str) -> str:
    return _InUse.keys.seal(text)


def unseal(token: str) -> str:
    """The text again, or an empty string when it was sealed with another secret key."""
    return _InUse.keys.opened(token) or ""


def fingerprint(text: str) -> str:
    """A keyed hash by which an exact value is found; spaces and letter case do not matter."""
    return _InUse.keys.fingerprint(text)


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
