"""Keys by which text is ordered as people expect it: codes by their numbers, names by their pinyin."""

from __future__ import annotations

import re
from collections.abc import Callable

from rules.text_keys import compared_key

LONGEST = 400  # characters of a key
_NUMBER = re.compile(r"\d+", re.ASCII)
_BEHIND = "\t"  # comes before every letter and blank

# surnames that are read otherwise than the same character in other words (decisions: Libraries)
SURNAMES = {
    "曾": "zeng",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "區": "ou",
    "查": "zha",
    "翟": "zhai",
    "盖": "ge",
    "蓋": "ge",
    "单": "shan",
    "單": "shan",
    "朴": "piao",
    "尉": "wei",
    "覃": "qin",
    "召": "shao",
    "种": "chong",
    "重": "chong",
    "佘": "she",
    "缪": "miao",
    "繆": "miao",
    "乐": "yue",
    "樂": "yue",
    "员": "yun",
    "折": "she",
    "黑": "he",
    "秘": "bi",
    "冼": "xian",
    "洗": "xian",
    "繁": "po",
    "逄": "pang",
    "隗": "wei",
    "晁": "chao",
    "炅": "gui",
    "郇": "xun",
    "瞿": "qu",
    "万俟": "mo qi",
    "尉迟": "yu chi",
    "尉遲": "yu chi",
    "长孙": "zhang sun",
    "長孫": "zhang sun",
    "澹台": "tan tai",
    "单于": "chan yu",
    "令狐": "ling hu",
}


def code_key(code: str) -> str:
    """The key of a code: numbers in it count as numbers, `1-101` before `1-1001`, without regard to case."""
    return _NUMBER.sub(_counted, compared_key(code))[:LONGEST]


def _counted(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0") or "0"
    return f"{len(digits):02d}{digits}"


def surname_of(name: str) -> str:
    """The surname at the beginning of a name that is read in a way of its own, else nothing."""
    return next((name[:length] for length in (2, 1) if name[:length] in SURNAMES), "")


def name_key(name: str, syllable: Callable[[str], str]) -> str:
    """The key of a person's name: its pinyin syllable by syllable, 李 before 梁, then its characters.

    `syllable` gives the pinyin of one Chinese character, and nothing of any other; those stand as they are.
    """
    plain = compared_key(name)
    surname = surname_of(plain)
    said = SURNAMES.get(surname, "")
    for letter in plain[len(surname) :]:
        spoken = syllable(letter)
        said += f" {spoken} " if spoken else letter
    return f"{' '.join(said.split())}{_BEHIND}{plain}"[:LONGEST]
