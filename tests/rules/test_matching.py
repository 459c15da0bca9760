"""Which rows post by themselves, and what a person is offered for the others (M5)."""

from decimal import Decimal

import pytest

from rules.matching import (
    CodeIndex,
    RowToMatch,
    UnitCandidate,
    is_name,
    is_weak,
    match,
    seconded,
    suggestions,
)

INDEX = CodeIndex(["3-2-1201", "3-2-1202", "3-2-120", "A座1201", "B1-023", "2-1201"])

FOUND = [
    ("3-2-1201", ["3-2-1201"]),
    ("物业费3-2-1201三月", ["3-2-1201"]),
    ("房号:3-2-1201-物业费", ["3-2-1201"]),
    ("物业费-3-2-1201", ["3-2-1201"]),
    ("(3-2-1201)", ["3-2-1201"]),
    ("3-2-1201/3-2-1202", ["3-2-1201", "3-2-1202"]),
    ("3-2-1201 3-2-1201", ["3-2-1201"]),
    ("３－２－１２０１", ["3-2-1201"]),
    ("3–2—1201", ["3-2-1201"]),
    ("b1-023", ["B1-023"]),
    ("a座1201", ["A座1201"]),
    ("2-1201", ["2-1201"]),
    ("13-2-12011", []),
    ("13-2-1201", []),
    ("3-2-12011", []),
    ("3-2-1201-2", []),
    ("1-3-2-1201", []),
    ("3-2-1201A", []),
    ("A座12012", []),
    ("BA座1201", []),
    ("", []),
]


@pytest.mark.parametrize(("memo", "codes"), FOUND)
def test_a_code_counts_as_a_whole_token_only(memo, codes):
    assert sorted(INDEX.found(memo)) == codes


POSTED = [
    (RowToMatch("3-2-1201", Decimal(100)), "posted", "one_known_code"),
    (RowToMatch("9-9-9999", Decimal(100)), "waiting", "no_known_code"),
    (RowToMatch("3-2-1201 3-2-1202", Decimal(100)), "waiting", "several_codes"),
    (RowToMatch("3-2-1201", Decimal(100), state="refund"), "waiting", "refund"),
    (RowToMatch("3-2-1201", Decimal(100), state="not_successful"), "waiting", "not_successful"),
    (RowToMatch("3-2-1201", Decimal(100), direction="out"), "waiting", "outgoing"),
    (RowToMatch("3-2-1201", Decimal(-100)), "waiting", "outgoing"),
    (RowToMatch("3-2-1201", Decimal(0)), "waiting", "no_amount"),
]


@pytest.mark.parametrize(("row", "state", "code"), POSTED)
def test_only_a_sure_row_posts(row, state, code):
    found = match(row, INDEX)

    assert (found.state, found.reason.code) == (state, code)
    assert (found.unit_code == "3-2-1201") is (state == "posted")


WEAK = [
    ("1011", True),
    ("1-3", True),
    ("1-12", True),
    ("12-31", True),
    ("12-32", False),
    ("0-3", False),
    ("2026-11", True),
    ("26-8-12", True),
    ("2026-08-12", True),
    ("1-101", False),
    ("1-1-1001", False),
    ("3-2-1201", False),
    ("A1011", False),
    ("１－３", True),
]


@pytest.mark.parametrize(("code", "is_so"), WEAK)
def test_a_code_that_may_be_another_number_is_weak(code, is_so):
    """contract "Sure match": digits only, or numbers that may be months or days."""
    assert is_weak(code) is is_so


ESTATE = CodeIndex(
    ["1011", "1012", "1021", "2026", "1201", "1-1-1001", "1-3", "1-12", "1-101", "1-102", "A座1201"]
)
MEMOS = [
    ("1-101物业费", "posted", "one_known_code"),
    ("1-1-1001物业费", "posted", "one_known_code"),
    ("楼1-1-1001 2026年", "posted", "one_known_code"),
    ("1-101 300元", "posted", "one_known_code"),
    ("1-101月租", "posted", "one_known_code"),
    ("1-101年度物业费", "posted", "one_known_code"),
    ("1-101日常维修", "posted", "one_known_code"),
    ("1栋1单元1001", "posted", "one_known_code"),
    ("1号楼1单元1001室", "posted", "one_known_code"),
    ("1 栋 1 单元 1001", "posted", "one_known_code"),
    ("01栋101", "posted", "one_known_code"),
    ("1幢101", "posted", "one_known_code"),
    ("1#101", "posted", "one_known_code"),
    ("A座1201", "posted", "one_known_code"),
    ("1-3室", "posted", "one_known_code"),
    ("1011室", "posted", "one_known_code"),
    ("1011号房", "posted", "one_known_code"),
    ("1011", "waiting", "weak_code"),
    ("1011物业费", "waiting", "weak_code"),
    ("1-3", "waiting", "weak_code"),
    ("1-3房租", "waiting", "weak_code"),
    ("1-3月物业费", "waiting", "no_known_code"),
    ("王芳 1-12月物业管理费", "waiting", "no_known_code"),
    ("1-3月租", "waiting", "no_known_code"),
    ("物业费1201元", "waiting", "no_known_code"),
    ("物业费1201 元", "waiting", "no_known_code"),
    ("2026年11月物业费", "waiting", "no_known_code"),
    ("1011栋", "waiting", "no_known_code"),
    ("1-3期", "waiting", "no_known_code"),
    ("12%1-101%", "waiting", "no_known_code"),
    ("￥1011", "waiting", "no_known_code"),
    ("¥ 1011", "waiting", "no_known_code"),
    ("订单号1011", "waiting", "no_known_code"),
    ("订单号：1-101", "waiting", "no_known_code"),
    ("單號 1011", "waiting", "no_known_code"),
    ("工号1021报销", "waiting", "no_known_code"),
    ("卡号 1011", "waiting", "no_known_code"),
    ("13801011021 转账", "waiting", "no_known_code"),
    ("物业费 1021 及 1012", "waiting", "several_codes"),
    ("1-101 1011", "waiting", "several_codes"),
    ("1-12～1-101物业费", "waiting", "several_codes"),
    ("1栋1单元1001 1-101", "waiting", "several_codes"),
    ("2栋1单元1001", "waiting", "no_known_code"),
]


