"""A table's rows → typed rows, by a list of columns; every wrong cell is told, none is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.complaints import Category
from models.people import Occupancy
from models.property import Area, Building, Estate, Unit
from office.core import clock
from office.core.errors import N_, Refused
from office.exchange.imports import cells, headers
from office.exchange.imports.cells import Wrong, plain_values
from office.exchange.imports.headers import MOST_HEADER_ROW, header_key, loose_key
from office.exchange.imports.mapping import FileMapping, joined, parts_of
from office.exchange.imports.reader import DATE, ERROR, NUMBER, NUMBER_1904, Line, Table
from rules import dates
from rules.text_keys import compared_key, text_key

MOST_PROBLEMS = 2_000  # that are listed; all are counted


@dataclass(frozen=True)
class Problem:
    """One wrong cell (or row, then `column` is empty) with its remedy; texts as in cells.Wrong."""

    row: int
    column: str
    value: str
    message: str
    remedy: str
    values: Mapping[str, object] = field(default_factory=dict)


Word = Callable[[str, str], str]  # column, code → what a reader calls it


def of_closed_day(row: int, day: date, open_day: date) -> Problem:
    """A row that would be posted into a day that who brings it has closed (M3)."""
    message, remedy = (
        N_("your day %(day)s is closed"),
        N_("Bring the file on %(open_day)s, the next open day"),
    )
    return Problem(row, "", "", message, remedy, {"day": day, "open_day": open_day})


def of_cheque(row: int) -> Problem:
    """A row paid by cheque, of which a file says neither bank nor day (M13)."""
    message, remedy = N_("a cheque is no row of a file"), N_("Take cheques at the cashier desk")
    return Problem(row, "method", "", message, remedy)


def of_large_sum(row: int, amount: Decimal) -> Problem:
    """A row whose sum is unusually large and not confirmed."""
    message, remedy = (
        N_("%(amount)s is an unusually large sum"),
        N_("Check it; then confirm the large sums of this file (command: --yes)"),
    )
    return Problem(row, "amount", f"{amount}", message, remedy, {"amount": amount})


class RowsRefused(Refused):
    """A file with wrong rows: nothing of it is taken."""

    def __init__(self, file: str, problems: Sequence[Problem], count: int = 0) -> None:
        first = problems[0]
        self.count = max(count, len(problems))  # of all, though only the first ones are listed
        super().__init__(
            N_("%(file)s: %(count)s errors, the first in row %(row)s, column %(column)s: %(problem)s"),
            file=file,
            count=self.count,
            row=first.row,
            column=first.column or "-",
            problem=first.message % plain_values(first.values),
        )
        self.problems = tuple(problems)
        self.rows = len({one.row for one in problems})

    def first(self, translate: Callable[..., str]) -> str:
        """What is wrong with the first wrong cell, in the reader's language."""
        return translate(self.problems[0].message, **plain_values(self.problems[0].values))

    def told(self, translate: Callable[..., str], word: Word) -> list[dict[str, object]]:
        """Every wrong cell with its remedy, in the reader's language; `word` names the codes of a column."""
        found = []
        for one in self.problems:
            values = plain_values(one.values, partial(word, one.column))
            found.append(
                {
                    "row": one.row,
                    "column": one.column,
                    "value": one.value,
                    "problem": translate(one.message, **values),
                    "remedy": translate(one.remedy, **values) if one.remedy else "",
                }
            )
        return found


