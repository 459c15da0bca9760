"""How Chinese characters are read."""

from __future__ import annotations

from functools import lru_cache

from rules import text_order


@lru_cache(maxsize=8192)
def syllable(character: str) -> str:
    """The pinyin of a Chinese character without its tone; nothing of any other character."""
    if character.isascii():
        return ""
    from pypinyin import lazy_pinyin  # its dictionary is read when a name is first written

    return "".join(lazy_pinyin(character, errors="ignore"))


def name_key(name: str) -> str:
    """By what a person's name is ordered (rules/text_order.py)."""
    return text_order.name_key(name, syllable)
