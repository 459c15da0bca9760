"""A table's rows → typed rows, by a list of columns; every wrong cell is told, none is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.complaints import Category
from models.people import Occupancy
from models.property import Unit
from office.core import clock
from office.core.errors import N_, Refused
from office.exchange.imports import cells
from office.exchange.imports.cells import Wrong
from office.exchange.imports.reader import DATE, ERROR, NUMBER, Line, Table
from rules.matching import plain

MOST_HEADER_ROW = 30  # titles and notes may stand above the header
MOST_PROBLEMS = 2_000


@dataclass(frozen=True)
class Problem:
    """One wrong cell (or row, then `column` is empty) with its remedy; texts as in cells.Wrong."""

    row: int
    column: str
    value: str
    message: str
    remedy: str
    values: Mapping[str, object] = field(default_factory=dict)


class RowsRefused(Refused):
    """A file with wrong rows: nothing of it is taken."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(
            N_("%(file)s: %(count)s errors, the first in row %(row)s, column %(column)s: %(problem)s"),
            file=file,
            count=len(problems),
            row=first.row,
            column=first.column or "-",
            problem=first.message % first.values,
        )
        self.problems = tuple(problems)

    def first(self, translate: Callable[..., str]) -> str:
        """What is wrong with the first wrong cell, in the reader's language."""
        return translate(self.problems[0].message, **self.problems[0].values)

    def told(self, translate: Callable[..., str]) -> list[dict[str, object]]:
        """Every wrong cell with its remedy, in the reader's language."""
        return [
            {
                "row": problem.row,
                "column": problem.column,
                "value": problem.value,
                "problem": translate(problem.message, **problem.values),
                "remedy": translate(problem.remedy, **problem.values),
            }
            for problem in self.problems
        ]


class Known:
    """What cells may refer to, each loaded when first needed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @cached_property
    def zone(self) -> ZoneInfo:
        return clock.zone(self.session)

    @cached_property
    def unit_ids(self) -> Mapping[str, int]:
        return dict(self.session.execute(select(Unit.code, Unit.id)).all())

    @cached_property
    def unit_codes(self) -> Mapping[str, str]:
        """Each unit code by the form in which it is compared, where that is unambiguous."""
        loose: dict[str, str | None] = {}
        for code in self.unit_ids:
            compared = plain(code).strip()
            loose[compared] = None if compared in loose else code
        return {compared: code for compared, code in loose.items() if code is not None}

    @cached_property
    def fee_item_ids(self) -> Mapping[str, int]:
        return dict(self.session.execute(select(FeeItem.code, FeeItem.id)).all())

    @cached_property
    def fee_items(self) -> Callable[[str], str]:
        rows = select(FeeItem.code, FeeItem.name_en, FeeItem.name_zh_hans, FeeItem.name_zh_hant)
        return _by_word(self.session.execute(rows), N_("unknown fee item: %(value)s"))

    @cached_property
    def categories(self) -> Callable[[str], str]:
        rows = select(Category.code, Category.name_en, Category.name_zh_hans, Category.name_zh_hant)
        return _by_word(self.session.execute(rows), N_("unknown category: %(value)s"))


def _by_word(rows: Iterable[Any], message: str) -> Callable[[str], str]:
    """A reader of codes that also knows their names in each language."""
    names = [tuple(row) for row in rows]
    words = {cells.key(name): row[0] for row in names for name in (*row[1:], row[0]) if name}
    codes = "、".join(row[0] for row in names)

    def read(text: str) -> str:
        try:
            return str(words[cells.key(text)])
        except KeyError:
            raise Wrong(message, N_("Write one of: %(known)s"), value=text, known=codes) from None

    return read


Read = Callable[[str, Known], Any]


def heads(listed: str) -> tuple[str, ...]:
    """Headers that stand in one text with spaces between."""
    return tuple(listed.split())


@dataclass(frozen=True)
class Column:
    """A column by its code and the headers it may have; `empty` is what an empty cell means.

    `is_code`: its values name something (a unit, a phone, a transaction), so that digits count as letters.
    """

    code: str
    names: tuple[str, ...]
    read: Read
    is_required: bool = False
    empty: Any = None
    is_code: bool = False

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(header_key(name) for name in (self.code, *self.names))


_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+", re.ASCII)
MOST_DIGITS = 15  # that a spreadsheet keeps of a number


def check_cell(line: Line, place: int, *, is_code: bool) -> None:
    """Raise Wrong for a cell that a spreadsheet has damaged (contract "Reading files")."""
    given, kept_as = line.cell(place).strip(), line.type(place)
    if kept_as == ERROR:
        raise Wrong(
            N_("the spreadsheet shows an error here: %(value)s"),
            N_("Mend the cell in the spreadsheet, or clear it"),
            value=given,
        )
    if not is_code:
        return
    if kept_as == DATE:
        raise Wrong(
            N_("the spreadsheet has made a date of it"),
            N_("Format the column as text in the spreadsheet and type the value again"),
        )
    if _SHORTENED.fullmatch(given) or (
        kept_as == NUMBER and len(given.strip("-").replace(".", "")) > MOST_DIGITS
    ):
        raise Wrong(
            N_("the spreadsheet has shortened this number"),
            N_("Format the column as text in the spreadsheet and type the value again"),
        )


def plainly(read: Callable[[str], Any]) -> Read:
    """A reader that needs to know nothing else."""
    return lambda text, _known: read(text)


def text(most: int = 10_000) -> Read:
    return plainly(cells.short_text(most))


def instant(text: str, known: Known) -> Any:
    return cells.instant(text, known.zone)


def unit_code(text: str, known: Known) -> str:
    """A known unit's code, whatever the width and case it is written in."""
    found = text if text in known.unit_ids else known.unit_codes.get(plain(text).strip())
    if found is None:
        raise Wrong(N_("unknown unit"), N_("Write a unit code of the roster, or import the roster first"))
    return found


