"""Lays lines, rows and grids onto pages: wrapping and breaking. Knows nothing of PDF.

Lengths are points; y grows upwards from the foot of the page, as on paper of the canvas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from typing import Literal

from office.documents.pdf.font import face, printable, unprintable, width

Align = Literal["left", "right", "center"]
Ink = Literal["plain", "bold", "faint"]
ASCENT = 0.88  # of the size: an ideograph's body above the base line
ROW_PAD = 3.5
CELL_PAD = 4.5
SMALL_PRINT = 8.5
HEAD_AGAIN = 24.0  # what title, number and payer take on a page that goes on
HEADING_ROOM = 60.0  # of a page that a table's repeated heading may take
LINES_TOGETHER = 2  # of a paragraph that is broken over pages, at its beginning and its end


@dataclass(frozen=True)
class Format:
    """A sheet with its margins; the side by which it is filed has room for punched holes (D10)."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    def times(self, factor: float) -> Format:
        """The same sheet so many times as large."""
        return self if factor == 1 else Format(*(length * factor for length in astuple(self)))


MM = 72 / 25.4
FORMATS = {
    "a4": Format(595.28, 841.89, 25 * MM, 44, 48, 58),
    "a4_wide": Format(841.89, 595.28, 42, 42, 20 * MM, 50),  # filed turned, by its upper edge
    "a5_wide": Format(595.28, 419.53, 20 * MM, 34, 30, 40),
    "slip_80": Format(80 * MM, 200 * MM, 4 * MM, 4 * MM, 5 * MM, 36),
}


@dataclass(slots=True)
class Page:
    """What stands on one page, ready for the canvas."""

    texts: list[tuple[float, float, float, Ink, str]] = field(default_factory=list)  # x, base line, size
    lines: list[tuple[float, float, float, float]] = field(default_factory=list)
    fills: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, width, height
    bars: list[tuple[float, float, float, float]] = field(default_factory=list)  # dark, as fills
    codes: list[tuple[float, float, float, str]] = field(default_factory=list)  # x, y, side, QR text
    pictures: list[tuple[float, float, float, str]] = field(default_factory=list)  # x, y, side, PNG in base64


@dataclass(slots=True)
class Cell:
    """One cell of a row: its wrapped lines between x and x + width."""

    x: float
    width: float
    lines: Sequence[str]
    align: Align = "left"
    ink: Ink = "plain"
    is_filled: bool = False


def row_height(cells: Sequence[Cell], size: float) -> float:
    """How high a row of these cells is."""
    return max(len(cell.lines) for cell in cells) * size * 1.35 + 2 * ROW_PAD


