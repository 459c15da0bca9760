"""Whose words an estate's papers use: those of the mainland, of Hong Kong or of Taiwan (D6)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from rules.codes import WordSet

BY_CURRENCY: Mapping[str, WordSet] = MappingProxyType(
    {"HKD": "hong_kong", "MOP": "hong_kong", "TWD": "taiwan"}
)


def word_set(chosen: str, currency: str) -> WordSet:
    """The word set that an office chose; while it chose none, the one its currency speaks for.

    >>> word_set("", "HKD"), word_set("taiwan", "CNY"), word_set("", "CNY")
    ('hong_kong', 'taiwan', 'mainland')
    """
    known: tuple[WordSet, ...] = get_args(WordSet)
    return next((one for one in known if one == chosen), BY_CURRENCY.get(currency, "mainland"))
