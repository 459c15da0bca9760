"""What payments give the whole office: jobs and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from office.core.exports import Export
from office.core.jobs import Job
from office.payments import cheques, direct_debit, exports

JOBS = (Job("direct_debit_reminder", direct_debit.remind_direct_debit, at=time(8, 30), day=10),)
CHECKS = (cheques.all_hold,)
EXPORTS: Mapping[str, Export] = {
    "payments": exports.payments,
    "statement_rows": exports.statement_rows,
    "cheques": exports.cheques,
    "earmarks": exports.earmarks,
}
