"""The parts of which every document is made; each knows how to lay itself onto a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from office.documents.pdf.font import width
from office.documents.pdf.layout import CELL_PAD, MM, Align, Cell, Ink, Sheet, row_height, unbroken

BODY = 10.5
SMALL = 9.0
LABEL_SHARE = 0.4  # of a pair's width that a label may take
LONGEST_CODE = 120  # characters that a QR code of this size can hold and a phone can read
CODES_BESIDE = 3  # codes to pay by in a row
FIT_SHARE = 0.35  # of a table's width that a column fitted to its text may take


HEADED = 60.0  # what must stand under a heading on the same page
SMALLEST = 6.0  # size to which a table shrinks so that its dates and sums stay whole
SEAL = 42 * MM  # across a company's seal, with a little air
SMALL_PART = 150.0  # a part no higher than this is not broken over pages


class Block(Protocol):
    """A part of a document.

    Its last piece is placed where `sheet.follows` is free under it: what comes next is kept with it.
    """

    def place(self, sheet: Sheet) -> None: ...

    def held(self, sheet: Sheet) -> float:
        """The height with which it must not stand without what comes before it; 0 where it may (D10)."""
        ...


class Standing:
    """A part that may begin a page."""

    def held(self, _sheet: Sheet) -> float:
        return 0.0


def place_all(parts: Sequence[Block], sheet: Sheet) -> None:
    """Lays the parts onto the sheet: signatures, seals and totals never stand alone on a page (D10)."""
    held = [part.held(sheet) for part in parts]
    follows = [0.0] * len(parts)
    for number in reversed(range(len(parts) - 1)):
        follows[number] = held[number + 1] + follows[number + 1] if held[number + 1] else 0.0
    for part, height in zip(parts, follows, strict=True):
        sheet.follows = height
        part.place(sheet)
    sheet.follows = 0.0


@dataclass(frozen=True)
class Text:
    """Paragraphs; `is_indented` gives each the two empty squares of a Chinese letter.

    One line or two belong to what stands before them; a heading belongs to what comes after it.
    """

    text: str
    size: float = BODY
    ink: Ink = "plain"
    align: Align = "left"
    is_indented: bool = False
    after: float = 6
    is_heading: bool = False

    def place(self, sheet: Sheet) -> None:
        paragraphs = self._paragraphs()
        for number, paragraph in enumerate(paragraphs, start=1):
            follows = 0.0
            if number == len(paragraphs):
                follows = self.after + (HEADED if self.is_heading else sheet.follows)
            sheet.text(paragraph, self.size, ink=self.ink, align=self.align, follows=follows)
        sheet.y -= self.after

    def _paragraphs(self) -> list[str]:
        return [
            "　　" + paragraph if self.is_indented and paragraph.strip() else paragraph
            for paragraph in self.text.splitlines()
        ]

    def held(self, sheet: Sheet) -> float:
        if self.is_heading or self.ink == "bold":
            return 0.0
        lines = sum(len(sheet.wrapped(one, self.size, sheet.width)) for one in self._paragraphs())
        return lines * self.size * 1.5 + self.after if lines <= 2 else 0.0


@dataclass(frozen=True)
class Fact:
    """A label with its value; a wide one takes a row of its own, `min_height` leaves room for handwriting."""

    label: str
    value: str
    is_wide: bool = False
    min_height: float = 0


@dataclass(frozen=True)
class Facts(Standing):
    """Labels and values as a ruled grid, `columns` pairs side by side; a small one is kept together."""

    facts: Sequence[Fact]
    columns: int = 2
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        share = sheet.width / self.columns
        natural = max((width(sheet.clean(fact.label), SMALL) for fact in self.facts), default=0.0)
        label_width = min(natural + 2 * CELL_PAD + 1, share * LABEL_SHARE)
        rows: list[tuple[list[Cell], float]] = []
        for row in self._rows():
            cells: list[Cell] = []
            x = sheet.left
            for position, fact in enumerate(row):
                is_last = position == len(row) - 1
                value_width = (sheet.right - x if is_last else share) - label_width
                cells.append(_cell(sheet, fact.label, x, label_width, is_filled=True))
                cells.append(_cell(sheet, fact.value, x + label_width, value_width))
                x += share
            rows.append((cells, max(20.0, *(fact.min_height for fact in row))))
        height = sum(max(least, row_height(cells, SMALL)) for cells, least in rows)
        if height <= SMALL_PART:
            sheet.need(height + self.after + sheet.follows)
        for number, (cells, least) in enumerate(rows, start=1):
            follows = self.after + sheet.follows if number == len(rows) else 0
            sheet.row(cells, SMALL, min_height=least, follows=follows)
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
class Table(Standing):
    """Rows under headings that are repeated on each page; the last `sums` rows stand in bold.

    A sum stands under two rows at least of what it adds up.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    sums: int = 0
    size: float = SMALL
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        rows = [[sheet.clean(text) for text in row] for row in self.rows]
        titles = [sheet.clean(column.title) for column in self.columns]
        size, widths = self._fitted(sheet.width, titles, rows)
        starts = [sheet.left]
        for one in widths[:-1]:
            starts.append(starts[-1] + one)
        spots = list(zip(starts, widths, self.columns, strict=True))
        head = [
            Cell(x, w, sheet.wrapped(title, size, w - 2 * CELL_PAD), "center", "plain", is_filled=True)
            for title, (x, w, _) in zip(titles, spots, strict=True)
        ]

        def heading() -> None:
            sheet.row(head, size)

        drawn = [
            [
                Cell(x, w, sheet.wrapped(text, size, w - 2 * CELL_PAD), column.align, self._ink(number))
                for text, (x, w, column) in zip(row, spots, strict=True)
            ]
            for number, row in enumerate(rows)
        ]
        last = max(len(rows) - self.sums - 2 * bool(self.sums), 0)  # the first row of those kept together
        end = [row_height(cells, size) for cells in drawn[last:]]
        first = row_height(drawn[0], size) if drawn else 0
        together = sum(end) + self.after + sheet.follows
        sheet.need(row_height(head, size) + (first if last else together))
        heading()
        for number, cells in enumerate(drawn):
            follows = together - sum(end[: number - last + 1]) if number >= last else 0
            sheet.row(cells, size, heading=heading, follows=follows)
        sheet.y -= self.after

    def _ink(self, number: int) -> Ink:
        return "bold" if number >= len(self.rows) - self.sums else "plain"

    def _fitted(self, whole: float, titles: list[str], rows: list[list[str]]) -> tuple[float, list[float]]:
        """The size of the type and the columns' widths in points, so that no date or sum is broken."""
        size = self.size
        columns = [{titles[number], *(row[number] for row in rows)} for number in range(len(self.columns))]
        while True:
            widths = self._widths(whole, titles, rows, size)
            least = [
                min(max(unbroken(text, size) for text in texts) + 2 * CELL_PAD + 1, whole * FIT_SHARE)
                for texts in columns
            ]
            if sum(least) <= whole:
                return size, _widened(widths, least)
            if size <= SMALLEST:
                return size, widths
            size -= 0.5

    def _widths(self, whole: float, titles: list[str], rows: list[list[str]], size: float) -> list[float]:
        """Widths in points that fill the whole."""
        fitted: dict[int, float] = {}
        for number, column in enumerate(self.columns):
            if not column.share:
                texts = {titles[number], *(row[number] for row in rows)}
                longest = max(width(line, size) for text in texts for line in text.split("\n"))
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


