"""What operations give the whole office: jobs, integrity checks and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from office.core.exports import Export
from office.core.jobs import Job
from office.operations import backup, exports, integrity

JOBS = (Job("backup", backup.daily, at=time(2, 0), is_committing=True),)
CHECKS = (integrity.triggers_present, integrity.names_are_apart)
EXPORTS: Mapping[str, Export] = {
    "audit": exports.audit,
}
