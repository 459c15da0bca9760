"""One normal form of what names something (contract "Reading files")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text_keys import compared_key, text_key

SAME = [
    *(
        "1-101",
        "１－１０１",
        " 1-101",
        "1-101\xa0",
        "\u30001-101",
        "1–101",
        "1—101",
        "1−101",
        "1‐101",
        "1‑101",
    ),
    *("\ufeff1-101", "1-\u200b101", "1﹣101", "1-101\n", "1­-101"),
]


@pytest.mark.parametrize("text", SAME)
def test_one_unit_has_one_code_however_it_is_typed(text):
    assert text_key(text) == "1-101"


@pytest.mark.parametrize(("one", "other"), [("A座101", "a座１０１"), ("Ｓ１", "s1"), ("B1-023", "b1–023")])
def test_case_counts_for_nothing_when_two_are_compared(one, other):
    assert compared_key(one) == compared_key(other)
    assert text_key(one).isupper() or "座" in text_key(one)


@pytest.mark.parametrize(
    "others", [("1-101", "1101"), ("1-101", "1-1 01"), ("1-101", "11-01"), ("1", "l"), ("0", "o")]
)
def test_different_codes_stay_apart(others):
    assert len({compared_key(other) for other in others}) == 2


@given(st.text(max_size=20))
def test_the_normal_form_of_a_normal_form_is_itself(text):
    assert text_key(text_key(text)) == text_key(text)
