"""Rows as files that spreadsheets and scripts read: CSV, XLSX, JSON, with no live formula in any cell."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import IO, Any

from office.core.exports import Table, Value

FORMATS = ("csv", "xlsx", "json")
LOOKS = {"money": "#,##0.00", "day": "yyyy-mm-dd", "instant": "yyyy-mm-dd hh:mm"}
SHEET_NAME = 31  # letters
SHEET_ROWS = 1_048_575  # below a sheet's end, under its header


_NO_NAME = re.compile(r"[\[\]:*?/\\']")  # what a sheet's name can't hold
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
    writer.writerow([_cell(name) for name in header])
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
        case datetime():
            return value.isoformat(timespec="seconds")
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


def write_xlsx(
    target: Path | IO[bytes],
    header: Sequence[str],
    found: Iterable[Sequence[Value]],
    *,
    widths: Sequence[int] = (),
) -> int:
    """Rows as a workbook: numbers as numbers, days as days; a further sheet where one is full."""
    import xlsxwriter

    named = str(target) if isinstance(target, Path) else target
    book = xlsxwriter.Workbook(named, {"constant_memory": True})
    looks = {name: book.add_format({"num_format": said}) for name, said in LOOKS.items()}
    sheet = _new_sheet(book, header, widths)
    count = 0
    for row in found:
        if count and count % SHEET_ROWS == 0:
            sheet = _new_sheet(book, header, widths)
        line = count % SHEET_ROWS + 1
        for place, value in enumerate(row):
            _write_cell(sheet, line, place, value, looks)
        count += 1
    book.close()
    return count


def write_book(target: Path | IO[bytes], sheets: Mapping[str, Table]) -> None:
    """Several short tables as one workbook: name → header and rows, each on a sheet of its own."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target)
    looks = {name: book.add_format({"num_format": said}) for name, said in LOOKS.items()}
    for name, (header, found) in sheets.items():
        sheet = _new_sheet(book, header, (), _NO_NAME.sub(" ", name)[:SHEET_NAME])
        for line, row in enumerate(found, start=1):
            for place, value in enumerate(row):
                _write_cell(sheet, line, place, value, looks)
    book.close()


def _new_sheet(book: Any, header: Sequence[str], widths: Sequence[int], name: str | None = None) -> Any:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    for place, code in enumerate(header):
        sheet.write_string(0, place, neutral(code), bold)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
    return sheet


def _write_cell(sheet: Any, line: int, place: int, value: Value, looks: Mapping[str, Any]) -> None:
    match value:
        case None | "":
            return
        case bool():
            sheet.write_boolean(line, place, value)
        case Decimal():
            has_two_places = value.as_tuple().exponent == -2
            sheet.write_number(line, place, value, looks["money"] if has_two_places else None)
        case int():
            sheet.write_number(line, place, value)
        case datetime():
            sheet.write_datetime(line, place, value.replace(tzinfo=None), looks["instant"])
        case date():
            sheet.write_datetime(line, place, value, looks["day"])
        case str():
            sheet.write_string(line, place, neutral(value))
