"""Which reports the scheduler mails to staff, to whom and on which days (K3, K5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from rules.codes import Role

MONDAY = 0


@dataclass(frozen=True)
class ReportMail:
    """One row of the policy: a report that staff of a role get every week or month."""

    report: Literal["weekly_meeting", "monthly_collection", "monthly_complaints"]
    every: Literal["week", "month"]
    role: Role
    is_active: bool = False

    def is_due(self, day: date) -> bool:
        """On Mondays, or on the first of the month."""
        return self.is_active and (day.weekday() == MONDAY if self.every == "week" else day.day == 1)


@dataclass(frozen=True)
class ReportPolicy:
    """The reports that are mailed; none when the policy lists none."""

    mail: tuple[ReportMail, ...] = ()
