"""Values with several parts as people type them, and back: office hours, days, prices by tier."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import time
from decimal import Decimal

from rules.billing import Tier, stored_tiers
from rules.numbers import whole_of
from rules.working_time import check_spans

_BETWEEN = re.compile(r"[,，、;；\n]")
_SPAN = re.compile(r"(\d{1,2}:\d{2})\s*(?:-|–|—|~|至|到)\s*(\d{1,2}:\d{2})", re.ASCII)
_TIER = re.compile(
    r"(?:(\d{1,9}(?:\.\d{1,4})?)(?:\s*\+\s*(\d{1,9}(?:\.\d{1,4})?))?\s*:\s*)?(\d{1,9}(?:\.\d{1,6})?)",
    re.ASCII,
)

BIGGEST = 10**9
MOST = 100_000  # of days, minutes, people; more than a date or a wait can bear is a slip of the finger


def words(text: str) -> list[str]:
    """What stands between commas or the like."""
    return [word.strip() for word in _BETWEEN.split(text) if word.strip()]


def _parts(text: str) -> list[str]:
    return [unicodedata.normalize("NFKC", word).strip() for word in words(text)]


def number(text: str) -> int:
    """A whole number of a policy. Raises ValueError, also beyond MOST."""
    found = whole_of(text)
    if abs(found) > MOST:
        raise ValueError(text)
    return found


def numbers(text: str) -> list[int]:
    """`30, 60, 90` as whole numbers, at least one. Raises ValueError."""
    found = [number(part) for part in _parts(text)]
    if not found:
        raise ValueError(text)
    return found


def hours(text: str) -> list[list[str]]:
    """`9:00–12:00, 13:30–18:00` as pairs of times in order, none for a day without. Raises ValueError."""
    found = []
    for part in _parts(text):
        span = _SPAN.fullmatch(part)
        if span is None:
            raise ValueError(part)
        opens, closes = (time.fromisoformat(edge.zfill(5)) for edge in span.groups())
        found.append((opens, closes))
    check_spans(found)
    return [[edge.strftime("%H:%M") for edge in span] for span in found]


def hours_text(spans: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{opens}–{closes}" for opens, closes in spans)


def tiers(text: str) -> tuple[Tier, ...]:
    """`180: 0.50; 280: 0.55; 0.80` as prices up to a quantity, the last one open (B1).

    `180 + 30: 0.50` is a bound that each further person raises by 30 (B18). Takes them as they are exported,
    too. Raises ValueError.
    """
    if text.lstrip().startswith("["):
        return _exported(text)
    found = []
    for part in _parts(text):
        tier = _TIER.fullmatch(part)
        if tier is None:
            raise ValueError(part)
        up_to, per_person, rate = tier.groups()
        found.append(Tier(Decimal(rate), None if up_to is None else Decimal(up_to), Decimal(per_person or 0)))
    return tuple(found)


def _exported(text: str) -> tuple[Tier, ...]:
    try:
        found = stored_tiers(text)
    except (TypeError, ArithmeticError) as wrong:
        raise ValueError(text) from wrong
    values = [
        value for tier in found for value in (tier.rate, tier.up_to, tier.per_person) if value is not None
    ]
    if not all(value.is_finite() and 0 <= value < BIGGEST for value in values):
        raise ValueError(text)
    return found


def tiers_text(stored: str) -> str:
    """Tiers as they are stored (JSON `[[up to, rate], …]`) as a person types them."""
    return "; ".join(
        str(tier.rate)
        if tier.up_to is None
        else f"{tier.up_to} + {tier.per_person}: {tier.rate}"
        if tier.per_person
        else f"{tier.up_to}: {tier.rate}"
        for tier in stored_tiers(stored)
    )


def tiers_stored(found: Sequence[Tier]) -> str:
    rows = [
        [
            None if tier.up_to is None else str(tier.up_to),
            str(tier.rate),
            *([str(tier.per_person)] if tier.per_person else []),
        ]
        for tier in found
    ]
    return json.dumps(rows) if rows else ""
