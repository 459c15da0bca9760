"""Rosters and what every import shares: headers, encodings, cells, refusals (contract: Imports, P2, P7)."""

from __future__ import annotations

import csv
import json
import multiprocessing
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from models import db
from models.office import Audit
from models.people import Occupancy, Owner, OwnerPhone, Staff
from models.property import Area, Building, Unit
from models.secrets import fingerprint
from office.core.errors import Refused
from office.exchange import imports
from office.exchange.imports import cells
from office.exchange.imports.cells import Wrong
from office.rooms import IMPORTS
from tests.factories import spreadsheets
from tests.factories.spreadsheets import ROSTER_HEADER, csv_file, xlsx_file

NOW = datetime(2026, 7, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CODES = (
    "unit_code,building,area_name,floor,unit_kind,area_m2,handed_over_on,"
    "payer_name,payer_phone,payer_email,occupancy_from,steward"
)
NEEDED = ("unit_code", "building", "unit_kind", "area_m2")


def bring(session, kind, path, **more):
    return imports.take_in(session, kind, IMPORTS[kind], imports.read(path), now=NOW, **more)


def counted(session, *models):
    return [session.scalar(select(func.count()).select_from(model)) for model in models]


@pytest.mark.parametrize("shape", ["xlsx", "gbk", "utf-8", "utf-8-sig"])
def test_a_real_roster_comes_in_whole_and_only_once(session, tmp_path, shape):
    rows = spreadsheets.roster_rows()
    if shape == "xlsx":
        path = xlsx_file(tmp_path / "业主名册.xlsx", ROSTER_HEADER, rows)
    else:
        path = csv_file(tmp_path / "业主名册.csv", ROSTER_HEADER, rows, shape)

    first = bring(session, "roster", path)
    second = bring(session, "roster", path)

    assert (first.rows, first.new, first.skipped) == (943, 943, 0)
    assert (second.new, second.skipped) == (0, 943)
    assert counted(session, Unit, Area, Building, Occupancy) == [943, 2, 12, 896]
    unit = session.scalars(select(Unit).where(Unit.code == "3-2-0101")).one()
    assert (unit.building.name, unit.building.area.name) == ("3栋", "东区")
    assert (unit.kind, unit.floor, unit.handed_over_on) == ("residence", 1, date(2019, 6, 1))
    assert unit.state == "occupied"
    (stays,) = session.scalars(select(Occupancy).where(Occupancy.unit_id == unit.id))
    assert (stays.from_on, stays.is_payer) == (date(2019, 6, 1), True)
    assert stays.owner.phones[0].number_mac == fingerprint(stays.owner.phones[0].number)
    stewards = session.scalars(select(Staff).where(Staff.name.like("管家%"))).all()
    assert sorted(len(one.buildings) for one in stewards) == [3, 3, 3, 3]
    assert all(one.roles == {"steward"} and not one.password_hash for one in stewards)
    assert [row.action for row in session.scalars(select(Audit))] == ["import"]


def roster(tmp_path, *rows, header=CODES):
    lines = [header, *rows]
    path = tmp_path / "roster.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_only_four_columns_are_needed(session, tmp_path):
    bring(session, "roster", roster(tmp_path, "A-1,A座,办公,89.5", header="房号,楼栋,类型,面积"))

    unit = session.scalars(select(Unit)).one()
    assert (unit.state, unit.handed_over_on, unit.area_m2) == ("vacant", None, Decimal("89.5"))
    assert counted(session, Owner) == [0]


@pytest.mark.parametrize(
    "header",
    [
        " 房号 ,楼栋*,类型,面积（m²）,业主姓名",
        "房號,樓棟,類型,面積,業主姓名",
        "UNIT_CODE,Building,unit kind,Area_M2,payer_name",
        "房号,楼栋,类型,面积(平方米),业主姓名",
        "unit＿code,楼栋,类型,建筑面积㎡,业主姓名".replace("㎡", ""),
    ],
)
def test_headers_are_known_in_other_width_case_and_spacing(session, tmp_path, header):
    report = bring(session, "roster", roster(tmp_path, "A-1,A座,住宅,89.5,张三", header=header))

    assert report.new == 1
    assert session.scalars(select(Owner.name)).one() == "张三"


def test_a_title_above_the_header_and_unknown_columns_do_no_harm(session, tmp_path):
    path = csv_file(
        tmp_path / "r.csv",
        ["某小区业主名册"],
        [["房号", "楼栋", "备注", "类型", "面积"], ["1", "1栋", "x", "商铺", "8"]],
    )

    assert bring(session, "roster", path).new == 1


def test_numbers_and_dates_of_a_workbook_are_read_as_they_show(session, tmp_path):
    header = ("unit_code", "building", "unit_kind", "area_m2", "handed_over_on", "payer_name", "payer_phone")
    row = [1201, 3, "residence", 0.1 + 0.2, date(2026, 2, 3), "李四", 13900001234]

    bring(session, "roster", xlsx_file(tmp_path / "r.xlsx", header, [row]))

    unit = session.scalars(select(Unit)).one()
    assert (unit.code, unit.building.name, unit.area_m2) == ("1201", "3", Decimal("0.3"))
    assert unit.handed_over_on == date(2026, 2, 3)
    assert session.scalars(select(OwnerPhone)).one().number == "13900001234"


def test_one_owner_of_several_units_is_one_and_namesakes_are_two(session, tmp_path):
    bring(
        session,
        "roster",
        roster(
            tmp_path,
            "1,A,,,residence,80,,王伟,139 0000 0001,,,",
            "2,A,,,parking,12,,王伟,13900000001,,,",
            "3,A,,,residence,80,,王伟,13900000002,,,",
            "4,A,,,residence,80,,王伟,,,,",
            "5,A,,,residence,80,,王伟,,,,",
            "6,A,,,office,80,,某某有限公司,,,,",
            "7,A,,,office,80,,某某有限公司,,,,",
        ),
    )

    owners = [row.owner_id for row in session.scalars(select(Occupancy).order_by(Occupancy.unit_id))]
    assert owners[0] == owners[1]
    assert len(set(owners[1:5])) == 4
    assert owners[5] == owners[6]
    assert session.scalars(select(Owner.kind).where(Owner.id == owners[5])).one() == "company"


def test_a_known_unit_is_left_as_it_is_but_gets_its_first_payer(session, tmp_path):
    bring(session, "roster", roster(tmp_path, "1,A,,,residence,80,,,,,,", "2,A,,,residence,80,,李,,,,"))
    path = roster(tmp_path, "1,B,,,office,99,,王,,,2026-01-01,", "2,A,,,office,99,,赵,,,,")

    first, second = bring(session, "roster", path), bring(session, "roster", path)

    assert (first.new, first.skipped, first.differs) == (1, 0, 2)
    assert (second.new, second.skipped, second.differs) == (0, 0, 2)
    assert [(unit.kind, unit.state) for unit in session.scalars(select(Unit))] == [
        ("residence", "occupied")
    ] * 2
    assert set(session.scalars(select(Owner.name))) == {"李", "王"}


@pytest.mark.parametrize("header", ["居住人数", "入住人數", "居住人口", "residents", "Residents", "people"])
def test_how_many_live_in_a_unit_comes_with_its_payer(session, tmp_path, header):
    path = roster(
        tmp_path,
        "1,A,住宅,80,李,3",
        "2,A,住宅,80,王,",
        "3,A,住宅,80,赵,0",
        header=f"房号,楼栋,类型,面积,业主姓名,{header}",
    )

    report = bring(session, "roster", path)

    assert report.new == 3
    assert session.scalars(select(Occupancy.residents).order_by(Occupancy.unit_id)).all() == [3, None, 0]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,A,住宅,80,李,-1", "not between 0 and 9999"),
        ("1,A,住宅,80,李,2.5", "not a whole number"),
        ("1,A,住宅,80,李,三", "not a number"),
        ("1,A,住宅,80,,3", "residents without a payer"),
    ],
)
def test_a_wrong_number_of_residents_is_told(session, tmp_path, row, problem):
    path = roster(tmp_path, row, header="房号,楼栋,类型,面积,业主姓名,居住人数")

    with pytest.raises(imports.RowsRefused) as refused:
        bring(session, "roster", path)

    (found,) = refused.value.problems
    assert (found.column, found.message % found.values) == ("residents", problem)


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (",A,residence,80", "unit_code", "empty"),
        ("1,,residence,80", "building", "empty"),
        ("1,A,castle,80", "unit_kind", "unknown: castle"),
        ("1,A,residence,", "area_m2", "empty"),
        ("1,A,residence,0", "area_m2", "zero"),
        ("1,A,residence,-1", "area_m2", "below zero"),
        ("1,A,residence,nan", "area_m2", "not a finite number"),
        ("1,A,residence,Infinity", "area_m2", "not a finite number"),
        ("1,A,residence,1000000000000", "area_m2", "too large a number"),
        ("1,A,residence,1e3", "area_m2", "not a number"),
        ("1,A,residence,80㎡?", "area_m2", "not a number"),
        (f"{'9' * 41},A,residence,80", "unit_code", "longer than 40 characters"),
    ],
)
def test_a_wrong_cell_is_told_with_its_place_and_nothing_is_kept(session, tmp_path, row, column, problem):
    path = roster(tmp_path, "9,A,residence,80", row, header=",".join(NEEDED))

    with pytest.raises(imports.RowsRefused) as refused:
        bring(session, "roster", path)

    (found,) = refused.value.problems
    assert (found.row, found.column, found.message % found.values) == (3, column, problem)
    assert found.remedy
    assert counted(session, Unit) == [0]


