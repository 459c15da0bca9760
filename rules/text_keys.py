"""Text that names something (unit codes, buildings, meters, slip and ticket numbers, logins), in one form."""

from __future__ import annotations

import re
import unicodedata

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－⁃˗➖"), "-")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad"))
_BLANKS = re.compile(r"[ \t\r\n\x0b\x0c\x85\u2028\u2029]+")


def folded(text: str) -> str:
    """The text with full-width forms and every kind of dash made plain, and unseen characters gone."""
    return unicodedata.normalize("NFKC", text.translate(_DASHES)).translate(_DASHES | _UNSEEN)


def text_key(text: str) -> str:
    """The form in which such a text is stored and searched: `１－１０１`, ` 1-101`, `1–101` are `1-101`.

    Full-width forms and every kind of blank and dash made plain, unseen characters gone, the ends trimmed.
    """
    return _BLANKS.sub(" ", folded(text)).strip()


def compared_key(text: str) -> str:
    """The form in which two such texts are compared: as stored, without regard to case."""
    return text_key(text).casefold()