def unit(text: str, known: Known) -> int:
    """A known unit's id."""
    return known.unit_ids[unit_code(text, known)]


def fee_item(text: str, known: Known) -> str:
    """A fee item's code."""
    return known.fee_items(text)


def category(text: str, known: Known) -> str:
    """A category's code."""
    return known.categories(text)


UNIT_HEADERS = ("房号", "房號", "房屋编号", "房屋編號", "房间号", "房产编号", "房屋", "unit", "unit no.")
UNIT = Column("unit_code", UNIT_HEADERS, unit, is_required=True, is_code=True)


def problem(
    row: Mapping[str, Any], column: str, value: object, message: str, remedy: str, **values: object
) -> Problem:
    """What is wrong with a row whose cells are each right."""
    return Problem(row["line"], column, str(value), message, remedy, values)


def without_payer(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """The rows of units that nobody has ever paid for: money and contacts belong to a payer."""
    paid_for = set(known.session.scalars(select(Occupancy.unit_id).where(Occupancy.is_payer).distinct()))
    return [
        problem(
            row,
            "unit_code",
            "",
            N_("nobody pays for this unit"),
            N_("Enter who occupies the unit and from when, then import again"),
        )
        for row in rows
        if row["unit_code"] not in paid_for
    ]


@lru_cache(4096)
def header_key(name: str) -> str:
    """A header as it is compared: without what stands in brackets, width, case and spaces."""
    compared = cells.key(name.replace("（", "(").replace("）", ")"))
    head, bracket, _ = compared.partition("(")
    return head if bracket and head else compared


def find_columns(
    table: Table, columns: Sequence[Column], mapping: Mapping[str, str] | None = None
) -> tuple[dict[str, int], int]:
    """Where each column stands {code: place}, and how many of the table's lines the header ends.

    `mapping` {code: header as written} is what a person chose. Raises Refused naming what is missing.
    """
    best: dict[str, int] = {}
    for count, line in enumerate(table.lines[:MOST_HEADER_ROW], start=1):
        places = _places(line, columns, mapping or {}, table.file)
        if all(column.code in places for column in columns if column.is_required):
            return places, count
        best = max(best, places, key=len)
    missing = [column for column in columns if column.is_required and column.code not in best]
    raise Refused(
        N_("%(file)s: required columns are missing: %(columns)s"),
        file=table.file,
        columns=", ".join(f"{column.code} ({column.names[0]})" for column in missing),
    )


def wanted_keys(column: Column, mapping: Mapping[str, str]) -> frozenset[str]:
    """The headers a column may stand under: the mapped one alone where a person chose, else its names."""
    if not mapping:
        return column.keys
    return frozenset({header_key(mapping[column.code])}) if column.code in mapping else frozenset()


def _places(line: Line, columns: Sequence[Column], mapping: Mapping[str, str], file: str) -> dict[str, int]:
    headers = [header_key(cell) for cell in line.cells]
    places: dict[str, int] = {}
    for column in columns:
        wanted = wanted_keys(column, mapping)
        found = [place for place, header in enumerate(headers) if header in wanted]
        exact = [place for place in found if headers[place] == header_key(column.code)]
        if len({headers[place] for place in found}) < len(found):
            raise Refused(
                N_("%(file)s: the column %(column)s stands there twice"),
                file=file,
                column=line.cells[found[0]].strip(),
            )
        if found:
            places[column.code] = (exact or found)[0]
    return places


def read_rows(
    table: Table,
    columns: Sequence[Column],
    known: Known,
    *,
    mapping: Mapping[str, str] | None = None,
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Every row as {column code: value, "line": its number}, and what is wrong with them.

    Raises Refused when a required column is missing.
    """
    places, skipped = find_columns(table, columns, mapping)
    present = [(column, places[column.code]) for column in columns if column.code in places]
    absent = {column.code: column.empty for column in columns if column.code not in places}
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for line in table.after(skipped):
        row: dict[str, Any] = {"line": line.number, **absent}
        for column, place in present:
            given = line.cell(place).strip()
            try:
                check_cell(line, place, is_code=column.is_code)
                row[column.code] = _value(column, given, known)
            except Wrong as wrong:
                problems.append(
                    Problem(line.number, column.code, given, wrong.message, wrong.remedy, wrong.values)
                )
        rows.append(row)
        if len(problems) >= MOST_PROBLEMS:
            break
    return rows, problems


def _value(column: Column, given: str, known: Known) -> Any:
    if given:
        return column.read(given, known)
    if column.is_required:
        raise Wrong(N_("empty"), N_("Fill this cell"))
    return column.empty


def twice(rows: Iterable[Mapping[str, Any]], column: str, shown: Callable[[Any], str] = str) -> list[Problem]:
    """The rows that say a value again which must stand in one row only."""
    seen: dict[Any, int] = {}
    problems = []
    for row in rows:
        value = row.get(column)
        if value is None or value == "":
            continue
        first = seen.setdefault(value, row["line"])
        if first != row["line"]:
            problems.append(
                Problem(
                    row["line"],
                    column,
                    shown(value),
                    N_("stands in row %(first)s already"),
                    N_("Keep one of the two rows"),
                    {"first": first},
                )
            )
    return problems


def header_line(table: Table, columns: Sequence[Column]) -> Line:
    """The line that is most likely the header: it knows the most columns, else it has the most cells."""

    def score(line: Line) -> tuple[int, int]:
        keys = {header_key(cell) for cell in line.cells if cell.strip()}
        return sum(bool(keys & column.keys) for column in columns), len(keys)

    return max(table.lines[:MOST_HEADER_ROW], key=score)


def guess(line: Line, columns: Sequence[Column]) -> dict[str, str]:
    """Which of a line's headers each column probably is: {code: header as written}."""
    found: dict[str, str] = {}
    for column in columns:
        header = next((cell.strip() for cell in line.cells if header_key(cell) in column.keys), "")
        if header:
            found[column.code] = header
    return found