class Known:
    """What cells may refer to, each loaded when first needed; and the header of the file."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.header: tuple[str, ...] = ()

    @cached_property
    def zone(self) -> ZoneInfo:
        return clock.zone(self.session)

    @cached_property
    def currency(self) -> str:
        """The estate's, such as `CNY`."""
        return self.session.execute(select(Estate.currency)).scalar_one()

    @cached_property
    def unit_ids(self) -> Mapping[str, int]:
        return dict(self.session.execute(select(Unit.code, Unit.id)).all())

    @cached_property
    def code_of(self) -> Mapping[int, str]:
        """Each unit's code by its id."""
        return {id_: code for code, id_ in self.unit_ids.items()}

    @cached_property
    def unit_codes(self) -> Mapping[str, str]:
        """Each unit code by the form in which it is compared, where that is unambiguous."""
        loose: dict[str, str | None] = {}
        for code in self.unit_ids:
            compared = compared_key(code)
            loose[compared] = None if compared in loose else code
        return {compared: code for compared, code in loose.items() if code is not None}

    @cached_property
    def building_ids(self) -> Mapping[str, Sequence[int]]:
        """Ids by name, and by area and name with a blank between, each in the form that is compared."""
        found: dict[str, list[int]] = {}
        for id_, name, area in self.session.execute(
            select(Building.id, Building.name, Area.name).join(Building.area)
        ):
            for called in (name, f"{area} {name}"):
                found.setdefault(compared_key(called), []).append(id_)
        return found

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
    codes = tuple(row[0] for row in names)

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
    `is_key`: it says which thing or day a row is about; a last line without it, or with a total, is no row.
    `measure`: what its numbers count: yuan, m2, or something of the row's `own`; empty without numbers.
    """

    code: str
    names: tuple[str, ...]
    read: Read
    is_required: bool = False
    empty: Any = None
    is_code: bool = False
    is_key: bool = False
    measure: str = ""
    has_dates: bool = False  # besides those whose reader is `day` or `instant`
    is_in_template: bool = True  # the empty table that is offered has it

    @property
    def is_date(self) -> bool:
        return self.has_dates or self.read in (day, instant)

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(header_key(name) for name in (self.code, *self.names))


_SHORTENED = re.compile(r"(?<![\w.-])(?:\d\.\d+[eE][+-]?\d+|\d[eE][+-]\d+)(?![\w.-])", re.ASCII)
MOST_DIGITS = 15  # that a spreadsheet keeps of a number


def check_cell(line: Line, place: int, *, is_code: bool, is_number: bool = False) -> None:
    """Raise Wrong for a cell that a spreadsheet has damaged (contract "Reading files")."""
    given, kept_as = line.cell(place).strip(), line.type(place)
    if kept_as == ERROR:
        raise Wrong(
            N_("the spreadsheet shows an error here: %(value)s"),
            N_("Mend the cell in the spreadsheet, or clear it"),
            value=given,
            given=given,
        )
    if kept_as == DATE and (is_code or is_number):
        raise Wrong(
            N_("the spreadsheet has made a date of it"),
            N_("Format the column as text in the spreadsheet and type the value again"),
            given=given,
        )
    if not is_code:
        return
    if _SHORTENED.search(given) or (
        kept_as in {NUMBER, NUMBER_1904} and len(given.strip("-").replace(".", "")) > MOST_DIGITS
    ):
        raise Wrong(
            N_("the spreadsheet has shortened this number"),
            N_("Format the column as text in the spreadsheet and type the value again"),
            given=given,
        )


def plainly(read: Callable[[str], Any]) -> Read:
    """A reader that needs to know nothing else."""
    return lambda text, _known: read(text)


def text(most: int = 10_000) -> Read:
    return plainly(cells.short_text(most))


def key_text(most: int) -> Read:
    """What names something, in its normal form."""
    return plainly(lambda given: text_key(str(cells.short_text(most)(given))))


def instant(text: str, known: Known) -> Any:
    return cells.instant(text, known.zone)


def day(text: str, _known: Known) -> Any:
    return cells.day(text)


def unit_code(text: str, known: Known) -> str:
    """A known unit's code, whatever the width and case it is written in."""
    found = text if text in known.unit_ids else known.unit_codes.get(compared_key(text))
    if found is None:
        raise Wrong(N_("unknown unit"), N_("Write a unit code of the roster, or import the roster first"))
    return found


def unit(text: str, known: Known) -> int:
    """A known unit's id."""
    return known.unit_ids[unit_code(text, known)]


def building(text: str, known: Known) -> int:
    """A known building's id by its name, or by area and name where several have it."""
    found = known.building_ids.get(compared_key(text), ())
    if len(found) > 1:
        raise Wrong(
            N_("several have this name"), N_("Write the area before the building, with a blank between")
        )
    if not found:
        raise Wrong(N_("unknown building"), N_("Write a building of the roster, or import the roster first"))
    return found[0]


def fee_item(text: str, known: Known) -> str:
    """A fee item's code."""
    return known.fee_items(text)


def category(text: str, known: Known) -> str:
    """A category's code."""
    return known.categories(text)


UNIT_HEADERS = ("房号", "房號", "房屋编号", "房屋編號", "房间号", "房产编号", "房屋", "unit", "unit no.")
UNIT = Column("unit_code", UNIT_HEADERS, unit, is_required=True, is_code=True, is_key=True)


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


def wanted_keys(column: Column, mapping: FileMapping) -> frozenset[str]:
    """The headers a column may stand under: those that a person named, else its own names."""
    named = mapping.headers(column.code)
    if named:
        return frozenset(map(header_key, named))
    is_elsewhere = column.code in mapping.absent or column.code in {**mapping.joins, **mapping.constants}
    return frozenset() if is_elsewhere else column.keys - {header_key(name) for name in mapping.columns}


