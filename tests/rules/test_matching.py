"""Which rows post by themselves, and what a person is offered for the others (M5)."""

from decimal import Decimal

import pytest

from rules.matching import Candidate, CodeIndex, StatementRow, is_name, match, suggestions

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
    (StatementRow("3-2-1201", Decimal(100)), "posted", "one_known_code"),
    (StatementRow("9-9-9999", Decimal(100)), "waiting", "no_known_code"),
    (StatementRow("3-2-1201 3-2-1202", Decimal(100)), "waiting", "several_codes"),
    (StatementRow("3-2-1201", Decimal(100), is_refund=True), "waiting", "refund"),
    (StatementRow("3-2-1201", Decimal(100), is_successful=False), "waiting", "not_successful"),
    (StatementRow("3-2-1201", Decimal(100), is_incoming=False), "waiting", "outgoing"),
    (StatementRow("3-2-1201", Decimal(-100)), "waiting", "outgoing"),
    (StatementRow("3-2-1201", Decimal(0)), "waiting", "no_amount"),
]


@pytest.mark.parametrize(("row", "state", "code"), POSTED)
def test_only_a_sure_row_posts(row, state, code):
    found = match(row, INDEX)

    assert (found.state, found.reason.code) == (state, code)
    assert (found.unit_code == "3-2-1201") is (state == "posted")


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
    row = StatementRow("物业费", Decimal(300), payer_name="张三")
    candidates = [
        Candidate("amount", "李四", (Decimal(100), Decimal(200))),
        Candidate("nothing", "王五", (Decimal(1),)),
        Candidate("name", "张三", (Decimal(5),)),
        Candidate("before", "赵六", (), frozenset({"张三"})),
        Candidate("both", "张三", (Decimal(300), Decimal(7))),
    ]

    found = suggestions(row, candidates, INDEX, most=4)

    assert [one.unit_code for one in found] == ["before", "both", "name", "amount"]
    assert [one.code for one in found[1].reasons] == ["payer_name", "amount_of_oldest"]


def test_the_codes_of_an_unsure_memo_come_first():
    row = StatementRow("3-2-1201 3-2-1202", Decimal(50))
    candidates = [Candidate("3-2-1202", "李四", (Decimal(50),)), Candidate("3-2-1201", "张三", ())]

    found = suggestions(row, candidates, INDEX, most=5)

    assert [one.unit_code for one in found] == ["3-2-1202", "3-2-1201"]
