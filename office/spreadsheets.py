"""Rows as files that spreadsheets and scripts read: CSV, XLSX, JSON, with no live formula in any cell."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import IO, Any

FORMATS = ("csv", "xlsx", "json")
SHEET_ROWS = 1_048_575  # below a sheet's end, under its header

Value = str | int | bool | Decimal | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?|-", re.ASCII)


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula; numbers and a bare dash stay as they are."""
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def write_csv(out: IO[str], header: Sequence[str], found: Iterable[Sequence[Value]]) -> int:
    """Rows as CSV, formulas made harmless."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for row in found:
        writer.writerow([_cell(value) for value in row])
        count += 1
    return count


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return neutral(value)
        case Decimal():
            return f"{value:f}"
    return str(value)


def write_json(out: IO[str], header: Sequence[str], found: Iterable[Sequence[Value]]) -> int:
    """Rows as one array of objects; decimals are texts, so that no fen is lost."""
    count = 0
    for separator, row in zip(chain(["["], _commas()), found, strict=False):
        values = [f"{value:f}" if isinstance(value, Decimal) else value for value in row]
        out.write(f"{separator}\n  " + json.dumps(dict(zip(header, values, strict=True)), ensure_ascii=False))
        count += 1
    out.write("\n]\n" if count else "[]\n")
    return count


def _commas() -> Iterator[str]:
    while True:
        yield ","


def write_xlsx(target: Path | io.BytesIO, header: Sequence[str], found: Iterable[Sequence[Value]]) -> int:
    """Rows as a workbook, numbers as numbers; a further sheet where one is full."""
    import xlsxwriter

    named = target if isinstance(target, io.BytesIO) else str(target)
    book = xlsxwriter.Workbook(named, {"constant_memory": True})
    money = book.add_format({"num_format": "0.00"})
    sheet = _new_sheet(book, header)
    count = 0
    for row in found:
        if count and count % SHEET_ROWS == 0:
            sheet = _new_sheet(book, header)
        line = count % SHEET_ROWS + 1
        for place, value in enumerate(row):
            _write_cell(sheet, line, place, value, money)
        count += 1
    book.close()
    return count


def _new_sheet(book: Any, header: Sequence[str]) -> Any:
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for place, code in enumerate(header):
        sheet.write_string(0, place, neutral(code), bold)
    sheet.freeze_panes(1, 0)
    return sheet


def _write_cell(sheet: Any, line: int, place: int, value: Value, money: Any) -> None:
    match value:
        case None | "":
            return
        case bool():
            sheet.write_boolean(line, place, value)
        case Decimal():
            has_two_places = value.as_tuple().exponent == -2
            sheet.write_number(line, place, value, money if has_two_places else None)
        case int():
            sheet.write_number(line, place, value)
        case str():
            sheet.write_string(line, place, neutral(value))
