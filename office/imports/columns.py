"""A table's rows → typed rows, by a list of columns; every wrong cell is told, none is guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.complaints import Category
from models.property import Unit
from office import clock
from office.errors import N_, Refused
from office.imports import cells
from office.imports.cells import Wrong
from office.imports.reader import Line, Table
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
    def units(self) -> Mapping[str, int]:
        """{unit code: id}, and by the code as it is compared where that is unambiguous."""
        exact = dict(self.session.execute(select(Unit.code, Unit.id)).all())
        loose: dict[str, int | None] = {}
        for code, id_ in exact.items():
            compared = plain(code).strip()
            loose[compared] = None if compared in loose else id_
        return {**{code: id_ for code, id_ in loose.items() if id_ is not None}, **exact}

    @cached_property
    def fee_items(self) -> Callable[[str], int]:
        rows = self.session.execute(
            select(FeeItem.id, FeeItem.code, FeeItem.name_en, FeeItem.name_zh_hans, FeeItem.name_zh_hant)
        )
        return _by_word(rows, N_("unknown fee item"))

    @cached_property
    def categories(self) -> Callable[[str], int]:
        rows = self.session.execute(
            select(Category.id, Category.code, Category.name_en, Category.name_zh_hans, Category.name_zh_hant)
        )
        return _by_word(rows, N_("unknown category"))


def _by_word(rows: Iterable[Any], message: str) -> Callable[[str], int]:
    words: dict[str, int] = {}
    codes = []
    for id_, code, *names in rows:
        codes.append(code)
        words.update({cells.key(name): id_ for name in (*names, code) if name})

    def read(text: str) -> int:
        try:
            return words[cells.key(text)]
        except KeyError:
            raise Wrong(message, N_("Write one of: %(known)s"), known="、".join(codes)) from None

    return read


Read = Callable[[str, Known], Any]


@dataclass(frozen=True)
class Column:
    """A column by its code and the headers it may have; `empty` is what an empty cell means."""

    code: str
    names: tuple[str, ...]
    read: Read
    is_required: bool = False
    empty: Any = None

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(header_key(name) for name in (self.code, *self.names))


def plainly(read: Callable[[str], Any]) -> Read:
    """A reader that needs to know nothing else."""
    return lambda text, _known: read(text)


def text(most: int = 10_000) -> Read:
    return plainly(cells.short_text(most))


def instant(text: str, known: Known) -> Any:
    return cells.instant(text, known.zone)


def unit(text: str, known: Known) -> int:
    """A known unit's id."""
    found = known.units.get(text) or known.units.get(plain(text).strip())
    if found is None:
        raise Wrong(N_("unknown unit"), N_("Write a unit code of the roster, or import the roster first"))
    return found


def fee_item(text: str, known: Known) -> int:
    return known.fee_items(text)


def category(text: str, known: Known) -> int:
    return known.categories(text)


UNIT_CODE = Column(
    "unit_code",
    ("房号", "房號", "房屋编号", "房屋編號", "房间号", "房产编号", "房屋代码", "房屋", "unit", "unit no."),
    unit,
    is_required=True,
)


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


def _places(line: Line, columns: Sequence[Column], mapping: Mapping[str, str], file: str) -> dict[str, int]:
    headers = [header_key(cell) for cell in line.cells]
    places: dict[str, int] = {}
    for column in columns:
        chosen = mapping.get(column.code)
        wanted = {header_key(chosen)} if chosen else column.keys
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
    for line in table.lines[skipped:]:
        row: dict[str, Any] = {"line": line.number, **absent}
        for column, place in present:
            given = line.cell(place).strip()
            try:
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
