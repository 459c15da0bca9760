"""What offices bring in files: one module per kind, each a list of columns and a verb (contract "Imports").

`read` the file outside any transaction, then `take_in` its table in one. A table with wrong rows is refused
as a whole; rows that are there already are skipped, so that the same file twice changes nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from models.office import Audit
from office.core.bulk_insert import uncollected
from office.core.errors import N_, Refused
from office.exchange.imports import headers
from office.exchange.imports.columns import (
    Column,
    Known,
    PlainHeading,
    Problem,
    ReadRows,
    RowsRefused,
    read_rows,
)
from office.exchange.imports.headers import Heading
from office.exchange.imports.mapping import NOTHING_SAID, FileMapping
from office.exchange.imports.reader import HasHeader, Table, read
from office.exchange.imports.taken import EVERY_DIFFERENCE, NO_UPDATE, Difference, Taken, Update
from office.exchange.spreadsheets import neutral
from office.receivables import ledger

__all__ = [
    "EVERY_DIFFERENCE",
    "Difference",
    "Kind",
    "Problem",
    "Report",
    "RowsRefused",
    "Table",
    "differences_as_csv",
    "read",
    "take_in",
    "write_differences",
    "write_problems",
]


class Kind(Protocol):
    """What the module of an import kind has.

    Where a plain table is not enough, also `heading(known, mapping)` and `read_rows(table, columns, known,
    mapping=…)`.
    """

    @property
    def COLUMNS(self) -> Sequence[Column]: ...  # noqa: N802 -- a module's constant

    def problems(self, rows: Sequence[Mapping[str, Any]], known: Known, /) -> list[Problem]:
        """What is wrong between cells or rows that are each right."""

    def take_in(
        self,
        session: Session,
        given: Sequence[Mapping[str, Any]],
        /,
        *,
        now: datetime,
        staff_id: int | None = None,
        update: Update = NO_UPDATE,
    ) -> Taken:
        """Write the rows that are not there yet, and those differences that are to be written."""


@dataclass(frozen=True)
class Report:
    """What a file held and what became of it."""

    kind: str
    file: str
    rows: int
    new: int
    skipped: int
    differs: int = 0  # rows that are there with other values
    details: Mapping[str, int] = field(default_factory=dict)
    skipped_lines: int = 0  # of the footer under the table
    unused: tuple[str, ...] = ()  # headers that no column takes
    differences: Sequence[Difference] = ()
    updated: int = 0  # rows of which differences were written
    preview: Mapping[str, Any] = field(default_factory=dict)  # each row as read (statements)
    large: tuple[str, ...] = ()  # unusually large sums that were confirmed, in yuan

    def counts(self) -> dict[str, int]:
        """What became of the rows of a file without wrong ones."""
        return {
            "new": self.new,
            "equal": self.skipped,
            "differs": self.differs,
            "refused": 0,
            "updated": self.updated,
        }


def header_test(session: Session, kind: Kind, mapping: FileMapping = NOTHING_SAID) -> HasHeader:
    """Whether a header of this kind stands among rows; for `read`, which chooses encoding and sheet by it."""
    known = Known(session)
    make = getattr(kind, "heading", None)
    heading: Heading = make(known, mapping) if make else PlainHeading(kind.COLUMNS, mapping)
    return lambda rows: headers.find(rows, heading) is not None


def take_in(
    session: Session,
    code: str,
    kind: Kind,
    table: Table,
    *,
    now: datetime,
    staff_id: int | None = None,
    mapping: FileMapping = NOTHING_SAID,
    wanted: Container[Difference] = (),
) -> Report:
    """Write the rows of a table that are not stored yet; a check is this with a rollback after it.

    Of rows that are there with other values only the `wanted` differences are written, and of posted money
    none. The history names the import by `code`.

    Raises RowsRefused with every wrong cell, Refused when a column is missing.
    """
    ledger.lock_postings(
        session
    )  # nobody posts meanwhile, so neither waits for the other's units and numbers
    known = Known(session)
    reading = getattr(kind, "read_rows", read_rows)
    with uncollected():
        found: ReadRows = reading(table, kind.COLUMNS, known, mapping=mapping)
    known.header = found.header
    rows = found.rows
    problems = found.problems or kind.problems(rows, known)
    if problems:
        raise RowsRefused(table.file, sorted(problems, key=lambda problem: problem.row), found.count)
    try:
        with uncollected():
            update = Update(wanted, now, staff_id, table.file)
            taken = kind.take_in(session, rows, now=now, staff_id=staff_id, update=update)
        session.flush()
    except (IntegrityError, DataError) as error:
        raise Refused(
            N_("%(file)s: the database refused a row that contradicts what is stored"), file=table.file
        ) from error
    if taken.refused:
        raise RowsRefused(table.file, taken.refused, len(taken.refused))
    if taken.new or taken.updated:
        counts = {"file": table.file, "new": taken.new, "updated": taken.updated}
        changes = json.dumps(
            {name: [None, value] for name, value in counts.items() if value}, ensure_ascii=False
        )
        session.add(Audit(at=now, staff_id=staff_id, action="import", table_name=code, changes=changes))
    return Report(
        code,
        table.file,
        len(rows),
        taken.new,
        taken.skipped,
        len({one.row for one in taken.differences}),
        taken.details,
        skipped_lines=found.skipped_lines,
        unused=found.unused,
        differences=tuple(taken.differences),
        updated=taken.updated,
        preview=taken.preview,
        large=tuple(problem.value for problem in taken.large),
    )


def write_differences(path: Path, report: Report) -> None:
    """`FILE.differs.csv`: what is there and what the file says, cell by cell."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        differences_as_csv(file, report.differences)


def differences_as_csv(file: IO[str], differences: Iterable[Difference]) -> None:
    """Write differences as a table, without anything that a spreadsheet would run."""
    writer = csv.writer(file)
    writer.writerow(("row", "column", "there", "here"))
    writer.writerows((one.row, one.column, neutral(one.there), neutral(one.here)) for one in differences)


def write_problems(path: Path, told: Sequence[Mapping[str, object]]) -> None:
    """The row-error file: which cell of which row, what is wrong, how to mend it (`RowsRefused.told`)."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(told[0])
        writer.writerows([neutral(str(value)) for value in row.values()] for row in told)
