"""The parts of which every document is made; each knows how to lay itself onto a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from office.documents.pdf.font import width
from office.documents.pdf.layout import CELL_PAD, Align, Cell, Ink, Sheet

BODY = 10.5
SMALL = 9.0
LABEL_SHARE = 0.4  # of a pair's width that a label may take
LONGEST_CODE = 120  # characters that a QR code of this size can hold and a phone can read
FIT_SHARE = 0.35  # of a table's width that a column fitted to its text may take


class Block(Protocol):
    def place(self, sheet: Sheet) -> None: ...


@dataclass(frozen=True)
class Text:
    """Paragraphs; `is_indented` gives each the two empty squares of a Chinese letter."""

    text: str
    size: float = BODY
    ink: Ink = "plain"
    align: Align = "left"
    is_indented: bool = False
    after: float = 6

    def place(self, sheet: Sheet) -> None:
        for paragraph in self.text.splitlines():
            start = "　　" if self.is_indented and paragraph.strip() else ""
            sheet.text(start + paragraph, self.size, ink=self.ink, align=self.align)
        sheet.y -= self.after


@dataclass(frozen=True)
class Fact:
    """A label with its value; a wide one takes a row of its own, `min_height` leaves room for handwriting."""

    label: str
    value: str
    is_wide: bool = False
    min_height: float = 0


@dataclass(frozen=True)
class Facts:
    """Labels and values as a ruled grid, `columns` pairs side by side."""

    facts: Sequence[Fact]
    columns: int = 2
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        share = sheet.width / self.columns
        natural = max((width(sheet.clean(fact.label), SMALL) for fact in self.facts), default=0.0)
        label_width = min(natural + 2 * CELL_PAD + 1, share * LABEL_SHARE)
        for row in self._rows():
            cells: list[Cell] = []
            x = sheet.left
            for position, fact in enumerate(row):
                is_last = position == len(row) - 1
                value_width = (sheet.right - x if is_last else share) - label_width
                cells.append(_cell(sheet, fact.label, x, label_width, is_filled=True))
                cells.append(_cell(sheet, fact.value, x + label_width, value_width))
                x += share
            sheet.row(cells, SMALL, min_height=max(20.0, *(fact.min_height for fact in row)))
        sheet.y -= self.after

    def _rows(self) -> list[list[Fact]]:
        rows: list[list[Fact]] = []
        open_row: list[Fact] = []
        for fact in self.facts:
            if fact.is_wide:
                if open_row:
                    rows.append(open_row)
                    open_row = []
                rows.append([fact])
                continue
            open_row.append(fact)
            if len(open_row) == self.columns:
                rows.append(open_row)
                open_row = []
        if open_row:
            rows.append(open_row)
        return rows


@dataclass(frozen=True)
class Column:
    """A column of a table; share 0 fits it to its texts, others divide what is left."""

    title: str
    share: float = 0
    align: Align = "left"


@dataclass(frozen=True)
class Table:
    """Rows under headings that are repeated on each page; the last `sums` rows stand in bold."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    sums: int = 0
    size: float = SMALL
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        rows = [[sheet.clean(text) for text in row] for row in self.rows]
        titles = [sheet.clean(column.title) for column in self.columns]
        widths = self._widths(sheet.width, titles, rows)
        starts = [sheet.left]
        for one in widths[:-1]:
            starts.append(starts[-1] + one)
        spots = list(zip(starts, widths, self.columns, strict=True))

        def heading() -> None:
            cells = [
                Cell(
                    x, w, sheet.wrapped(title, self.size, w - 2 * CELL_PAD), "center", "plain", is_filled=True
                )
                for title, (x, w, _) in zip(titles, spots, strict=True)
            ]
            sheet.row(cells, self.size)

        sheet.need(48)
        heading()
        for number, row in enumerate(rows):
            ink: Ink = "bold" if number >= len(rows) - self.sums else "plain"
            cells = [
                Cell(x, w, sheet.wrapped(text, self.size, w - 2 * CELL_PAD), column.align, ink)
                for text, (x, w, column) in zip(row, spots, strict=True)
            ]
            sheet.row(cells, self.size, heading=heading)
        sheet.y -= self.after

    def _widths(self, whole: float, titles: list[str], rows: list[list[str]]) -> list[float]:
        """Widths in points that fill the whole."""
        fitted: dict[int, float] = {}
        for number, column in enumerate(self.columns):
            if not column.share:
                texts = {titles[number], *(row[number] for row in rows)}
                longest = max(width(line, self.size) for text in texts for line in text.split("\n"))
                fitted[number] = min(longest + 2 * CELL_PAD + 1, whole * FIT_SHARE)
        taken = sum(fitted.values())
        shares = sum(column.share for column in self.columns)
        least = whole * 0.25 if shares else whole
        if taken > whole - least or not shares:
            scale = (whole - least if shares else whole) / taken
            fitted = {number: wide * scale for number, wide in fitted.items()}
            taken = sum(fitted.values())
        return [
            fitted[number] if number in fitted else (whole - taken) * column.share / shares
            for number, column in enumerate(self.columns)
        ]


@dataclass(frozen=True)
class Totals:
    """Sums at the right, the last one large."""

    rows: Sequence[tuple[str, str]]
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        sheet.need(18.0 * len(self.rows) + 6)
        for number, (label, amount) in enumerate(self.rows):
            is_last = number == len(self.rows) - 1
            size, ink = (12.0, "bold") if is_last else (SMALL + 0.5, "plain")
            sheet.y -= 18 if is_last else 15
            value = sheet.clean(amount)
            start = sheet.right - 2 - width(value, size)
            name = sheet.clean(label)
            end = min(sheet.right - 110, start - 12)
            sheet.put(start, sheet.y, value, size, ink)  # type: ignore[arg-type]  # a literal of the pair above
            sheet.put(end - width(name, SMALL + 0.5), sheet.y, name, SMALL + 0.5)
        sheet.y -= self.after


