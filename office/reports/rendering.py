"""A report's table in a reader's words: headings, cells, the whole as plain text (K6)."""

from __future__ import annotations

import unicodedata
from typing import Any
from zoneinfo import ZoneInfo

from office.documents.pdf.wording import Words
from office.reports.table import Column, Line, Table

NUMBERS = frozenset({"money", "count", "rate", "points", "hours", "score"})
NOTHING = "–"


def title(table: Table, words: Words) -> str:
    return words[f"table.{table.code}"]


def note(table: Table, words: Words) -> str:
    """What the reader should know of how it was counted; empty when it is plain."""
    return _said("note", table.code, words)


def hint(column: Column, words: Words) -> str:
    """What a column's figures count, in one sentence; empty for what is no figure."""
    return _said("hint", column.key, words)


def _said(kind: str, code: str, words: Words) -> str:
    found = words.code(kind, code)
    return "" if found == code else found


def notes(table: Table, words: Words) -> tuple[str, ...]:
    """The note of the table, and of each column what it counts."""
    hints = [
        f"{heading(column, words)}{words.colon}{said}"
        for column in table.columns
        if (said := hint(column, words))
    ]
    return tuple(each for each in (note(table, words), *hints) if each)


def heading(column: Column, words: Words) -> str:
    """What a column is called; one whose key begins with = is called as it is."""
    return column.key[1:] if column.key.startswith("=") else words[column.key]


def headings(table: Table, words: Words) -> list[str]:
    return [heading(column, words) for column in table.columns]


def cell(column: Column, value: Any, words: Words, zone: ZoneInfo) -> str:
    """One value as a reader sees it: 1,234.50, 62.6%, 2026-06-15."""
    if value is None:
        return NOTHING
    show = {
        "money": lambda: f"{value:,.2f}",
        "rate": lambda: f"{value:.1f}%",
        "points": lambda: f"{value:+.1f}",
        "hours": lambda: f"{value:.1f}",
        "score": lambda: f"{value:.1f}",
        "code": lambda: _named(column.codes, value or "none", words),
        "day": value.__str__,
        "instant": lambda: f"{value.astimezone(zone):%Y-%m-%d %H:%M}",
        "flag": lambda: words["yes" if value else "no"],
    }.get(column.kind)
    return show() if show else str(value)


def _named(codes: str, code: str, words: Words) -> str:
    found = words.code(codes, code)
    return words["none"] if found == "none" else found


def cells(table: Table, line: Line, words: Words, zone: ZoneInfo) -> list[str]:
    """A line as texts; a total says so in its first empty place, a place without a name says none."""
    shown = [
        cell(column, value, words, zone) for column, value in zip(table.columns, line.cells, strict=True)
    ]
    places = [
        number for number, column in enumerate(table.columns) if column.kind in {"text", "code", "month"}
    ]
    for number in places[:2]:
        if line.cells[number] == "":
            if line.is_total:
                shown[number] = words["total"]
                break
            if number == 0 and table.columns[number].kind != "code":
                shown[number] = words["none"]
    return shown


def plain(column: Column, value: Any, words: Words, zone: ZoneInfo) -> Any:
    """One value for a spreadsheet: numbers stay numbers, the rest is text."""
    if value is None:
        return ""
    if column.kind in NUMBERS:
        return value
    if column.kind == "instant":
        return value.astimezone(zone)
    return value if column.kind == "day" else cell(column, value, words, zone)


def plain_cells(table: Table, line: Line, words: Words, zone: ZoneInfo) -> list[Any]:
    shown = cells(table, line, words, zone)
    return [
        text if column.kind in {"text", "code", "month"} else plain(column, value, words, zone)
        for column, value, text in zip(table.columns, line.cells, shown, strict=True)
    ]


def as_text(table: Table, words: Words, zone: ZoneInfo) -> str:
    """The table for a plain letter: columns stand under each other in a fixed-width face."""
    rows = [headings(table, words), *(cells(table, line, words, zone) for line in table.lines)]
    rows = [[" ".join(text.split())[:40] for text in row] for row in rows]
    if not table.lines:
        return f"{title(table, words)}\n{words['none']}\n"
    widths = [max(_width(row[number]) for row in rows) for number in range(len(table.columns))]
    lines = [
        "  ".join(
            _padded(text, wide, is_right=column.kind in NUMBERS)
            for text, wide, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([title(table, words), *lines, ""])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, wide: int, *, is_right: bool) -> str:
    gap = " " * (wide - _width(text))
    return gap + text if is_right else text + gap
