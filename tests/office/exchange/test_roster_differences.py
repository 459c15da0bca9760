"""A roster brought again: each row is new, equal or differs; nothing changes unless it is asked for (R3)."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from models.office import Audit
from models.people import Owner, OwnerPhone
from models.property import Unit
from office.exchange import imports
from office.exchange.imports.mapping import FileMapping
from office.rooms import IMPORTS

NOW = datetime(2026, 7, 1, 1, tzinfo=UTC)
CODES = (
    "unit_code,building,area_name,floor,unit_kind,area_m2,handed_over_on,"
    "payer_name,payer_phone,payer_email,occupancy_from,steward"
)
ROW = "1-101,1栋,东区,3,residence,89.5,2020-01-01,张三,13800000001,z@example.com,2020-01-01,"
DIFFERENCES = [
    (",89.5,", ",98.5,", ("area_m2", "89.5", "98.5")),
    (",3,", ",5,", ("floor", "3", "5")),
    ("residence", "shop", ("unit_kind", "residence", "shop")),
    (",2020-01-01,张", ",2021-02-03,张", ("handed_over_on", "2020-01-01", "2021-02-03")),
    ("13800000001", "13900000002", ("payer_phone", "138****0001", "139****0002")),
    ("13800000001", "13800000001/0755-12345678", ("payer_phone", "138****0001", "138****0001/075******5678")),
    ("z@example.com", "n@example.com", ("payer_email", "z@example.com", "n@example.com")),
    ("张三", "张珊", ("payer_name", "张三", "张珊")),
    ("com,2020-01-01", "com,2019-05-01", ("occupancy_from", "2020-01-01", "2019-05-01")),
]
SAME = [ROW, ROW.replace("1-101", "１－１０１"), ROW.replace("1栋", " 1栋\xa0"), ROW.replace("z@", "Z@")]
SILENT = [ROW.replace("13800000001", ""), ROW.replace("89.5", "89.50"), ROW.replace("东区", "")]


def bring(session, kind, path, **more):
    return imports.take_in(session, kind, IMPORTS[kind], imports.read(path), now=NOW, **more)


def roster(folder, *rows):
    path = folder / "roster.csv"
    path.write_text("\n".join((CODES, *rows)) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("again", [*SAME, *SILENT])
def test_an_equal_row_is_equal_however_it_is_written(session, tmp_path, again):
    bring(session, "roster", roster(tmp_path, ROW))

    report = bring(session, "roster", roster(tmp_path, again))

    assert (report.new, report.skipped, report.differs) == (0, 1, 0)
    assert session.scalar(select(func.count()).select_from(Unit)) == 1


@pytest.mark.parametrize(("old", "new", "told"), DIFFERENCES)
def test_a_difference_is_told_and_written_only_when_asked(session, tmp_path, old, new, told):
    bring(session, "roster", roster(tmp_path, ROW))
    again = roster(tmp_path, ROW.replace(old, new, 1))

    first = bring(session, "roster", again)
    stored = session.scalars(select(Unit)).one()
    untouched = (stored.area_m2, stored.floor, session.scalars(select(Owner.name)).all())
    second = bring(session, "roster", again, wanted=imports.EVERY_DIFFERENCE)
    third = bring(session, "roster", again)

    assert [(one.column, one.there, one.here) for one in first.differences] == [told]
    assert (untouched[0], untouched[1], untouched[2]) == (89.5, 3, ["张三"])
    assert (second.updated, second.differs) == (1, 0)
    assert (third.skipped, third.differs) == (1, 0)
    assert session.scalars(select(Audit.action).where(Audit.action == "edit")).all() == ["edit"]


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [("张三,13800000001", "李四,13900000002", "payer_name"), ("1栋", "2栋", "building")],
)
def test_another_owner_or_building_is_told_but_never_written_by_an_import(
    session, tmp_path, old, new, column
):
    """A change of ownership has its own screen (P5)."""
    bring(session, "roster", roster(tmp_path, ROW))

    report = bring(
        session, "roster", roster(tmp_path, ROW.replace(old, new)), wanted=imports.EVERY_DIFFERENCE
    )

    assert [one.column for one in report.differences] == [column]
    assert report.updated == 0
    assert session.scalars(select(Owner.name)).all() == ["张三"]


def test_differences_are_listed_in_a_file_of_their_own(session, tmp_path):
    bring(session, "roster", roster(tmp_path, ROW))
    report = bring(session, "roster", roster(tmp_path, ROW.replace("89.5", "98.5")))

    imports.write_differences(tmp_path / "roster.csv.differs.csv", report)

    said = (tmp_path / "roster.csv.differs.csv").read_text("utf-8-sig").splitlines()
    assert said == ["row,column,there,here", "2,area_m2,89.5,98.5"]


def test_namesakes_with_other_phones_stay_two_owners(session, tmp_path):
    other = ROW.replace("1-101", "1-102").replace("13800000001,z@example.com", "13800000009,")

    bring(session, "roster", roster(tmp_path, ROW, other))

    assert session.scalars(select(Owner.name)).all() == ["张三", "张三"]
    assert session.scalar(select(func.count()).select_from(OwnerPhone)) == 2


def test_a_second_unit_of_one_code_cannot_be_made(session, tmp_path):
    """Also not by a form: the row itself keeps the normal form."""
    bring(session, "roster", roster(tmp_path, ROW))
    unit = session.scalars(select(Unit)).one()

    unit.code = "\u30001－１０１\xa0"

    assert unit.code == "1-101"


def test_codes_that_repeat_from_staircase_to_staircase_are_to_be_joined(session, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(
        "楼栋,单元,房号,面积,类型\n1栋,1单元,T101,89.5,住宅\n1栋,2单元,T101,92.36,住宅\n", "utf-8"
    )
    pattern = "{楼栋}-{单元}-{房号}"

    with pytest.raises(imports.RowsRefused) as refusal:
        bring(session, "roster", path)
    mapping = FileMapping(joins={"unit_code": pattern})
    table = imports.read(path, has_header=imports.header_test(session, IMPORTS["roster"], mapping))
    report = imports.take_in(session, "roster", IMPORTS["roster"], table, now=NOW, mapping=mapping)

    told = refusal.value.problems[0]
    assert f'unit_code = "{pattern}"' in told.remedy % told.values
    assert report.new == 2
    assert set(session.scalars(select(Unit.code))) == {"1栋-1单元-T101", "1栋-2单元-T101"}