@dataclass(frozen=True)
class PayBox:
    """Ways to pay beside a QR code whose text is what the payer's transfer must carry to be matched (M5)."""

    title: str
    ways: Sequence[str]
    memo_label: str
    memo: str
    caption: str
    side: float = 78
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        has_code = len(self.memo) <= LONGEST_CODE
        limit = sheet.width - self.side - 36
        memo = sheet.few(f"{self.memo_label}{self.memo}", BODY, limit, 3)
        ways = [line for way in self.ways[:12] for line in sheet.few(way, SMALL, limit, 2)]
        caption = sheet.wrapped(self.caption, 7.5, self.side + 12)
        left = 18 + len(ways) * 13.5 + len(memo) * 17 + 10
        right = self.side + 16 + len(caption) * 10 + 4
        height = max(left, right)
        sheet.need(height)
        top = sheet.y
        sheet.page.lines.extend(frame(sheet.left, top - height, sheet.width, height))
        x, y = sheet.left + 10, top - 17
        sheet.put(x, y, sheet.clean(self.title), 10, "bold")
        y -= 3
        for line in ways:
            y -= 13.5
            sheet.put(x, y, line, SMALL)
        y -= 4
        for line in memo:
            y -= 17
            sheet.put(x, y + 1, line, BODY, "bold")
        code_x = sheet.right - self.side - 12
        y = top - self.side - 10
        if has_code:
            sheet.page.codes.append((code_x, y, self.side, self.memo))
        for line in caption if has_code else ():
            y -= 10
            sheet.put(code_x + (self.side - width(line, 7.5)) / 2, y, line, 7.5, "faint")
        sheet.y = top - height - self.after


@dataclass(frozen=True)
class WritingLines:
    """Empty ruled lines under a label, for handwriting."""

    label: str
    lines: int = 2
    after: float = 8

    def place(self, sheet: Sheet) -> None:
        sheet.need(16.0 + self.lines * 20)
        sheet.text(self.label, SMALL)
        for _ in range(self.lines):
            sheet.y -= 20
            sheet.page.lines.append((sheet.left, sheet.y, sheet.right, sheet.y))
        sheet.y -= self.after


@dataclass(frozen=True)
class Signatures:
    """Who signs, side by side, each with a line and, where given, a date; kept together."""

    labels: Sequence[str]
    date_label: str = ""
    after: float = 8

    def place(self, sheet: Sheet) -> None:
        size = SMALL + 0.5
        share = sheet.width / max(len(self.labels), 1)
        wrapped = [sheet.few(label, size, share - 24, 3) for label in self.labels]
        label_height = max((len(lines) for lines in wrapped), default=1) * 14.0
        height = label_height + (56 if self.date_label else 30)
        sheet.need(height)
        top = sheet.y - 6
        line_y = top - label_height - 20
        date = sheet.clean(self.date_label)
        for number, lines in enumerate(wrapped):
            x = sheet.left + number * share
            for position, line in enumerate(lines):
                sheet.put(x, top - 10 - position * 14, line, size)
            sheet.page.lines.append((x, line_y, x + share - 24, line_y))
            sheet.put(x, line_y - 16, date, SMALL, "faint")
        sheet.y -= height + self.after


@dataclass(frozen=True)
class Issuer:
    """Who issued it and when, at the right, with room for the seal."""

    name: str
    date: str
    seal: str
    after: float = 6

    def place(self, sheet: Sheet) -> None:
        sheet.need(64)
        sheet.y -= 8
        sheet.text(self.name, BODY, align="right", leading=1.7)
        sheet.text(self.date, BODY, align="right", leading=1.7)
        if self.seal:
            sheet.text(self.seal, SMALL, ink="faint", align="right")
        sheet.y -= self.after


@dataclass(frozen=True)
class Codes:
    """Short codes in a ruled grid, as many beside each other as fit."""

    codes: Sequence[str]
    size: float = 12.0
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        cleaned = [" ".join(sheet.clean(code).split()) for code in self.codes]
        widest = max((width(code, self.size) for code in cleaned), default=1.0)
        columns = max(1, min(6, int(sheet.width / (widest + 24))))
        share = sheet.width / columns
        for start in range(0, len(cleaned), columns):
            row = [*cleaned[start : start + columns]]
            row += [""] * (columns - len(row))
            cells = [
                Cell(
                    sheet.left + number * share,
                    share,
                    sheet.wrapped(code, self.size, share - 2 * CELL_PAD),
                    "center",
                )
                for number, code in enumerate(row)
            ]
            sheet.row(cells, self.size, min_height=26)
        sheet.y -= self.after


def _cell(sheet: Sheet, text: str, x: float, wide: float, *, is_filled: bool = False) -> Cell:
    return Cell(x, wide, sheet.wrapped(text, SMALL, wide - 2 * CELL_PAD), is_filled=is_filled)


def frame(x: float, y: float, wide: float, high: float) -> list[tuple[float, float, float, float]]:
    """The four lines of a box whose lower left corner is x, y."""
    return [
        (x, y, x + wide, y),
        (x, y + high, x + wide, y + high),
        (x, y, x, y + high),
        (x + wide, y, x + wide, y + high),
    ]
