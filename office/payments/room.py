"""What payments give the whole office: jobs."""

from __future__ import annotations

from datetime import time

from office.core.jobs import Job
from office.payments import direct_debit

JOBS = (Job("direct_debit_reminder", direct_debit.remind_direct_debit, at=time(8, 30), day=10),)
