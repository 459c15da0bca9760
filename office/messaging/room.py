"""What messaging gives the whole office: jobs."""

from __future__ import annotations

from office.core.jobs import Job
from office.messaging import outbox

JOBS = (
    # last of its minute: what the other jobs wrote is sent in the same minute
    Job("outbox", outbox.send_due, order=4, is_committing=True, retention_days=400),
)
