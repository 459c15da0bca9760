"""What billing gives the whole office: jobs."""

from __future__ import annotations

from datetime import time

from office.billing import deposits, incentives, runs
from office.core.jobs import Job

JOBS = (
    Job("rewards", incentives.judge_rewards, at=time(0, 25)),
    Job("deposits", deposits.enter_all_paid, at=time(0, 28)),
    Job("billing_draft", runs.draft_run, at=time(8, 0), day=25),
)