class Sheet:
    """The pages of one document while it is laid out; `y` is the top of what is still free."""

    def __init__(self, form: Format, running_head: tuple[str, str] = ("", "")) -> None:
        """`running_head`: what stands at the left and right above each page but the first."""
        self.form = form
        self.left = form.left
        self.right = form.width - form.right
        self.width = self.right - self.left
        self.pages: list[Page] = []
        self.missing: set[str] = set()
        self.running_head = running_head
        self.follows = 0.0  # how high the parts are that must stand on the page on which this one ends
        self.new_page()

    def new_page(self) -> None:
        self.page = Page()
        self.pages.append(self.page)
        self.y = self.form.height - self.form.top
        if len(self.pages) > 1 and any(self.running_head):
            self._head_again()

    def _head_again(self) -> None:
        left, right = self.running_head
        base = self.y - ASCENT * SMALL_PRINT
        self.put(self.left, base, self.few(left, SMALL_PRINT, self.width * 0.55, 1)[0], SMALL_PRINT)
        name = self.few(right, SMALL_PRINT, self.width * 0.42, 1)[0]
        self.put(self.right - width(name, SMALL_PRINT), base, name, SMALL_PRINT)
        self.page.lines.append((self.left, base - 5, self.right, base - 5))
        self.y -= HEAD_AGAIN

    @property
    def room(self) -> float:
        return self.y - self.form.bottom

    def need(self, height: float) -> None:
        """Goes to a new page when less than this is free (and a whole page would help)."""
        if self.room < height and self.room < self.whole - 1:
            self.new_page()

    @property
    def whole(self) -> float:
        """The height of a page that goes on from another."""
        again = HEAD_AGAIN if any(self.running_head) else 0
        return self.form.height - self.form.top - self.form.bottom - again

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
        self,
        text: str,
        size: float,
        *,
        ink: Ink = "plain",
        align: Align = "left",
        leading: float = 1.5,
        follows: float = 0,
    ) -> None:
        """Wrapped text over the whole width; over pages it is broken by lines, never a single one.

        `follows` is the height that must be free under its last line.
        """
        step = size * leading
        lines = self.wrapped(text, size, self.width)
        first, last = LINES_TOGETHER, max(len(lines) - LINES_TOGETHER, 0)
        for number, line in enumerate(lines):
            if number == 0:
                is_whole = len(lines) < 2 * LINES_TOGETHER
                self.need(len(lines) * step + follows if is_whole else first * step)
            elif number == last:
                self.need(LINES_TOGETHER * step + follows)
            elif first <= number < last:
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
        follows: float = 0,
    ) -> None:
        """A ruled row of cells; `heading` is repeated on each new page.

        Only a row that no page could hold is split. `follows` is the height that must be free under the row.
        """
        step = size * 1.35
        height = max(min_height, row_height(cells, size))
        wanted = min(height + follows, self.whole - HEADING_ROOM)
        if wanted > self.room and self.room < self.whole - HEADING_ROOM:
            is_splittable = height > self.whole - HEADING_ROOM and self.room > self.whole * 0.25
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
            height = row_height(cells, size)
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
_CLOSERS = "，。、；：？！）》”’」』】〉〕］｝…—～·％%)]},.;:!?々ー"
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
_MEASURES = "年月日天角分号號栋棟室層层户戶人次份个個期条條"
_WHOLE = "|".join(  # what is never broken: dates, document numbers, sums, numbers with their measure
    (
        r"[\u4e00-\u9fff]{0,3}〔\d{4}〕第? ?\d+ ?[号號]?",
        r"\d{1,4} ?年(?: ?\d{1,2} ?月(?: ?\d{1,2} ?日)?)?(?: \d{1,2}:\d{2}(?!\d))?",
        r"\d{1,2} ?月(?: ?\d{1,2} ?日)?(?: \d{1,2}:\d{2}(?!\d))?",
        rf"(?:\d{{1,2}} )?(?:{_MONTHS})\.? \d{{4}}(?: \d{{1,2}}:\d{{2}}(?!\d))?",
        rf"\d{{1,2}} (?:{_MONTHS})\b",
        r"(?:人民[币幣])?[零壹贰貳叁參肆伍陆陸柒捌玖拾佰仟万萬亿億元圆圓角分整正负負]{3,}",
        r"[-+−]?(?:HK|NT|US|RMB|CNY)?[¥￥$€] ?[-−]?[\d,]+(?:\.\d+)?(?: ?[元圆圓])?",
        r"\(?\d+\) [\d -]+\d",  # a phone number with its area
        rf"[-+−]?\d[\d,]*(?:\.\d+)?(?: ?[%％‰㎡]|元(?:/[㎡\w]{{1,3}}(?:·月)?)?|[{_MEASURES}])(?![\da-zA-Z])",
    )
)
_WORD = r"[!-~\u00a1-\u024f]+(?:(?<=\d) (?=\d)[!-~]+)*"  # groups of digits stay together
_PIECE = re.compile(
    rf" +|[{re.escape(_OPENERS)}]*(?:{_WHOLE}|{_WORD}|[^ ])[{re.escape(_CLOSERS)}]*", re.ASCII
)


@lru_cache(maxsize=4096)
def unbroken(text: str, size: float) -> float:
    """The width of the longest part of a text that may not be broken, such as a date or a sum."""
    return max((width(piece, size) for piece in _PIECE.findall(text.replace("\n", " "))), default=0.0)


@lru_cache(maxsize=4096)
def wrap(text: str, size: float, limit: float) -> tuple[str, ...]:
    """The text in lines no wider than the limit.

    Breaks between ideographs, keeps dates, sums, numbers, Latin words and the punctuation that belongs to its
    neighbour together, and cuts what is longer than a line.
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
