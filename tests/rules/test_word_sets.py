"""Whose words an estate's papers use (D6)."""

from __future__ import annotations

import pytest

from rules.word_sets import word_set

CASES = (
    # chosen, currency, word set
    ("", "CNY", "mainland"),
    ("", "HKD", "hong_kong"),
    ("", "MOP", "hong_kong"),
    ("", "TWD", "taiwan"),
    ("", "USD", "mainland"),
    ("taiwan", "CNY", "taiwan"),
    ("mainland", "HKD", "mainland"),
    ("hong_kong", "TWD", "hong_kong"),
)


@pytest.mark.parametrize(("chosen", "currency", "expected"), CASES)
def test_an_office_chooses_its_words_and_its_currency_does_while_it_has_not(
    chosen: str, currency: str, expected: str
) -> None:
    assert word_set(chosen, currency) == expected
