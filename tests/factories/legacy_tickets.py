"""Rows of an old complaint register, and the tickets of the oracle they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from office.complaints.legacy_import import LegacyTicket
from rules.severity import Facts
from tests.oracles.complaint_deadlines import SHIFT, tickets


def instant(moment: datetime) -> datetime:
    """Office time as an instant."""
    return (moment - SHIFT).replace(tzinfo=UTC)


def rows(
    seed: int, *, is_solved: bool
) -> Iterator[tuple[LegacyTicket, tuple[datetime, datetime, dict[str, Any]]]]:
    for number, (begun, resolved, facts) in enumerate(tickets(seed)):
        yield (
            LegacyTicket(
                number=f"OLD-{number}",
                registered_at=instant(begun),
                channel="phone",
                category="cleaning",
                statement="the hall was not cleaned",
                facts=Facts.from_row(facts),
                resolved_at=instant(resolved) if is_solved else None,
            ),
            (begun, resolved, facts),
        )
