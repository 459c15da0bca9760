"""A paper before it is printed, and how it is laid onto pages: letterhead, title, parts, foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from office.documents.pdf.blocks import Part, frame
from office.documents.pdf.font import width
from office.documents.pdf.layout import FORMATS, Page, Sheet
from office.documents.pdf.values import Estate
from office.documents.pdf.wording import Words, words_of

Mark = Literal["", "copy", "void"]
Progress = Callable[[int, int], None]  # papers done, pages done


@dataclass(frozen=True)
class Letterhead:
    """Who writes: the estate's office, or a law firm."""

    name: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Paper:
    """All of one paper in the language it will be read in."""

    kind: str
    language: str
    head: Letterhead
    time_zone: str
    title: str
    number: str
    parts: Sequence[Part]
    under_title: Sequence[str] = ()
    mark: Mark = ""
    form: Literal["a4", "a4_wide", "a5_wide"] = "a4"


@dataclass(frozen=True)
class Layout:
    """A paper on its pages; `missing` are the characters the font lacks."""

    pages: Sequence[Page]
    missing: frozenset[str]


def letterhead(estate: Estate, words: Words) -> Letterhead:
    contact = [words.pair("phone", estate.phone)] if estate.phone else []
    if estate.office_hours:
        contact.append(words.pair("office_hours", estate.office_hours))
    lines = [estate.address] if estate.address else []
    return Letterhead(estate.name, (*lines, "　".join(contact)) if contact else tuple(lines))


def lay_out(paper: Paper, printed_at: datetime) -> Layout:
    """The pages of the paper; `printed_at` is an aware instant, shown in the office's own time."""
    words = words_of(paper.language)
    sheet = Sheet(FORMATS[paper.form])
    _head(sheet, paper)
    for part in paper.parts:
        part.place(sheet)
    _foot(sheet, paper, words, printed_at)
    return Layout(sheet.pages, frozenset(sheet.missing))


def _head(sheet: Sheet, paper: Paper) -> None:
    top = sheet.y
    name_lines = sheet.few(paper.head.name, 12.5, sheet.width * 0.5, 3)
    y = top - 11
    for line in name_lines:
        sheet.put(sheet.left, y, line, 12.5, "bold")
        y -= 17
    low = y
    y = top - 8
    for given in paper.head.lines[:4]:
        for line in sheet.few(given, 8, sheet.width * 0.48, 2):
            sheet.put(sheet.right - width(line, 8), y, line, 8, "faint")
            y -= 11.5
    sheet.y = min(low + 11, y + 6)
    sheet.page.bars.append((sheet.left, sheet.y - 1, sheet.width, 1))
    is_small = paper.form == "a5_wide"
    sheet.y -= 8 if is_small else 14
    if paper.mark:
        _stamp(sheet, words_of(paper.language)[f"mark_{paper.mark}"])
    sheet.text(paper.title, 16 if is_small else 19, ink="bold", align="center", leading=1.45)
    sheet.y -= 2
    if paper.under_title:
        sheet.text("　　".join(paper.under_title), 9, align="center")
    sheet.y -= 6 if is_small else 10


def _stamp(sheet: Sheet, word: str) -> None:
    """The mark once more in a frame beside the title, where no grid hides it."""
    wide = width(word, 13) + 16
    x, y = sheet.right - wide, sheet.y - 22
    sheet.put(x + 8, y + 5.5, word, 13, "bold")
    sheet.page.lines += frame(x, y, wide, 21)


def _foot(sheet: Sheet, paper: Paper, words: Words, printed_at: datetime) -> None:
    local = printed_at.astimezone(ZoneInfo(paper.time_zone))
    printed = words.pair("printed_at", f"{local:%Y-%m-%d %H:%M}")
    name = sheet.few(" ".join(f"{paper.title} {paper.number}".split()), 7.5, sheet.width * 0.42, 1)[0]
    y = sheet.form.bottom - 26
    for number, page in enumerate(sheet.pages, start=1):
        count = words.text("page_of", number=number, count=len(sheet.pages))
        page.lines.append((sheet.left, y + 12, sheet.right, y + 12))
        page.texts.append((sheet.left, y, 7.5, "faint", name))
        page.texts.append((sheet.left + (sheet.width - width(count, 7.5)) / 2, y, 7.5, "faint", count))
        page.texts.append((sheet.right - width(printed, 7.5), y, 7.5, "faint", printed))
