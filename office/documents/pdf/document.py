"""A document before it is printed, and how it is laid onto pages: letterhead, title, parts, foot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from office.documents.pdf.blocks import Block, frame, place_all
from office.documents.pdf.font import width
from office.documents.pdf.layout import FORMATS, MM, Page, Sheet
from office.documents.pdf.values import EstateDetails
from office.documents.pdf.wording import Words, words_of

HEAD_LINES = {"a4": 4, "a4_wide": 4, "a5_wide": 2, "slip_80": 0}  # of a letterhead, beside the name
Form = Literal["a4", "a4_wide", "a5_wide", "slip_80"]
Mark = Literal["", "copy", "void"]
Size = Literal["", "a3", "large"]  # as it is; on A3; with large type on the same sheet
Progress = Callable[[int, int], None]  # documents done, pages done


@dataclass(frozen=True)
class Letterhead:
    """Who writes: the estate's office, or a law firm."""

    name: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Document:
    """All of one document in the language it will be read in."""

    kind: str
    language: str
    head: Letterhead
    time_zone: str
    title: str
    number: str
    parts: Sequence[Block]
    under_title: Sequence[str] = ()
    mark: Mark = ""
    form: Form = "a4"
    word_set: str = "mainland"
    printed_at: datetime | None = None  # of its first print, where this is a copy
    payer: str = ""  # named again on each further page
    window: Sequence[str] = ()  # to whom and where it is posted, seen through the window of an envelope
    size: Size = ""


SIZES: Mapping[Size, tuple[float, float]] = {  # how large the sheet and its type become
    "": (1, 1),
    "a3": (2**0.5, 2**0.5),
    "large": (1, 1.4),
}
WINDOW_TOP, WINDOW_END = 52 * MM, 84 * MM  # from the upper edge: in the window of DL, C5, C6/5 and ZL alike
MOST_NAMED = 6  # characters that the font lacks, named at the foot of a page
WINDOW_LINES, WINDOW_WIDE = 5, 82 * MM


@dataclass(frozen=True)
class LaidOutDocument:
    """A document on its pages; `missing` are the characters the font lacks."""

    pages: Sequence[Page]
    missing: frozenset[str]


@lru_cache(maxsize=8)
def letterhead(estate: EstateDetails, words: Words) -> Letterhead:
    """The company by its full legal name and what identifies it, with the estate as the place (D1)."""
    place = (estate.name if estate.company_name else "", estate.address)
    registered = estate.registered_address if estate.registered_address != estate.address else ""
    lines = (
        place,
        (_pair(words, "phone", estate.phone), _pair(words, "registration_no", estate.registration_no)),
        (
            _pair(words, "office_hours", estate.office_hours),
            _pair(words, "legal_representative", estate.legal_representative),
        ),
        (_pair(words, "registered_address", registered), _pair(words, "licence", estate.licence)),
    )
    joined = ("　".join(part for part in line if part) for line in lines)
    return Letterhead(estate.creditor, tuple(line for line in joined if line))


def _pair(words: Words, key: str, value: str) -> str:
    return words.pair(key, value) if value else ""


def lay_out(document: Document, printed_at: datetime) -> LaidOutDocument:
    """The pages of the document; `printed_at` is an aware instant, shown in the office's own time."""
    words = words_of(document.language, document.word_set)
    named = " ".join(f"{document.title} {document.number}".split())
    sheet_size, type_size = SIZES[document.size]
    sheet = Sheet(FORMATS[document.form].times(sheet_size / type_size), (named, document.payer))
    _head(sheet, document)
    place_all(document.parts, sheet)
    _foot(sheet, document, words, document.printed_at or printed_at)
    return LaidOutDocument(sheet.pages, frozenset(sheet.missing))


