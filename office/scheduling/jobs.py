"""What runs when, as data (§8). The scheduler reads this list; a new job is a new row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from office.core.jobs import Job

JOBS: tuple[Job, ...] = (
    Job("deadlines", "office.complaints.clock_jobs:follow_policies", at=time(0, 1)),
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
    Job("ticket_clocks", "office.complaints.clock_jobs:sweep", kept_days=400),
    Job("outbox", "office.messaging.outbox:send_due", is_committing=True, kept_days=400),
)
BY_CODE: Mapping[str, Job] = {job.code: job for job in JOBS}
POSITION: Mapping[str, int] = {job.code: position for position, job in enumerate(JOBS)}
