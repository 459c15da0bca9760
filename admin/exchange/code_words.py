"""The codes that an import's columns know, as a person calls them in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.panel import labels, row_names
from models.billing import FeeItem
from models.complaints import Category

LABELS: Mapping[str, Mapping[str, Any]] = {
    "unit_kind": labels.UNIT_KINDS,
    "method": {**labels.METHODS, **labels.CONTACT_METHODS},
    "channel": labels.CHANNELS_IN,
    # a register's 一般 is minor, so the severity that is called so keeps its code
    "severity": {code: word for code, word in labels.SEVERITIES.items() if code != "normal"},
    "basis": labels.BASES,
    "anchor": labels.ANCHORS,
    "rounding": labels.ROUNDINGS,
    "rounding_mode": labels.ROUNDING_MODES,
    "payer": labels.PAYER_RULES,
    "timing": labels.TIMINGS,
    "scope": labels.POOL_SCOPES,
    "key": labels.POOL_KEYS,
    **dict.fromkeys(("vacant", "unsold", "developer"), labels.BEARS),
    "kind": labels.READING_KINDS,
    "outcome": {**labels.CONTACT_OUTCOMES, **labels.OUTCOMES},
}


def words_of(session: Session) -> Callable[[str, str], str]:
    """What a column's code is called; the code itself where it has no other name."""

    @cache
    def rows(model: Any) -> dict[str, str]:
        return {row.code: row_names.name_of(row) for row in session.scalars(select(model))}

    def word(column: str, code: str) -> str:
        if column in {"fee_item", "meter", "metered_item"}:
            return rows(FeeItem).get(code, code)
        if column == "category":
            return rows(Category).get(code, code)
        return str(LABELS.get(column, {}).get(code, code))

    return word