def test_two_rows_for_one_unit_are_refused(session, tmp_path):
    with pytest.raises(imports.RowsRefused, match="row 3, column unit_code: stands in row 2 already"):
        bring(session, "roster", roster(tmp_path, "1,A,住宅,80", "1,A,住宅,80", header="房号,楼栋,类型,面积"))


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_column_is_named(session, tmp_path, missing):
    header = ",".join(code for code in NEEDED if code != missing)

    with pytest.raises(Refused, match=missing):
        bring(session, "roster", roster(tmp_path, "1,A,80", header=header))


def test_text_that_looks_like_a_formula_is_text(session, tmp_path):
    row = '"=1+1",+A,@x,,住宅,80,,"=HYPERLINK(""http://x"")",-1,@b,,'

    bring(session, "roster", roster(tmp_path, row))

    assert session.scalars(select(Unit.code)).one() == "=1+1"
    assert session.scalars(select(Owner.name)).one() == '=HYPERLINK("http://x")'


AT_ONCE = {
    "roster": (ROSTER_HEADER, spreadsheets.roster_rows(200), {"new": 200}),
    "payments": (
        ("unit_code", "amount", "paid_at", "method", "reference"),
        [[row[0], "10.00", "2026-01-05 10:00", "cash", f"P{row[0]}"] for row in spreadsheets.roster_rows(19)],
        {"new": 19},
    ),
    "statement": (
        ("transaction_id", "paid_at", "amount", "memo"),
        [[f"T{row[0]}", "2026-01-05 10:00", "10.00", row[0]] for row in spreadsheets.roster_rows(19)],
        {"new": 19},
    ),
    "tickets": (
        ("registered_at", "channel", "category", "statement"),
        [["2026-01-05 10:00", "phone", "cleaning", f"no. {number}"] for number in range(19)],
        {"new": 19},
    ),
}


