"""What identifies who manages an estate: registration number and public address (D1, D9)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # of a unified social credit code (GB 32100)
_LENGTH = 18


def registration_number(given: str) -> str:
    """A registration number without blanks, in capitals: `91310000MA1FL5E91N`, or a local one as it is.

    What has the length of a unified social credit code must be one, by its check digit. Raises ValueError.

    >>> registration_number(" 91310000ma1fl5e91n "), registration_number("7654-3210")
    ('91310000MA1FL5E91N', '7654-3210')
    """
    number = "".join(unicodedata.normalize("NFKC", given).split()).upper()
    if len(number) == _LENGTH and number.isascii() and number.isalnum() and not _is_credit_code(number):
        raise ValueError(given)
    return number


def _is_credit_code(number: str) -> bool:
    if not set(number) <= set(_ALPHABET):
        return False
    total = sum(_ALPHABET.index(letter) * pow(3, place, 31) for place, letter in enumerate(number[:-1]))
    return _ALPHABET[-total % 31] == number[-1]


def base_address(given: str) -> str:
    """The address under which residents reach the program, without a slash at its end; empty stays so.

    Raises ValueError for what is no plain `http://` or `https://` address of a host.

    >>> base_address("https://office.example.com/")
    'https://office.example.com'
    """
    address = unicodedata.normalize("NFKC", given).strip().rstrip("/")
    if not address:
        return ""
    parts = urlsplit(address)
    host, _port = parts.hostname or "", parts.port  # a port that is no number raises
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not is_plain or not re.fullmatch(r"[\w.:-]+", host):
        raise ValueError(given)
    if re.search(r"[\s<>\"'\\]", address):
        raise ValueError(given)
    return address