def _head(sheet: Sheet, document: Document) -> None:
    top = sheet.y
    name_lines = sheet.few(document.head.name, 12.5, sheet.width * 0.5, 3)
    y = top - 11
    for line in name_lines:
        sheet.put(sheet.left, y, line, 12.5, "bold")
        y -= 17
    low = y
    beside = sheet.width - 24 - max((width(line, 12.5) for line in name_lines), default=0.0)
    y = top - 8
    for given in document.head.lines[: HEAD_LINES[document.form]]:
        for line in sheet.few(given, 8, beside, 2):
            sheet.put(sheet.right - width(line, 8), y, line, 8, "faint")
            y -= 11.5
    sheet.y = min(low + 11, y + 6)
    sheet.page.bars.append((sheet.left, sheet.y - 1, sheet.width, 1))
    is_small = document.form in {"a5_wide", "slip_80"}
    sheet.y -= 8 if is_small else 14
    if document.mark:
        _stamp(sheet, words_of(document.language, document.word_set)[f"mark_{document.mark}"])
    if document.window:
        _envelope(sheet, document)
        return
    sheet.text(document.title, 16 if is_small else 19, ink="bold", align="center", leading=1.45)
    sheet.y -= 2
    if document.under_title:
        sheet.text("　　".join(document.under_title), 9, align="center")
    sheet.y -= 6 if is_small else 10


def _envelope(sheet: Sheet, document: Document) -> None:
    """Who gets it, where a sheet folded in three shows it through the window; beside it title and number."""
    top = sheet.form.height - WINDOW_TOP
    sender = " · ".join((document.head.name, *document.head.lines[:1]))
    sheet.put(sheet.left, top + 3, sheet.few(sender, 6.5, WINDOW_WIDE, 1)[0], 6.5, "faint")
    sheet.page.lines.append((sheet.left, top, sheet.left + WINDOW_WIDE, top))
    lines = [line for said in document.window for line in sheet.few(said, 10.5, WINDOW_WIDE, 2)]
    y = top - 14
    for line in lines[:WINDOW_LINES]:
        sheet.put(sheet.left, y, line, 10.5)
        y -= 15
    x = sheet.left + WINDOW_WIDE + 8 * MM
    y = top - 12
    for line in sheet.few(document.title, 17, sheet.right - x, 3):
        sheet.put(x, y, line, 17, "bold")
        y -= 23
    for said in document.under_title:
        for line in sheet.few(said, 9, sheet.right - x, 2):
            sheet.put(x, y + 4, line, 9)
            y -= 14
    sheet.y = min(sheet.y, sheet.form.height - WINDOW_END)


def _stamp(sheet: Sheet, word: str) -> None:
    """The mark once more in a frame beside the title, where no grid hides it."""
    wide = width(word, 13) + 16
    x, y = sheet.right - wide, sheet.y - 22
    sheet.put(x + 8, y + 5.5, word, 13, "bold")
    sheet.page.lines += frame(x, y, wide, 21)


def _foot(sheet: Sheet, document: Document, words: Words, printed_at: datetime) -> None:
    local = printed_at.astimezone(ZoneInfo(document.time_zone))
    printed = words.pair("printed_at", f"{local:%Y-%m-%d %H:%M}")
    name = sheet.few(" ".join(f"{document.title} {document.number}".split()), 7.5, sheet.width * 0.42, 1)[0]
    y = sheet.form.bottom - 26
    codes = words.comma.join(f"U+{ord(character):04X}" for character in sorted(sheet.missing)[:MOST_NAMED])
    lacking = words.text("lacking", codes=codes) if codes else ""
    for number, page in enumerate(sheet.pages, start=1):
        count = words.text("page_of", number=number, count=len(sheet.pages))
        page.lines.append((sheet.left, y + 12, sheet.right, y + 12))
        page.texts.append((sheet.left, y, 7.5, "faint", name))
        page.texts.append((sheet.left + (sheet.width - width(count, 7.5)) / 2, y, 7.5, "faint", count))
        page.texts.append((sheet.right - width(printed, 7.5), y, 7.5, "faint", printed))
        if lacking:
            page.texts.append((sheet.left, y - 10, 7.5, "plain", lacking))
