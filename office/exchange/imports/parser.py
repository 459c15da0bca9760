"""A file → its cells as text, in a process of its own under limits: `python parser.py FILE [SHEET]`.

What people upload may be hostile: a 203 KB workbook can grow to 200 MB. The parent (reader.py) starts this
file as a script, so it knows nothing of the office: standard library and the workbook reader only.

1. Where a file can be read in several ways (encoding and separator of a text, sheet of a workbook), it prints
   `{"heads": [[row, …], …], "else": place, "sheets": [name, …]}`, the first rows of each way, which to take
   where none has a known header and the sheets' names, and reads from stdin the place of the right one.
2. It prints one JSON list per row, `[line, types, cell, …]` without trailing empty cells; `types` has a
   letter a cell (TEXT, NUMBER, …), or is empty when all cells are text.
3. It prints `{"end": null}`, or `{"end": code, …}` saying why the file is refused.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import lzma
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

MEGABYTE = 1024 * 1024
MOST_BYTES = 50_000_000  # unpacked (contract "Settled besides")
MOST_MEMORY = 1024 * MEGABYTE
MOST_SECONDS = 90
MOST_ROWS = 500_000
MOST_CELLS = 8_000_000
MOST_COLUMNS = 1_000
MOST_AREA = 20_000_000  # cells of a sheet's used rectangle, filled or not
MOST_CELL_LENGTH = 32_767  # what a workbook's cell can hold
MOST_HEAD_ROWS = 40  # a header stands among the first rows
HEAD_LENGTH = 100_000  # characters that hold them
ENCODINGS = ("utf-8-sig", "gb18030", "big5")  # tried in this order; UTF-16 where its mark stands
SEPARATORS = (",", "\t", ";")
TEXT, NUMBER, DATE, ERROR = "t", "n", "d", "e"  # what kind of cell a spreadsheet keeps
NUMBER_1904 = "m"  # a number of a workbook whose days are counted from 1904
NO_TABLES = (  # PDF, RTF, XML (camt.053, old spreadsheets), a page as a mail, OFX, SWIFT MT940
    b"%PDF", b"{\\rtf", b"<?xml", b"MIME-Version:", b"OFXHEADER", b"<OFX>", b":20:", b"{1:F", b"\x89PNG",
)  # fmt: skip
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


class Unreadable(Exception):  # noqa: N818 -- says what the file is
    """Why the file is refused: a code that reader.py words."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def limit_process() -> None:
    """Memory and processor time that the system itself will not exceed (where it can)."""
    try:
        import resource
    except ImportError:  # Windows: the parent's time limit and the counts below remain
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@dataclass(frozen=True)
class Cell:
    """A cell's text as it is shown, and whether a spreadsheet keeps it as text, number, date or error."""

    text: str
    type: str = TEXT


Row = tuple[int, list[Cell]]


@dataclass(frozen=True)
class Way:
    """One way to read a file: its rows, each with the line or row number that a person sees."""

    rows: Callable[[], Iterator[Row]]
    first_rows: Callable[[], Iterator[Row]]  # at least MOST_HEAD_ROWS of usual length
    sheet: str = ""  # of a workbook

    def head(self) -> list[list[str]]:
        """The texts of the first rows, as far as they can be read this way."""
        found: list[list[str]] = []
        try:
            for _, cells in itertools.islice(self.first_rows(), MOST_HEAD_ROWS):
                found.append([cell.text for cell in cells[:MOST_COLUMNS]])
        except Unreadable:
            pass
        return found


def first_choice(ways: list[Way], heads: list[list[list[str]]]) -> int:
    """The first sheet, or the separator that cuts most of a text in its first encoding."""
    if ways[0].rows is ways[0].first_rows:
        return 0
    return max(range(len(SEPARATORS)), key=lambda place: max(map(_filled, heads[place]), default=0))


def _filled(row: list[str]) -> int:
    return len(row) - row.count("")


def ways_of(path: Path, sheet: str) -> list[Way]:
    """How a file can be read. Raises Unreadable."""
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable("too_large")
    content = path.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        check_package(content)
        return sheets(content, sheet)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return sheets(content, sheet)
    if is_web_page(content):
        raise Unreadable("web_page")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(NO_TABLES):
        raise Unreadable("not_a_table")
    return texts(content)


def is_web_page(content: bytes) -> bool:
    """Whether it is HTML, which some banks name `.xls`."""
    begin = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return begin.startswith((b"<!doctype html", b"<html", b"<head", b"<meta", b"<table", b"<style")) or (
        begin.startswith(b"<?xml") and b"<html" in begin
    )


