"""Exports written to a file or to the terminal: CSV, XLSX or JSON (contract "Exports")."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from office.core.exports import Value
from office.exchange.spreadsheets import FORMATS, write_csv, write_json, write_xlsx


def write(
    header: Sequence[str],
    found: Iterable[Sequence[Value]],
    *,
    file: Path | None,
    out: IO[str],
    file_format: str = "",
) -> int:
    """Write rows to a file, or as text to `out`; returns their number. XLSX needs a file.

    Without a format the ending of the file decides, else CSV.
    """
    ending = file.suffix.lower().lstrip(".") if file else ""
    file_format = file_format or (ending if ending in FORMATS else "csv")
    writer = write_json if file_format == "json" else write_csv
    if file is None:
        return writer(out, header, found)
    with _whole(file) as place:
        if file_format == "xlsx":
            return write_xlsx(place, header, found)
        with place.open("w", encoding="utf-8", newline="") as opened:
            return writer(opened, header, found)


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A place beside the file, which takes the file's when all is written: no half of it stays."""
    if file.exists() and not file.is_file():  # a pipe
        yield file
        return
    with tempfile.TemporaryDirectory(prefix=".export-", dir=file.absolute().parent) as folder:
        place = Path(folder) / file.name
        yield place
        place.replace(file)
