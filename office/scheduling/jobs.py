"""What runs when, as data (§8). The scheduler reads this list; a new job is a new row.

Jobs due at one instant run in the order of the list. A daily or monthly job missed while the program was
down runs once for each missed date, in order, each judged as itself (`due_for`); a job due every minute
catches up in one run. `run` names a function `(session, due_for) -> Outcome` that is safe to run twice.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Outcome:
    """What a job did: units done, units set aside as failed, and what to show of it."""

    done: int = 0
    failed: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One row: a job every minute, or daily at an office time, or on one day of the month."""

    code: str
    run: str  # "module:function", imported when first needed
    at: time | None = None  # none: every minute
    day: int | None = None  # of the month; none: every day
    is_committing: bool = False  # commits by itself between its units (messages leave the house)
    kept_days: int | None = None  # how long its finished runs stay on the list; none: for ever

    def due_between(self, after: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
        """The instants (UTC) in (after, until] at which a dated job is due, in order (§8)."""
        if self.at is None or until <= after:
            return []
        last = until.astimezone(zone).date()
        instants: list[datetime] = []
        for day in self._days(after.astimezone(zone).date()):
            if day > last:
                break
            instants.append(datetime.combine(day, self.at, zone).astimezone(UTC))
        return [instant for instant in instants if after < instant <= until]

    def next_after(self, after: datetime, zone: ZoneInfo) -> datetime:
        """The next instant (UTC) at which the job is due."""
        if self.at is None:
            return after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._days(after.astimezone(zone).date()):
            instant = datetime.combine(day, self.at, zone).astimezone(UTC)
            if instant > after:
                return instant
        raise AssertionError("days do not end")

    def _days(self, first: date) -> Iterator[date]:
        day = first
        while True:
            last_of_month = calendar.monthrange(day.year, day.month)[1]
            if self.day is None or day.day == min(self.day, last_of_month):
                yield day
            day += timedelta(days=1)


JOBS: tuple[Job, ...] = (
    Job("deadlines", "office.complaints.tickets:follow_policies", at=time(0, 1)),
    Job("promise_checks", "office.arrears.contacts:check_promises", at=time(0, 5)),
    Job("plan_checks", "office.arrears.instalment_plans:check_plans", at=time(0, 10)),
    Job("late_fees", "office.receivables.late_fees:accrue_late_fees", at=time(0, 15)),
    Job("restrictions", "office.arrears.restrictions:apply_restrictions", at=time(0, 20)),
    Job("rewards", "office.billing.incentives:judge_rewards", at=time(0, 25)),
    Job("deposits", "office.billing.deposits:enter_all_paid", at=time(0, 28)),
    Job("billing_draft", "office.billing.runs:draft_run", at=time(8, 0), day=25),
    Job("direct_debit_reminder", "office.payments.direct_debit:remind_direct_debit", at=time(8, 30), day=10),
    Job("monthly_report", "office.reports.rates:file_monthly_report", at=time(8, 45), day=1),
    Job("report_mails", "office.reports.mailing:send_reports", at=time(8, 50)),
    Job("ladder", "office.arrears.dunning:judge_day", at=time(9, 0)),
    Job("backup", "office.operations.backup:daily", at=time(2, 0), is_committing=True),
    Job("retention", "office.complaints.retention:remove_expired", at=time(3, 0)),
    Job("old_runs", "office.scheduling.scheduler:remove_old_runs", at=time(3, 30)),
    Job("report_counts", "office.reports.nightly:count_all", at=time(4, 0)),
    Job("restriction_lifts", "office.arrears.restrictions:lift_paid", kept_days=400),
    Job("figures", "office.reports.aggregates:store", kept_days=400),
    Job("ticket_clocks", "office.complaints.tickets:sweep", kept_days=400),
    Job("outbox", "office.messaging.outbox:send_due", is_committing=True, kept_days=400),
)
BY_CODE: Mapping[str, Job] = {job.code: job for job in JOBS}
POSITION: Mapping[str, int] = {job.code: position for position, job in enumerate(JOBS)}
