"""Rosters as offices keep them: each row new, equal, differs or refused, and no unit or owner twice (R3).

The cases are made from what is true, so the oracle knows it: codes in any width, dash and blank, one or two
header lines, titles above and totals below, merged buildings, several sheets with a hidden one, namesakes,
error and date cells, a web page named `.xls`. 25 cases in the gate, 500 with GATEHOUSE_FULL=1.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from models.people import Occupancy, Owner, OwnerPhone
from models.property import Unit
from office.core.errors import Refused
from office.exchange import imports
from office.exchange.imports import columns, headers, roster, roster_row
from office.rooms import IMPORTS
from tests.conftest import IS_FULL

NOW = dt.datetime(2026, 7, 6, 1, tzinfo=dt.UTC)
CASES = 500 if IS_FULL else 25
WIDE = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
DASHES = "-－–—‐−"
BLANKS = ("", " ", "\u3000", "\xa0")
NAMES = ("张伟", "王芳", "李娜")
HEADERS = ("房号", "楼栋", "类型", "面积", "业主姓名", "电话")
ERRORS = {"#N/A": "=NA()", "#REF!": "=A1+#REF!", "#DIV/0!": "=1/0"}
DAMAGES = ("", "", "", "", "error", "date", "twice", "inner_area", "web_page")


@dataclass(frozen=True)
class Household:
    """One unit as it truly is."""

    code: str
    building: str
    area: Decimal
    name: str
    phone: str


@dataclass(frozen=True)
class Shape:
    """How a file is written."""

    form: str = "xlsx"  # csv, gb18030, utf-16, tabs, xlsx
    spelling: tuple[int, ...] = (0,)  # chooses width, dash and blanks of each code
    has_title: bool = False
    has_two_lines: bool = False
    has_footer: bool = False
    is_merged: bool = False
    sheets: str = ""  # decoy: a sheet of remarks before it; hidden: another roster, hidden
    damage: str = ""
    damaged: int = 0  # which row


@dataclass(frozen=True)
class Case:
    """What is there first, what a second file says, and how both are written."""

    before: tuple[Household, ...]
    after: tuple[Household, ...]
    shapes: tuple[Shape, Shape] = field(default=(Shape(), Shape()))


# --- writing files -----------------------------------------------------------------------------------


def spelt(code: str, way: int) -> str:
    """A code in another width, dash or with blanks around it."""
    letters = [WIDE.get(one, one) if way >> place % 5 & 1 else one for place, one in enumerate(code)]
    text = "".join(letters).replace("-", DASHES[way % 6]).replace("－", DASHES[way % 6])
    return BLANKS[way // 2 % 4] + text + BLANKS[way // 3 % 4]


def cells(case_rows: tuple[Household, ...], shape: Shape) -> list[list[Any]]:
    """The rows of a file; a damaged one where the shape says so."""
    made = []
    for place, one in enumerate(case_rows):
        way = shape.spelling[place % len(shape.spelling)]
        made.append([spelt(one.code, way), one.building, "住宅", str(one.area), one.name, one.phone])
    if shape.damage == "twice":
        made.append([case_rows[0].code, "9栋", "住宅", "77", "", ""])
    if shape.damage == "error":
        made[shape.damaged % len(made)][4] = ("error", list(ERRORS)[shape.damaged % len(ERRORS)])
    if shape.damage == "date":
        made[shape.damaged % len(made)][0] = dt.date(2026, 1, 8)
    return made


def above(shape: Shape) -> list[list[str]]:
    header = list(HEADERS)
    if shape.damage == "inner_area":
        header[3] = "面积(套内)"
    title = [["某某小区业主名册"]] if shape.has_title else []
    if shape.has_two_lines:
        return [*title, ["房屋信息", "", "", "", "业主信息", ""], header]
    return [*title, header]


def write(folder: Path, number: int, rows: tuple[Household, ...], shape: Shape) -> Path:
    lines = [*above(shape), *cells(rows, shape)]
    if shape.has_footer:
        lines.append(["合计", "", "", str(sum(one.area for one in rows)), "", ""])
    if shape.damage == "web_page":
        path = folder / f"{number}.xls"
        path.write_text("<html><table><tr><td>房号</td></tr></table></html>", "utf-8")
        return path
    if shape.form == "xlsx":
        return workbook(folder / f"{number}.xlsx", lines, len(above(shape)), rows, shape)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t" if shape.form == "tabs" else ",").writerows(lines)
    path = folder / f"{number}.csv"
    path.write_bytes(
        text.getvalue().encode({"tabs": "utf-8", "csv": "utf-8-sig"}.get(shape.form, shape.form))
    )
    return path


def workbook(path: Path, lines: list[list[Any]], top: int, rows: tuple[Household, ...], shape: Shape) -> Path:
    book = xlsxwriter.Workbook(path)
    if shape.sheets == "decoy":
        book.add_worksheet("说明").write_row(0, 0, ("本表仅供参考",))
    sheet = book.add_worksheet("名册")
    if shape.sheets == "hidden":
        other = book.add_worksheet("旧")
        other.write_row(0, 0, HEADERS)
        other.write_row(1, 0, ("旧-999", "旧栋", "住宅", 10, "", ""))
        other.hide()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for number, line in enumerate(lines):
        for place, cell in enumerate(line):
            if isinstance(cell, tuple):
                sheet.write_formula(number, place, ERRORS[cell[1]], None, cell[1])
            elif isinstance(cell, dt.date):
                sheet.write_datetime(number, place, cell, day)
            elif place == 3 and number >= top:
                sheet.write_number(number, place, float(cell))
            else:
                sheet.write_string(number, place, cell)
    if shape.is_merged:
        merge_buildings(sheet, top, rows)
    book.close()
    return path


def merge_buildings(sheet: Any, top: int, rows: tuple[Household, ...]) -> None:
    first = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or rows[place].building != rows[first].building:
            if place - first > 1:
                sheet.merge_range(top + first, 1, top + place - 1, 1, rows[first].building)
            first = place


# --- what is true ------------------------------------------------------------------------------------


def is_refused(shape: Shape) -> bool:
    return bool(shape.damage)


def outcomes(before: tuple[Household, ...], after: tuple[Household, ...]) -> tuple[int, int, int]:
    """How many rows are new, equal and differ."""
    known = {one.code: one for one in before}
    new = sum(one.code not in known for one in after)
    equal = sum(known.get(one.code) == one for one in after)
    return new, equal, len(after) - new - equal


def people(rows: tuple[Household, ...]) -> set[tuple[str, str]]:
    """Persons are apart by name and phone."""
    return {(one.name, one.phone) for one in rows if one.name}


def bring(session: Any, path: Path) -> imports.Report:
    kind = IMPORTS["roster"]
    table = imports.read(path, has_header=imports.header_test(session, kind))
    return imports.take_in(session, "roster", kind, table, now=NOW)


def prove(session: Any, folder: Path, case: Case) -> None:
    """Bring both files of a case in and hold what became of them against what is true."""
    there: tuple[Household, ...] = ()
    for number, (rows, shape) in enumerate(zip((case.before, case.after), case.shapes, strict=True)):
        path = write(folder, number, rows, shape)
        if is_refused(shape):
            with pytest.raises(Refused):
                bring(session, path)
            session.expire_all()
        else:
            report = bring(session, path)
            assert (report.new, report.skipped, report.differs) == outcomes(there, rows)
            assert report.skipped_lines == int(shape.has_footer)
            known = {one.code for one in there}
            there += tuple(one for one in rows if one.code not in known)
        stored = session.execute(select(Unit.code, Unit.area_m2)).all()
        assert dict(stored) == {one.code: one.area for one in there}
        assert len(stored) == len(there)
        named = select(Owner.name, func.count(OwnerPhone.id.distinct()), func.count(Occupancy.id.distinct()))
        named = named.outerjoin(Owner.phones).outerjoin(Owner.occupancies).group_by(Owner.id)
        held = sorted(tuple(row) for row in session.execute(named))
        flats = [
            (name, 1, sum((one.name, one.phone) == (name, phone) for one in there))
            for name, phone in people(there)
        ]
        assert held == sorted(flats)


# --- making cases ------------------------------------------------------------------------------------


@st.composite
def households(draw: st.DrawFn) -> tuple[Household, ...]:
    count = draw(st.integers(2, 7))
    buildings = sorted(draw(st.lists(st.sampled_from(("1栋", "2栋")), min_size=count, max_size=count)))
    return tuple(
        Household(
            f"{building[0]}-{100 + place}",
            building,
            Decimal(draw(st.integers(400, 1800))) / 10,
            name := draw(st.sampled_from((*NAMES, ""))),
            f"1380000000{draw(st.integers(0, 3))}" if name else "",
        )
        for place, building in enumerate(buildings)
    )


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    damage = draw(st.sampled_from(DAMAGES))
    form = draw(st.sampled_from(("csv", "gb18030", "utf-16", "tabs", "xlsx", "xlsx", "xlsx")))
    return Shape(
        form="xlsx" if damage in {"error", "date"} else form,
        spelling=tuple(draw(st.lists(st.integers(0, 31), min_size=1, max_size=5))),
        has_title=draw(st.booleans()),
        has_two_lines=draw(st.booleans()),
        has_footer=draw(st.booleans()) and damage != "web_page",
        is_merged=draw(st.booleans()),
        sheets=draw(st.sampled_from(("", "decoy", "hidden"))),
        damage=damage,
        damaged=draw(st.integers(0, 6)),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    before = draw(households())
    after = []
    for one in before:
        match draw(st.sampled_from(("same", "same", "area", "phone", "left out"))):
            case "same":
                after.append(one)
            case "area":
                after.append(replace(one, area=one.area + 1))
            case "phone":
                after.append(replace(one, phone="13911112222") if one.name else one)
    extra = [
        Household(f"3-{place}01", "3栋", Decimal("66.5"), draw(st.sampled_from(NAMES)), f"1370000000{place}")
        for place in range(draw(st.integers(0 if after else 1, 2)))
    ]
    return Case(before, (*after, *extra), (draw(shapes()), draw(shapes())))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases())
def test_each_row_of_a_roster_is_what_it_is(session, tmp_path, dialect, case):
    nested = session.begin_nested()
    try:
        prove(session, tmp_path, case)
    finally:
        nested.rollback()
        session.expire_all()


# --- controls: with a protection switched off the proof must fail ----------------------------------------

HOUSE = Household("1-101", "1栋", Decimal("80.5"), "张伟", "13800000001")
NAMESAKE = Household("1-102", "1栋", Decimal("90.5"), "张伟", "13800000002")
SPELT = Case((HOUSE, NAMESAKE), (HOUSE, NAMESAKE), (Shape(), Shape(form="csv", spelling=(31,))))
FOOTED = Case((HOUSE, NAMESAKE), (HOUSE,), (Shape(has_footer=True), Shape()))


def test_the_controls_hold_while_nothing_is_switched_off(session, tmp_path):
    for case in (SPELT, FOOTED):
        nested = session.begin_nested()
        prove(session, tmp_path, case)
        nested.rollback()
        session.expire_all()


def as_written(text: str) -> str:
    return text


def one_for_all(_text: str) -> str:
    return "the same"


@pytest.mark.parametrize(
    ("case", "off"),
    [
        (SPELT, [(roster, "compared_key", as_written), (roster_row, "compared_key", as_written),
                 (columns, "text_key", as_written)]),
        (SPELT, [(roster, "fingerprint", one_for_all), (roster_row, "fingerprint", one_for_all)]),
        (FOOTED, [(headers, "footer_length", lambda _lines, _needed: 0)]),
    ],
    ids=["normal form", "fingerprints", "footers"],
)  # fmt: skip
def test_control_the_proof_fails_with_a_protection_off(session, tmp_path, monkeypatch, case, off):
    for module, name, value in off:
        monkeypatch.setattr(module, name, value)

    with pytest.raises((AssertionError, Refused)):
        prove(session, tmp_path, case)
