"""Where a table stands in its file: header, measures, footer, mapping (contract "Reading files"; R3)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from office.core.errors import Refused
from office.exchange.imports import columns, headers, mapping, readings, roster
from office.exchange.imports.cells import Wrong
from office.exchange.imports.mapping import NOTHING_SAID, FileMapping
from office.exchange.imports.reader import Line, Table

ROSTER = ("房号", "楼栋", "类型", "面积")
ROW = ("1-101", "1栋", "住宅", "89.5")


def table(*rows, types=None):
    lines = (Line(number, tuple(row), types or "") for number, row in enumerate(rows, start=1))
    return Table("file.csv", tuple(lines))


def body(kind, *rows, said=NOTHING_SAID):
    return columns.find_body(table(*rows), kind.COLUMNS, said)


NOTHING_NEW = [
    "面积(㎡)",
    "面积（平方米）",
    "面积 (m²)",
    "面积[Area]",
    "建筑面积(m2)",
    "面积(必填)",
    "*面积",
    "面积:",
]
FOREIGN = [
    "面积(套内)",
    "面积（使用面积）",
    "面积(公摊)",
    "面积(亩)",
    "建筑面积（套内）",
    "面积[sqft]",
    "面积套内",
]


@pytest.mark.parametrize("header", NOTHING_NEW)
def test_what_says_nothing_new_is_no_other_header(header):
    assert body(roster, (*ROSTER[:3], header), ROW).places["area_m2"] == 3


@pytest.mark.parametrize("header", FOREIGN)
def test_another_measure_is_refused_by_name(header):
    with pytest.raises(Refused) as refusal:
        body(roster, (*ROSTER[:3], header), ROW)

    assert refusal.value.values["column"] == header


def test_another_measure_beside_ours_is_only_unused():
    found = body(roster, (*ROSTER, "面积(套内)"), (*ROW, "70"))

    assert (found.places["area_m2"], found.unused) == (3, ("面积(套内)",))


def test_another_measure_that_a_person_has_chosen_is_taken():
    said = FileMapping(columns={"面积(套内)": "area_m2"})

    assert body(roster, (*ROSTER[:3], "面积(套内)"), ROW, said=said).places["area_m2"] == 3


@pytest.mark.parametrize("title", ["单位：万元", "金额单位:千元", "单位: 分"])
def test_a_measure_above_the_table_is_refused(title):
    with pytest.raises(Refused) as refusal:
        body(roster, (title,), ROSTER, ROW)

    assert refusal.value.values["said"] == title


def test_yuan_above_the_table_is_ours():
    assert len(body(roster, ("单位：元",), ROSTER, ROW).lines) == 1


def test_headers_that_differ_only_in_brackets_stay_apart():
    assert len({headers.header_key(name) for name in ("交易金额(收入)", "交易金额(支出)", "交易金额")}) == 3
    assert headers.header_key("交易金额(元)") == headers.header_key("交易金额")


def test_a_header_in_two_lines_is_joined():
    upper = ("房号", "楼栋", "类型", "建筑", "业主信息", "")
    lower = ("", "", "", "面积", "姓名", "电话")

    found = body(roster, upper, lower, (*ROW, "张三", "13800000001"))

    assert found.places == {
        "unit_code": 0, "building": 1, "unit_kind": 2, "area_m2": 3, "payer_name": 4, "payer_phone": 5
    }  # fmt: skip
    assert len(found.lines) == 1


def test_a_second_line_that_names_more_columns_belongs_to_the_header():
    found = body(roster, (*ROSTER, "业主"), ("", "", "", "", "姓名"), (*ROW, "张三"))

    assert (len(found.lines), found.places["payer_name"]) == (1, 4)


def test_last_reading_and_this_reading_stay_apart():
    found = body(
        readings, ("房号", "表号", "上期", "本期", "抄表日期"), ("", "", "读数", "读数", ""),
        ("1-101", "水表", "100", "130", "2026-08-31"),
    )  # fmt: skip

    assert found.header[found.places["value"]] == "本期读数"


def test_a_title_above_the_header_is_no_part_of_it():
    assert body(roster, ("某小区业主名册",), ROSTER, ROW).header == ROSTER


READINGS = ("房号", "表号", "本期读数", "用量", "抄表日期")
READING = ("1-101", "水表", "130", "30", "2026-08-31")
FOOTERS = [
    ("合计", "", "", "36", ""),
    ("", "", "", "36", ""),
    ("人民币合计：", "", "", "36"),
    ("以上数据仅供参考",),
    ("1 收", "36"),
    ("共计 2 户",),
    ("制表人：王某", "", "审核：李某"),
    ("注：水表为新表",),
    ("小 计", "", "", "36"),
    ("Total", "", "", "36"),
]


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_is_skipped_and_counted(footer):
    found = body(readings, READINGS, READING, footer, footer)

    assert (len(found.lines), found.skipped_lines) == (1, 2)
    assert found.unused == ("用量",)


NO_FOOTERS = [
    ("", "水表", "61", "6", "2026-08-31"),  # a row whose unit is missing is a mistake, no footer
    ("1-102", "水表", "61", "6", ""),
    ("1-102", "合计表", "61", "6", "2026-08-31"),
    ("总表房", "水表", "61", "6", "2026-08-31"),
]


@pytest.mark.parametrize("row", NO_FOOTERS)
def test_a_row_with_a_mistake_is_no_footer(row):
    assert body(readings, READINGS, READING, row).skipped_lines == 0


def test_a_total_in_the_middle_is_no_footer():
    assert body(readings, READINGS, FOOTERS[0], READING).skipped_lines == 0


CODES = [("1-101", "t"), ("1E3", "t"), ("3E12", "t"), ("123456789012345", "n"), ("6222000000000000001", "t")]
DAMAGED = [
    ("1.39E+10", "t"), ("2.02611E+27", "t"), ("1E+10", "t"), ("1.39E+10/0755-1", "t"),
    ("1234567890123456", "n"),
    ("2026-01-01", "d"), ("#N/A", "e"), ("#REF!", "e"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept_as"), CODES)
def test_a_whole_code_is_taken(text, kept_as):
    columns.check_cell(Line(2, (text,), kept_as), 0, is_code=True)


@pytest.mark.parametrize(("text", "kept_as"), DAMAGED)
def test_a_code_that_a_spreadsheet_has_damaged_is_refused(text, kept_as):
    with pytest.raises(Wrong):
        columns.check_cell(Line(2, (text,), kept_as), 0, is_code=True)


@pytest.mark.parametrize("kept_as", ["d", "e"])
def test_a_number_that_became_a_date_or_an_error_is_refused(kept_as):
    with pytest.raises(Wrong):
        columns.check_cell(Line(2, ("2026-01-01",), kept_as), 0, is_code=False, is_number=True)


TOML = """
[columns]
"房间编号" = "unit_code"
[values.unit_kind]
"普通住宅" = "residence"
[join]
building = "{区}-{楼}"
[set]
area_m2 = "80"
"""


def test_a_mapping_says_columns_words_joined_codes_and_constants():
    said = mapping.from_toml(TOML, "map.toml", [column.code for column in roster.COLUMNS])

    found = columns.read_rows(
        table(("房间编号", "区", "楼", "类型", "朝向"), ("1-101", "东", "1", "普通住宅", "南")),
        roster.COLUMNS,
        None,
        mapping=said,
    )

    row = found.rows[0]
    assert (row["unit_code"], row["building"], row["unit_kind"], str(row["area_m2"])) == (
        "1-101", "东-1", "residence", "80"
    )  # fmt: skip
    assert found.unused == ("朝向",)
    assert mapping.from_stored(said.stored()) == said


def test_notes_below_a_table_with_a_joined_code_are_a_footer():
    """The parts of the code tell which lines are rows; a line without them and values is a note."""
    said = mapping.FileMapping(joins={"unit_code": "{楼栋}-{门牌号}"})

    found = columns.read_rows(
        table(
            ("序号", "楼栋", "门牌号", "类型", "面积"),
            ("1", "1栋", "101", "住宅", "80"),
            ("注：以上由管家核对",),
            ("制表：王某", "", "", "审核："),
        ),
        roster.COLUMNS,
        None,
        mapping=said,
    )

    assert [row["unit_code"] for row in found.rows] == ["1栋-101"]
    assert (found.problems, found.skipped_lines) == ([], 2)


@pytest.mark.parametrize(
    ("headers", "proposed"),
    [
        (("序号", "楼栋", "单元", "门牌号", "面积"), "{楼栋}-{单元}-{门牌号}"),
        (("楼号", "室号"), "{楼号}-{室号}"),
        (("楼栋", "面积"), ""),
        (("房号", "面积"), ""),
    ],
)
def test_a_code_in_parts_is_proposed(headers, proposed):
    assert mapping.proposed_join(headers) == proposed


def test_a_reading_may_say_the_measure_of_its_meter():
    places = columns.places_of(("房号", "表号", "本期读数(吨)", "抄表日期"), readings.COLUMNS, NOTHING_SAID)

    assert places["value"] == (2,)


@pytest.mark.parametrize(
    "text",
    [
        "[columns",
        '[columns]\n"a" = "nothing"',
        '[value]\n"a" = "b"',
        'columns = "x"',
        '[values]\nfloor = "x"',
    ],
)
def test_a_mapping_that_cannot_be_understood_is_refused(text):
    with pytest.raises(Refused):
        mapping.from_toml(text, "map.toml", ["unit_code", "floor"])


def test_a_constant_is_said_as_column_and_value():
    said = mapping.with_constants(NOTHING_SAID, ["building=1栋"], ["building"])

    assert said.constants == {"building": "1栋"}
    with pytest.raises(Refused):
        mapping.with_constants(NOTHING_SAID, ["nowhere=1"], ["building"])


WIDE = {ord(char): ord(char) + 0xFEE0 for char in "0123456789()-"}
FORMS = [
    lambda text: text,
    lambda text: f" {text}\xa0",
    lambda text: text.translate(WIDE),
    lambda text: text.replace("-", "–"),
    lambda text: f"\ufeff{text}",
]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.permutations(range(4)),
    st.lists(st.tuples(st.integers(1, 30), st.integers(101, 2999)), min_size=1, max_size=6, unique=True),
    st.sampled_from(FORMS),
    st.sampled_from(["面积", "建筑面积(㎡)", "面積", "area_m2", " 面 积 "]),
    st.lists(st.sampled_from([("物业管理处",), ("打印日期", "2026-08-31"), ("",)]), max_size=3),
    st.lists(st.sampled_from(FOOTERS), max_size=3),
)
def test_one_table_in_many_forms_is_one_table(order, units, form, area, titles, footers):
    """The oracle knows the units; order, width, dashes, titles and footers change nothing."""
    header = (*ROSTER[:3], area)
    rows = [(form(f"{one}-{other}"), "1栋", "住宅", "89.5") for one, other in units]
    # a footer's first cell stands in the file's first column, so the code stays there
    places = [0, *(place for place in order if place)]
    lines = [tuple(row[place] for place in places) for row in (header, *rows)]

    found = columns.read_rows(table(*titles, *lines, *footers), roster.COLUMNS, None, mapping=NOTHING_SAID)

    assert not found.problems
    assert [row["unit_code"] for row in found.rows] == [f"{one}-{other}" for one, other in units]
    assert found.skipped_lines == len(footers)
