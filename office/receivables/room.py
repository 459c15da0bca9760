"""What receivables give the whole office: jobs and integrity checks."""

from __future__ import annotations

from datetime import time

from office.core.jobs import Job
from office.receivables import integrity, late_fee_integrity, late_fees

JOBS = (Job("late_fees", late_fees.accrue_late_fees, at=time(0, 15)),)
CHECKS = (integrity.money_adds_up, late_fee_integrity.all_hold)