def check_package(content: bytes) -> None:
    """Unpack every part once, counting: what a package says of its own size proves nothing."""
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            is_workbook = "xl/workbook.xml" in package.namelist()
            for part in package.infolist():
                unpacked += unpacked_size(package, part, MOST_BYTES - unpacked)
                if unpacked > MOST_BYTES:
                    break
    except DAMAGED as error:
        raise Unreadable("damaged") from error
    if unpacked > MOST_BYTES:
        raise Unreadable("too_large")
    if not is_workbook:
        raise Unreadable("not_a_table")


def unpacked_size(package: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> int:
    """The bytes a part unpacks to, or a little more than `most`."""
    size = 0
    with package.open(part) as stream:
        while size <= most and (chunk := stream.read(MEGABYTE)):
            size += len(chunk)
    return size


def sheets(content: bytes, name: str) -> list[Way]:
    """The named sheet, else each visible one with something in it."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
        if name and name not in names:
            raise Unreadable("no_sheet", sheet=name)
        errors = error_cells(content)
        number = NUMBER_1904 if counts_from_1904(content) else NUMBER
        found = []
        for one in [name] if name else names:
            sheet = workbook.get_sheet_by_name(one)
            if sheet.start is None or sheet.end is None:
                continue
            if (sheet.end[0] + 1) * (sheet.end[1] + 1) > MOST_AREA:
                raise Unreadable("too_many_cells")
            rows = partial(sheet_rows, sheet, errors(one), number)
            found.append(Way(rows, rows, one))
    except PasswordError as error:
        raise Unreadable("has_password") from error
    except CalamineError as error:
        raise Unreadable("damaged") from error
    return found


def sheet_rows(sheet: Any, errors: Mapping[tuple[int, int], str], number_type: str) -> Iterator[Row]:
    """A sheet's rows; a merged cell counts for every row it covers, an error says what it is."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top:
            merged.setdefault(top, []).append((left, bottom))
    going: dict[int, tuple[int, Cell]] = {}  # column: until which row, what
    for number, row in enumerate(sheet.iter_rows()):
        cells = [shown(cell, number_type) for cell in row]
        for place in [place for place in range(len(cells)) if (number, place) in errors]:
            cells[place] = Cell(errors[number, place], ERROR)
        going = {place: (last, cell) for place, (last, cell) in going.items() if last >= number}
        for place, (_, cell) in going.items():
            cells[place] = cell
        for place, last in merged.get(number, ()):
            if place < len(cells):
                going[place] = (last, cells[place])
        yield number + 1, cells


def error_cells(content: bytes) -> Callable[[str], Mapping[tuple[int, int], str]]:
    """Where a sheet's error cells stand (row and column from 0) and what they say, `#N/A`.

    The workbook reader gives such cells as empty ones, which would make a flat vacant.
    """
    if not content.startswith(b"PK"):
        return old_error_cells(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            book = ET.fromstring(package.read("xl/workbook.xml"))  # noqa: S314 -- a child under limits
            links = ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 -- as above
            targets = {link.get("Id"): link.get("Target", "") for link in links}
            parts = {}
            for sheet in book.findall(".//{*}sheet"):
                link = next((value for name, value in sheet.items() if name.endswith("}id")), "")
                target = targets.get(link, "")
                part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                if part in package.namelist():
                    parts[sheet.get("name")] = package.read(part)
    except (*DAMAGED, KeyError, ET.ParseError) as error:
        raise Unreadable("damaged") from error
    return lambda name: _errors_in(parts.get(name, b""))


_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(.*?)</(?:\w+:)?c>', re.DOTALL
)
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)</")


def _errors_in(part: bytes) -> Mapping[tuple[int, int], str]:
    found = {}
    for letters, number, inside in _ERROR_CELL.findall(part):
        column = 0
        for letter in letters:
            column = column * 26 + letter - 64
        value = _VALUE.search(inside)
        found[int(number) - 1, column - 1] = value[1].decode() if value else "#ERROR"
    return found


def old_error_cells(content: bytes) -> Callable[[str], Mapping[tuple[int, int], str]]:
    """The same for an `.xls`."""
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True)
    except Exception:  # noqa: BLE001 -- whatever it says, the workbook reader has the last word on damage
        return lambda _name: {}

    def errors_in(name: str) -> Mapping[tuple[int, int], str]:
        sheet = book.sheet_by_name(name)
        return {
            (row, column): xlrd.error_text_from_code.get(int(sheet.cell_value(row, column)), "#ERROR")
            for row in range(sheet.nrows)
            for column, kind in enumerate(sheet.row_types(row))
            if kind == xlrd.XL_CELL_ERROR
        }

    return errors_in


