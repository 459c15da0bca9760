"""The one font of all documents: what it can print and how wide that is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

FONT_NAME = "GatehouseSans"
GETA = "〓"  # stands where the font has no character, as printers have always done
_FILE = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"


class Face(NamedTuple):
    known: frozenset[str]  # printed as they stand
    widths: Mapping[str, float]  # share of the size


@cache
def face() -> Face:
    """The characters of the font with their widths; registers the font with reportlab on first use."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    font = TTFont(FONT_NAME, str(_FILE), shapable=False)
    pdfmetrics.registerFont(font)
    characters = {chr(code) for code in font.face.charToGlyph}
    widths = {c: font.face.getCharWidth(ord(c)) / 1000 for c in characters}
    known = frozenset(c for c in characters if c in " 　" or unicodedata.category(c)[0] not in "CMZ")
    return Face(known, widths)


def unprintable(text: str) -> set[str]:
    """The characters of the text that the font can't print (line breaks and invisible ones are no loss)."""
    if face().known.issuperset(text):
        return set()
    return {character for character in _visible(text) if character not in face().known} - {"\n"}


def printable(text: str) -> str:
    """The text as it will be printed, with 〓 for each character that the font lacks.

    Line breaks and spaces come in one form, invisible characters are left out.
    """
    known = face().known
    if known.issuperset(text):
        return text
    return "".join(c if c in known or c == "\n" else GETA for c in _visible(text))


def width(text: str, size: float) -> float:
    """How wide the text is in points, of characters that `printable` let through."""
    return sum(map(face().widths.__getitem__, text)) * size


def _visible(text: str) -> str:
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    kept = []
    for character in plain:
        category = unicodedata.category(character)
        if category == "Zs" and character != "　":
            kept.append(" ")
        elif category in {"Zl", "Zp"}:
            kept.append("\n")
        elif (
            character == "\n" or category == "Cs" or not (category in {"Cc", "Cf"} or _is_selector(character))
        ):
            kept.append(character)
    return "".join(kept)


def _is_selector(character: str) -> bool:
    """Variation selectors choose a form of the character before them; without them the usual form stands."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
