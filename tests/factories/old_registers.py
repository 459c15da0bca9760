"""An old complaint register as an office kept it: every outcome, missing dates, days without a time."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

HEADER = (
    "number", "registered_at", "channel", "category", "statement", "severity", "handler", "resolution",
    "resolved_at", "outcome", "closed_at", "satisfaction", "is_media", "is_injury", "is_legal_letter",
)  # fmt: skip
BEGINS = datetime(2024, 3, 1, 8)  # noqa: DTZ001 -- office time, as the register has it
CATEGORIES = ("security", "cleaning", "greening", "engineering", "customer_service", "equipment")
PEOPLE = ("", "王明", "李离职", "Chan Tai Man")


def register(count: int, seed: int, *, days: int = 800) -> list[dict[str, str]]:
    """So many complaints of so many days, none of them open; the same ones for a seed."""
    chance = random.Random(seed)
    return [_row(number, chance, days) for number in range(1, count + 1)]


def _row(number: int, chance: random.Random, days: int) -> dict[str, str]:
    begun = BEGINS + timedelta(minutes=chance.randrange(days * 1440))
    ended = begun + timedelta(minutes=int(chance.lognormvariate(6.5, 1.2)))
    outcome = chance.choices(("", "solved", "cancelled", "invalid", "moved"), (50, 25, 10, 8, 7))[0]
    is_dated = outcome == "" or chance.random() < 0.6
    is_day = chance.random() < 0.3
    solved = is_dated and outcome in {"", "solved"}
    is_closed_dated = chance.random() < 0.5
    resolved_at = f"{ended:%Y-%m-%d}" if is_day else f"{ended:%Y-%m-%d %H:%M}"
    closed = ended + timedelta(days=1)
    return {
        "number": f"R{number:05}",
        "registered_at": f"{begun:%Y-%m-%d %H:%M}",
        "channel": chance.choice(("phone", "desk", "chat")),
        "category": chance.choice(CATEGORIES),
        "statement": f"complaint {number}",
        "severity": chance.choice(("", "", "minor", "major")),
        "handler": chance.choice(PEOPLE),
        "resolution": "done" if solved else "",
        "resolved_at": resolved_at if solved else "",
        "outcome": outcome,
        "closed_at": f"{closed:%Y-%m-%d}" if is_closed_dated else "",
        "satisfaction": chance.choice(("", "", "1", "3", "5")) if solved else "",
        **{fact: chance.choice(("", "否", "是")) if chance.random() < 0.1 else "" for fact in HEADER[-3:]},
    }
