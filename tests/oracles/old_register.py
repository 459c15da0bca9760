"""Counts an old register from its file's rows alone: what the reports must say of it once it came in (R5).

Another author's arithmetic: the standard library, nothing of the program. A row is a mapping of the columns
of the contract; instants are office time, `YYYY-MM-DD HH:MM` or a day alone.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = Mapping[str, str]
MAJOR_FACTS = ("is_media", "is_injury", "is_legal_letter")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text if " " in text else f"{text} 00:00")


def has_ended(row: Row) -> bool:
    return bool(row["outcome"] or row["resolved_at"] or row["closed_at"])


def outcome(row: Row) -> str:
    return row["outcome"] or ("solved" if row["resolved_at"] else "")


def severity(row: Row) -> str:
    """As the register has it, else from its facts: the residential preset knows minor and major."""
    return row["severity"] or ("major" if any(row[fact] == "是" for fact in MAJOR_FACTS) else "minor")


def month(row: Row) -> str:
    return row["registered_at"][:7]


def hours_to_solve(rows: Iterable[Row]) -> list[Decimal]:
    """Of the rows with a day of solving; a day alone that is the day of registering counts nothing."""
    found = []
    for row in rows:
        if row["resolved_at"]:
            seconds = (at(row["resolved_at"]) - at(row["registered_at"])).total_seconds()
            found.append(Decimal(max(seconds, 0)) / 3600)
    return found


def figures(rows: Sequence[Row]) -> list[Any]:
    """Registered, solved, and the time that took: median, nine of ten, mean, each in hours."""
    hours = sorted(hours_to_solve(rows))
    solved = sum(1 for row in rows if row["resolved_at"] or row["outcome"] == "solved")
    if not hours:
        return [len(rows), solved, None, None, None]
    nine = next(one for place, one in enumerate(hours, 1) if place * 10 >= len(hours) * 9)
    times = (statistics.median(hours), nine, sum(hours) / len(hours))
    return [
        len(rows),
        solved,
        *(Decimal(one).quantize(Decimal("0.1"), ROUND_HALF_UP) for one in times),
    ]


def by(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Any]]:
    """The figures of the valid complaints, by month, severity, category or outcome."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if outcome(row) != "invalid":
            groups[key(row)].append(row)
    return {name: figures(group) for name, group in groups.items()}
