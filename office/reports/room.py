"""What reports give the whole office: jobs, integrity checks and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from office.core.exports import Export
from office.core.jobs import Job
from office.reports import aggregates, complaints, exports, integrity, mailing, nightly, view_mails

JOBS = (
    Job("report_counts", nightly.count_all, at=time(4, 0)),
    Job("monthly_report", complaints.file_monthly_report, at=time(8, 45), day=1),
    Job("report_mails", mailing.send_reports, at=time(8, 50)),
    Job("view_mails", view_mails.send_views, at=time(8, 55)),
    Job("figures", aggregates.store, order=2, retention_days=400),
)
CHECKS = (integrity.all_hold,)
EXPORTS: Mapping[str, Export] = {
    "collection_rate": exports.collection_rate,
}