def places_of(
    cells_: Sequence[str], columns: Sequence[Column], mapping: FileMapping
) -> dict[str, tuple[int, ...]]:
    """Where each column stands among the cells of a header, {code: places}: its own name first.

    A header with something in brackets that no name has is taken only where it is the only one, and never for
    a sum or an area; `读数(吨)` is a reading in the meter's own measure.
    """
    exact = [header_key(cell) for cell in cells_]
    loose = [loose_key(cell) for cell in cells_]
    found: dict[str, tuple[int, ...]] = {}
    for column in columns:
        wanted = wanted_keys(column, mapping)
        places = [place for place, header in enumerate(exact) if header in wanted]
        places.sort(key=lambda place: exact[place] != header_key(column.code))
        if not places and column.measure in {"", "own"}:
            places = [place for place, header in enumerate(loose) if header in wanted]
            places = places if len(places) == 1 else []
        if places:
            found[column.code] = tuple(places)
    return found


@dataclass(frozen=True)
class PlainHeading:
    """The header of a plain table: every required column stands there, or a person has said it otherwise."""

    columns: Sequence[Column]
    mapping: FileMapping

    @cached_property
    def _known(self) -> frozenset[str]:
        own = (wanted_keys(column, self.mapping) for column in self.columns)
        return frozenset().union(*own, map(header_key, self._parts))

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple(name for template in self.mapping.joins.values() for name in parts_of(template))

    def knows(self, name: str) -> bool:
        return header_key(name) in self._known or (bool(name.strip()) and loose_key(name) in self._known)

    def is_header(self, cells_: Sequence[str]) -> bool:
        places = places_of(cells_, self.columns, self.mapping)
        keys = set(map(header_key, cells_))
        return not self.missing(places) and all(header_key(name) in keys for name in self._parts)

    def missing(self, places: Mapping[str, object]) -> list[Column]:
        """The required columns that are neither in the file nor said otherwise."""
        said = {**self.mapping.joins, **self.mapping.constants}
        return [
            column
            for column in self.columns
            if column.is_required and column.code not in places and column.code not in said
        ]


@dataclass(frozen=True)
class Body:
    """The rows of a table without header and footer, and where in them each column stands."""

    header: tuple[str, ...]
    places: Mapping[str, int]
    lines: Sequence[Line]
    skipped_lines: int  # of the footer
    unused: tuple[str, ...]  # headers that no column takes


def find_body(table: Table, columns: Sequence[Column], mapping: FileMapping) -> Body:
    """The rows below a table's header. Raises Refused naming what is missing, or a foreign measure."""
    heading = PlainHeading(columns, mapping)
    rows = [line.cells for line in table.lines[: MOST_HEADER_ROW + 1]]
    found = headers.find(rows, heading)
    count, header = found or (0, max(rows, key=lambda row: sum(map(heading.knows, row)), default=()))
    places = places_of(header, columns, mapping)
    unplaced = [
        column for column in columns if column.measure in {"yuan", "m2"} and column.code not in places
    ]
    headers.refuse_measures(
        table,
        count,
        header,
        lambda bare: any(bare in wanted_keys(column, mapping) for column in unplaced),
    )
    if found is None:
        raise Refused(
            N_("%(file)s: required columns are missing: %(columns)s"),
            file=table.file,
            columns=", ".join(f"{column.code} ({column.names[0]})" for column in heading.missing(places)),
            missing=[column.code for column in heading.missing(places)],
        )
    for of_column in places.values():
        if len({header_key(header[place]) for place in of_column}) < len(of_column):
            raise Refused(
                N_("%(file)s: the column %(column)s stands there twice"),
                file=table.file,
                column=header[of_column[0]].strip(),
            )
    chosen = {code: of_column[0] for code, of_column in places.items()}

    def stands_in(column: Column) -> list[int]:
        """The place of a column, or of the parts that its code is joined of."""
        template = mapping.joins.get(column.code)
        if template is None:
            return [chosen[column.code]] if column.code in chosen else []
        named = set(map(header_key, parts_of(template)))
        return [place for place, cell in enumerate(header) if header_key(cell) in named]

    needed = headers.Needed(
        required=tuple(place for one in columns if one.is_required for place in stands_in(one)),
        keys=tuple(place for one in columns if one.is_key for place in stands_in(one)),
    )
    lines = table.lines[count:]
    footer = headers.footer_length(lines, needed) if needed.keys else 0
    parts = {header_key(name) for template in mapping.joins.values() for name in parts_of(template)}
    used = set(chosen.values())
    unused = (
        cell.strip()
        for place, cell in enumerate(header)
        if cell.strip() and place not in used and header_key(cell) not in parts
    )
    return Body(header, chosen, lines[: len(lines) - footer], footer, tuple(unused))