def counts_from_1904(content: bytes) -> bool:
    """Whether a workbook counts its days from 1904, so that a day's number means another day than usual."""
    if not content.startswith(b"PK"):
        import xlrd

        try:
            return bool(
                xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True).datemode
            )
        except Exception:  # noqa: BLE001 -- whatever it says, the workbook reader has the last word on damage
            return False
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return re.search(rb'\bdate1904="(?:1|true|on)"', package.read("xl/workbook.xml")) is not None


def shown(cell: Any, number_type: str = NUMBER) -> Cell:
    """The digits and dates that a cell shows; a number has the 15 digits a workbook keeps."""
    match cell:
        case bool():
            return Cell("true" if cell else "false")
        case float() | int():
            digits = f"{Decimal(f'{cell:.15g}'):f}"
            return Cell(digits.rstrip("0").rstrip(".") if "." in digits else digits, number_type)
        case datetime():
            whole = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
            return Cell(whole.isoformat(" "), DATE)
        case date() | time():
            return Cell(cell.isoformat(), DATE)
    return Cell(str(cell))


# --- texts ---------------------------------------------------------------------------------------------


def texts(content: bytes) -> list[Way]:
    """A text in each encoding that yields letters, cut at commas, tabs or semicolons."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ENCODINGS
    found: list[Way] = []
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise Unreadable("nul")
        found += [
            Way(partial(text_rows, text, mark), partial(text_rows, text[:HEAD_LENGTH], mark))
            for mark in SEPARATORS
        ]
    if not found:
        raise Unreadable("unknown_encoding")
    return found


def text_rows(text: str, separator: str) -> Iterator[Row]:
    """CSV rows; blanks after a closing quotation mark are no error. Raises Unreadable."""
    csv.field_size_limit(MOST_CELL_LENGTH)
    lines = csv.reader(io.StringIO(_tidy(text, separator), newline=""), delimiter=separator, strict=True)
    before = 0
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            code = "long_cell" if "field larger" in str(error) else "bad_quotes"
            raise Unreadable(code, line=before + 1) from error
        yield before + 1, [Cell(cell) for cell in row]
        before = lines.line_num


def _tidy(text: str, separator: str) -> str:
    """The text without blanks and tabs between a closing quotation mark and the end of its cell."""
    if '"' not in text:
        return text
    blanks = "[ \xa0]" if separator == "\t" else "[ \t\xa0]"
    quoted = re.compile(rf'(^|[{separator}\r\n])({blanks}*"(?:[^"]|"")*"){blanks}+(?=[{separator}\r\n]|\Z)')
    return quoted.sub(r"\1\2", text)


def checked(rows: Iterable[Row]) -> Iterator[list[Any]]:
    """Rows without empty ends, within the limits, without NUL."""
    cells = count = 0
    for line, given in rows:
        row = given
        while row and not row[-1].text.strip():
            row.pop()
        if not row:
            continue
        count += 1
        cells += len(row)
        if count > MOST_ROWS:
            raise Unreadable("too_many_rows", most=MOST_ROWS)
        if cells > MOST_CELLS or len(row) > MOST_COLUMNS:
            raise Unreadable("too_many_cells")
        said = [cell.text for cell in row]
        if any("\0" in text for text in said):
            raise Unreadable("nul")
        if any(len(text) > MOST_CELL_LENGTH for text in said):
            raise Unreadable("long_cell", line=line)
        types = "".join(cell.type for cell in row)
        yield [line, types if types.strip(TEXT) else "", *said]


def main(path: str, sheet: str = "") -> None:
    limit_process()
    write = sys.stdout.buffer.write
    end: dict[str, object] = {"end": None}
    try:
        ways = ways_of(Path(path), sheet)
        chosen = ways[0] if len(ways) == 1 else None
        if len(ways) > 1:
            heads = [way.head() for way in ways]
            asked = {"heads": heads, "else": first_choice(ways, heads), "sheets": [way.sheet for way in ways]}
            write(json.dumps(asked).encode() + b"\n")
            sys.stdout.buffer.flush()
            chosen = ways[int(sys.stdin.readline())]
        for row in checked(chosen.rows() if chosen else ()):
            write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    except Unreadable as refusal:
        end = {"end": refusal.code, **refusal.values}
    except MemoryError:
        end = {"end": "too_much_memory"}
    write(json.dumps(end).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
