"""Which reports the clock mails to staff, to whom and on which days (K3, K5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

REPORTS = ("weekly_meeting", "monthly_collection", "monthly_complaints")
EVERY = ("week", "month")
MONDAY = 0


@dataclass(frozen=True)
class ReportMail:
    """One row of the policy: a report that staff of a role get every week or month."""

    report: str
    every: str
    role: str
    is_active: bool = True

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ReportMail:
        """The row of a policy. Raises KeyError for a missing value, ValueError for an impossible one."""
        made = cls(row["report"], row["every"], row["role"], bool(row.get("is_active")))
        if made.report not in REPORTS:
            raise ValueError(f"report: {made.report}")
        if made.every not in EVERY:
            raise ValueError(f"every: {made.every}")
        return made

    def is_due(self, day: date) -> bool:
        """On Mondays, or on the first of the month."""
        return self.is_active and (day.weekday() == MONDAY if self.every == "week" else day.day == 1)


def report_mails(rows: Mapping[str, Any]) -> tuple[ReportMail, ...]:
    """All rows of the policy; none when it lists none."""
    return tuple(ReportMail.from_row(row) for row in rows.get("mail", ()))
