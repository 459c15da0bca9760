"""A table from a file that somebody brought: read by parser.py in a child process, under its limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from office.core.errors import N_, Refused

PARSER = Path(__file__).with_name("parser.py")
MOST_SECONDS = 120  # of waiting for the child, whatever it does
TOLD_EVERY = 500
TEXT, NUMBER, DATE, ERROR = "t", "n", "d", "e"  # kinds of cells, as parser.py says them
NUMBER_1904 = "m"  # a number that is no day's, for its workbook counts days from 1904
KILLED_FOR_TIME = {-24, -9}  # SIGXCPU, SIGKILL

REFUSALS: Mapping[str, str] = {
    "too_large": N_("%(file)s holds more than 50 MB unpacked: split it into smaller files"),
    "too_many_rows": N_("%(file)s has more than %(most)s rows: split it into smaller files"),
    "too_many_cells": N_("%(file)s has too many cells: keep only the columns and rows that are needed"),
    "too_much_memory": N_("%(file)s needs too much memory: save only the table itself in a new file"),
    "too_slow": N_("%(file)s takes too long to read: split it into smaller files"),
    "damaged": N_("%(file)s is damaged: open it in the program it came from and save it again"),
    "not_a_table": N_("%(file)s is not a table: save it as CSV or XLSX"),
    "no_sheet": N_("%(file)s has no sheet %(sheet)s"),
    "has_password": N_("%(file)s is locked by a password: save it without one"),
    "unknown_encoding": N_("%(file)s is neither UTF-8 nor GBK text: save it as CSV (UTF-8) or XLSX"),
    "web_page": N_("%(file)s is a web page with the name of a workbook: open it and save it as XLSX"),
    "nul": N_("%(file)s holds NUL characters: save it again as CSV (UTF-8) or XLSX"),
    "long_cell": N_("%(file)s, row %(line)s: a cell is too long; is a closing quotation mark missing?"),
    "bad_quotes": N_("%(file)s, row %(line)s: quotation marks do not match"),
    "failed": N_("%(file)s can't be read: save it as CSV (UTF-8) or XLSX"),
    "empty": N_("%(file)s is empty"),
}


@dataclass(frozen=True)
class Line:
    """One row of the file: the number that a person sees beside it, and its cells as text.

    `types` has a letter a cell (parser.py) where a spreadsheet keeps some cell otherwise than as text.
    """

    number: int
    cells: tuple[str, ...]
    types: str = ""

    def cell(self, place: int) -> str:
        return self.cells[place] if place < len(self.cells) else ""

    def type(self, place: int) -> str:
        return self.types[place] if place < len(self.types) else TEXT


@dataclass(frozen=True)
class Table:
    """The file's rows that hold anything, in order."""

    file: str
    lines: tuple[Line, ...]
    sheet: str = ""  # that was read, where a workbook has several
    sheets: tuple[str, ...] = ()  # those that could be read
    tell: Callable[[int], None] = field(default=lambda _done: None, compare=False, repr=False)

    def after(self, skipped: int) -> Iterator[Line]:
        """The lines below the first ones; tells how many were read."""
        return self.counted(self.lines[skipped:])

    def counted(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Some of the table's lines; tells how many were read."""
        for count, line in enumerate(lines, start=1):
            if count % TOLD_EVERY == 0:
                self.tell(count)
            yield line


HasHeader = Callable[[Sequence[Sequence[str]]], bool]  # asked of the first rows


def read(path: Path, sheet: str = "", *, has_header: HasHeader = lambda _rows: False) -> Table:
    """The table in a CSV or XLSX file: in the encoding, separator or sheet under which a header is known.

    Where none is known: in the first encoding and the separator that cuts most.
    Raises Refused for what can't be read: damaged, too large, too slow, of a wrong encoding, with NUL.
    """
    process = subprocess.Popen(  # noqa: S603 -- our own script; the file's name is one argument
        [sys.executable, "-I", "-X", "utf8", str(PARSER), str(path.absolute()), sheet],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_without_secrets(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    overdue = threading.Timer(MOST_SECONDS, process.kill)
    overdue.start()
    chosen, sheets = sheet, cast("tuple[str, ...]", ())
    try:
        first = process.stdout.readline()
        if first.startswith(b'{"heads"'):
            asked = json.loads(first)
            ways = (place for place, head in enumerate(asked["heads"]) if has_header(head))
            place = next(ways, asked["else"])
            process.stdin.write(str(place).encode())
            chosen, sheets = asked["sheets"][place], tuple(filter(None, asked["sheets"]))
            first = b""
        process.stdin.close()
        rest = process.stdout.read()
        process.wait()
    finally:
        overdue.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    lines, end = _parsed(first + rest)
    if end is None:
        code = "too_slow" if process.returncode in KILLED_FOR_TIME else "too_much_memory"
        raise _refused(code if process.returncode < 0 else "failed", path)
    code = end.pop("end")
    if code is not None:
        raise _refused(code, path, **end)
    if not lines:
        raise _refused("empty", path)
    return Table(path.name, tuple(lines), chosen, sheets)


def _without_secrets() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}


def _parsed(output: bytes) -> tuple[list[Line], dict[str, Any] | None]:
    lines: list[Line] = []
    for text in output.split(b"\n"):
        if text.startswith(b"{"):
            return lines, json.loads(text)
        if text.endswith(b"]"):
            number, types, *cells = json.loads(text)
            lines.append(Line(number, tuple(cells), types))
    return lines, None


def _refused(code: str, path: Path, **values: object) -> Refused:
    return Refused(REFUSALS[code], file=path.name, **values)
