"""Direction, state and balance proof of a statement's rows (M5, contract "Direction", "State")."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.bank_statements import (
    Amount,
    Balanced,
    Signs,
    Words,
    balance_proof,
    direction_of,
    is_correction,
    looks_like_directions,
)

WORDS = Words(
    incoming=frozenset({"贷", "收入"}),
    outgoing=frozenset({"借", "支出", "-"}),
    successful=frozenset({"交易成功"}),
    refunded=("退款",),
    unsuccessful=("失败", "冲正"),
)
TEN = Decimal("10.00")


@pytest.mark.parametrize(
    ("amount", "is_file_signed", "expected"),
    [
        (Amount(came=TEN), False, (TEN, "in")),
        (Amount(came=TEN, went=Decimal(0)), False, (TEN, "in")),
        (Amount(came=Decimal(0), went=TEN), False, (-TEN, "out")),
        (Amount(came=-TEN), False, (-TEN, "out")),  # red: a correction
        (Amount(went=-TEN), False, (TEN, "in")),
        (Amount(came=TEN, went=Decimal(3)), False, (Decimal(7), "unknown")),
        (Amount(came=Decimal(0), went=Decimal(0)), False, (Decimal(0), "in")),
        (Amount(plain=-TEN, is_signed=True), False, (-TEN, "out")),
        (Amount(plain=-TEN, is_signed=True, word="贷"), False, (-TEN, "out")),  # the sign speaks first
        (Amount(plain=TEN, is_signed=True, word="借"), False, (TEN, "in")),
        (Amount(plain=TEN, word="贷"), False, (TEN, "in")),
        (Amount(plain=TEN, word="借"), False, (-TEN, "out")),
        (Amount(plain=TEN, word=" 支出 "), True, (-TEN, "out")),
        (Amount(plain=TEN, word="往来"), True, (TEN, "unknown")),
        (Amount(plain=TEN, word=""), False, (TEN, "unknown")),
        (Amount(plain=TEN, word=""), True, (TEN, "in")),
        (Amount(plain=TEN), False, (TEN, "in")),
    ],
)
def test_direction_by_the_first_that_speaks(amount, is_file_signed, expected):
    assert direction_of(amount, WORDS, Signs(is_amount_signed=is_file_signed)) == expected


def test_a_sign_in_the_column_of_what_went_out_may_say_it_again():
    """Some banks write `-10.00` below 支出: where each amount there is below zero, it went out."""
    signs = Signs(is_outgoing_negative=True)

    assert direction_of(Amount(went=-TEN), WORDS, signs) == (-TEN, "out")
    assert direction_of(Amount(came=TEN), WORDS, signs) == (TEN, "in")


def test_what_takes_back_an_outgoing_amount_is_nobodys_payment():
    assert is_correction(Amount(went=-TEN), Signs())
    assert not is_correction(Amount(went=-TEN), Signs(is_outgoing_negative=True))
    assert not is_correction(Amount(went=TEN), Signs())
    assert not is_correction(Amount(came=-TEN), Signs())


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (["收入", "支出", ""], True),
        (["收入", "转账", "贷"], True),
        (["收入", "转账", "结息"], False),
        (["转账", "结息"], False),
        (["", ""], False),
        (["-", "—", "-"], False),
        (["-", "收入"], True),
        ([], False),
    ],
)
def test_a_column_of_direction_words_is_known_by_them(said, answer):
    assert looks_like_directions(said, WORDS) is answer


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("交易成功", "done"),
        (" 交易成功 ", "done"),
        ("已全额退款", "refund"),
        ("已退款(￥50.00)", "refund"),
        ("交易失败", "not_successful"),
        ("已冲正", "not_successful"),
        ("交易成功?", "state_unknown"),
        ("", "state_unknown"),
    ],
)
def test_only_a_known_final_success_is_done(word, state):
    assert WORDS.state(word) == state


def balanced(*pairs):
    return [Balanced(Decimal(amount), None if after is None else Decimal(after)) for amount, after in pairs]


@pytest.mark.parametrize(
    ("rows", "state", "turned"),
    [
        ([(350, None)], "absent", ()),
        ([(350, 1350)], "gaps", ()),  # nothing before it
        ([(350, 1350), (-2100, -750)], "proven", ()),
        ([(-2100, -750), (350, 1350)], "proven", ()),  # the latest first
        ([(350, 1350), (360, 1710), (100, 1910)], "gaps", ()),
        ([(350, 1350), (360, None), (100, 1810)], "gaps", ()),
        ([(350, 1350), (2100, -750)], "contradicted", (1,)),
        ([(350, 1350), (360, 1710), (2100, -390)], "contradicted", (2,)),
    ],
)
def test_what_the_balance_column_proves(rows, state, turned):
    proof = balance_proof(balanced(*rows))

    assert (proof.state, proof.turned) == (state, turned)


@pytest.mark.parametrize(
    ("rows", "is_in_doubt"),
    [
        ([(1, 1), (1, 2), (-1, 1), (5, -4)], False),  # two proven, one turned
        ([(1, 1), (1, 2), (5, -3)], True),
        ([(1, 1), (1, 2)], False),
    ],
)
def test_a_file_is_in_doubt_where_proven_rows_do_not_outnumber(rows, is_in_doubt):
    assert balance_proof(balanced(*rows)).is_file_in_doubt == is_in_doubt


def test_a_row_of_unknown_direction_proves_nothing_and_parts_nothing():
    rows = [*balanced((1, 1)), Balanced(Decimal(2), Decimal(3), is_direction_known=False), *balanced((1, 4))]

    assert balance_proof(rows).state == "gaps"
    assert balance_proof(rows).proven == 1


@given(
    st.lists(st.decimals(-999, 999, places=2).filter(bool), min_size=2, max_size=30),
    st.decimals(-9999, 9999, places=2),
    st.booleans(),
)
def test_true_balances_are_proven_in_either_order(amounts, start, is_reversed):
    rows, balance = [], start
    for amount in amounts:
        balance += amount
        rows.append(Balanced(amount, balance))
    if is_reversed:
        rows.reverse()

    assert balance_proof(rows, is_latest_first=is_reversed).state == "proven"


@given(st.lists(st.decimals(1, 999, places=2), min_size=2, max_size=20, unique=True), st.data())
def test_a_turned_row_is_found(amounts, data):
    turned = data.draw(st.integers(1, len(amounts) - 1))
    rows, balance = [], Decimal(0)
    for place, amount in enumerate(amounts):
        balance += -amount if place == turned else amount
        rows.append(Balanced(amount, balance))

    proof = balance_proof(rows, is_latest_first=False)

    assert (proof.state, proof.turned) == ("contradicted", (turned,))