def import_beside(office, start, told, *arguments):
    """In a process of its own, as soon as all the others are there too."""
    with office.app.app_context():
        db.engine.dispose(close=False)
    start.wait(60)
    done = office.run("import", *arguments, "--json")
    told.put((done.exit_code, done.stdout, done.stderr))


@pytest.mark.parametrize("kind", AT_ONCE)
def test_the_same_import_eight_times_at_once(office, tmp_path, kind):
    header, rows, expected = AT_ONCE[kind]
    if kind != "roster":
        houses = csv_file(tmp_path / "roster.csv", ROSTER_HEADER, spreadsheets.roster_rows(19))
        assert office.run("import", "roster", houses).exit_code == 0
    path = csv_file(tmp_path / "file.csv", header, rows)
    fork = multiprocessing.get_context("fork")
    start, told = fork.Barrier(8), fork.SimpleQueue()

    running = [
        fork.Process(target=import_beside, args=(office, start, told, kind, path), daemon=True)
        for _ in range(8)
    ]
    for one in running:
        one.start()
    ended = [told.get() for _ in running]
    for one in running:
        one.join(60)

    assert [code for code, _, _ in ended] == [0] * 8, ended
    assert sum(json.loads(out)["new"] for _, out, _ in ended) == expected["new"]


def test_the_command_reports_checks_and_tells_errors(office_of, tmp_path):
    office = office_of("residential")
    good = csv_file(tmp_path / "good.csv", ROSTER_HEADER, spreadsheets.roster_rows(5))
    bad = roster(tmp_path, "1,A,castle,80", header=",".join(NEEDED))

    checked = office.run("import", "roster", good, "--check", "--json")
    with office.session() as session:
        assert counted(session, Unit) == [0]
    taken = office.run("import", "roster", good, "--json")
    refused = office.run("import", "roster", bad)

    assert json.loads(checked.stdout)["new"] == json.loads(taken.stdout)["new"] == 5
    assert taken.exit_code == checked.exit_code == 0
    assert refused.exit_code == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    with (tmp_path / "roster.csv.errors.csv").open(encoding="utf-8-sig") as file:
        (told,) = csv.DictReader(file)
    assert (told["row"], told["column"], told["value"]) == ("2", "unit_kind", "castle")
    assert office.run("import", "weather", good).exit_code == 2
    assert office.run("import", "roster", tmp_path / "none.csv").exit_code == 2