def _widened(widths: Sequence[float], least: Sequence[float]) -> list[float]:
    """The widths with none under its least; the others give what they can spare, all in all as wide."""
    lacking = sum(max(low - wide, 0) for wide, low in zip(widths, least, strict=True))
    spare = sum(max(wide - low, 0) for wide, low in zip(widths, least, strict=True))
    if not lacking:
        return list(widths)
    share = lacking / spare
    return [
        low if wide <= low else wide - (wide - low) * share for wide, low in zip(widths, least, strict=True)
    ]


@dataclass(frozen=True)
class Totals:
    """Sums at the right, the last one large."""

    rows: Sequence[tuple[str, str]]
    after: float = 10

    def held(self, _sheet: Sheet) -> float:
        return 15.0 * len(self.rows) + 3 + self.after

    def place(self, sheet: Sheet) -> None:
        sheet.need(self.held(sheet) + sheet.follows)
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
class PayBox(Standing):
    """Ways to pay beside the company's own codes to pay by, each with its name (D8).

    Where it has none, beside a code that holds what a transfer must carry to be matched (M5), `caption`
    saying that it pays nothing. `codes` are (name, PNG in base64).
    """

    title: str
    ways: Sequence[str]
    memo_label: str
    memo: str
    caption: str
    codes: Sequence[tuple[str, str]] = ()
    side: float = 78
    after: float = 10

    def place(self, sheet: Sheet) -> None:
        is_memo_coded = not self.codes and len(self.memo) <= LONGEST_CODE
        captions = [name for name, _picture in self.codes] or [self.caption] * is_memo_coded
        beside = min(len(captions), CODES_BESIDE)
        step = self.side + 12
        limit = sheet.width - max(beside, 1) * step - 24
        memo = sheet.few(f"{self.memo_label}{self.memo}", BODY, limit, 3)
        ways = [line for way in self.ways[:12] for line in sheet.few(way, SMALL, limit, 2)]
        labels = [sheet.wrapped(caption, 7.5, self.side + 10) for caption in captions]
        row_height = self.side + 6 + max((len(lines) for lines in labels), default=1) * 10
        rows = -(-len(captions) // CODES_BESIDE) or 1
        height = max(18 + len(ways) * 13.5 + len(memo) * 17 + 10, rows * row_height + 14)
        sheet.need(height + self.after + sheet.follows)
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
        for number, lines in enumerate(labels):
            row, column = divmod(number, CODES_BESIDE)
            code_x = sheet.right - (beside - column) * step
            y = top - self.side - 10 - row * row_height
            if is_memo_coded:
                sheet.page.codes.append((code_x, y, self.side, self.memo))
            else:
                sheet.page.pictures.append((code_x, y, self.side, self.codes[number][1]))
            for line in lines:
                y -= 10
                sheet.put(code_x + (self.side - width(line, 7.5)) / 2, y, line, 7.5, "faint")
        sheet.y = top - height - self.after


@dataclass(frozen=True)
class WritingLines(Standing):
    """Empty ruled lines under a label, for handwriting."""

    label: str
    lines: int = 2
    after: float = 8

    def place(self, sheet: Sheet) -> None:
        sheet.need(16.0 + self.lines * 20 + self.after + sheet.follows)
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

    def held(self, sheet: Sheet) -> float:
        return self._measured(sheet)[1] + self.after

    def _measured(self, sheet: Sheet) -> tuple[list[tuple[str, ...]], float]:
        """The labels in lines, and the height of the whole."""
        share = sheet.width / max(len(self.labels), 1)
        wrapped = [sheet.few(label, SMALL + 0.5, share - 24, 3) for label in self.labels]
        label_height = max((len(lines) for lines in wrapped), default=1) * 14.0
        return wrapped, label_height + (56 if self.date_label else 30)

    def place(self, sheet: Sheet) -> None:
        size = SMALL + 0.5
        share = sheet.width / max(len(self.labels), 1)
        wrapped, height = self._measured(sheet)
        label_height = height - (56 if self.date_label else 30)
        sheet.need(height + sheet.follows)
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
    """Who issued it and when, at the right; the seal goes over name and date, with room for all of it."""

    name: str
    date: str
    seal: str
    after: float = 6

    def held(self, _sheet: Sheet) -> float:
        return SEAL + self.after

    def place(self, sheet: Sheet) -> None:
        sheet.need(SEAL + sheet.follows)
        said = f"{self.name}\n{self.date}\n{self.seal}"
        widest = max(width(line, BODY) for line in sheet.clean(said).split("\n"))
        wide = min(max(widest + 12, SEAL), max(sheet.width * 0.62, SEAL))
        lines = (*sheet.few(self.name, BODY, wide, 3), *sheet.few(self.date, BODY, wide, 1))
        middle = sheet.right - wide / 2
        y = sheet.y - SEAL / 2 + len(lines) * 9 - 12
        for line in lines:
            sheet.put(middle - width(line, BODY) / 2, y, line, BODY)
            y -= 18
        if self.seal:
            seal = sheet.few(self.seal, SMALL, wide, 1)[0]
            sheet.put(middle - width(seal, SMALL) / 2, y, seal, SMALL, "faint")
        sheet.y -= SEAL + self.after


@dataclass(frozen=True)
class SignedAndSealed:
    """Who signs at the left, who issued it with the seal at the right."""

    signatures: Signatures
    issuer: Issuer

    def held(self, sheet: Sheet) -> float:
        return max(self.signatures.held(sheet), self.issuer.held(sheet))

    def place(self, sheet: Sheet) -> None:
        high = self.held(sheet)
        sheet.need(high + sheet.follows)
        top, left, right, wide = sheet.y, sheet.left, sheet.right, sheet.width
        middle = left + wide * 0.62
        for part, start, end in ((self.signatures, left, middle), (self.issuer, middle, right)):
            sheet.y, sheet.left, sheet.right, sheet.width = top, start, end, end - start
            part.place(sheet)
        sheet.left, sheet.right, sheet.width, sheet.y = left, right, wide, top - high


@dataclass(frozen=True)
class Codes(Standing):
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
            is_last = start + columns >= len(cleaned)
            follows = self.after + sheet.follows if is_last else 0
            sheet.row(cells, self.size, min_height=26, follows=follows)
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
