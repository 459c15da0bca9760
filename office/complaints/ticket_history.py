"""An old register that comes in as history: what ended is closed at once and nothing is to be done (R5).

Such a ticket has no clocks, visits, escalations or alerts, so that it is in no list of today and in no figure
about deadlines or visits; its history says when and by whom it was taken over. What nothing in the register
says to have ended comes in as an open complaint, with the clocks it would have had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from office.complaints.legacy_import import ImportCounts, LegacyImport, LegacyTicket, TicketRows, record
from rules.lifecycle import Verb, kept_until
from rules.old_registers import Ending, ending, following

OPEN, UNSAID, EXPIRED = "still_open", "no_outcome", "past_keeping"


@dataclass(frozen=True)
class HistoryCounts:
    """How many tickets were added and skipped, and how many of the added ones by what.

    By outcome, `no_outcome`, `still_open`; of these `past_keeping`: closed longer ago than the office keeps
    complaints (T11).
    """

    added: int = 0
    skipped: int = 0
    by: Counter[str] = field(default_factory=Counter)


def import_history(
    session: Session, rows: Iterable[LegacyTicket], *, now: datetime, staff_id: int | None = None
) -> HistoryCounts:
    """Add the tickets of an old register that are not there yet, ended ones closed as they ended (R5).

    Raises Refused for unknown codes, units and severities.
    """
    importer = _HistoryImport(session, now, staff_id)
    counts: ImportCounts = importer.take(rows)
    return HistoryCounts(counts.added, counts.skipped, importer.counts)


class _HistoryImport(LegacyImport):
    def __init__(self, session: Session, now: datetime, staff_id: int | None) -> None:
        super().__init__(session, now, staff_id)
        self.counts: Counter[str] = Counter()
        self.today = self.policies.at(now)

    def rows_of(self, row: LegacyTicket) -> TicketRows:
        """The rows of a closed ticket without clocks; of one that has not ended those of an open ticket."""
        ended = ending(
            row.outcome,
            resolved_at=row.resolved_at,
            followed_up_at=row.followed_up_at,
            closed_at=row.closed_at,
            taken_over_at=self.now,
        )
        if ended is None:
            self.counts[OPEN] += 1
            return super().rows_of(row)
        self.counts[ended.outcome or UNSAID] += 1
        if kept_until(self.today.calendar, self.today.lifecycle, ended.closed_at) <= self.now:
            self.counts[EXPIRED] += 1
        return self._closed(row, ended)

    def _closed(self, row: LegacyTicket, ended: Ending) -> TicketRows:
        in_force = self.policies.at(row.registered_at)
        severity, reason = self.severity_of(in_force, row)
        resolved_at = self._not_before(row.registered_at, row.resolved_at)
        followed_up_at = self._not_before(resolved_at or row.registered_at, row.followed_up_at)
        closed_at = self._not_before(resolved_at or row.registered_at, ended.closed_at)
        ticket = self.ticket_columns(row, in_force, severity, reason) | {
            "state": ended.state.value,
            "level": 0,
            "outcome": ended.outcome or "",
            "resolved_at": resolved_at,
            "followed_up_at": followed_up_at,
            "closed_at": closed_at,
            "taken_over_at": self.now,
        }
        made = TicketRows(ticket, [], [])
        record(made, row.registered_at, "register", reason)
        for at, verb in ((resolved_at, Verb.RESOLVE), (followed_up_at, Verb.FOLLOW_UP)):
            if at is not None:
                record(made, at, verb.value)
        if row.closed_at is not None:
            record(made, closed_at or self.now, Verb.CLOSE.value)
        self.record_take_over(made, row, outcome=ended.outcome)
        return made

    def _not_before(self, earlier: datetime, later: datetime | None) -> Any:
        """An instant of the register; on the day of the earlier one, without a time, that one itself."""
        return None if later is None else following(earlier, later, self.policies.zone) or earlier
