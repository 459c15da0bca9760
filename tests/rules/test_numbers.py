"""One reader of numbers for forms, actions, filters and imports (contract "Reading files")."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.numbers import NumberError, decimal_of, whole_of

READ = [
    ("0", "0"),
    ("120", "120"),
    ("120.50", "120.50"),
    ("120.", "120"),
    ("-120.50", "-120.50"),
    ("+3", "3"),
    ("−3", "-3"),
    ("－３", "-3"),
    ("1,234.50", "1234.50"),
    ("1，234，567", "1234567"),
    ("１２０．５０", "120.50"),
    ("￥120", "120"),
    ("¥ 1,000", "1000"),
    ("-¥5", "-5"),
    ("¥-5", "-5"),
    ("RMB 88.00", "88.00"),
    ("rmb88", "88"),
    ("120.50元", "120.50"),
    ("120.50 元", "120.50"),
    ("89.5㎡", "89.5"),
    ("89.5 m2", "89.5"),
    ("(120.00)", "-120.00"),
    ("（1,200.00）", "-1200.00"),
    ("¥(5)", "-5"),
    ("(¥5)", "-5"),
    (" 7 ", "7"),
    ("\xa07", "7"),
    ("\ufeff7", "7"),
]


@pytest.mark.parametrize(("text", "number"), READ)
def test_a_number_is_read_as_it_is_written(text, number):
    assert decimal_of(text) == Decimal(number)
    assert str(decimal_of(text)) == number.rstrip(".")


REFUSED = [
    *("", " ", "-", ".", ",", "89,5", "1,2,3", "1,23,456", "1234,567", ",123", "1,234,", "1.2.3", "1.234,50"),
    *("1_000", "1e3", "1E3", "1.5e+10", "0x10", "½", "一百", "12a", "a12", "1 000", "1'000", "--1", "+-1"),
    *("-¥-5", "(-5)", "(5", "5)", "()", "5%", "5万元", "5分", "$5", "nan", "inf", "-Infinity", "1" * 61, "๓"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_number_for_sure_is_refused(text):
    with pytest.raises(NumberError):
        decimal_of(text)


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("3.0", 3), ("1,000", 1000), ("-2", -2), ("（2）", -2)]
)
def test_a_whole_number(text, number):
    assert whole_of(text) == number


@pytest.mark.parametrize("text", ["1.5", "1_000", "1e3", "", "1,0"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(NumberError):
        whole_of(text)


def full_width(text):
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


FORMS = [
    lambda value: f"{value}",
    lambda value: f"{value:,}",
    lambda value: f"¥{value:,}" if value >= 0 else f"-¥{-value:,}",
    lambda value: f"{value} 元",
    lambda value: full_width(f"{value:,}"),
    lambda value: f"({-value:,})" if value < 0 else f"+{value}",
]


@given(
    st.decimals(-(10**11), 10**11, places=2, allow_nan=False, allow_infinity=False), st.sampled_from(FORMS)
)
def test_one_number_in_many_forms_is_one_number(value, form):
    assert decimal_of(form(value)) == value


@given(st.text(max_size=12))
def test_nothing_else_than_a_number_error_is_raised(text):
    with suppress(NumberError):
        assert decimal_of(text).is_finite()
