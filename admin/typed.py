"""Values with several parts as people type them, and back: office hours, days, prices by tier."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import time
from decimal import Decimal
from typing import Any

from rules.billing import Tier

_BETWEEN = re.compile(r"[,，、;；\n]")
_SPAN = re.compile(r"(\d{1,2}:\d{2})\s*(?:-|–|—|~|至|到)\s*(\d{1,2}:\d{2})", re.ASCII)
_TIER = re.compile(r"(?:(\d{1,9}(?:\.\d{1,4})?)\s*:\s*)?(\d{1,9}(?:\.\d{1,6})?)", re.ASCII)

BIGGEST = 10**9
MOST = 100_000  # of days, minutes, people; more than a date or a wait can bear is a slip of the finger


def _parts(text: str) -> list[str]:
    plain = (unicodedata.normalize("NFKC", part).strip() for part in _BETWEEN.split(text))
    return [part for part in plain if part]


def words(text: str) -> list[str]:
    """What stands between commas or the like."""
    return [word.strip() for word in _BETWEEN.split(text) if word.strip()]


def number(text: str) -> int:
    """A whole number of a policy. Raises ValueError, also beyond MOST."""
    found = int(text)
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
        found.append([time.fromisoformat(edge.zfill(5)).strftime("%H:%M") for edge in span.groups()])
    edges = [edge for span in found for edge in span]
    if any(later <= earlier for earlier, later in itertools.pairwise(edges)):
        raise ValueError(text)
    return found


def hours_text(spans: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{opens}–{closes}" for opens, closes in spans)


def tiers(text: str) -> tuple[Tier, ...]:
    """`180: 0.50; 280: 0.55; 0.80` as prices up to a quantity, the last one open (B1).

    Takes them as they are exported, too. Raises ValueError.
    """
    if text.lstrip().startswith("["):
        return _exported(text)
    found = []
    for part in _parts(text):
        tier = _TIER.fullmatch(part)
        if tier is None:
            raise ValueError(part)
        up_to, rate = tier.groups()
        found.append(Tier(Decimal(rate), None if up_to is None else Decimal(up_to)))
    return tuple(found)


def _exported(text: str) -> tuple[Tier, ...]:
    try:
        found = tuple(Tier.from_row({"up_to": up_to, "rate": rate}) for up_to, rate in json.loads(text))
    except (TypeError, ArithmeticError) as wrong:
        raise ValueError(text) from wrong
    values = [value for tier in found for value in (tier.rate, tier.up_to) if value is not None]
    if not all(value.is_finite() and 0 <= value < BIGGEST for value in values):
        raise ValueError(text)
    return found


def tiers_text(stored: str) -> str:
    """Tiers as they are stored (JSON `[[up to, rate], …]`) as a person types them."""
    rows: list[list[Any]] = json.loads(stored) if stored else []
    return "; ".join(str(rate) if up_to is None else f"{up_to}: {rate}" for up_to, rate in rows)


def tiers_stored(found: Sequence[Tier]) -> str:
    rows = [[None if tier.up_to is None else str(tier.up_to), str(tier.rate)] for tier in found]
    return json.dumps(rows) if rows else ""