@pytest.mark.parametrize(("memo", "state", "code"), MEMOS)
def test_what_may_be_another_quantity_never_posts(memo, state, code):
    """contract "Sure match": a period, a sum, a year, an order's number are no unit code."""
    found = match(RowToMatch(memo, Decimal(100)), ESTATE)

    assert (found.state, found.reason.code) == (state, code)


@pytest.mark.parametrize(
    ("payer", "names", "state"),
    [
        ("张三", ["李四", "张三"], "posted"),
        ("*三", ["张三"], "posted"),
        ("张三", ["李四"], "waiting"),
        ("张三", [], "waiting"),
        ("", ["张三"], "waiting"),
        ("**", ["张三"], "waiting"),
    ],
)
def test_a_weak_code_needs_the_name_of_one_who_pays_there(payer, names, state):
    row = RowToMatch("1011", Decimal(100), payer_name=payer)

    found = seconded(match(row, ESTATE), row, names)

    assert (found.state, found.unit_code) == (state, "1011")


@pytest.mark.parametrize(
    ("memo", "expected"),
    [
        ("1-1-101物业费", "one_known_code"),
        ("1栋1单元101", "one_known_code"),
        ("1栋-1单元-101室", "one_known_code"),
        ("1#1-101", "one_known_code"),
        ("3-12 物业费", "weak_code"),
        ("3-12月物业费", "no_known_code"),
        ("3栋12室", "one_known_code"),
    ],
)
def test_a_code_that_is_stored_written_out_is_found_in_short_too(memo, expected):
    """A roster whose code was joined of its parts as they stand: `1栋-1单元-101`."""
    index = CodeIndex(["1栋-1单元-101", "3栋-12"])

    assert match(RowToMatch(memo, Decimal(100)), index).reason.code == expected


def test_a_room_inside_a_code_that_is_written_out_is_no_unit_of_its_own():
    index = CodeIndex(["1001", "1-1-1001"])

    found = match(RowToMatch("1栋1单元1001室", Decimal(100)), index)

    assert (found.state, found.unit_code) == ("posted", "1-1-1001")


def test_a_name_makes_nothing_else_sure():
    row = RowToMatch("1-101 1-102", Decimal(100), payer_name="张三")

    assert seconded(match(row, ESTATE), row, ["张三"]).state == "waiting"


NAMES = [
    ("张三", "张三", True),
    ("张 三", "张三", True),
    ("*三", "张三", True),
    ("张**", "张小三", True),
    ("张*", "李三", False),
    ("*", "张三", False),
    ("张三", "张三丰", False),
    ("", "", False),
    ("ACME Ltd", "acme ltd", True),
    ("张.三", "张x三", False),
]


@pytest.mark.parametrize(("given", "known", "is_same"), NAMES)
def test_a_bank_hides_part_of_a_name(given, known, is_same):
    assert is_name(given, known) is is_same


def test_suggestions_are_ranked_with_their_reasons():
    row = RowToMatch("物业费", Decimal(300), payer_name="张三")
    candidates = [
        UnitCandidate("amount", "李四", (Decimal(100), Decimal(200))),
        UnitCandidate("nothing", "王五", (Decimal(1),)),
        UnitCandidate("name", "张三", (Decimal(5),)),
        UnitCandidate("before", "赵六", (), frozenset({"张三"})),
        UnitCandidate("both", "张三", (Decimal(300), Decimal(7))),
    ]

    found = suggestions(row, candidates, INDEX, most=4)

    assert [one.unit_code for one in found] == ["before", "both", "name", "amount"]
    assert [one.code for one in found[1].reasons] == ["payer_name", "amount_of_oldest"]


def test_the_codes_of_an_unsure_memo_come_first():
    row = RowToMatch("3-2-1201 3-2-1202", Decimal(50))
    candidates = [UnitCandidate("3-2-1202", "李四", (Decimal(50),)), UnitCandidate("3-2-1201", "张三", ())]

    found = suggestions(row, candidates, INDEX, most=5)

    assert [one.unit_code for one in found] == ["3-2-1202", "3-2-1201"]