# --- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-07-01", date(2026, 7, 1)),
        ("2026/7/1", date(2026, 7, 1)),
        ("2026.07.01", date(2026, 7, 1)),
        ("2026年7月1日", date(2026, 7, 1)),
        ("20260701", date(2026, 7, 1)),
        ("２０２６-07-01", date(2026, 7, 1)),
        ("2026-07-01 00:00:00", date(2026, 7, 1)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2026-02-29", None),
        ("2026-13-01", None),
        ("1899-12-31", None),
        ("46204", None),
        ("tomorrow", None),
        ("2026-07-01 09:00", None),
    ],
)
def test_days(written, day):
    if day is None:
        with pytest.raises(Wrong):
            cells.day(written)
    else:
        assert cells.day(written) == day


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-07-01T09:30:00+08:00", datetime(2026, 7, 1, 1, 30, tzinfo=UTC)),
        ("2026-07-01T01:30:00Z", datetime(2026, 7, 1, 1, 30, tzinfo=UTC)),
        ("2026-07-01 09:30", datetime(2026, 7, 1, 1, 30, tzinfo=UTC)),
        ("2026/7/1 9:30:05", datetime(2026, 7, 1, 1, 30, 5, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 16, tzinfo=UTC)),
        ("2026-07-01T09:30:00.250+0800", datetime(2026, 7, 1, 1, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-07-01 24:00", None),
        ("2026-07-01 09:60", None),
        ("2026-07-01 soon", None),
        ("2026-07-01 09:30+99:00", None),
        ("09:30", None),
    ],
)
def test_instants_without_an_offset_are_office_time(written, instant):
    if instant is None:
        with pytest.raises(Wrong):
            cells.instant(written, SHANGHAI)
    else:
        assert cells.instant(written, SHANGHAI) == instant


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2026-07", "2026-07"),
        ("2026/7", "2026-07"),
        ("2026年7月", "2026-07"),
        ("202607", "2026-07"),
        ("2026-07-01", "2026-07"),
        ("2026-07-02", None),
        ("2026-13", None),
        ("2026-00", None),
        ("July", None),
    ],
)
def test_periods(written, period):
    if period is None:
        with pytest.raises(Wrong):
            cells.period(written)
    else:
        assert cells.period(written) == period


@pytest.mark.parametrize(
    ("written", "value"),
    [("是", True), ("否", False), ("TRUE", True), ("0", False), ("Ｙ", True), ("maybe", None)],
)
def test_flags(written, value):
    if value is None:
        with pytest.raises(Wrong):
            cells.flag(written)
    else:
        assert cells.flag(written) is value
