"""Yuan are exact: read strictly, rounded half-up, divided without loss (M7, P5, M2)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import (
    MoneyError,
    chinese_amount,
    from_fen,
    money,
    rounded,
    split_by_days,
    to_fen,
    yuan,
)

READ = [
    ("1234.5", "1234.50"),
    ("1,234.50", "1234.50"),
    ("１２３．４５", "123.45"),
    ("¥88", "88.00"),
    ("￥88.00元", "88.00"),
    (" 0 ", "0.00"),
    ("10.000", "10.00"),
    ("-0.00", "0.00"),
    (7, "7.00"),
    (Decimal("0.01"), "0.01"),
    ("999999999999.99", "999999999999.99"),
]

REFUSED = [
    ("", "not_a_number"),
    ("abc", "not_a_number"),
    ("12,34", "not_a_number"),
    ("1e3", "not_a_number"),
    ("1_000", "not_a_number"),
    ("0x10", "not_a_number"),
    ("½", "not_a_number"),
    (1.5, "not_a_number"),
    (True, "not_a_number"),
    (None, "not_a_number"),
    ("NaN", "not_finite"),
    ("sNaN", "not_finite"),
    ("inf", "not_finite"),
    ("-Infinity", "not_finite"),
    (Decimal("NaN"), "not_finite"),
    ("0.001", "finer_than_fen"),
    ("1.005", "finer_than_fen"),
    ("1000000000000", "too_large"),
    (Decimal("1E+400000"), "too_large"),
    ("-0.01", "negative"),
]


@pytest.mark.parametrize(("given_text", "wanted"), READ)
def test_an_amount_is_read(given_text, wanted):
    assert yuan(money(given_text)) == wanted


@pytest.mark.parametrize(("given_text", "code"), REFUSED)
def test_what_is_no_amount_is_refused(given_text, code):
    with pytest.raises(MoneyError) as refused:
        money(given_text)

    assert refused.value.code == code


def test_zero_and_negative_where_they_mean_something():
    assert money("-5", is_negative_allowed=True) == Decimal("-5.00")
    with pytest.raises(MoneyError, match="zero"):
        money("0.00", is_zero_allowed=False)


HALVES = [
    ("0.004", "0.00"),
    ("0.005", "0.01"),
    ("0.0049999", "0.00"),
    ("2.675", "2.68"),
    ("-0.005", "-0.01"),
    ("252.225", "252.23"),
]


@pytest.mark.parametrize(("exact", "wanted"), HALVES)
def test_half_a_fen_goes_up(exact, wanted):
    assert yuan(rounded(Decimal(exact))) == wanted


def test_rounding_is_exact_where_decimals_are_not():
    assert rounded(Fraction(1, 3)) == Decimal("0.33")
    assert rounded(Fraction(2, 3)) == Decimal("0.67")


SPLITS = [
    ("310.00", [16, 15], 31, ["160.00", "150.00"]),
    ("100.00", [10, 21], 31, ["32.26", "67.74"]),  # 32.258…
    ("100.00", [1, 14, 13], 28, ["3.57", "50.00", "46.43"]),
    ("100.00", [28], 28, ["100.00"]),
    ("100.00", [14], 28, ["50.00"]),  # handed over in the middle
    ("0.01", [14, 14], 28, ["0.01", "0.00"]),
    ("0.03", [6, 6, 6, 6, 6], 30, ["0.01", "0.01", "0.01", "0.00", "0.00"]),  # never below zero
]


@pytest.mark.parametrize(("amount", "days", "of", "wanted"), SPLITS)
def test_a_month_is_split_by_days_and_the_last_gets_the_remainder(amount, days, of, wanted):
    assert [yuan(part) for part in split_by_days(Decimal(amount), days, of)] == wanted


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10), min_size=1, max_size=3))
def test_no_fen_is_lost_in_a_split(fen, days):
    parts = split_by_days(from_fen(fen), days, 31)

    assert sum(parts) == rounded(Fraction(fen, 100) * sum(days) / 31)
    assert min(parts) >= 0


@pytest.mark.parametrize("days", [[], [-1, 3], [20, 12]])
def test_days_that_are_no_split_are_refused(days):
    with pytest.raises(ValueError, match="no split"):
        split_by_days(Decimal(1), days, 31)


@given(st.integers(-(10**14) + 1, 10**14 - 1))
def test_fen_and_yuan_are_the_same(fen):
    assert to_fen(from_fen(fen)) == fen
    assert money(yuan(from_fen(fen)), is_negative_allowed=True) == from_fen(fen)


WORDS = [
    ("0", "零元整"),
    ("0.05", "伍分"),
    ("0.50", "伍角整"),
    ("10", "壹拾元整"),
    ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
    ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
    ("325.04", "叁佰贰拾伍元零肆分"),
    ("10000", "壹万元整"),
    ("100100", "壹拾万零壹佰元整"),
    ("100000001", "壹亿零壹元整"),
    ("20000000000", "贰佰亿元整"),
    ("999999999999.99", "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ("-12.30", "负壹拾贰元叁角整"),
]


@pytest.mark.parametrize(("amount", "wanted"), WORDS)
def test_a_receipt_says_the_amount_in_words(amount, wanted):
    assert chinese_amount(Decimal(amount)) == wanted
