"""What operations give the whole office: jobs and integrity checks."""

from __future__ import annotations

from datetime import time

from office.core.jobs import Job
from office.operations import backup, integrity

JOBS = (Job("backup", backup.daily, at=time(2, 0), is_committing=True),)
CHECKS = (integrity.triggers_present,)
