"""A file → its cells as text, in a process of its own under limits: `python parser.py FILE [SHEET]`.

What people upload may be hostile: a 203 KB workbook can grow to 200 MB. The parent (reader.py) starts this
file as a script, so it knows nothing of the office: standard library and the workbook reader only. It prints
one JSON list per row, `[line, cell, …]` without trailing empty cells, then `{"end": null}`, or
`{"end": code, …}` saying why the file is refused.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

MEGABYTE = 1024 * 1024
MOST_BYTES = 50_000_000  # unpacked (contract "Settled besides")
MOST_MEMORY = 1024 * MEGABYTE
MOST_SECONDS = 90
MOST_ROWS = 500_000
MOST_CELLS = 8_000_000
MOST_COLUMNS = 1_000
MOST_AREA = 20_000_000  # cells of a sheet's used rectangle, filled or not
MOST_CELL_LENGTH = 32_767  # what a workbook's cell can hold
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


def rows_of(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line or row number a person sees. Raises Unreadable."""
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable("too_large")
    content = path.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        check_package(content)
        return sheet_rows(content, sheet)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return sheet_rows(content, sheet)
    return text_rows(content)


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


def sheet_rows(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """The named sheet's rows, else those of the first visible sheet with something in it."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
        if name and name not in names:
            raise Unreadable("no_sheet", sheet=name)
        for one in [name] if name else names:
            sheet = workbook.get_sheet_by_name(one)
            if sheet.start is None or sheet.end is None:
                continue
            if (sheet.end[0] + 1) * (sheet.end[1] + 1) > MOST_AREA:
                raise Unreadable("too_many_cells")
            return enumerate(([shown(cell) for cell in row] for row in sheet.iter_rows()), start=1)
    except PasswordError as error:
        raise Unreadable("has_password") from error
    except CalamineError as error:
        raise Unreadable("damaged") from error
    return iter(())


def shown(cell: Any) -> str:
    """The digits and dates that a cell shows; a number has the 15 digits a workbook keeps."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() | int():
            digits = f"{Decimal(f'{cell:.15g}'):f}"
            return digits.rstrip("0").rstrip(".") if "." in digits else digits
        case datetime():
            whole = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
            return whole.isoformat(" ")
        case date() | time():
            return cell.isoformat()
    return str(cell)


def text_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """CSV rows, UTF-8 (with or without its mark) or GBK, separated by commas, tabs or semicolons."""
    text = decoded(content)
    if "\0" in text:
        raise Unreadable("nul")
    csv.field_size_limit(MOST_CELL_LENGTH)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text), strict=True)
    return _told(lines)


def _told(lines: Any) -> Iterator[tuple[int, list[str]]]:
    before = 0
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            code = "long_cell" if "field larger" in str(error) else "bad_quotes"
            raise Unreadable(code, line=before + 1) from error
        yield before + 1, row
        before = lines.line_num


def separator(text: str) -> str:
    """What stands between values: a comma unless tabs or semicolons are more; Alipay pads with tabs."""
    head = [line.replace("\t,", ",").rstrip("\t") for line in text[:100_000].splitlines()[:40]]
    return max(",", "\t", ";", key=lambda mark: max((line.count(mark) for line in head), default=0))


def decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gbk"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("not_utf8_nor_gbk")


def checked(rows: Iterable[tuple[int, list[str]]]) -> Iterator[list[Any]]:
    """Rows without empty ends, within the limits, without NUL."""
    cells = count = 0
    for line, given in rows:
        row = given
        while row and not row[-1].strip():
            row.pop()
        if not row:
            continue
        count += 1
        cells += len(row)
        if count > MOST_ROWS:
            raise Unreadable("too_many_rows", most=MOST_ROWS)
        if cells > MOST_CELLS or len(row) > MOST_COLUMNS:
            raise Unreadable("too_many_cells")
        for cell in row:
            if "\0" in cell:
                raise Unreadable("nul")
            if len(cell) > MOST_CELL_LENGTH:
                raise Unreadable("long_cell", line=line)
        yield [line, *row]


def main(path: str, sheet: str = "") -> None:
    limit_process()
    write = sys.stdout.buffer.write
    end: dict[str, object] = {"end": None}
    try:
        for row in checked(rows_of(Path(path), sheet)):
            write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    except Unreadable as refusal:
        end = {"end": refusal.code, **refusal.values}
    except MemoryError:
        end = {"end": "too_much_memory"}
    write(json.dumps(end).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