@dataclass(frozen=True)
class ReadRows:
    """Every row as {column code: value, "line": its number}, what is wrong with them, what was left aside."""

    rows: list[dict[str, Any]]
    problems: list[Problem] = field(default_factory=list)
    count: int = 0  # of all problems, though only the first ones are listed
    skipped_lines: int = 0
    unused: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


def read_rows(table: Table, columns: Sequence[Column], known: Known, *, mapping: FileMapping) -> ReadRows:
    """A table's rows by a list of columns. Raises Refused when a required column is missing."""
    body = find_body(table, columns, mapping)
    readers = [_reader(column, body, mapping) for column in columns]
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    count = 0
    for line in table.counted(body.lines):
        row: dict[str, Any] = {"line": line.number}
        for column, cell in zip(columns, readers, strict=True):
            given = ""
            try:
                given = cell(line)
                row[column.code] = _value(column, mapping.meaning(column.code, given), known)
            except Wrong as wrong:
                count += 1
                if len(problems) < MOST_PROBLEMS:
                    given = given or str(wrong.values.get("given", ""))
                    problems.append(
                        Problem(line.number, column.code, given, wrong.message, wrong.remedy, wrong.values)
                    )
        if not problems:  # else nobody needs them
            rows.append(row)
    return ReadRows(rows, problems, count, body.skipped_lines, body.unused, body.header)


def _reader(column: Column, body: Body, mapping: FileMapping) -> Callable[[Line], str]:
    """How a row's text for a column is found: a constant, a joined code, a cell, or nothing."""
    constant = mapping.constants.get(column.code)
    if constant is not None:
        return lambda _line: constant
    template = mapping.joins.get(column.code)
    if template is not None:
        keys = list(map(header_key, body.header))
        parts = {name: keys.index(header_key(name)) for name in parts_of(template)}
        return lambda line: joined(
            template, {name: _checked(line, place, is_code=True) for name, place in parts.items()}
        )
    place = body.places.get(column.code)
    if place is None:
        return lambda _line: ""
    if column.is_date:
        return dates_at(place, body.lines)
    return lambda line: _checked(line, place, is_code=column.is_code, is_number=bool(column.measure))


def dates_at(place: int, lines: Iterable[Line]) -> Callable[[Line], str]:
    """The text of a cell in a column of dates, whose order of day and month the whole column tells."""
    order = dates.order_of(line.cell(place) for line in lines)

    def read(line: Line) -> str:
        given = _checked(line, place, is_code=False)
        return dates.told(given, order, is_number=line.type(place) == NUMBER)

    return read


def _checked(line: Line, place: int, *, is_code: bool, is_number: bool = False) -> str:
    check_cell(line, place, is_code=is_code, is_number=is_number)
    return line.cell(place).strip()


def _value(column: Column, given: str, known: Known) -> Any:
    if given:
        return column.read(given, known)
    if column.is_required:
        raise Wrong(N_("empty"), N_("Fill this cell"))
    return column.empty


def twice(
    rows: Iterable[Mapping[str, Any]],
    column: str,
    remedy: str = N_("Keep one of the two rows"),
    **values: object,
) -> list[Problem]:
    """The rows that say a value again which must stand in one row only."""
    seen: dict[Any, int] = {}
    problems = []
    for row in rows:
        value = row.get(column)
        if value is None or value == "":
            continue
        first = seen.setdefault(compared_key(value) if isinstance(value, str) else value, row["line"])
        if first != row["line"]:
            problems.append(
                Problem(
                    row["line"],
                    column,
                    str(value),
                    N_("stands in row %(first)s already"),
                    remedy,
                    {"first": first, **values},
                )
            )
    return problems


def header_line(table: Table, columns: Sequence[Column], mapping: FileMapping) -> tuple[int, tuple[str, ...]]:
    """How many lines the header ends, and its cells; where none is known, the most similar line.

    For a person who is asked which header is what.
    """
    heading = PlainHeading(columns, mapping)
    rows = [line.cells for line in table.lines[: MOST_HEADER_ROW + 1]]
    found = headers.find(rows, heading)
    if found is not None:
        return found

    def score(place: int) -> tuple[int, int]:
        return sum(map(heading.knows, rows[place])), sum(bool(cell.strip()) for cell in rows[place])

    best = max(range(len(rows)), key=score)
    return best + 1, rows[best]


def guess(header: Sequence[str], columns: Sequence[Column], mapping: FileMapping) -> dict[str, str]:
    """Which header each column probably is: {code: header as written}."""
    places = places_of(header, columns, mapping)
    return {code: header[of_column[0]].strip() for code, of_column in places.items()}
