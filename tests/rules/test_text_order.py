"""Codes are ordered by their numbers, people by their pinyin syllable by syllable."""

from __future__ import annotations

import pytest

from models import pinyin
from rules.text_order import code_key

CODES = [
    ["1-101", "1-102", "1-1001", "2-101", "10-101"],
    ["2栋", "10栋", "S2", "s10"],
    ["A-9", "a-10", "B-1"],
    ["1", "1-1", "1-2-3", "1-10"],
    ["９", "10"],
]
NAMES = [
    ["安琪", "白雪", "陈一", "李娜", "李伟", "梁安", "仇英", "曾小明", "张三"],
    ["李", "李安", "连城"],
    ["Anna", "李伟", "Zoe"],
    ["李为", "李伟", "里为"],  # of one sound: by the characters
]


def shuffled(texts: list[str]) -> list[str]:
    return [*texts[1::2], *texts[::2]]


@pytest.mark.parametrize("codes", CODES)
def test_codes_by_their_numbers(codes: list[str]) -> None:
    assert sorted(shuffled(codes), key=code_key) == codes


@pytest.mark.parametrize("names", NAMES)
def test_people_by_their_pinyin(names: list[str]) -> None:
    assert sorted(shuffled(names), key=pinyin.name_key) == names


def test_a_surname_is_read_as_a_surname() -> None:
    assert pinyin.name_key("单于丹").split() == ["chan", "yu", "dan", "单于丹"]
    assert pinyin.name_key("曾晓单").split() == ["zeng", "xiao", "dan", "曾晓单"]


def test_a_number_is_never_too_long() -> None:
    assert len(code_key("1a" * 300)) == 400
