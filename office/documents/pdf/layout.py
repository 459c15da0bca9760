"""Lays lines, rows and grids onto pages: wrapping and breaking. Knows nothing of PDF.

Lengths are points; y grows upwards from the foot of the page, as on paper of the canvas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from office.documents.pdf.font import face, printable, unprintable, width

Align = Literal["left", "right", "center"]
Ink = Literal["plain", "bold", "faint"]
ASCENT = 0.88  # of the size: an ideograph's body above the base line
ROW_PAD = 3.5
CELL_PAD = 4.5


@dataclass(frozen=True)
class Format:
    width: float
    height: float
    side: float
    top: float
    bottom: float


FORMATS = {
    "a4": Format(595.28, 841.89, 54, 48, 58),
    "a4_wide": Format(841.89, 595.28, 42, 42, 50),
    "a5_wide": Format(595.28, 419.53, 40, 30, 40),
}


@dataclass(slots=True)
class Page:
    """What stands on one page, ready for the canvas."""

    texts: list[tuple[float, float, float, Ink, str]] = field(default_factory=list)  # x, base line, size
    lines: list[tuple[float, float, float, float]] = field(default_factory=list)
    fills: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, width, height
    bars: list[tuple[float, float, float, float]] = field(default_factory=list)  # dark, as fills
    codes: list[tuple[float, float, float, str]] = field(default_factory=list)  # x, y, side, QR text


@dataclass(slots=True)
class Cell:
    """One cell of a row: its wrapped lines between x and x + width."""

    x: float
    width: float
    lines: Sequence[str]
    align: Align = "left"
    ink: Ink = "plain"
    is_filled: bool = False


class Sheet:
    """The pages of one document while it is laid out; `y` is the top of what is still free."""

    def __init__(self, form: Format) -> None:
        self.form = form
        self.left = form.side
        self.right = form.width - form.side
        self.width = self.right - self.left
        self.pages: list[Page] = []
        self.missing: set[str] = set()
        self.new_page()

    def new_page(self) -> None:
        self.page = Page()
        self.pages.append(self.page)
        self.y = self.form.height - self.form.top

    @property
    def room(self) -> float:
        return self.y - self.form.bottom

    def need(self, height: float) -> None:
        """Goes to a new page when less than this is free (and a whole page would help)."""
        if self.room < height and self.room < self._full:
            self.new_page()

    @property
    def _full(self) -> float:
        return self.form.height - self.form.top - self.form.bottom

    def clean(self, text: str) -> str:
        """The text as the font can print it; what it lacks is remembered in `missing`."""
        if not face().known.issuperset(text):
            self.missing |= unprintable(text)
            text = printable(text)
        return text

    def wrapped(self, text: str, size: float, limit: float) -> tuple[str, ...]:
        """The cleaned text in lines no wider than the limit; at least one line."""
        return wrap(self.clean(text), size, limit)

    def few(self, text: str, size: float, limit: float, most: int) -> tuple[str, ...]:
        """As `wrapped`, where there is room for only so many lines: the rest is cut with an ellipsis."""
        lines = self.wrapped(text, size, limit)
        if len(lines) <= most:
            return lines
        last = lines[most - 1]
        while last and width(last + "…", size) > limit:
            last = last[:-1]
        return (*lines[: most - 1], last + "…")

    def put(self, x: float, y: float, text: str, size: float, ink: Ink = "plain") -> None:
        """Cleaned text with its base line at y."""
        if text:
            self.page.texts.append((x, y, size, ink, text))

    def put_line(self, cell: Cell, y: float, text: str, size: float) -> None:
        if cell.align == "right":
            x = cell.x + cell.width - CELL_PAD - width(text, size)
        elif cell.align == "center":
            x = cell.x + (cell.width - width(text, size)) / 2
        else:
            x = cell.x + CELL_PAD
        self.put(x, y, text, size, cell.ink)

    def text(
        self, text: str, size: float, *, ink: Ink = "plain", align: Align = "left", leading: float = 1.5
    ) -> None:
        """Wrapped text over the whole width, broken over pages by lines."""
        step = size * leading
        for line in self.wrapped(text, size, self.width):
            self.need(step)
            x = self.left
            if align != "left":
                x += (self.width - width(line, size)) / (2 if align == "center" else 1)
            self.put(x, self.y - (step - size) / 2 - ASCENT * size, line, size, ink)
            self.y -= step

    def row(
        self,
        cells: Sequence[Cell],
        size: float,
        *,
        min_height: float = 0,
        heading: Callable[[], None] | None = None,
    ) -> None:
        """A ruled row of cells; `heading` is repeated on each new page; a row taller than a page is split."""
        step = size * 1.35
        height = max(min_height, max(len(cell.lines) for cell in cells) * step + 2 * ROW_PAD)
        if height > self.room and self.room < self._full - 60:
            is_splittable = height > self._full * 0.5 and self.room > self._full * 0.25
            if not is_splittable:
                self.new_page()
                if heading:
                    heading()
        while height > self.room:
            fitting = max(int((self.room - 2 * ROW_PAD) / step), 1)
            rest = [
                Cell(cell.x, cell.width, cell.lines[fitting:], cell.align, cell.ink, cell.is_filled)
                for cell in cells
            ]
            self._draw_row(cells, fitting, self.room, size)
            self.new_page()
            if heading:
                heading()
            cells = rest
            height = max(len(cell.lines) for cell in cells) * step + 2 * ROW_PAD
        self._draw_row(cells, None, height, size)

    def _draw_row(self, cells: Sequence[Cell], count: int | None, height: float, size: float) -> None:
        page, top, bottom = self.page, self.y, self.y - height
        step = size * 1.35
        first = cells[0].x
        last = cells[-1].x + cells[-1].width
        page.lines.append((first, top, last, top))
        page.lines.append((first, bottom, last, bottom))
        for cell in cells:
            page.lines.append((cell.x, top, cell.x, bottom))
            if cell.is_filled:
                page.fills.append((cell.x, bottom, cell.width, height))
            base = top - ROW_PAD - (step - size) / 2 - ASCENT * size
            if cell.is_filled or height < 34:
                base -= max(height - 2 * ROW_PAD - len(cell.lines[:count]) * step, 0) / 2
            for line in cell.lines[:count]:
                self.put_line(cell, base, line, size)
                base -= step
        page.lines.append((last, top, last, bottom))
        self.y = bottom


_OPENERS = "（《“‘「『【〈〔［｛([{¥￥"
_CLOSERS = "，。、；：？！）》”’」』】〉〕］｝…—～·％"
_WORD = r"[!-~\u00a1-\u024f]+(?:(?<=\d) (?=\d)[!-~]+)*"  # groups of digits stay together
_PIECE = re.compile(rf" +|[{re.escape(_OPENERS)}]*(?:{_WORD}|[^ ])[{re.escape(_CLOSERS)}]*")


@lru_cache(maxsize=4096)
def wrap(text: str, size: float, limit: float) -> tuple[str, ...]:
    """The text in lines no wider than the limit.

    Breaks between ideographs, keeps Latin words and the punctuation that belongs to its neighbour together,
    and cuts what is longer than a line.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if width(paragraph, size) <= limit:
            lines.append(paragraph)
        else:
            lines.extend(_broken(paragraph, size, limit))
    return tuple(lines)


def _broken(paragraph: str, size: float, limit: float) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _PIECE.findall(paragraph):
        length = width(piece, size)
        if used + length > limit and line:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
            if piece.isspace() and piece[0] == " ":
                continue
        if length <= limit:
            line += piece
            used += length
            continue
        for character in piece:
            length = width(character, size)
            if used + length > limit and line:
                lines.append(line)
                line, used = "", 0.0
            line += character
            used += length
    if line:
        lines.append(line.rstrip(" "))
    return lines or [""]
