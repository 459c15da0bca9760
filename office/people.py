"""Owners and who pays for which unit from when (P3–P6)."""

from __future__ import annotations

import re
from functools import lru_cache

# surnames that are read otherwise than the same character in other words (decisions: Libraries)
SURNAMES = {
    "曾": "z",
    "解": "x",
    "仇": "q",
    "区": "o",
    "區": "o",
    "查": "z",
    "翟": "z",
    "盖": "g",
    "蓋": "g",
    "单": "s",
    "單": "s",
    "朴": "p",
    "尉": "w",
    "覃": "q",
    "召": "s",
    "种": "c",
    "重": "c",
    "佘": "s",
    "缪": "m",
    "繆": "m",
    "乐": "y",
    "樂": "y",
    "员": "y",
    "折": "s",
    "黑": "h",
    "秘": "b",
    "冼": "x",
    "洗": "x",
    "繁": "p",
    "逄": "p",
    "隗": "w",
    "晁": "c",
    "炅": "g",
    "郇": "x",
    "瞿": "q",
    "万俟": "mq",
    "尉迟": "yc",
    "尉遲": "yc",
    "长孙": "zs",
    "長孫": "zs",
    "澹台": "tt",
    "单于": "cy",
    "令狐": "lh",
}
_COMPANY = re.compile(
    r"公司|集团|集團|中心|银行|銀行|学校|學校|医院|醫院|事务所|事務所|工作室|商行|合作社|委员会|"
    r"\b(ltd|limited|inc|llc|gmbh|co)\b",
    re.IGNORECASE,
)


def is_company(name: str) -> bool:
    """Whether a name is an organisation's, as far as a name tells."""
    return _COMPANY.search(name) is not None


@lru_cache(maxsize=8192)
def _letter(character: str) -> str:
    from pypinyin import Style, lazy_pinyin

    if character.isascii():
        return character.casefold() if character.isalnum() else ""
    return "".join(lazy_pinyin(character, style=Style.FIRST_LETTER, errors="ignore"))[:1]


def pinyin_initials(name: str) -> str:
    """The letters by which a name is searched: 曾小明 is zxm; letters and digits stay (at most 60)."""
    plain = "".join(name.split())
    for length in (2, 1):
        if plain[:length] in SURNAMES:
            start = SURNAMES[plain[:length]]
            return (start + "".join(map(_letter, plain[length:])))[:60]
    return "".join(map(_letter, plain))[:60]
